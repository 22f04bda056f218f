"""The pieces of a variable, local, data source or output in the files of a repository, for its removal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from migrator.syntax.terraform import Attribute, Block

if TYPE_CHECKING:
    from migrator.model.findings import Place
    from migrator.span import Edit, Span
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module, ModuleCall
    from migrator.workspace.workspace import Workspace


class Node(NamedTuple):
    """A declaration with the ``address`` in the module at the path ``module``."""

    module: str
    address: str

    @property
    def kind(self) -> str:
        """``var``, ``local``, ``data``, ``ephemeral``, ``output``, ``module``, or a type of resources."""
        return self.address.partition(".")[0]

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.address.rpartition(".")[2]

    @property
    def title(self) -> str:
        """The name for messages."""
        words = {"var": "variable", "local": "local", "output": "output"}
        return f"{words[self.kind]} {self.name}" if self.kind in words else self.address


class Piece(Struct, frozen=True, eq=False):
    """A block or argument of a node; its expressions belong to the module at the path ``module``.

    ``parents`` are the blocks around the piece, the outermost first; ``holder`` is the object around the piece, if any.
    ``edits`` go with a removal of the piece: elsewhere, a list of ``depends_on`` names the piece.
    """

    document: Document
    element: Attribute | Block
    module: str
    parents: tuple[Block, ...] = ()
    holder: Span | None = None
    edits: tuple[Edit, ...] = ()

    @property
    def place(self) -> Place:
        """The place where the piece begins."""
        return self.document.place(self.element)

    def covers(self, place: Place) -> bool:
        """Whether the line at ``place`` belongs to the piece."""
        first, last = (self.document.source.line(offset) for offset in (self.element.span.start, self.element.span.end))
        return place.path == self.document.path and first <= place.line <= last

    @property
    def value(self) -> Attribute | None:
        """The argument that holds the value: the piece itself, or that of a variable, an output or a setting."""
        if isinstance(self.element, Attribute):
            return self.element
        return self.element.attribute(
            {"variable": "default", "output": "value", "resource": "value"}.get(self.element.type, "")
        )


class Assignment(Struct, frozen=True, eq=False):
    """A value for root variables of one name from outside; an undeclared variable may keep the value.

    ``readers`` are the paths of the modules that read the value; None if some are unknown. ``objection`` is the reason
    why the value cannot be removed, if there is one.
    """

    piece: Piece
    readers: frozenset[str] | None
    objection: str = ""


def declarations(module: Module, node: Node) -> Iterator[Piece]:
    """The declarations of the node, with all overrides."""
    if node.kind == "local":
        for document, block, attribute in module.locals_called(node.name):
            yield Piece(document, attribute, module.path, (block,))
        return
    for document, block in module.blocks(*_header(node)):
        yield Piece(document, block, module.path)


def _header(node: Node) -> tuple[str, tuple[str, ...]]:
    parts = tuple(node.address.split("."))
    if node.kind in ("var", "output"):
        return ("variable" if node.kind == "var" else "output"), parts[1:]
    if node.kind in ("data", "ephemeral", "module"):
        return node.kind, parts[1:3] if node.kind != "module" else parts[1:2]
    return "resource", parts


def arguments(workspace: Workspace, node: Node) -> Iterator[Piece]:
    """The arguments for the variable in the module calls of the repository, with overrides of the calls."""
    seen: set[tuple[str, int]] = set()
    for call in workspace.calls.get(node.module, ()):
        for document, block in call.caller.blocks("module", call.block.labels[0] if call.block.labels else ""):
            attribute = block.attribute(node.name)
            key = (f"{call.caller.path}:{document.path}", block.span.start)
            if attribute is not None and key not in seen:
                seen.add(key)
                yield Piece(document, attribute, call.caller.path, (block,))


def test_values(module: Module, name: str) -> Iterator[Piece]:
    """The values of the variable in the tests of a module.

    If a run is of another module, the values of the file may be for that module.
    """
    for document in module.tests:
        runs = [block for block in document.blocks if block.type == "run"]
        own_runs = [run for run in runs if not any(run.blocks("module"))]
        holders = [(block,) for block in document.blocks if block.type == "variables" and len(own_runs) == len(runs)]
        for parents in [*holders, *((run, block) for run in own_runs for block in run.blocks("variables"))]:
            attribute = parents[-1].attribute(name)
            if attribute is not None:
                yield Piece(document, attribute, module.path, parents)


def called_by(workspace: Workspace, caller: str, label: str) -> Iterator[tuple[str, ModuleCall]]:
    """The modules of the repository behind the call ``label`` in the module at ``caller``."""
    for path, calls in workspace.calls.items():
        for call in calls:
            if call.caller.path == caller and call.block.labels == (label,):
                yield path, call
