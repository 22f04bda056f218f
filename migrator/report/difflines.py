"""A unified diff, line by line, with the kind of each line."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from migrator.regex import regex

_HUNK = regex(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


class Line(Enum):
    """The kind of a line of a diff."""

    FILE = "file"
    HEAD = "head"
    HUNK = "hunk"
    ADDED = "added"
    REMOVED = "removed"
    SAME = "same"
    REMARK = "remark"


_IN_HUNK = {"+": Line.ADDED, "-": Line.REMOVED, " ": Line.SAME, "": Line.SAME, "\\": Line.REMARK}


def lines_of(diff: str) -> Iterator[tuple[Line, str]]:
    """Each line of ``diff`` without the line end.

    The counts of a hunk decide where the hunk ends, since a removed ``-- x`` looks like a header otherwise.
    """
    old = new = 0
    for text in diff.removesuffix("\n").split("\n") if diff else ():
        if text.startswith("\\") or ((old > 0 or new > 0) and text[:1] in _IN_HUNK):
            kind = _IN_HUNK[text[:1]]
            old -= kind in (Line.REMOVED, Line.SAME)
            new -= kind in (Line.ADDED, Line.SAME)
            yield kind, text.removesuffix("\r")
        elif match := _HUNK.match(text):
            old, new = (int(count or 1) for count in match.groups())
            yield Line.HUNK, text
        else:
            yield (Line.FILE if text.startswith("diff --git ") else Line.HEAD), text
