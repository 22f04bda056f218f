"""The edits of one list of a YAML text, which is changed in place or created."""

from __future__ import annotations

from msgspec import Struct

from migrator.regex import regex
from migrator.span import Edit, Span
from migrator.syntax.source import newline_at
from migrator.syntax.yaml.tree import MERGE, Alias, Keys, Mapping, Node, Scalar, Sequence, Tree, find
from migrator.syntax.yaml.write import Line, column, comment_rows, copy, flow, line_start, list_rows, style

_COMMENT_LINE = regex(r"[ \t]*#")


class Refused(Exception):
    """No edit can be made; the argument says why."""


class ListEditor:
    """The editor of the lists in ``tree``, which is in the file ``path``. All methods raise `Refused`."""

    def __init__(self, path: str, tree: Tree) -> None:
        self._path, self._tree, self._text = path, tree, tree.text
        self._style = style(tree)

    def edits(self, keys: Keys, lines: list[Line], repeated: list[Line] | None) -> list[Edit]:
        """The edits that put ``lines`` first into the list at ``keys``; if ``repeated`` is None, only the old items."""
        slot = _descend(self._tree.root, keys)
        if isinstance(slot.node, Alias):
            return self._replace_alias(slot, slot.node, lines, repeated)
        if isinstance(slot.node, Mapping) and slot.rest:
            if self._is_refilled(slot):
                return self._fill(slot, lines + self._needed(repeated))
            return [self._add(slot.node, slot.rest, self._in_front(slot.node, slot.rest, lines, repeated))]
        if isinstance(slot.node, Sequence) and not slot.rest and lines and slot.node.tag is None:
            return self._fill(slot, lines) if self._is_refilled(slot) else [self.prepend(slot.node, lines)]
        if slot.node is None or _is_null(slot.node):
            return self._fill(slot, lines + self._needed(repeated))
        raise Refused("the value is not a list")

    def _needed(self, repeated: list[Line] | None) -> list[Line]:
        if repeated is None:
            raise Refused("another entry would get a list as well")
        return repeated

    def _in_front(self, mapping: Mapping, rest: Keys, lines: list[Line], repeated: list[Line] | None) -> list[Line]:
        """The ``lines``, and the items that the list at ``rest`` in ``mapping`` gets by a merge key."""
        if len(rest) > 1 and find(mapping, rest[:1]):
            raise Refused("the mapping around the list is merged in from another place")
        old = find(mapping, rest)
        return lines + (self._needed(repeated) if old is None else self._copies(old.node, mapping.is_flow))

    def _copies(self, node: Node, in_flow: bool) -> list[Line]:
        if _is_null(node):
            return []
        if not isinstance(node, Sequence) or node.tag is not None:
            raise Refused("the value is not a list")
        copies = [copy(self._text, element, in_flow=in_flow) for element in node.items]
        if None in copies:
            raise Refused("a list that others share has an item that is no plain string")
        return [line for line in copies if line]

    def _replace_alias(self, slot: _Slot, alias: Alias, lines: list[Line], repeated: list[Line] | None) -> list[Edit]:
        """Replace an alias of a list by a new list, and an alias of a mapping by a mapping that merges the alias."""
        if not slot.rest:
            return self._replace(slot, "", (), lines + self._copies(alias.target, slot.in_flow))
        if not isinstance(alias.target, Mapping):
            raise Refused("the value around the list is not a mapping")
        return self._replace(
            slot, f"{MERGE}: *{alias.name}", slot.rest, self._in_front(alias.target, slot.rest, lines, repeated)
        )

    def _is_refilled(self, slot: _Slot) -> bool:
        """Whether the value is ``[]`` or ``{}``, so that block style may replace the value."""
        is_block = slot.node is not None and slot.parent is not None and slot.node.tag is None and not slot.in_flow
        return is_block and self._squeezed(slot.node) in ("[]", "{}")

    def _squeezed(self, node: Node | None) -> str:
        return "" if node is None else node.span.of(self._text).replace(" ", "")

    def _fill(self, slot: _Slot, lines: list[Line]) -> list[Edit]:
        if slot.parent is None:
            if slot.node is not None and slot.node.span.of(self._text):
                raise Refused("the top of the file is not a mapping")
            return [self._at(self._tree.part.end, self._style.block(_names(slot.rest), lines, 0))]
        return self._replace(slot, "", slot.rest, lines)

    def _replace(self, slot: _Slot, merge: str, rest: Keys, lines: list[Line]) -> list[Edit]:
        """Replace the value at ``slot`` by a list, or by a mapping that holds the list below ``rest``."""
        if slot.node is None or slot.parent is None:
            raise Refused("the list has no place")
        span, names = slot.node.span, _names(rest)
        if slot.in_flow:
            inner = ", ".join(filter(None, (merge, flow(names, lines))))
            gap = " " if span.start == span.end else ""
            return [Edit(self._path, span, gap + (f"{{{inner}}}" if names else inner))]
        offset = self._style.unit if names or isinstance(slot.parent, Sequence) else self._style.list_offset
        indent = column(self._text, slot.parent) + offset
        rows = [" " * indent + merge] if merge else []
        rows += self._style.block(names, lines, indent)
        start = len(self._text[: span.start].rstrip(" \t"))
        removal = [Edit(self._path, Span(start, span.end), "")] if span.start < span.end else []
        return [*removal, self._at(span.end, rows)]

    # --- rows and items ---------------------------------------------------------------------------------------------

    def _at(self, offset: int, rows: list[str]) -> Edit:
        """The edit that puts ``rows`` below the line of ``offset``, or at ``offset`` if a line begins there."""
        newline = newline_at(self._text, offset)
        is_start = offset == self._tree.part.start or self._text[offset - 1] == "\n"
        place = offset if is_start else self._line_end(offset)
        text = newline.join(rows)
        return Edit(self._path, Span(place, place), text + newline if is_start else newline + text)

    def _line_end(self, offset: int) -> int:
        end = self._text.find("\n", offset, self._tree.part.end)
        if end < 0:
            return self._tree.part.end
        return end - 1 if self._text[end - 1] == "\r" and end > offset else end

    def prepend(self, sequence: Sequence, lines: list[Line]) -> Edit:
        """The edit that puts ``lines`` before the items of ``sequence``, in the style of the list."""
        if not sequence.items:
            place = sequence.span.start + 1
            return Edit(self._path, Span(place, place), ", ".join(line.scalar for line in lines))
        first = sequence.items[0].start if sequence.is_flow else sequence.span.start
        start = line_start(self._text, first)
        indent, newline = self._text[start:first], newline_at(self._text, first)
        if indent.strip(" "):
            return self._in_front_of_first(sequence, first, lines)
        rows = _flow_rows(lines, indent) if sequence.is_flow else list_rows(lines, len(indent))
        place = self._above_comments(start)
        return Edit(self._path, Span(place, place), "".join(row + newline for row in rows))

    def _in_front_of_first(self, sequence: Sequence, first: int, lines: list[Line]) -> Edit:
        """The edit that puts ``lines`` before a first item that does not begin a line."""
        newline = newline_at(self._text, first)
        gap = newline + " " * (first - line_start(self._text, first))
        texts = [f"{line.scalar}, " if sequence.is_flow else f"- {line.scalar}{gap}" for line in lines]
        return Edit(self._path, Span(first, first), "".join(texts))

    def _above_comments(self, start: int) -> int:
        """The offset of the comment lines right above the line that begins at ``start``."""
        while start > self._tree.part.start:
            above = line_start(self._text, start - 1)
            if above >= start or not _COMMENT_LINE.match(self._text, above):
                break
            start = above
        return start

    # --- a new entry ------------------------------------------------------------------------------------------------

    def _add(self, mapping: Mapping, rest: Keys, lines: list[Line]) -> Edit:
        """The list below ``rest``, at the end of ``mapping``."""
        names = _names(rest)
        if not mapping.is_flow:
            rows = self._style.block(names, lines, column(self._text, mapping))
            return self._at(self._below_comments(mapping), rows)
        if not mapping.entries:
            place = mapping.span.start + 1
            return Edit(self._path, Span(place, place), flow(names, lines))
        last = mapping.entries[-1]
        start = line_start(self._text, last.key.start)
        indent = self._text[start : last.key.start]
        gap = " " if indent.strip() else newline_at(self._text, start) + indent
        place = last.value.span.end
        return Edit(self._path, Span(place, place), f",{gap}{flow(names, lines)}")

    def _below_comments(self, mapping: Mapping) -> int:
        """The end of a block mapping, including comment lines below with more indentation than the keys."""
        end, margin = mapping.span.end, column(self._text, mapping)
        if self._text[:end].endswith("\n"):
            return end
        while True:
            below = self._text.find("\n", end, self._tree.part.end) + 1
            comment = _COMMENT_LINE.match(self._text, below, self._tree.part.end) if below else None
            if comment is None or comment.end() - 1 - below <= margin:
                return end
            end = comment.end()


