"""YAML to be written: scalars, keys, and lists in block and in flow style, in the indentation that a file uses."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from migrator.regex import regex
from migrator.syntax.yaml.tree import Mapping, Node, Scalar, Sequence, Tree, resolved

_PLAIN_KEY = regex(r"[A-Za-z_][\w./-]*", re.ASCII)
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_FLOW = frozenset(",[]{}")


class Item(Struct, frozen=True):
    """A string for a list, with a comment for the line above, if the list's style allows a comment."""

    text: str
    comment: str = ""


class Line(Struct, frozen=True):
    """The text of an item: ``scalar`` is on one line."""

    scalar: str
    comment: str = ""


class Style(Struct, frozen=True):
    """The indentation of a file: of a mapping under a key (``unit``), and of a list (``list_offset``)."""

    unit: int
    list_offset: int

    def block(self, keys: tuple[str, ...], lines: list[Line], column: int) -> list[str]:
        """The rows of a list under ``keys``; the first row begins at ``column``."""
        rows = [" " * (column + depth * self.unit) + key(name) + ":" for depth, name in enumerate(keys)]
        column += (len(keys) - 1) * self.unit + self.list_offset if keys else 0
        return rows + list_rows(lines, column)


def list_rows(lines: list[Line], column: int) -> list[str]:
    """A row for each item at ``column``, and one for each comment above it."""
    return [" " * column + row for line in lines for row in (*comment_rows(line), f"- {line.scalar}")]


def comment_rows(line: Line) -> list[str]:
    """The rows of the comment of an item; none without a comment."""
    return [f"# {row}".rstrip() for row in line.comment.splitlines()]


def flow(keys: tuple[str, ...], lines: list[Line]) -> str:
    """The list under ``keys`` in brackets."""
    text = "[" + ", ".join(line.scalar for line in lines) + "]"
    for name in reversed(keys[1:]):
        text = f"{{{key(name)}: {text}}}"
    return f"{key(keys[0])}: {text}" if keys else text


def key(name: str) -> str:
    """``name`` as a key."""
    return name if _PLAIN_KEY.fullmatch(name) and name.lower() not in _WORDS else quote(name)


def quote(text: str) -> str:
    """The ``text`` as a scalar on one line: in single quotes, unless a character needs double quotes."""
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\x7f")


def copy(text: str, node: Node, *, in_flow: bool) -> Line | None:
    """The text of an item of a list without the anchor; an item on several lines is put on one line.

    None if it is no plain scalar.
    """
    node = resolved(node)
    if not isinstance(node, Scalar) or node.tag is not None:
        return None
    raw = node.span.of(text)
    if raw.isprintable() and raw[:1] not in ("|", ">") and not (in_flow and node.is_plain and _FLOW & set(raw)):
        return Line(raw or "null")
    return Line(quote(node.value))


def style(tree: Tree) -> Style:
    """The most frequent indentation of ``tree``; two spaces if the tree has no indentation."""
    units: Counter[int] = Counter()
    offsets: Counter[int] = Counter()
    for mapping in _block_mappings(tree.root):
        for entry in mapping.entries:
            if isinstance(entry.value, Mapping) and _is_below(tree, mapping, entry.value):
                units[column(tree.text, entry.value) - column(tree.text, mapping)] += 1
            elif isinstance(entry.value, Sequence) and _is_below(tree, mapping, entry.value):
                offsets[column(tree.text, entry.value) - column(tree.text, mapping)] += 1
    unit = max(1, units.most_common(1)[0][0]) if units else 2
    return Style(unit, max(0, offsets.most_common(1)[0][0]) if offsets else unit)


def _is_below(tree: Tree, mapping: Mapping, value: Mapping | Sequence) -> bool:
    return not value.is_flow and "\n" in tree.text[mapping.span.start : value.span.start]


def _block_mappings(root: Node | None) -> Iterator[Mapping]:
    waiting = [root] if root else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping) and not node.is_flow:
            yield node
            waiting += [entry.value for entry in reversed(node.entries)]
        elif isinstance(node, Sequence):
            waiting += reversed(node.items)


def column(text: str, node: Node) -> int:
    """The number of characters before ``node`` on the line."""
    return node.span.start - line_start(text, node.span.start)


def line_start(text: str, offset: int) -> int:
    """The offset where the line of ``offset`` begins."""
    return text.rfind("\n", 0, offset) + 1 or int(text.startswith("\ufeff"))
