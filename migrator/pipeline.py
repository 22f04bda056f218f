"""One repository from its path to its result; the one place where a repository's failure is caught."""

from __future__ import annotations

import os
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.config import Config
from migrator.diff import masked, unified_diff
from migrator.discover import listing, walk
from migrator.errors import MigrateError
from migrator.model import Mode, Plan, RepoResult, Rewrite
from migrator.planner import make_plan
from migrator.workspace import Workspace
from migrator.writer import Replacement, uninterrupted

if TYPE_CHECKING:
    from migrator.gitrepo import GitRepo


def migrate_repo(repo: str, config: Config) -> RepoResult:
    """Do what ``config`` asks for in the checkout or folder at ``repo``. Never raises but for an interrupt."""
    try:
        return _migrate(repo, config)
    except MigrateError as error:
        return RepoResult(repo, config.mode, error=str(error))
    except OSError as error:
        return RepoResult(repo, config.mode, error=f"{error.strerror or 'input or output failed'}; nothing was changed")
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        return RepoResult(
            repo, config.mode, error=f"internal error ({type(error).__name__} at {place}); please report it"
        )


def _migrate(repo: str, config: Config) -> RepoResult:
    path = Path(os.path.realpath(repo))
    checkout = _checkout(path)
    if checkout is None and config.mode is Mode.BRANCH:
        raise MigrateError("not a git repository: a branch needs one; --in-place writes the files where they are")
    workspace = _workspace(path, checkout, config)
    plan = make_plan(workspace, config)
    result = _result(repo, config, plan)
    if not plan.changes or config.mode is Mode.CHECK:
        return result
    return _deliver(result, plan, config, workspace, checkout)


def _checkout(path: Path) -> GitRepo | None:
    if not any((folder / ".git").exists() or (folder / "HEAD").is_file() for folder in (path, *path.parents)):
        return None
    from migrator.gitrepo import GitRepo  # here: GitPython is slow to load, and a plain folder needs none of it

    return GitRepo.open(path)


def _workspace(path: Path, checkout: GitRepo | None, config: Config) -> Workspace:
    if checkout is None:
        return Workspace(listing(path, walk(path)), path.name, exclude=config.exclude)
    root = Path(os.path.realpath(checkout.root))
    scope = "" if path == root else path.relative_to(root).as_posix()
    return Workspace(
        listing(root, checkout.paths(), is_sparse=checkout.is_sparse), checkout.name, scope, config.exclude
    )


def _result(repo: str, config: Config, plan: Plan) -> RepoResult:
    return RepoResult(
        repo,
        config.mode,
        findings=plan.findings,
        problems=plan.problems,
        notes=plan.notes,
        changed=tuple(change.path for change in plan.changes),
    )


def _deliver(
    result: RepoResult, plan: Plan, config: Config, workspace: Workspace, checkout: GitRepo | None
) -> RepoResult:
    if config.mode is Mode.PREVIEW:
        diff = unified_diff(plan.changes)
        shown = diff if config.show_secrets else masked(diff, plan.secrets)
        return replace(result, diff=shown, is_masked=shown != diff)
    if config.mode is Mode.IN_PLACE or checkout is None:
        with uninterrupted() as checkpoint, Replacement(workspace.root, plan.changes, checkpoint) as replacement:
            replacement.commit()
        return result
    try:
        message = config.message or commit_message(plan)
        branch = checkout.commit_branch(config.branch, message, plan.changes, switch=config.switch)
    except MigrateError as error:
        return replace(result, error=str(error), changed=())
    return replace(result, branch=branch.name, commit=branch.commit)


def commit_message(plan: Plan) -> str:
    """What was changed where, without any value."""
    lines = ["Sign in to AWS with Spacelift's OIDC token", ""]
    for finding in plan.findings:
        if isinstance(finding.fix, Rewrite):
            lines.append(f"- {finding.place}: {finding.message} -> {finding.fate}")
    return "\n".join(lines) + "\n"
