"""What is found in a Python program: calls, their arguments and imports, each with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst
from msgspec import Struct

if TYPE_CHECKING:
    from migrator.model.findings import Refusal
    from migrator.span import Span


class Item(Struct, frozen=True, eq=False):
    """An argument, an entry of a dict, an element of a list or a name of an import.

    ``span`` reaches from its first to its last character, without a comma; ``name`` is the keyword or key, ``star`` is
    ``*`` or ``**`` where it stands for several.
    """

    span: Span
    value: Span
    name: str | None
    star: str
    node: cst.CSTNode


class Items(Struct, frozen=True, eq=False):
    """What stands between two brackets, at ``interior``, in a statement that begins at ``statement``.

    ``is_dict`` tells entries (``"name": value``) from arguments; ``uses`` counts the calls that are given all of it.
    """

    interior: Span
    items: tuple[Item, ...]
    statement: int
    is_dict: bool = False
    uses: int = 1


class Statement(Struct, frozen=True):
    """A statement of a block, the one at ``block``; ``lead`` is where the comments right above it begin."""

    span: Span
    lead: int
    block: Span
    is_loop: bool


class Call(Struct, frozen=True, eq=False):
    """A call of ``name``, in full, whatever it was imported as; ``callee`` is how it is written.

    ``arguments`` are its own, ``others`` those of the dicts that it is given by ``**``. ``objection`` says why they are
    not all known. ``function`` and ``class_`` are the spans of what it stands in, ``statements`` those within the
    function, or class, or module, from the outermost.
    """

    name: str
    span: Span
    callee: str
    line: int
    arguments: Items
    others: tuple[Items, ...]
    objection: Refusal | None
    function: Span | None
    class_: Span | None
    statements: tuple[Statement, ...]
    node: cst.Call

    @property
    def holders(self) -> tuple[Items, ...]:
        """Everything that holds arguments of the call."""
        return (self.arguments, *self.others)

    @property
    def positional(self) -> tuple[Item, ...]:
        """The arguments without a name."""
        return tuple(argument for argument in self.arguments.items if argument.name is None and not argument.star)

    @property
    def frame(self) -> Span | None:
        """What the call's names are local to; None for the module."""
        return self.function or self.class_

    def keyword(self, name: str) -> Item | None:
        """The argument called ``name``, wherever it stands."""
        return next((argument for holder in self.holders for argument in holder.items if argument.name == name), None)

    def argument(self, position: int, name: str) -> Item | None:
        """The argument at ``position``, from 0, or called ``name``."""
        return self.positional[position] if position < len(self.positional) else self.keyword(name)


class Import(Struct, frozen=True, eq=False):
    """A ``from module import names``, or an ``import`` of the names (``module`` is empty); ``frame`` as a call's."""

    module: str
    names: Items
    local: dict[str, str]
    frame: Span | None
    is_star: bool = False
