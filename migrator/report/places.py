"""Places in a report: grouped by file, counted, and linked to the remote if the remote is known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote

from migrator.model.findings import Place
from migrator.regex import regex

if TYPE_CHECKING:
    from migrator.model.results import Revision

FILES = 6
"""So many files are listed by name, the others are counted."""

_LINES = 6
_LINK = {
    "github": ("{remote}/blob/{commit}/{path}", "#L{line}"),
    "gitlab": ("{remote}/-/blob/{commit}/{path}", "#L{line}"),
    "bitbucket": ("{remote}/src/{commit}/{path}", "#lines-{line}"),
}
"""The URL formats of hosts for a file and a line:
https://docs.github.com/en/repositories/working-with-files/using-files,
https://docs.gitlab.com/user/project/repository/files/, https://support.atlassian.com/bitbucket-cloud/.
"""

_ADDRESS = regex(r"https?://[a-z0-9.-]+(?::\d+)?/[\w.~/-]+", re.ASCII)
_HOST = regex(r"https?://(?:www\.)?(github|gitlab|bitbucket)\.[a-z0-9.-]+(?::\d+)?/.+", re.ASCII)
_LISTED = regex(r"(?P<path>.+?):(?P<line>\d+)(?P<rest> \(.*\))?")


def is_address(text: str) -> bool:
    """Whether a remote's address is one that a page may link to."""
    return _ADDRESS.fullmatch(text) is not None


def link(revision: Revision, place: Place) -> str:
    """The URL of a ``place`` in the remote's pages at the commit of ``revision``; ``""`` if not known."""
    host = _HOST.fullmatch(revision.remote) if is_address(revision.remote) else None
    if host is None or not re.fullmatch(r"[0-9a-f]{40,64}", revision.commit) or not _is_plain(place.path):
        return ""
    file, line = _LINK[host[1]]
    address = file.format(remote=revision.remote, commit=revision.commit, path=quote(place.path))
    return address + (line.format(line=place.line) if place.line else "")


def place_of(subject: str) -> Place | None:
    """The place that a note's ``subject`` names; None if the subject names no place."""
    match = _LISTED.fullmatch(subject)
    return Place(match["path"], int(match["line"])) if match else None


def grouped(places: Iterable[Place], most: int = FILES) -> Iterator[tuple[Place, str]]:
    """Each file once, with a place for the link and a label: ``main.tf`` with lines, ``12 more places``.

    At most so many files are named. The last pair has an empty path if there are more.
    """
    by_file: dict[str, list[int]] = {}
    for place in sorted(set(places)):
        by_file.setdefault(place.path, []).append(place.line)
    for path, lines in list(by_file.items())[:most]:
        numbers = [str(line) for line in dict.fromkeys(lines) if line]
        more = f" and {len(numbers) - _LINES} more lines" if len(numbers) > _LINES else ""
        yield Place(path, lines[0]), f"{path}:{','.join(numbers[:_LINES])}{more}" if numbers else path
    other_files = list(by_file.values())[most:]
    if other_files:
        count = sum(map(len, other_files))
        yield (
            Place(""),
            f"{count:,} more place{'s' * (count > 1)} in {len(other_files):,} more file{'s' * (len(other_files) > 1)}",
        )


def _is_plain(path: str) -> bool:
    """Whether a path is nothing but a path below the repository's root."""
    return bool(path) and path.isprintable() and not path.startswith("/") and ".." not in path.split("/")
