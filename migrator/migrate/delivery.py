"""What is done with a plan: shown as a diff, written to the files, or committed to a branch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from migrator.errors import MigrateError
from migrator.git.branch import Checkout
from migrator.migrate.branches import commit, made_before
from migrator.model.results import Mode, Plan, RepoResult
from migrator.writing import undo_log
from migrator.writing.diff import unified_diff
from migrator.writing.lock import LOG, locked
from migrator.writing.replace import Replacement, uninterrupted

if TYPE_CHECKING:
    from migrator.config.config import Config
    from migrator.git.checkout import GitRepo
    from migrator.workspace.workspace import Workspace


@contextmanager
def alone(path: Path, checkout: GitRepo | None) -> Iterator[None]:
    """Keep other runs out of a folder, or its checkout, after what a killed one has left there is put back."""
    with locked(checkout.folder if checkout else path):
        if isinstance(checkout, Checkout):
            checkout.begin()
        else:
            undo_log.recover(path, path / LOG)
        yield


def deliver(
    result: RepoResult, plan: Plan, workspace: Workspace, config: Config, checkout: GitRepo | None
) -> RepoResult:
    """Do what is planned, as ``config`` asks; the ``result`` with what came of it."""
    own = checkout if isinstance(checkout, Checkout) else None
    if not plan.changes:
        return made_before(result, config, own)
    if config.mode is Mode.PREVIEW or config.keep_diff:
        diff = unified_diff(plan.changes)
        shown = diff if config.show_secrets else unified_diff(plan.changes, plan.masked)
        result = replace(result, diff=shown, is_masked=shown != diff)
    if config.mode is Mode.PREVIEW:
        return result
    _require_unchanged(workspace)
    if config.mode is Mode.IN_PLACE or own is None:
        _write(plan, workspace.root, own)
        return result
    return commit(result, plan, config, own)


def _require_unchanged(workspace: Workspace) -> None:
    """What was read must still be so, or the plan is one for files that never were there together."""
    path = workspace.changed_meanwhile()
    if path is not None:
        raise MigrateError(f"Another program changed {path} during the run. Nothing was changed")


def _write(plan: Plan, root: Path, checkout: Checkout | None) -> None:
    """Replace the files where they are."""
    log = checkout.undo_log if checkout else root / LOG
    with (
        uninterrupted() as checkpoint,
        Replacement(root, plan.changes, checkpoint, log, partial(undo_log.recover, root, log)) as replacement,
    ):
        replacement.commit()
