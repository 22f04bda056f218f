"""A diff in colours, for people at a terminal."""

from __future__ import annotations

from migrator.report.difflines import Line, lines_of
from migrator.secret import printable

_STYLES = {
    Line.FILE: "1",
    Line.HEAD: "1",
    Line.HUNK: "36",
    Line.ADDED: "32",
    Line.REMOVED: "31",
    Line.REMARK: "2",
}
"""Parameters of ECMA-48's SGR: bold, cyan, green, red, faint."""


def for_terminal(diff: bytes, *, has_colours: bool) -> str:
    """``diff``, with git's own colours if so wanted; what its lines hold cannot act on the terminal."""
    lines = ((kind, printable(line)) for kind, line in lines_of(diff.decode("utf-8", "surrogateescape")))
    return "".join((_styled(kind, line) if has_colours else line) + "\n" for kind, line in lines)


def _styled(kind: Line, line: str) -> str:
    style = _STYLES.get(kind)
    return f"\x1b[{style}m{line}\x1b[0m" if style and line else line
