"""A pull request for each branch that was pushed, one after the other: forges want to be written to slowly."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.errors import MigrateError
from migrator.git.checkout import GitRepo
from migrator.remotes.clone import base_branch, clone_folder
from migrator.remotes.diagnostics import CHECK_PULL_REQUEST
from migrator.remotes.forge_base import Forge, NewPullRequest
from migrator.remotes.forge_registry import ForgeRepo, forge_of, open_forge
from migrator.remotes.pull_request_text import fill, read_template
from migrator.report import markdown
from migrator.report.rollout import rollout

if TYPE_CHECKING:
    from migrator.model.results import RepoResult
    from migrator.remotes.sources import RepoSource


@dataclass
class PullRequests:
    """How pull requests are to be; a forge is signed in to when its first one is opened.

    Raises `UsageError` at construction for a ``template`` that cannot be used.
    """

    template: str | None = None
    base: str | None = None
    is_draft: bool = False
    labels: Sequence[str] = ()
    reviewers: Sequence[str] = ()
    throttle: float = 1.0
    _forges: dict[str, Forge] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._text = read_template(self.template)

    def open(self, source: RepoSource, clones: str, result: RepoResult) -> RepoResult:
        """The result with the URL of its pull request, and what of it the forge did not take; or why there is none."""
        try:
            folder = Path(source.url_or_path) if source.is_local else clone_folder(source, Path(clones))
            repo = forge_of(source.url_or_path if not source.is_local else _url_of(folder, result.pushed))
            if repo is None:
                raise MigrateError(
                    "the remote is not a known git host. help: name the host with GITHUB_SERVER_URL or GITLAB_URL"
                )
            return self._open(repo, folder, source, result)
        except MigrateError as error:
            return replace(result, error=f"The branch was pushed, but no pull request was opened: {error}")

    def _open(self, repo: ForgeRepo, folder: Path, source: RepoSource, result: RepoResult) -> RepoResult:
        summary = io.StringIO()
        markdown.write([result], summary)
        steps = rollout([replace(result, repo=repo.path)], level=2)
        text = fill(self._text, summary=summary.getvalue(), rollout=steps, repo=repo.path, branch=result.branch)
        base = self.base or _base(folder, source, result)
        new = NewPullRequest(
            result.branch, base, text.title, text.body, self.is_draft, tuple(self.labels), tuple(self.reviewers)
        )
        opened = self.forge(repo).open_pull_request(repo.path, new)
        notes = (CHECK_PULL_REQUEST.note(result.branch, what=note) for note in opened.notes)
        return replace(result, pull_request=opened.url, notes=(*result.notes, *notes))

    def forge(self, repo: ForgeRepo) -> Forge:
        """The forge that the repository is on."""
        key = repr(repo.host)
        if key not in self._forges:
            self._forges[key] = open_forge(repo.host, throttle=self.throttle)
        return self._forges[key]


def _url_of(folder: Path, remote: str) -> str:
    checkout = GitRepo.open(folder)
    url = checkout.remote_url(remote) if checkout else None
    if url is None:
        raise MigrateError(f"the repository has no remote {remote}")
    return url


def _base(folder: Path, source: RepoSource, result: RepoResult) -> str:
    """The branch that the migration started from."""
    base = result.base if source.is_local else base_branch(folder)
    if not base or base == result.branch:
        raise MigrateError("the target branch is not known. help: name the branch with --base")
    return base
