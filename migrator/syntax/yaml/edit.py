"""Edits of YAML lists: items are added in front, in any style of the list, and nothing else moves.

Quotes, comments, order, indentation and line endings stay. Every edit is checked: the new text is parsed, and only the
addressed list may have another value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from collections.abc import Sequence as SequenceABC
from itertools import accumulate

from msgspec import Struct

from migrator.errors import EditConflict, SyntaxProblem
from migrator.model.findings import Refusal
from migrator.span import Edit, Span, apply_edits
from migrator.syntax.diagnostics import UNEDITABLE
from migrator.syntax.line_diff import LineMatcher
from migrator.syntax.yaml.compare import Difference, are_equal, differences
from migrator.syntax.yaml.list import ListEditor, Refused
from migrator.syntax.yaml.parse import read
from migrator.syntax.yaml.tree import Keys, Mapping, Node, Scalar, Sequence, Tree
from migrator.syntax.yaml.write import Item, Line, quote


def prepend_items(
    path: str,
    tree: Tree,
    keys: Keys,
    items: SequenceABC[Item],
    *,
    inherited: SequenceABC[str] = (),
    also: Collection[Keys] = (),
    escape: Callable[[str], str] = str,
) -> tuple[Edit, ...] | Refusal:
    """The edits that put ``items`` first into the list at ``keys`` of the file ``path``, before the present items.

    A missing list is created with ``inherited``, the items of the list that the new list replaces. Other keys that
    share the value by an anchor keep their value by a copy, unless they are in ``also``: those may get the items too.
    ``escape`` is applied to the text of each new item.
    """
    lines = [Line(escape(quote(literal.text)), literal.comment) for literal in items]
    repeated = [Line(escape(quote(text))) for text in inherited]
    if not lines:
        return ()
    try:
        editor = _Editor(path, tree, lines, repeated, frozenset((keys, *also)))
        return editor.at_anchor(keys) or editor.where_written(keys)
    except Refused as refused:
        return UNEDITABLE.refusal(reason=str(refused))
    except (SyntaxProblem, EditConflict):
        return UNEDITABLE.refusal(reason="the edited YAML could not be understood again")


class Addition(Struct, frozen=True):
    """Items for the list at ``keys``, and the items that a new list must repeat, as in `prepend_items`."""

    keys: Keys
    items: tuple[Item, ...]
    inherited: tuple[str, ...] = ()


def prepend_all(
    path: str, tree: Tree, additions: SequenceABC[Addition], *, escape: Callable[[str], str] = str
) -> tuple[Edit, ...] | Refusal:
    """The edits of several lists of one file, which may be shared, or missing together with their parents.

    A list is edited at its anchor if all keys that share the list get the same items. If one of ``additions`` is
    impossible, none is made.
    """
    text, current = tree.text, tree
    waiting = list(additions)
    attempts = 0 if "&" in text else _ATTEMPTS
    while waiting:
        batch = _one_per_mapping(waiting) if attempts else []
        if len(batch) > 1:
            attempts -= 1
            if (together := _combined(path, current, batch, escape)) is not None:
                text, current = together.text, together
                waiting = [addition for addition in waiting if addition not in batch]
                continue
        addition = waiting.pop(0)
        also = [
            other.keys for other in waiting if (other.items, other.inherited) == (addition.items, addition.inherited)
        ]
        edits = prepend_items(
            path, current, addition.keys, addition.items, inherited=addition.inherited, also=also, escape=escape
        )
        if isinstance(edits, Refusal):
            return edits
        after = apply_edits(text, edits)
        part = Span(current.part.start, current.part.end + len(after) - len(text))
        before, text, current = current, after, read(after, part)
        waiting = [other for other in waiting if other.keys not in also or _is_unchanged(before, current, other.keys)]
    return tuple(line_edits(path, tree.text, text))


def _one_per_mapping(additions: SequenceABC[Addition]) -> list[Addition]:
    """The first of the ``additions`` for each mapping that holds a list."""
    return list({addition.keys[:-1]: addition for addition in reversed(additions)}.values())[::-1]


def _combined(path: str, tree: Tree, additions: SequenceABC[Addition], escape: Callable[[str], str]) -> Tree | None:
    """The ``tree`` with all ``additions``, parsed once; None if the additions cannot be made together."""
    editors = {addition.keys: _editor(path, tree, addition, escape) for addition in additions}
    lists = ListEditor(path, tree)
    try:
        edits = [edit for keys, editor in editors.items() for edit in editor.made_by(lists, keys)]
        after = apply_edits(tree.text, edits)
        tree_after = read(after, Span(tree.part.start, tree.part.end + len(after) - len(tree.text)))
        changed = {difference.keys: difference for difference in differences(tree, tree_after)}
    except (Refused, SyntaxProblem, EditConflict):
        return None
    for keys, editor in editors.items():
        difference = next(
            (changed.pop(keys[:size]) for size in range(len(keys), 0, -1) if keys[:size] in changed), None
        )
        if difference is None or not editor.is_intended(difference, keys):
            return None
    return None if changed else tree_after


def _editor(path: str, tree: Tree, addition: Addition, escape: Callable[[str], str]) -> _Editor:
    lines = [Line(escape(quote(literal.text)), literal.comment) for literal in addition.items]
    repeated = [Line(escape(quote(text))) for text in addition.inherited]
    return _Editor(path, tree, lines, repeated, frozenset((addition.keys,)))


def _is_unchanged(before: Tree, after: Tree, keys: Keys) -> bool:
    old, new = before.find(keys), after.find(keys)
    return old is new or (old is not None and new is not None and are_equal(old.node, new.node))


def line_edits(path: str, before: str, after: str) -> Iterator[Edit]:
    """The lines that differ, as edits; a line end that stays is in no edit, so that removals below do not collide."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = [0, *accumulate(map(len, old))]
    for kind, first, last, low, high in LineMatcher(old, new).get_opcodes():
        if kind != "equal":
            was, now = "".join(old[first:last]), "".join(new[low:high])
            end = next((end for end in ("\r\n", "\n") if was.endswith(end) and now.endswith(end)), "")
            yield Edit(path, Span(starts[first], starts[last] - len(end)), now.removesuffix(end))


