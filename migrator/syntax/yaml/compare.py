"""The differences between the values of two YAML texts, and whether anything was lost."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from migrator.errors import SyntaxProblem
from migrator.span import Span
from migrator.syntax.yaml.parse import read
from migrator.syntax.yaml.tree import Keys, Mapping, Node, Scalar, Sequence, Tree, find, names, resolved

_MOST_VISITS = 20_000


class Difference(Struct, frozen=True):
    """A value that changed; None for a missing value."""

    keys: Keys
    before: Node | None
    after: Node | None


def verify(before: str, after: str, part: Span | None = None) -> None:
    """Parse ``after`` and check that the text only adds to ``before``: entries to mappings, first items to lists.

    ``part`` is the span of the YAML text in ``before``; the text after that is the same in ``after``. Raises
    `SyntaxProblem` if ``after`` is no YAML, or if something was lost.
    """
    part_after = part and Span(part.start, part.end + len(after) - len(before))
    for difference in differences(read(before, part), read(after, part_after)):
        if not _is_growth(difference):
            raise SyntaxProblem(difference.after.start if difference.after else 0, "the edit would lose something else")


def _is_growth(difference: Difference) -> bool:
    before, after = difference.before, difference.after
    if before is None or (isinstance(before, Scalar) and before.is_null):
        return after is not None
    return isinstance(before, Sequence) and isinstance(after, Sequence) and _is_tail(before, after)


def _is_tail(before: Sequence, after: Sequence) -> bool:
    added = len(after.items) - len(before.items)
    pairs = zip(before.items, after.items[added:], strict=True) if added >= 0 else ()
    return added > 0 and all(are_equal(old, new) for old, new in pairs)


def differences(before: Tree, after: Tree) -> list[Difference]:
    """The differences of the effective values, with aliases and merge keys resolved; styles do not count.

    The smallest differing values are returned, but lists of different length as a whole. Raises `SyntaxProblem` for too
    many differences.
    """
    if before.root is None or after.root is None:
        return [] if before.root is after.root else [Difference((), before.root, after.root)]
    comparison = _Comparison(before.root, after.root)
    return list({difference.keys: difference for difference in comparison.below((), before.root, after.root)}.values())


class _Comparison:
    """The comparison of two trees, which compares each pair of nodes once, however many aliases refer to a node."""

    def __init__(self, before: Node, after: Node) -> None:
        self._roots = before, after
        self._known: dict[tuple[int, int], bool] = {}
        self._visits = 0

    def are_equal(self, before: Node, after: Node) -> bool:
        before, after = resolved(before), resolved(after)
        pair = id(before), id(after)
        if pair not in self._known:
            self._known[pair] = before.tag == after.tag and self._have_equal_content(before, after)
        return self._known[pair]

    def _have_equal_content(self, before: Node, after: Node) -> bool:
        if isinstance(before, Scalar) and isinstance(after, Scalar):
            return before.value == after.value and before.is_string == after.is_string
        if isinstance(before, Sequence) and isinstance(after, Sequence):
            old, new = before.items, after.items
        elif isinstance(before, Mapping) and isinstance(after, Mapping):
            old = tuple(node for entry in before.entries for node in (entry.key, entry.value))
            new = tuple(node for entry in after.entries for node in (entry.key, entry.value))
        else:
            return False
        return len(old) == len(new) and all(map(self.are_equal, old, new))

    def below(self, keys: Keys, before: Node, after: Node) -> Iterator[Difference]:
        """The differences at and below ``keys``."""
        self._count(before)
        old, new = resolved(before), resolved(after)
        if self.are_equal(old, new):
            return
        if isinstance(old, Mapping) and isinstance(new, Mapping) and old.tag == new.tag:
            yield from self._in_mapping(keys, old, new)
        elif isinstance(old, Sequence) and isinstance(new, Sequence) and len(old.items) == len(new.items):
            for index, (node, other) in enumerate(zip(old.items, new.items, strict=True)):
                yield from self.below((*keys, index), node, other)
        else:
            yield from self._effective(keys)

    def _in_mapping(self, keys: Keys, old: Mapping, new: Mapping) -> Iterator[Difference]:
        before = {entry.name: entry.value for entry in old.entries if not entry.is_merge}
        after = {entry.name: entry.value for entry in new.entries if not entry.is_merge}
        if None in before or None in after:
            yield Difference(keys, old, new)
            return
        sources, others = list(old.sources()), list(new.sources())
        if len(sources) != len(others):
            for name in dict.fromkeys((*names(old), *names(new))):
                yield from self._effective((*keys, name))
            return
        for key in dict.fromkeys((*before, *after)):
            path = (*keys, key or "")
            if key in before and key in after:
                yield from self.below(path, before[key], after[key])
            else:
                yield from self._effective(path)
        for source, other in zip(sources, others, strict=True):
            yield from self.below(keys, source, other)

    def _effective(self, keys: Keys) -> Iterator[Difference]:
        """The difference at ``keys``, unless the value is overridden there or comes in by another way."""
        self._count(self._roots[0])
        before, after = (place.node if (place := find(root, keys)) else None for root in self._roots)
        if before is not after and not (before and after and self.are_equal(before, after)):
            yield Difference(keys, before, after)

    def _count(self, node: Node) -> None:
        self._visits += 1
        if self._visits > _MOST_VISITS:
            raise SyntaxProblem(node.start, "too many values depend on one another")


def are_equal(before: Node, after: Node) -> bool:
    """Whether two values mean the same."""
    return _Comparison(before, after).are_equal(before, after)
