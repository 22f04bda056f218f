"""The commits that added keys to a repository; git's history keeps the keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from migrator.errors import MigrateError
from migrator.git.command import SAFE, Deadline, GitFailure, read_git
from migrator.model.notes import OF_KEYS
from migrator.regex import regex

if TYPE_CHECKING:
    from migrator.model.findings import Note

_SECONDS = 20.0
_SUBJECT = regex(r"(?P<place>(?P<path>.+?):(?P<line>\d+))(?: \((?P<key>[^()]*)\))?")
_FEW = 8
_MARK = "commit:"
_LOG = ("log", "-c", "--full-diff", "--no-renames", "--no-ext-diff", "--no-textconv", "--name-status", "-z")
_COMMIT = regex(r"(?!0+ )([0-9a-f]{40,64}) ")


def with_commits(notes: Iterable[Note], root: Path) -> Iterator[Note]:
    """``notes``, those on keys with the commit that each line of the checkout at ``root`` comes from.

    The whole history must be local. If git takes too long, or does not know the commit, the notes stay unchanged.
    """
    deadline = Deadline(_SECONDS)
    for note in notes:
        if note.code in OF_KEYS:
            commits = _commits_of_new_files(note.subjects, root, deadline)
            note = replace(note, subjects=tuple(_dated(subject, commits, root, deadline) for subject in note.subjects))
        yield note


def _commits_of_new_files(subjects: Iterable[str], root: Path, deadline: Deadline) -> dict[str, str]:
    """The commit of each file that one commit made and no other has touched, by one look at the history for all files.

    A file that appeared while another disappeared may be a renamed file: ``git blame`` decides, as for a few files.
    """
    paths = {match["path"] for match in map(_SUBJECT.fullmatch, subjects) if match and match["path"].isprintable()}
    if len(paths) <= _FEW:
        return {}
    stdin = "".join(f"{line}\n" for line in ("HEAD", "--", *sorted(paths)))
    log = _printed((*_LOG, f"--format={_MARK}%H", "--stdin"), root, Deadline(deadline.seconds_left / 2), stdin)
    commits: dict[str, list[str]] = {path: [] for path in paths}
    renaming: set[str] = set()
    commit, rows = "", iter(log.split("\0"))
    for word in map(str.strip, rows):
        if word.startswith(_MARK):
            commit = word.removeprefix(_MARK)
        elif word:
            commits.get(next(rows, ""), []).append(commit if word == "A" else "")
            renaming |= {commit} if "D" in word else set()
    return {
        path: paths[0] for path, paths in commits.items() if len(paths) == 1 and paths[0] and paths[0] not in renaming
    }


def _dated(subject: str, commits: Mapping[str, str], root: Path, deadline: Deadline) -> str:
    match = _SUBJECT.fullmatch(subject)
    commit = commits.get(match["path"]) or _commit_by_blame(match, root, deadline) if match else None
    if match is None or commit is None:
        return subject
    return f"{match['place']} ({', '.join(part for part in (match['key'], f'since commit {commit[:12]}') if part)})"


def _commit_by_blame(subject: re.Match[str], root: Path, deadline: Deadline) -> str | None:
    line = f"-L{subject['line']},{subject['line']}"
    blame = ("blame", "-w", "--porcelain", "--no-textconv", line, "HEAD", "--", subject["path"])
    commit = _COMMIT.match(_printed(blame, root, deadline))
    return None if commit is None else commit[1]


def _printed(arguments: tuple[str, ...], root: Path, deadline: Deadline, stdin: str = "") -> str:
    if not deadline.seconds_left:
        return ""
    try:
        return read_git((*SAFE, "--literal-pathspecs", *arguments), root, stdin, deadline)
    except (GitFailure, MigrateError):
        return ""
