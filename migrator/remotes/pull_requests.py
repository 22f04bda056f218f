"""Pull requests for pushed branches, opened one after the other because forges limit the rate."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from migrator.errors import MigrateError
from migrator.git.checkout import GitRepo
from migrator.remotes.clone import base_branch, clone_folder
from migrator.remotes.diagnostics import CHECK_PULL_REQUEST
from migrator.remotes.forge_base import Forge, NewPullRequest
from migrator.remotes.forge_registry import ForgeRepo, forge_of, open_forge
from migrator.remotes.pull_request_text import fill, read_template
from migrator.report import markdown
from migrator.report.collected import Collected
from migrator.report.rollout import rollout
from migrator.report.steps import STAGES

if TYPE_CHECKING:
    from migrator.model.results import RepoResult
    from migrator.remotes.sources import RepoSource


class PullRequests(Struct):
    """Options for pull requests; the sign-in to a forge happens with its first pull request.

    Raises `UsageError` at construction for a ``template`` that cannot be used.
    """

    template: str | None = None
    base: str | None = None
    is_draft: bool = False
    labels: Sequence[str] = ()
    reviewers: Sequence[str] = ()
    throttle: float = 1.0
    _forges: dict[str, Forge] = field(default_factory=dict)
    _text: str = ""

    def __post_init__(self) -> None:
        self._text = read_template(self.template)

    def open(self, source: RepoSource, clones: str, result: RepoResult) -> RepoResult:
        """The result with the URL of the pull request, and notes for a person; or with the error."""
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
        collected = Collected([replace(result, repo=repo.path)])
        markdown.write(collected, summary, has_steps="${rollout}" not in self._text)
        steps = rollout(collected, level=2)
        text = fill(self._text, summary=summary.getvalue(), rollout=steps, repo=repo.path, branch=result.branch)
        base = self.base or _base(folder, source, result)
        new = NewPullRequest(
            result.branch, base, text.title, text.body, self.is_draft, tuple(self.labels), tuple(self.reviewers)
        )
        requests = list(_of_stages(new, result)) or [new]
        opened = [self.forge(repo).open_pull_request(repo.path, new) for new in requests]
        stages = tuple(
            replace(stage, pull_request=pull_request.url)
            for stage, pull_request in zip(result.stages, opened, strict=False)
        )
        notes = (
            CHECK_PULL_REQUEST.note(result.branch, what=note) for pull_request in opened for note in pull_request.notes
        )
        return replace(result, pull_request=opened[0].url, notes=(*result.notes, *notes), stages=stages)

    def forge(self, repo: ForgeRepo) -> Forge:
        """The forge that the repository is on."""
        key = repr(repo.host)
        if key not in self._forges:
            self._forges[key] = open_forge(repo.host, throttle=self.throttle)
        return self._forges[key]


def _of_stages(new: NewPullRequest, result: RepoResult) -> Iterator[NewPullRequest]:
    """A pull request for each stage, into the branch of the stage before, with the time to merge in the text."""
    base, many = new.base, len(result.stages)
    for number, stage in enumerate(result.stages, 1):
        name, wait = STAGES[stage.name]
        head = f"Stage {number} of {many}: {name}. {wait}.\n\n"
        title = f"{new.title} ({number} of {many}: {name})"
        yield replace(new, head=stage.branch, base=base, title=title, body=head + new.body)
        base = stage.branch


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
