"""GitLab, anywhere, over python-gitlab; a pull request is a merge request there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import gitlab
import requests
from gitlab.v4.objects import Project, ProjectMergeRequest
from requests.adapters import HTTPAdapter

from migrator.errors import MigrateError
from migrator.patience import PASSING, TRIES, Patient
from migrator.remotes.forge_base import Filters, NewPullRequest, PullRequest, Task
from migrator.remotes.sources import RepoSource

if TYPE_CHECKING:
    from migrator.remotes.credentials import ForgeHost

_READ = "the scope read_api and membership"
_WRITE = "the scope api and at least the role Developer"
_STATES = {"opened": "open", "locked": "open"}


class GitLab:
    """A `Forge`; ``throttle`` seconds lie between two writes, and no wait is longer than ``patience`` seconds."""

    def __init__(self, host: ForgeHost, token: str, *, throttle: float, patience: float) -> None:
        self._address = host.address
        self._throttle = throttle
        self._next_write = 0.0
        session = requests.Session()
        retry = Patient(total=TRIES, backoff_factor=0.5, status_forcelist=PASSING, allowed_methods=None)
        retry.longest = patience
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        # a bearer token, as this header takes OAuth tokens of a credential helper as well as personal ones
        self._client = gitlab.Gitlab(host.base_url, oauth_token=token, session=session, timeout=30, per_page=100)

    def repositories(self, organisation: str, filters: Filters) -> Iterator[RepoSource]:
        """The projects of the group and its subgroups that ``filters`` admit, with their default branches."""
        with self._errors_of(Task(f"list the projects of {organisation}", _READ)):
            group = self._client.groups.get(organisation, lazy=True)
            for project in group.projects.list(iterator=True, include_subgroups=True, with_shared=False):
                path, is_fork = project.path_with_namespace, "forked_from_project" in project.attributes
                if filters.admit(
                    path, project.attributes.get("topics", ()), is_archived=project.archived, is_fork=is_fork
                ):
                    yield RepoSource(project.http_url_to_repo, path, project.attributes.get("default_branch"))

    def open_pull_request(self, repo: str, new: NewPullRequest) -> PullRequest:
        """Open a merge request, or return the open one of the branch; GitLab creates missing labels."""
        with self._errors_of(Task(f"open a merge request at {repo}", _WRITE)):
            people = {name: self._user(name) for name in new.reviewers}
            request = {
                "source_branch": new.head,
                "target_branch": new.base,
                "title": f"Draft: {new.title}" if new.is_draft else new.title,
                "description": new.body,
                "labels": list(new.labels),
                "reviewer_ids": [user for user in people.values() if user is not None],
            }
            self._wait_for_turn()
            try:
                merge_request = self._project(repo).mergerequests.create(request)
            except gitlab.GitlabCreateError as error:
                existing = self.pull_request(repo, new.head) if error.response_code == 409 else None
                if existing is None:
                    raise
                return existing
        unknown = [name for name, user in people.items() if user is None]
        notes = (f"No review was requested from {', '.join(unknown)}: GitLab has no such user",) if unknown else ()
        return _pull_request(merge_request, is_new=True, notes=notes)

    def pull_request(self, repo: str, head: str) -> PullRequest | None:
        """The open merge request of the branch ``head``, else the last one, else None."""
        with self._errors_of(Task(f"look for merge requests at {repo}", _READ)):
            merge_requests = self._project(repo).mergerequests.list(iterator=True, source_branch=head, state="all")
            pull_requests = [_pull_request(request) for request in merge_requests]
        return next(
            (request for request in pull_requests if request.state == "open"),
            pull_requests[0] if pull_requests else None,
        )

    def _project(self, path: str) -> Project:
        return self._client.projects.get(path, lazy=True)

    def _user(self, name: str) -> int | None:
        return next((user.id for user in self._client.users.list(iterator=True, username=name)), None)

    def _wait_for_turn(self) -> None:
        time.sleep(max(0.0, self._next_write - time.monotonic()))
        self._next_write = time.monotonic() + self._throttle

    @contextmanager
    def _errors_of(self, task: Task) -> Iterator[None]:
        try:
            yield
        except gitlab.GitlabError as error:
            raise MigrateError(task.refusal(self._address, error.response_code, str(error.error_message))) from None
        except requests.RequestException:
            raise MigrateError(f"Failed to {task.action}: {self._address} cannot be reached") from None


def _pull_request(request: ProjectMergeRequest, *, is_new: bool = False, notes: tuple[str, ...] = ()) -> PullRequest:
    state = _STATES.get(request.state, request.state)
    return PullRequest(request.web_url, request.iid, state, is_new, notes)