class _Slot(Struct, frozen=True):
    """The last written value on the way to a list, and the rest of the way."""

    node: Node | None
    rest: Keys
    parent: Node | None
    in_flow: bool


def _descend(root: Node | None, keys: Keys) -> _Slot:
    node, parent, in_flow = root, None, False
    for depth, name in enumerate(keys):
        below = _written_at(node, name)
        if below is None:
            return _Slot(node, keys[depth:], parent, in_flow)
        in_flow = in_flow or (isinstance(node, Mapping | Sequence) and node.is_flow)
        node, parent = below, node
    return _Slot(node, (), parent, in_flow)


def _written_at(node: Node | None, name: str | int) -> Node | None:
    if isinstance(node, Sequence) and isinstance(name, int) and 0 <= name < len(node.items):
        return node.items[name]
    entry = node.own_entries(name) if isinstance(node, Mapping) and isinstance(name, str) else None
    return entry.value if entry else None


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_null


def _names(rest: Keys) -> tuple[str, ...]:
    """The keys of new mappings; items of lists are never created."""
    if not all(isinstance(name, str) for name in rest):
        raise Refused("the list is too short")
    return tuple(str(name) for name in rest)


def _flow_rows(lines: list[Line], indent: str) -> list[str]:
    return [indent + row for line in lines for row in (*comment_rows(line), f"{line.scalar},")]
