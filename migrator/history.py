"""Which commits brought keys into a repository: its history keeps them, whatever becomes of the code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from migrator.errors import MigrateError
from migrator.gitcommand import Deadline, run_git
from migrator.model import Note

ROTATE = "rotate the keys, which git's history keeps, at"
"""What is to be done with keys that stood in the code: `Note.task`."""

_SECONDS = 20.0
_SUBJECT = re.compile(r"(?P<place>(?P<path>.+?):(?P<line>\d+))(?: \((?P<key>[^()]*)\))?")
_COMMIT = re.compile(r"(?!0+ )([0-9a-f]{40,64}) ")


def with_commits(notes: Iterable[Note], root: Path) -> Iterator[Note]:
    """``notes``, those on keys with the commit that each line of the checkout at ``root`` comes from.

    All of its history must be here. Where it takes too long to find out, or git does not know, they stay as they are.
    """
    deadline = Deadline(_SECONDS)
    for note in notes:
        if note.task == ROTATE:
            note = replace(note, subjects=tuple(_dated(one, root, deadline) for one in note.subjects))
        yield note


def _dated(subject: str, root: Path, deadline: Deadline) -> str:
    match = _SUBJECT.fullmatch(subject)
    if match is None:
        return subject
    line = f"-L{match['line']},{match['line']}"
    blame = ("blame", "-w", "--porcelain", "--no-textconv", line, "HEAD", "--", match["path"])
    commit = _COMMIT.match(_printed(blame, root, deadline))
    if commit is None:
        return subject
    return f"{match['place']} ({', '.join(one for one in (match['key'], f'since commit {commit[1][:12]}') if one)})"


def _printed(arguments: tuple[str, ...], root: Path, deadline: Deadline) -> str:
    try:
        return run_git(arguments, deadline, cwd=root).printed if deadline.left else ""
    except MigrateError:
        return ""
