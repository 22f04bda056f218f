"""The parts of a text that a comment excludes from the migration, in any syntax."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from migrator.errors import SyntaxProblem
from migrator.regex import regex
from migrator.span import Span
from migrator.syntax.python import check as program
from migrator.syntax.terraform import Attribute, Block

if TYPE_CHECKING:
    from migrator.syntax.languages import Syntax

_COMMENT_ABOVE = regex(r"[ \t]*(?:#|//|/\*)")
_HASH = regex(r"(?m)(?:^|(?<=\s))#.*")


def of_items(syntax: Syntax, text: str, items: Iterable[Attribute | Block], pattern: re.Pattern[str]) -> Iterator[Span]:
    """The elements of a text in Terraform's ``syntax`` that have a comment which matches ``pattern``.

    An element begins with the comments above, and contains all nested elements.
    """
    for element in items:
        if pattern.search(syntax.comments_on(text, element)):
            yield Span(_with_comments_above(text, element.span.start), element.span.end)
        elif pattern.search(element.span.of(text)):
            with suppress(SyntaxProblem):
                inner = element.items if isinstance(element, Block) else syntax.object_items(text, element.value)
                yield from of_items(syntax, text, inner or (), pattern)


def _with_comments_above(text: str, start: int) -> int:
    first = text.rfind("\n", 0, start) + 1
    if text[first:start].strip():
        return start
    while first and _COMMENT_ABOVE.match(text, above := text.rfind("\n", 0, first - 1) + 1):
        first = above
    return first


def of_yaml(text: str, pattern: re.Pattern[str]) -> Iterator[Span]:
    """The entries that begin on the line of a comment, or on the next line after comment lines."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    lines = text.split("\n")
    for number in _commented_lines(text, pattern):
        first = number
        while number < len(lines) and _is_blank(lines[number]):
            number += 1
        if number < len(lines):
            last = _last_line(lines, number)
            yield Span(starts[first], starts[last] + len(lines[last]))


def _commented_lines(text: str, pattern: re.Pattern[str]) -> Iterator[int]:
    return (text.count("\n", 0, match.start()) for match in _HASH.finditer(text) if pattern.search(match[0]))


def _is_blank(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _last_line(lines: list[str], first: int) -> int:
    """The last line of the entry that begins on ``first``; deeper lines and the list of a key belong to the entry."""
    depth = len(lines[first]) - len(lines[first].lstrip())
    is_item = lines[first].lstrip().startswith("-")
    last = first
    for number in range(first + 1, len(lines)):
        line = lines[number]
        indent = len(line) - len(line.lstrip())
        if (
            not _is_blank(line)
            and indent <= depth
            and (is_item or indent < depth or not line.lstrip().startswith("- "))
        ):
            break
        last = last if _is_blank(line) else number
    return last


def of_program(text: str, pattern: re.Pattern[str]) -> Iterator[Span]:
    """The outermost statement, argument or element that begins, or the statement that ends, on a comment's line."""
    with suppress(SyntaxProblem):
        nodes = [node for node in ast.walk(program.read(text)) if isinstance(node, ast.stmt | ast.expr | ast.keyword)]
        lines = text.split("\n")
        starts = [0, *(match.end() for match in re.finditer("\n", text))]
        for number in _commented_lines(text, pattern):
            first = number
            while number < len(lines) and _is_blank(lines[number]):
                number += 1
            on_line = [node for node in nodes if node.lineno == number + 1]
            on_line += [node for node in nodes if isinstance(node, ast.stmt) and node.end_lineno == number + 1]
            if on_line:
                last = max(node.end_lineno or node.lineno for node in on_line) - 1
                above = min(first, *(node.lineno - 1 for node in on_line))
                yield Span(starts[above], starts[last] + len(lines[last]))
