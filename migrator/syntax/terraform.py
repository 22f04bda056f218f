"""Terraform's arguments and blocks, in one shape for every syntax."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct, field

from migrator.errors import SyntaxProblem

if TYPE_CHECKING:
    from migrator.span import Span


class Attribute(Struct, frozen=True):
    """An argument, ``name = value``: ``span`` from the name to the end of the value, ``value`` the expression alone."""

    name: str
    span: Span
    value: Span


class Literal(Struct, frozen=True):
    """A string with exactly this value: characters with a meaning in the syntax are escaped.

    In a list with one element a line, ``comment`` is on the line above, if the syntax has comments.
    """

    text: str
    comment: str = ""


class Reference(Struct, frozen=True):
    """A reference like ``var.aws_role_arn``, any other expression, or a keyword like ``string`` or ``null``."""

    address: str


class Copied(Struct, frozen=True):
    """A value with the text of another value of the same file, in the syntax of that file."""

    text: str


class NewObject(Struct, frozen=True):
    """A new object with one item a line; ``condition``, if set, precedes the object."""

    items: tuple[NewArgument, ...]
    condition: str = ""


class NewArgument(Struct, frozen=True):
    """An argument to be written; a tuple is a list with each element on a line of its own.

    The ``comments`` are in the syntax of the file and go above the argument; ``behind`` is a trailing comment.
    """

    name: str
    value: Literal | Reference | Copied | NewObject | tuple[Literal, ...]
    comments: tuple[str, ...] = ()
    behind: str = ""


class NewBlock(Struct, frozen=True):
    """A new block; the nested ``blocks`` come last."""

    type: str
    labels: tuple[str, ...]
    arguments: tuple[NewArgument, ...]
    blocks: tuple[NewBlock, ...] = ()


class NewComment(Struct, frozen=True):
    """An argument or block to be written as a comment."""

    of: NewArgument | NewBlock


class BodyChange(Struct, frozen=True):
    """The changes of a block's body; new arguments come last."""

    remove: tuple[Attribute | Block, ...] = ()
    comment_out: tuple[Attribute, ...] = ()
    append: tuple[NewArgument | NewBlock | NewComment, ...] = ()


class Block(Struct, eq=False):
    """A block: ``span`` reaches from the type to the closing brace, ``body`` is the content between the braces.

    The content is parsed on first use. Parsing may raise `SyntaxProblem`, but a tolerant block is then empty.
    """

    type: str
    labels: tuple[str, ...]
    span: Span
    body: Span
    _read: Callable[[Span], tuple[Attribute | Block, ...]]
    _items: tuple[Attribute | Block, ...] | None = field(default=None)
    is_tolerant: bool = field(default=False)
    _by_name: dict[str, Attribute] | None = field(default=None)

    @property
    def items(self) -> tuple[Attribute | Block, ...]:
        """Arguments and nested blocks in the order of the text."""
        if self._items is None:
            self._items = self._tolerated() if self.is_tolerant else self._read(self.body)
        return self._items

    def _tolerated(self) -> tuple[Attribute | Block, ...]:
        try:
            items = self._read(self.body)
        except SyntaxProblem:
            return ()
        for element in items:
            if isinstance(element, Block):
                element.is_tolerant = True
        return items

    @property
    def attributes(self) -> Iterator[Attribute]:
        """The block's own arguments."""
        return (element for element in self.items if isinstance(element, Attribute))

    def attribute(self, name: str) -> Attribute | None:
        """The argument called ``name``, if the block has one."""
        if self._by_name is None:
            self._by_name = {attribute.name: attribute for attribute in reversed([*self.attributes])}
        return self._by_name.get(name)

    def blocks(self, type_: str | None = None) -> Iterator[Block]:
        """The nested blocks, all or those of one type."""
        return (element for element in self.items if isinstance(element, Block) and type_ in (None, element.type))

    def title(self) -> str:
        """The header of the block for messages: ``provider "aws"``."""
        return " ".join([self.type, *(f'"{label}"' for label in self.labels)])
