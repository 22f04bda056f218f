"""Colours for people at a terminal: of a diff, and of the summary."""

from __future__ import annotations

from migrator.report.difflines import Line, lines_of
from migrator.secret.printable import printable

_STYLES = {
    Line.FILE: "1",
    Line.HEAD: "1",
    Line.HUNK: "36",
    Line.ADDED: "32",
    Line.REMOVED: "31",
    Line.REMARK: "2",
}
"""Parameters of ECMA-48's SGR: bold, cyan, green, red, faint."""

_SUMMARY = {"title": "1", "refused": "1;31", "help": "36"}
"""The same for the lines of a summary."""


def for_terminal(diff: bytes, *, has_colours: bool) -> str:
    """The ``diff`` for a terminal, in git's own colours if asked for; control characters in lines have no effect."""
    lines = ((kind, printable(line)) for kind, line in lines_of(diff.decode("utf-8", "surrogateescape")))
    return "".join((_in_style(_STYLES.get(kind), line) if has_colours else line) + "\n" for kind, line in lines)


def styled(style: str, line: str) -> str:
    """The printable ``line`` of a summary in the colours of ``style``."""
    return _in_style(_SUMMARY.get(style), line)


def _in_style(style: str | None, line: str) -> str:
    return f"\x1b[{style}m{line}\x1b[0m" if style and line else line
