"""A YAML text as a tree with spans: an alias is one node, however often the alias is used.

Merge keys are those of https://yaml.org/type/merge.html: an entry's own keys come before merged ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from migrator.span import Span

Keys = tuple[str | int, ...]
"""The way to a value from the root: names in mappings, numbers in sequences."""

MERGE = "<<"
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


class Node(Struct, frozen=True, eq=False, kw_only=True):
    """A value: ``span`` is the text without anchor and tag, ``start`` is the offset with both.

    ``depth`` is the number of levels below the node, also behind aliases.
    """

    span: Span
    start: int
    depth: int = 0
    anchor: str | None = None
    tag: str | None = None


class Scalar(Node, frozen=True, eq=False, kw_only=True):
    """A string, number, null …: ``value`` is the value, ``is_plain`` is true without quotes.

    ``is_string`` says that it is no number, date, boolean or null.
    """

    value: str
    is_plain: bool
    is_string: bool

    @property
    def is_null(self) -> bool:
        """Whether the scalar means null: ``null``, ``~``, or no character at all."""
        return self.is_plain and self.tag is None and self.value in _NULLS


class Sequence(Node, frozen=True, eq=False, kw_only=True):
    """A list; ``is_flow`` is true for a list in brackets."""

    items: tuple[Node, ...]
    is_flow: bool


class Entry(Struct, frozen=True, eq=False, kw_only=True):
    """A key of a mapping and its value."""

    key: Node
    value: Node

    @property
    def name(self) -> str | None:
        """The key as a string; None if the key is a list or a mapping."""
        key = resolved(self.key)
        return key.value if isinstance(key, Scalar) else None

    @property
    def is_merge(self) -> bool:
        """Whether the entry merges the keys of other mappings."""
        return isinstance(self.key, Scalar) and self.key.is_plain and self.key.value == MERGE


class Mapping(Node, frozen=True, eq=False, kw_only=True, dict=True):
    """Keys and values in order; ``is_flow`` is true for a mapping in braces."""

    entries: tuple[Entry, ...]
    is_flow: bool

    def own_entries(self, name: str) -> Entry | None:
        """The entry that is written here under ``name``."""
        return self._own_entries.get(name)

    @cached_property
    def _own_entries(self) -> dict[str, Entry]:
        by_name: dict[str, Entry] = {}
        for entry in self.entries:
            name = entry.name
            if name is not None and not entry.is_merge:
                by_name.setdefault(name, entry)
        return by_name

    @cached_property
    def _merges(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.is_merge)

    def sources(self) -> Iterator[Mapping]:
        """The mappings of the merge key, by precedence."""
        for entry in self._merges:
            merged = resolved(entry.value)
            for node in merged.items if isinstance(merged, Sequence) else (merged,):
                source = resolved(node)
                if isinstance(source, Mapping):
                    yield source


class Alias(Node, frozen=True, eq=False, kw_only=True):
    """An alias ``*name`` of ``target``."""

    name: str
    target: Node


class Lookup(Struct, frozen=True):
    """A value and the way to the value: ``node`` is never an alias."""

    node: Node
    by_alias: bool = False
    by_merge: bool = False


class Tree(Struct, frozen=True):
    """The document in ``part`` of ``text``; ``root`` is None if the document has only comments."""

    text: str
    part: Span
    root: Node | None

    def find(self, keys: Keys) -> Lookup | None:
        """The value at ``keys``, through aliases and merge keys; None if there is none."""
        return find(self.root, keys) if self.root else None


def resolved(node: Node) -> Node:
    """The target of ``node``, if the node is an alias, else the node."""
    return node.target if isinstance(node, Alias) else node


def find(root: Node, keys: Keys) -> Lookup | None:
    """The value at ``keys`` below ``root``, through aliases and merge keys; None if there is none."""
    place = Lookup(resolved(root), isinstance(root, Alias))
    for key in keys:
        step = _step(place.node, key)
        if step is None:
            return None
        node, by_merge = step
        place = Lookup(resolved(node), place.by_alias or isinstance(node, Alias), place.by_merge or by_merge)
    return place


def _step(node: Node, key: str | int) -> tuple[Node, bool] | None:
    if isinstance(node, Sequence) and isinstance(key, int):
        return (node.items[key], False) if 0 <= key < len(node.items) else None
    if isinstance(node, Mapping) and isinstance(key, str):
        entry = node.own_entries(key)
        return (entry.value, False) if entry else _merged(node, key, set())
    return None


def _merged(node: Mapping, name: str, seen: set[int]) -> tuple[Node, bool] | None:
    for source in node.sources():
        if id(source) in seen:
            continue
        seen.add(id(source))
        entry = source.own_entries(name)
        below = (entry.value, True) if entry else _merged(source, name, seen)
        if below:
            return below
    return None


def string_at(root: Node, *keys: str | int) -> str | None:
    """The scalar at ``keys``; None if ``keys`` lead to no scalar, or to null."""
    place = find(root, keys)
    return place.node.value if place and isinstance(place.node, Scalar) and not place.node.is_null else None


def names(node: Node) -> tuple[str, ...]:
    """The keys of a mapping, merged ones last; none of anything else."""
    ordered: dict[str, None] = {}
    waiting, seen = [resolved(node)], {id(resolved(node))}
    while waiting:
        mapping = waiting.pop(0)
        if isinstance(mapping, Mapping):
            ordered.update(dict.fromkeys(entry.name for entry in mapping.entries if entry.name and not entry.is_merge))
            fresh = [source for source in mapping.sources() if id(source) not in seen]
            seen.update(map(id, fresh))
            waiting += fresh
    return tuple(ordered)
