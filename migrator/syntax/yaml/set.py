"""Strings that are set in the block mappings of a YAML text, and nothing else moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from migrator.errors import EditConflict, SyntaxProblem
from migrator.span import Edit, Span, apply_edits
from migrator.syntax.diagnostics import UNEDITABLE
from migrator.syntax.source import newline_at
from migrator.syntax.yaml.compare import differences
from migrator.syntax.yaml.edit import line_edits
from migrator.syntax.yaml.parse import read
from migrator.syntax.yaml.tree import Alias, Keys, Mapping, Node, Scalar, Tree, string_at
from migrator.syntax.yaml.write import column, key, quote, style

if TYPE_CHECKING:
    from migrator.model.findings import Refusal


def set_strings(path: str, tree: Tree, values: Sequence[tuple[Keys, str]]) -> tuple[Edit, ...] | Refusal:
    """The edits that set each of ``values`` at new keys of ``tree``, in the file ``path``.

    Missing parents are created. If one value cannot be set, none is set.
    """
    current = tree
    for keys, value in values:
        try:
            text = _with_string(current, keys, value)
            after = read(text, Span(current.part.start, current.part.end + len(text) - len(current.text)))
            if not _is_all(current, after, keys, value):
                return UNEDITABLE.refusal(reason="other entries share the mapping around the value")
        except (SyntaxProblem, EditConflict):
            return UNEDITABLE.refusal(reason="the edited YAML could not be understood again")
        except _RefusedError as refused:
            return UNEDITABLE.refusal(reason=str(refused))
        current = after
    return tuple(line_edits(path, tree.text, current.text))


class _RefusedError(Exception):
    """The string cannot be set; the argument says why."""


def _is_all(before: Tree, after: Tree, keys: Keys, value: str) -> bool:
    """Whether the value is set, and nothing changed but the parents of the value."""
    is_set = after.root is not None and string_at(after.root, *keys) == value
    return is_set and all(difference.keys == keys[: len(difference.keys)] for difference in differences(before, after))


def _with_string(tree: Tree, keys: Keys, value: str) -> str:
    holder, rest = _descend(tree.root, keys)
    names = [str(name) for name in rest]
    margin = column(tree.text, holder) if holder is not None else 0
    unit = style(tree).unit
    rows = [" " * (margin + depth * unit) + key(name) + ":" for depth, name in enumerate(names)]
    rows[-1] += f" {quote(value)}"
    end = holder.span.end if holder is not None else tree.part.end
    newline = newline_at(tree.text, end)
    head = tree.text[:end].rstrip(" \t\r\n")
    place = tree.text.find("\n", len(head), tree.part.end) + 1 or tree.part.end
    gap = newline if place and tree.text[place - 1] != "\n" else ""
    return apply_edits(tree.text, [Edit("", Span(place, place), gap + "".join(row + newline for row in rows))])


def _descend(root: Node | None, keys: Keys) -> tuple[Mapping | None, Keys]:
    """The deepest written mapping on the way to ``keys``, and the rest of the way."""
    holder: Mapping | None = None
    for depth, name in enumerate(keys):
        if root is None or (isinstance(root, Scalar) and root.is_null and depth == 0):
            return None, keys
        if isinstance(root, Alias) or not isinstance(root, Mapping) or root.is_flow or root.tag is not None:
            raise _RefusedError("the mapping around the value is not written as a block")
        holder = root
        entry = root.own_entries(str(name))
        if entry is None:
            return holder, keys[depth:]
        root = entry.value
    raise _RefusedError("the place has another value")
