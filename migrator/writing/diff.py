"""Before and after of files -> a unified diff that ``git apply`` takes from the repository's root."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from migrator.regex import regex
from migrator.syntax.line_diff import LineMatcher

if TYPE_CHECKING:
    from migrator.model.findings import Change

_PLAIN_NAME = regex(rb'[^\x00-\x1f\x7f-\xff"\\]+')
_C_ESCAPES = {9: b"\\t", 10: b"\\n", 13: b"\\r", 34: b'\\"', 92: b"\\\\"}


def unified_diff(changes: Sequence[Change], masked_changes: Sequence[Change] | None = None) -> bytes:
    """The diff of all ``changes`` in git's own format: ``a/…`` and ``b/…``, odd names quoted, odd bytes as they are.

    With ``masked_changes``, the same changes with masked secrets, the diff has these lines: people can read the diff,
    but changes with secrets cannot be applied.
    """
    return masked_diff(changes, changes if masked_changes is None else masked_changes)[0]


def masked_diff(changes: Sequence[Change], masked_changes: Sequence[Change]) -> tuple[bytes, bool]:
    """The diff with the lines of the ``masked_changes``, and whether any of these lines is masked."""
    files = [_file_diff(change, masked) for change, masked in zip(changes, masked_changes, strict=True)]
    return b"".join(line for lines, _ in files for line in lines), any(is_masked for _, is_masked in files)


def _file_diff(change: Change, masked_change: Change) -> tuple[list[bytes], bool]:
    old, new = quote_path("a/" + change.path), quote_path("b/" + change.path)
    lines = [b"diff --git " + old + b" " + new + b"\n"]
    if change.before is None:
        lines.append(b"new file mode 100644\n")
        old = b"/dev/null"
    for mark, name in ((b"--- ", old), (b"+++ ", new)):
        lines.append(mark + name + (b"\t" if b" " in name else b"") + b"\n")
    before, after = _lines(change.before or b""), _lines(change.after)
    old_lines, new_lines = (
        (before, after)
        if masked_change == change
        else (_lines(masked_change.before or b""), _lines(masked_change.after))
    )
    is_masked = False
    for hunk in LineMatcher(before, after).get_grouped_opcodes():
        lines.append(b"@@ -%b +%b @@\n" % (_range(hunk[0][1], hunk[-1][2]), _range(hunk[0][3], hunk[-1][4])))
        for kind, i1, i2, j1, j2 in hunk:
            is_equal = kind == "equal"
            lines += (_encoded((" " if is_equal else "-") + line) for line in old_lines[i1:i2])
            lines += () if is_equal else (_encoded("+" + line) for line in new_lines[j1:j2])
            is_masked |= old_lines[i1:i2] != before[i1:i2] or (not is_equal and new_lines[j1:j2] != after[j1:j2])
    return lines, is_masked


def _range(start: int, end: int) -> bytes:
    """Lines ``start`` to ``end``, counted from 0, as in the header of a hunk: an empty range begins a line earlier."""
    return b"%d" % (start + 1) if end - start == 1 else b"%d,%d" % (start + (end > start), end - start)


def _encoded(line: str) -> bytes:
    data = line.encode("utf-8", "surrogateescape")
    return data if data.endswith(b"\n") else data + b"\n\\ No newline at end of file\n"


def _lines(data: bytes) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", data.decode("utf-8", "surrogateescape"))


def quote_path(path: str) -> bytes:
    """The ``path`` as git prints it: in quotes with C escapes for control characters, quotes or non-ASCII."""
    raw = path.encode("utf-8", "surrogateescape")
    if _PLAIN_NAME.fullmatch(raw):
        return raw
    escaped = (_C_ESCAPES.get(byte) or (bytes([byte]) if 32 <= byte < 127 else b"\\%03o" % byte) for byte in raw)
    return b'"' + b"".join(escaped) + b'"'
