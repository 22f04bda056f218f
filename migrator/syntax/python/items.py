"""The parts of a Python program that are read: calls, arguments and imports, with their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst
from msgspec import Struct

if TYPE_CHECKING:
    from migrator.model.findings import Refusal
    from migrator.span import Span


class Item(Struct, frozen=True, eq=False):
    """An argument, an entry of a dict, an element of a list or a name of an import.

    ``span`` reaches from the first to the last character, without a comma. ``name`` is the keyword or key. ``star`` is
    ``*`` or ``**`` for unpacked arguments.
    """

    span: Span
    value: Span
    name: str | None
    star: str
    node: cst.CSTNode


class Items(Struct, frozen=True, eq=False):
    """The elements between two brackets, at ``interior``, in a statement that begins at ``statement``.

    ``is_dict`` distinguishes entries (``"name": value``) from arguments; ``uses`` counts the calls that get all items.
    """

    interior: Span
    items: tuple[Item, ...]
    statement: int
    is_dict: bool = False
    uses: int = 1


class Statement(Struct, frozen=True):
    """A statement of the block at ``block``; ``lead`` is the offset of the comments right above the statement."""

    span: Span
    lead: int
    block: Span
    is_loop: bool


class Call(Struct, frozen=True, eq=False):
    """A call of the function or class with the full name ``name``; ``callee`` is the text of the name in the code.

    ``arguments`` are in the call, ``others`` in dicts that the call unpacks by ``**``. ``objection`` is the reason if
    the arguments are not all known. ``function`` and ``class_`` are the spans of the function and class around the
    call. ``statements`` are the statements around the call in that function, class or module, outermost first.
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
        """All lists and dicts that hold arguments of the call."""
        return (self.arguments, *self.others)

    @property
    def positional(self) -> tuple[Item, ...]:
        """The arguments without a name."""
        return tuple(argument for argument in self.arguments.items if argument.name is None and not argument.star)

    @property
    def frame(self) -> Span | None:
        """The span of the function or class that the call's names are local to; None for the module."""
        return self.function or self.class_

    def keyword(self, name: str) -> Item | None:
        """The argument called ``name``, in the call or in a dict."""
        return next((argument for holder in self.holders for argument in holder.items if argument.name == name), None)

    def argument(self, position: int, name: str) -> Item | None:
        """The argument at ``position``, from 0, or called ``name``."""
        return self.positional[position] if position < len(self.positional) else self.keyword(name)


class Maker(Struct, frozen=True, eq=False):
    """The class of an object by its simple name: the object ``is_self`` in the class, or a call at ``node`` made it."""

    name: str
    node: object
    is_self: bool = False


class Import(Struct, frozen=True, eq=False):
    """A ``from module import names``, or an ``import`` of the names (``module`` is empty); ``frame`` as a call's."""

    module: str
    names: Items
    local: dict[str, str]
    frame: Span | None
    is_star: bool = False
