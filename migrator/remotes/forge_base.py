"""The operations of every forge, and the texts about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from migrator.secret.mask import mask
from migrator.secret.printable import printable

if TYPE_CHECKING:
    from migrator.remotes.sources import RepoSource


class Filters(Struct, frozen=True):
    """Filters for the repositories of an organisation; archived repositories and forks only if asked for.

    ``name`` is a glob for the repository's name, case-insensitive, or with a slash for the whole ``owner/name``.
    """

    topic: str | None = None
    name: str | None = None
    archived: bool = False
    forks: bool = False

    def admit(self, path: str, topics: Sequence[str], *, is_archived: bool, is_fork: bool) -> bool:
        """Whether the filters match the repository ``owner/name``."""
        if (is_archived and not self.archived) or (is_fork and not self.forks):
            return False
        if self.topic is not None and self.topic not in topics:
            return False
        glob = self.name or "*"
        return fnmatchcase((path if "/" in glob else path.rpartition("/")[2]).lower(), glob.lower())


class PullRequest(Struct, frozen=True):
    """A pull request, or merge request; ``state`` is open, merged or closed.

    ``is_new``: the pull request was just opened. ``notes`` are the parts that could not be done.
    """

    url: str
    number: int
    state: str
    is_new: bool = False
    notes: tuple[str, ...] = ()


class NewPullRequest(Struct, frozen=True):
    """A pull request to open, from the branch ``head`` into ``base``."""

    head: str
    base: str
    title: str
    body: str
    is_draft: bool = False
    labels: Sequence[str] = ()
    reviewers: Sequence[str] = ()


class Forge(Protocol):
    """A server with pull requests; ``repo`` is always ``owner/name``.

    Every method raises `MigrateError` with a sentence; for 401, 403 and 404 the sentence names the missing right.
    """

    def repositories(self, organisation: str, filters: Filters) -> Iterator[RepoSource]:
        """The organisation's repositories, with their default branches; of a GitLab group, its subgroups' as well."""
        ...

    def open_pull_request(self, repo: str, new: NewPullRequest) -> PullRequest:
        """Open a pull request, or return the open pull request of the branch unchanged.

        The forge creates missing labels. Labels and reviewers that the forge rejects become notes.
        """
        ...

    def pull_request(self, repo: str, head: str) -> PullRequest | None:
        """The open pull request of the branch ``head``, else the last one, else None."""
        ...


class Task(Struct, frozen=True):
    """A task for a forge, and the right that the task needs, in words."""

    action: str
    right: str

    def refusal(self, address: str, status: int | None, message: str = "") -> str:
        """The reason for the HTTP ``status`` that ``address`` answered with; ``message`` is the text of the answer."""
        if status == 401:
            reason = f"{address} does not accept the token"
        elif status == 403:
            reason = f"the token needs {self.right}"
        elif status == 404:
            reason = (
                f"{address} does not have that repository, or the token may not see it. The token needs {self.right}"
            )
        else:
            words = printable(mask(" ".join(message.split())))[:200]
            reason = f"{address} answered {status or 'something that is not a valid response'}" + (
                f": {words}" if words else ""
            )
        return f"cannot {self.action}: {reason}"
