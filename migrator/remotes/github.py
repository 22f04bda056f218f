"""GitHub and GitHub Enterprise Server, over PyGithub.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api says when and how long to wait.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import github
from github.GithubException import RateLimitExceededException
from github.GithubRetry import GithubRetry
from github.PullRequest import PullRequest as Pull
from github.Repository import Repository
from requests import RequestException

from migrator.errors import MigrateError
from migrator.patience import PASSING, TRIES, Patient
from migrator.remotes.forge_base import Filters, NewPullRequest, PullRequest, Task
from migrator.remotes.sources import RepoSource

if TYPE_CHECKING:
    from migrator.remotes.credentials import ForgeHost

_READ = "read access to the repositories (a classic token: the scope repo; a fine-grained token: Metadata, read)"
_WRITE = "write access to pull requests (a classic token: the scope repo; a fine-grained token: Pull requests, write)"


github.set_log_level(logging.ERROR)  # `Patient` reports the waiting in this program's own format


class _Retry(Patient, GithubRetry):
    """The waiting times that GitHub documents for rate limits, with upper bounds."""


class GitHub:
    """A `Forge`; ``throttle`` seconds lie between two writes, and no wait is longer than ``patience`` seconds."""

    def __init__(self, host: ForgeHost, token: str, *, throttle: float, patience: float) -> None:
        self._address = host.address
        retry = _Retry(total=TRIES, backoff_factor=0.5, status_forcelist=list(PASSING), max_rate_limit_wait=patience)
        retry.longest = patience
        self._client = github.Github(
            auth=github.Auth.Token(token),
            base_url=host.base_url,
            retry=retry,
            timeout=30,
            per_page=100,
            seconds_between_requests=None,
            seconds_between_writes=throttle,
            lazy=True,
        )

    def repositories(self, organisation: str, filters: Filters) -> Iterator[RepoSource]:
        """The organisation's repositories that ``filters`` admit, with their default branches."""
        with self._errors_of(Task(f"list the repositories of {organisation}", _READ)):
            for repo in self._client.get_organization(organisation).get_repos():
                if filters.admit(repo.full_name, repo.topics, is_archived=repo.archived, is_fork=repo.fork):
                    yield RepoSource(repo.clone_url, repo.full_name, repo.default_branch or None)

    def open_pull_request(self, repo: str, new: NewPullRequest) -> PullRequest:
        """Open a pull request, or return the open one of the branch; a reviewer with a slash is a team."""
        task = Task(f"open a pull request at {repo}", _WRITE)
        with self._errors_of(task):
            try:
                pull = self._repo(repo).create_pull(
                    base=new.base, head=new.head, title=new.title, body=new.body, draft=new.is_draft
                )
            except github.GithubException as error:
                existing = self.pull_request(repo, new.head) if "already exists" in _reasons(error) else None
                if existing is None:
                    raise
                return existing
            return _pull_request(pull, is_new=True, notes=tuple(self._dress(pull, new.labels, new.reviewers)))

    def pull_request(self, repo: str, head: str) -> PullRequest | None:
        """The open pull request of the branch ``head``, else the last one, else None."""
        owner = repo.partition("/")[0]
        with self._errors_of(Task(f"look for pull requests at {repo}", _READ)):
            pulls = [_pull_request(pull) for pull in self._repo(repo).get_pulls(state="all", head=f"{owner}:{head}")]
        return next((pull for pull in pulls if pull.state == "open"), pulls[0] if pulls else None)

    def _repo(self, path: str) -> Repository:
        return self._client.get_repo(path)

    def _dress(self, pull: Pull, labels: Sequence[str], reviewers: Sequence[str]) -> Iterator[str]:
        """Add labels and reviewers; yield a note for each that GitHub rejects."""
        if labels:
            try:
                pull.add_to_labels(*labels)
            except github.GithubException as error:
                yield f"The labels were not added: GitHub answered {error.status}"
        people = [name for name in reviewers if "/" not in name]
        teams = [name.partition("/")[2] for name in reviewers if "/" in name]
        if reviewers:
            try:
                pull.create_review_request(reviewers=people, team_reviewers=teams)
            except github.GithubException as error:
                yield f"No review was requested from {', '.join(reviewers)}: GitHub answered {error.status}"

    @contextmanager
    def _errors_of(self, task: Task) -> Iterator[None]:
        try:
            yield
        except RateLimitExceededException:
            raise MigrateError(
                f"Failed to {task.action}: the token's rate limit at {self._address} is used up"
            ) from None
        except github.GithubException as error:
            if any(name.lower() == "x-github-sso" for name in error.headers or {}):
                reason = "the organisation requires that the token is authorised for single sign-on"
                raise MigrateError(f"cannot {task.action}: {reason}") from None
            raise MigrateError(task.refusal(self._address, error.status, _reasons(error))) from None
        except RequestException:
            raise MigrateError(f"Failed to {task.action}: {self._address} cannot be reached") from None


def _pull_request(pull: Pull, *, is_new: bool = False, notes: tuple[str, ...] = ()) -> PullRequest:
    return PullRequest(pull.html_url, pull.number, "merged" if pull.merged_at else pull.state, is_new, notes)


def _reasons(error: github.GithubException) -> str:
    """The reasons in GitHub's answer: the message, or for a 422 the errors."""
    data: Any = error.data if isinstance(error.data, dict) else {}
    errors = [str(entry.get("message", "")) for entry in data.get("errors") or [] if isinstance(entry, dict)]
    return "; ".join(filter(None, errors)) or str(data.get("message") or "")
