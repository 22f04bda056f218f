"""An expression as it is written: its text, its place, and the parts of the list or the object that it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from migrator.span import Span
from migrator.syntax.hcl import parse as hcl
from migrator.terraform.expressions.forms import member_type, object_items, optional_members

if TYPE_CHECKING:
    from migrator.syntax.terraform import Attribute
    from migrator.workspace.document import Document

S = TypeVar("S")


@dataclass(frozen=True, eq=False)
class Written(Generic[S]):
    """An expression: its ``text`` in HCL's terms, and where it is written, if it stands in a file as it is.

    ``type_`` is the type constraint of a variable's value, or of the part of it that this is.
    """

    text: str
    scope: S
    document: Document | None = None
    span: Span | None = None
    type_: str = ""

    def derived(self, text: str, type_: str = "") -> Self:
        """Another expression of the same scope."""
        return replace(self, text=text, document=None, span=None, type_=type_)

    @property
    def items(self) -> Mapping[str, Attribute] | None:
        """The items of the object constructor that it is, by name; None if it is anything else."""
        if self.document is not None and self.span is not None:
            return object_items(self.document.syntax.object_items, self.document.text, self.span)
        return object_items(hcl.object_items, self.text, Span(0, len(self.text)))

    def part(self, name: str, item: Attribute) -> Self:
        """The value of the one of its ``items`` that is called ``name``."""
        type_ = member_type(self.type_, name)
        if self.document is not None:
            part = replace(self, text=self.document.expression(item), span=item.value, type_=type_)
        else:
            part = self.derived(item.value.of(self.text), type_)
        default = optional_members(self.type_).get(name) if part.text == "null" else None
        return part if default is None else self.derived(default, type_)

    @property
    def parts(self) -> dict[str, Self] | None:
        """The values of all ``items``, and of those that its type says it has besides; None if it is no object."""
        items = self.items
        if items is None:
            return None
        given = {name: self.part(name, item) for name, item in items.items()}
        missing = {name: one for name, one in optional_members(self.type_).items() if name not in given}
        return given | {name: self.derived(default, member_type(self.type_, name)) for name, default in missing.items()}

    @property
    def elements(self) -> list[Self] | None:
        """The elements of the list constructor that it is; None if it is anything else."""
        document, span, type_ = self.document, self.span, member_type(self.type_, "")
        if document is not None and span is not None:
            syntax, text = document.syntax, document.text
            places = syntax.list_items(text, span)
            made = [replace(self, text=syntax.expression(text, one), span=one, type_=type_) for one in places or ()]
            return None if places is None else made
        places = hcl.list_items(self.text, Span(0, len(self.text)))
        return None if places is None else [self.derived(one.of(self.text), type_) for one in places]
