"""The alignment that ``terraform fmt`` gives to equals signs and trailing comments.

The algorithm is the cell algorithm of hclwrite (``formatCells`` in hashicorp/hcl, hclwrite/format.go). Adjoining lines
with a whole ``name = value`` share a column of equals signs. Adjoining lines that end in a ``#`` or ``//`` comment
share a column of comments.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace

from migrator.regex import regex
from migrator.syntax.hcl.scanner import HEREDOC, STRING, Token, tokens

_ATOM = rf"""[^\s"\#/<>=!]++|[=!<>]=|=>|[!>]|/(?![/*])|<(?!<)|{STRING}"""
_USUAL = regex(
    rf"(?P<lead>(?:[ \t]*+(?:{_ATOM}))*+)"
    rf"(?:(?P<assign_gap>[ \t]*+)(?P<assign>=(?:[ \t]*+(?:{_ATOM}|=|{HEREDOC}))*+))?+"
    r"(?P<comment_gap>[ \t]*+)(?P<comment>(?:\#|//)[^\n]*?)?(?P<ending>\r?(?:\n|\Z))"
)
_BRACKETS = regex(rf"([(\[{{])|([)\]}}])|{STRING}|{HEREDOC}")
_OPEN, _CLOSE = 1, 2
_JOINED = regex("\u200d.")
_FLAG = regex("[\U0001f1e6-\U0001f1ff]{2}")
_MODIFIERS = frozenset(map(chr, [*range(0xFE00, 0xFE10), *range(0x1F3FB, 0x1F400)]))


class _Line(Struct, frozen=True):
    """A line as fmt sees it (a heredoc is part of its line): three cells, the last two with blanks before them.

    The last cell includes the end of the line.
    """

    lead: str
    assign: str | None
    comment: str | None
    assign_gap: str = ""
    comment_gap: str = ""

    def text(self) -> str:
        assign = "" if self.assign is None else self.assign_gap + self.assign
        comment = "" if self.comment is None else self.comment_gap + self.comment
        return self.lead + assign + comment


def align(text: str) -> str:
    """The ``text`` (one or more whole blocks) with equals signs and comments aligned like by ``terraform fmt``."""
    lines = _lines(text)
    lines = _align_column(lines, lambda line: line.assign is not None, _place_assign)
    lines = _align_column(lines, lambda line: line.comment is not None, _place_comment)
    return "".join(line.text() for line in lines)


def _align_column(
    lines: list[_Line], has_cell: Callable[[_Line], bool], place: Callable[[list[_Line]], list[_Line]]
) -> list[_Line]:
    aligned: list[_Line] = []
    for is_chain, group in groupby(lines, has_cell):
        chain = list(group)
        aligned += place(chain) if is_chain else chain
    return aligned


def _place_assign(chain: list[_Line]) -> list[_Line]:
    width = max(_columns(line.lead) for line in chain)
    gaps = (" " * (width - _columns(line.lead) + 1) for line in chain)
    return [
        line if line.assign_gap == gap else replace(line, assign_gap=gap) for line, gap in zip(chain, gaps, strict=True)
    ]


def _place_comment(chain: list[_Line]) -> list[_Line]:
    widths = [_columns(replace(line, comment=None).text()) for line in chain]
    return [
        replace(line, comment_gap=" " * (max(widths) - width + 1)) for line, width in zip(chain, widths, strict=True)
    ]


def _columns(text: str) -> int:
    """The number of columns of ``text``: a combining character takes no column."""
    if text.isascii():
        return len(text)
    text = _FLAG.sub("x", _JOINED.sub("", text))
    return sum(not unicodedata.combining(character) and character not in _MODIFIERS for character in text)


def _lines(text: str) -> list[_Line]:
    """The lines of ``text``, by a quick pattern each; by tokens if the pattern does not match."""
    lines: list[_Line] = []
    position = 0
    while position < len(text):
        line = _USUAL.match(text, position)
        if line is None or (line["assign"] and not line["lead"]):
            return _lines_of_tokens(text)
        lines.append(_assignment_line(*line.group("lead", "assign_gap", "assign", "comment_gap", "comment", "ending")))
        position = line.end()
    return lines


def _assignment_line(
    lead: str, gap: str | None, assign: str | None, rest: str, comment: str | None, ending: str
) -> _Line:
    if not lead:
        return _Line(rest + (comment or "") + ending, None, None)
    if assign is not None and not _is_balanced(assign):
        lead, gap, assign = f"{lead}{gap}{assign}", None, None
    if comment is not None:
        return _Line(lead, assign, comment + ending, gap or "", rest)
    if assign is not None:
        return _Line(lead, assign + rest + ending, None, gap or "")
    return _Line(lead + rest + ending, None, None)


def _is_balanced(code: str) -> bool:
    brackets = [match.lastindex for match in _BRACKETS.finditer(code + "\n")]  # a heredoc ends with one
    return brackets.count(_OPEN) == brackets.count(_CLOSE)


def _lines_of_tokens(text: str) -> list[_Line]:
    lines: list[_Line] = []
    row: list[Token] = []
    for token in tokens(text):
        row.append(token)
        if token.kind == "newline":
            lines.append(_cells(text, row))
            row = []
    if row:
        lines.append(_cells(text, row))
    return lines


def _cells(text: str, row: list[Token]) -> _Line:
    start, end = row[0].start, row[-1].end
    solid = [token for token in row if token.kind not in ("space", "newline")]
    comment = solid[-1] if len(solid) > 1 and solid[-1].kind == "comment" else None
    code = solid[:-1] if comment else solid
    assign = _assignment(code)
    comment_start = comment.start if comment else end
    code_end = code[-1].end if comment else end
    assign_start = assign.start if assign else code_end
    lead_end = _before(row, assign) if assign else code_end
    return _Line(
        lead=text[start:lead_end],
        assign=text[assign_start:code_end] if assign else None,
        comment=text[comment_start:end] if comment else None,
        assign_gap=text[lead_end:assign_start],
        comment_gap=text[code_end:comment_start],
    )


def _before(row: list[Token], assign: Token) -> int:
    return next(token.end for token in reversed(row) if token.end <= assign.start and token.kind != "space")


def _assignment(code: list[Token]) -> Token | None:
    index = next((i for i, token in enumerate(code) if i > 0 and token.kind == "equal"), None)
    if index is None:
        return None
    opened = sum(token.kind in ("open", "template") for token in code[index:])
    closed = sum(token.kind == "close" for token in code[index:])
    return code[index] if opened == closed else None