_ATTEMPTS = 8  # several lists at once: one for each name of a list, and one to make missing parents


class _Editor:
    """The edits for one list, and their check."""

    def __init__(
        self, path: str, tree: Tree, lines: list[Line], repeated: list[Line], intended: frozenset[Keys]
    ) -> None:
        self._tree, self._lines, self._repeated, self._intended = tree, lines, repeated, intended
        self._lists = ListEditor(path, tree)

    def at_anchor(self, keys: Keys) -> tuple[Edit, ...] | None:
        """The edits of the list that ``keys`` refer to, at the anchor; None if other keys share the list."""
        place = self._tree.find(keys) if len(self._intended) > 1 else None
        if place is None or not isinstance(place.node, Sequence):
            return None
        edits = [self._lists.prepend(place.node, self._lines)]
        return tuple(edits) if self._are_intended(self._differences(edits, keys), keys) else None

    def where_written(self, keys: Keys) -> tuple[Edit, ...]:
        """The edits of the list at ``keys``; keys that shared the list get a copy of the old list."""
        edits = self._lists.edits(keys, self._lines, self._repeated)
        others = [
            difference.keys for difference in self._differences(edits, keys) if difference.keys not in self._intended
        ]
        for other in others:
            edits += self._lists.edits(other, [], None)
        if not self._are_intended(self._differences(edits, keys), keys):
            raise Refused("other entries share this list, or depend on the list")
        return tuple(edits)

    def made_by(self, lists: ListEditor, keys: Keys) -> list[Edit]:
        """The edits of the list at ``keys`` alone, not tried yet."""
        return lists.edits(keys, self._lines, self._repeated)

    def is_intended(self, difference: Difference, keys: Keys) -> bool:
        """Whether a difference is that of the list at ``keys``."""
        narrowed = _narrowed(difference, keys)
        return narrowed.keys == keys and self._is_intended(narrowed)

    def _are_intended(self, changed: list[Difference], keys: Keys) -> bool:
        places = {difference.keys for difference in changed}
        return keys in places and places <= self._intended and all(map(self._is_intended, changed))

    def _differences(self, edits: Iterable[Edit], keys: Keys = ()) -> list[Difference]:
        """The differences that the edits make; a new mapping around the list at ``keys`` counts as the list."""
        after = apply_edits(self._tree.text, edits)
        part = self._tree.part
        changed = differences(self._tree, read(after, Span(part.start, part.end + len(after) - len(self._tree.text))))
        return [_narrowed(difference, keys) for difference in changed]

    def _is_intended(self, difference: Difference) -> bool:
        """Whether the new list has the new items, and then the old items, or the repeated items for a new list."""
        was_list = isinstance(difference.before, Sequence)
        if not isinstance(difference.after, Sequence) or not (was_list or _is_nothing(difference.before)):
            return False
        expected = [read(line.scalar).root for line in (self._lines if was_list else self._lines + self._repeated)]
        expected += difference.before.items if isinstance(difference.before, Sequence) else ()
        return len(expected) == len(difference.after.items) and all(
            old is not None and are_equal(old, new) for old, new in zip(expected, difference.after.items, strict=True)
        )


def _is_nothing(node: Node | None) -> bool:
    return node is None or (isinstance(node, Scalar) and node.is_null)


def _narrowed(difference: Difference, keys: Keys) -> Difference:
    """The difference at ``keys`` instead of the difference of a new mapping with only that value."""
    if (
        not _is_nothing(difference.before)
        or not isinstance(difference.after, Mapping)
        or difference.keys != keys[: len(difference.keys)]
    ):
        return difference
    rest = keys[len(difference.keys) :]
    entry = difference.after.entries[0] if len(difference.after.entries) == 1 else None
    if entry is None or not rest or entry.name != rest[0]:
        return difference
    return _narrowed(Difference((*difference.keys, rest[0]), None, entry.value), keys)
