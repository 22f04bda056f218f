"""The removal of declarations that only removed credentials used: variables, locals, data, outputs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.model.notes import ROTATE
from migrator.syntax.terraform import Attribute, Block, BodyChange
from migrator.terraform.rotation import rotate_value
from migrator.terraform.usage.declarations import Node, Piece

if TYPE_CHECKING:
    from migrator.model.diagnostics import Diagnostic
    from migrator.model.findings import Note
    from migrator.span import Edit, Span
    from migrator.terraform.usage.orphans import Orphans
    from migrator.workspace.document import Document

_NOTHING_WITHOUT_ITEMS = frozenset({"locals", "variables"})


class Removal(Struct, frozen=True):
    """A group of declarations to remove: the ``pieces`` of each node, and the ``edits`` that remove all pieces."""

    pieces: dict[Node, list[Piece]]
    edits: tuple[Edit, ...]


def removals(orphans: Orphans) -> Iterator[Removal]:
    """The removals, in groups that share neither references nor files."""
    nodes = sorted(orphans.nodes, key=lambda node: orphans.graph.pieces(node)[0].place)
    pieces = {node: [*orphans.graph.pieces(node), *orphans.assigned_pieces(node)[0]] for node in nodes}
    for part in _connected(orphans, pieces):
        own_pieces = {node: pieces[node] for node in part}
        yield Removal(
            own_pieces, tuple(_edits([piece for node_pieces in own_pieces.values() for piece in node_pieces]))
        )


def _connected(orphans: Orphans, pieces: dict[Node, list[Piece]]) -> Iterator[list[Node]]:
    links: dict[Node | str, list[Node | str]] = {}
    for node, node_pieces in pieces.items():
        near: list[Node | str] = [neighbour for neighbour in orphans.graph.neighbours(node) if neighbour in pieces]
        for other in [*near, *(piece.document.path for piece in node_pieces), node]:
            links.setdefault(node, []).append(other)
            links.setdefault(other, []).append(node)
    order = {node: number for number, node in enumerate(pieces)}
    seen: set[Node | str] = set()
    for node in pieces:
        part: list[Node] = []
        pending: list[Node | str] = [node]
        while pending:
            current = pending.pop()
            if current not in seen:
                seen.add(current)
                pending += links[current]
                part += [current] if isinstance(current, Node) else []
        if part:
            yield sorted(part, key=order.__getitem__)


def _edits(pieces: Iterable[Piece]) -> Iterator[Edit]:
    by_document: dict[str, dict[Span, Piece]] = {}
    for piece in pieces:
        by_document.setdefault(piece.document.path, {})[piece.element.span] = piece
    for _, file_pieces in sorted(by_document.items()):
        yield from (edit for piece in file_pieces.values() for edit in piece.edits)
        document = next(iter(file_pieces.values())).document
        tops: list[Block] = []
        bodies: dict[Span, tuple[Block, list[Attribute | Block]]] = {}
        yield from _edits_of_objects(document, [piece for piece in file_pieces.values() if piece.holder is not None])
        for element, parents in _without_empty_parents(
            [piece for piece in file_pieces.values() if piece.holder is None]
        ):
            if parents:
                bodies.setdefault(parents[-1].span, (parents[-1], []))[1].append(element)
            elif isinstance(element, Block):
                tops.append(element)
        if tops:
            yield from document.syntax.remove_blocks(document.path, document.text, document.items, tops)
        for parent, items in bodies.values():
            yield from document.change(parent, BodyChange(remove=tuple(items)))


def _edits_of_objects(document: Document, pieces: Sequence[Piece]) -> Iterator[Edit]:
    holders: dict[Span, list[Attribute]] = {}
    for piece in pieces:
        if isinstance(piece.element, Attribute) and piece.holder is not None:
            holders.setdefault(piece.holder, []).append(piece.element)
    for holder, items in holders.items():
        yield from document.change_object(holder, BodyChange(remove=tuple(items)))


def _without_empty_parents(pieces: Sequence[Piece]) -> Iterator[tuple[Attribute | Block, tuple[Block, ...]]]:
    """The items to remove with the blocks around them: if all items of a block are removed, the block."""
    removed_spans = {piece.element.span for piece in pieces}
    emptied: dict[Span, tuple[Block, tuple[Block, ...]]] = {}
    for piece in pieces:
        parent = piece.parents[-1] if piece.parents else None
        if (
            parent is not None
            and parent.type in _NOTHING_WITHOUT_ITEMS
            and removed_spans >= {child.span for child in parent.items}
        ):
            emptied[parent.span] = (parent, piece.parents[:-1])
        else:
            yield piece.element, piece.parents
    yield from emptied.values()


def rotate_values(pieces: Iterable[Piece], kind: Diagnostic = ROTATE) -> Iterator[Note]:
    """A note of this ``kind`` for each literal key in the values of the pieces."""
    for piece in pieces:
        if piece.value is not None:
            yield from rotate_value(piece.document, piece.value, kind)


def unused_providers(orphans: Orphans) -> Iterator[tuple[Document, Block]]:
    """The providers that lose their last data, unless a called module may need the provider."""
    for path, type_ in sorted(
        {(node.module, node.address.split(".")[1]) for node in orphans.nodes if node.kind in _READ}
    ):
        module = orphans.workspace.modules[path]
        prefix = type_.partition("_")[0]
        removed_spans = {
            piece.element.span for node in orphans.nodes if node.module == path for piece in orphans.graph.pieces(node)
        }
        remaining = [
            block for kind in _OF_PROVIDERS for _, block in module.blocks(kind) if block.span not in removed_spans
        ]
        types = [block.labels[0] for block in remaining if block.labels]
        for document, block in module.blocks("import"):
            arguments = (block.attribute(name) for name in ("to", "provider"))
            types += (document.expression(argument) for argument in arguments if argument is not None)
        is_used = any(re.split(r"[_.]", used)[0] == prefix for used in types)
        if not is_used and not any(module.blocks("module")):
            yield from module.blocks("provider", prefix)


_READ = ("data", "ephemeral")
_OF_PROVIDERS = (*_READ, "resource", "action", "list")
