"""The syntax of expressions and type constraints, read by tokens alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from migrator.errors import SyntaxProblem
from migrator.regex import regex
from migrator.span import Span
from migrator.syntax.hcl import parse as hcl
from migrator.syntax.hcl.scanner import skip_balanced, tokens

if TYPE_CHECKING:
    from migrator.syntax.terraform import Attribute
    from migrator.workspace.document import Document

_CALL = regex(r"(?P<function>[a-z]\w*)\(")
_MARK = regex(r"=>|[=!<>]=|&&|\|\||\.\.\.|[^\W\d](?:[\w-]|\.(?!\.))*|\S")
_LONGEST = 100_000


class Call(Struct, frozen=True):
    """A call of a ``function`` with ``arguments`` at their ``places``; ``suffix`` is the text after its parenthesis."""

    function: str
    arguments: tuple[str, ...]
    places: tuple[Span, ...]
    suffix: str


class Loop(Struct, frozen=True):
    """``{ for names in source : key => value if condition }``; ``condition`` is ``""`` without an ``if``."""

    names: tuple[str, ...]
    source: str
    key: str
    value: str
    condition: str


def call(text: str) -> Call | None:
    """``text`` as a call of a function, with or without steps after the call; None for any other text."""
    match = _CALL.match(text)
    if match is None:
        return None
    end = skip_balanced(text, match.end() - 1)
    listed = f"[{text[match.end() : end - 1]}]"
    items = hcl.list_items(listed, Span(0, len(listed))) or ()
    shift = match.end() - 1
    places = tuple(Span(argument.start + shift, argument.end + shift) for argument in items)
    return Call(match["function"], tuple(argument.of(listed) for argument in items), places, text[end:])


def conditional(text: str) -> tuple[str, str, str] | None:
    """The condition and the two outcomes of ``a ? b : c``; None for any other text."""
    first, depth = -1, 0
    for mark, start in _marks(text, 0):
        if mark == "?":
            first, depth = (start if first < 0 else first), depth + 1
        elif mark == ":" and depth:
            depth -= 1
            if not depth:
                return text[:first].strip(), text[first + 1 : start].strip(), text[start + 1 :].strip()
    return None


def comparison(text: str) -> tuple[str, str, bool] | None:
    """The two sides of ``a == b`` or ``a != b``, and whether the operator is ``==``; None for any other expression."""
    marks = [(mark, start) for mark, start in _marks(text, 0) if not re.match(r"[\w\".]", mark)]
    operators = [(mark, start) for mark, start in marks if mark in ("==", "!=", "<=", ">=", "&&", "||", "<", ">", "?")]
    if len(operators) != 1 or operators[0][0] not in ("==", "!="):
        return None
    mark, start = operators[0]
    return text[:start].strip(), text[start + 2 :].strip(), mark == "=="


def loop(text: str) -> Loop | None:
    """``text`` as a ``for`` that makes an object without grouping; None for any other text."""
    if len(text) > _LONGEST or not re.match(r"\{\s*for\b", text) or skip_balanced(text, 0) != len(text):
        return None
    marks = [(mark, start) for mark, start in _marks(text, 1) if mark in ("for", "in", ":", "=>", "if", "...")]
    if [mark for mark, _ in marks][:4] != ["for", "in", ":", "=>"] or "..." in (mark for mark, _ in marks):
        return None
    head, inward, colon, arrow = (start for _, start in marks[:4])
    condition = next((start for mark, start in marks[4:] if mark == "if"), len(text) - 1)
    names = tuple(name.strip() for name in text[head + 3 : inward].split(","))
    key, value = text[colon + 1 : arrow].strip(), text[arrow + 2 : condition].strip().rstrip(",").strip()
    return Loop(names, text[inward + 2 : colon].strip(), key, value, text[condition + 2 : -1].strip())


def _marks(text: str, depth: int) -> Iterator[tuple[str, int]]:
    """The words and operators at the bracket depth ``depth``, each with its place."""
    for token in tokens(text):
        if token.depth == depth and token.kind == "other":
            for mark in _MARK.finditer(text, token.start, token.end):
                yield mark[0], mark.start()


@lru_cache(maxsize=4096)
def member_type(type_: str, name: str) -> str:
    """The type constraint of the member ``name`` of the type ``type_``; ``""`` if it has none."""
    outer = _constraint(type_)
    if outer is None:
        return ""
    if outer.function == "object":
        inner = _members(outer).get(name, "")
        optional = _constraint(inner)
        return optional.arguments[0] if optional and optional.function == "optional" else inner
    return outer.arguments[0] if outer.function in ("list", "map", "set") else ""


@lru_cache(maxsize=4096)
def optional_members(type_: str) -> Mapping[str, str]:
    """The optional members of the type ``type_``, each with its default."""
    outer = _constraint(type_)
    members: dict[str, str] = {}
    for name, inner in (_members(outer) if outer and outer.function == "object" else {}).items():
        optional = _constraint(inner)
        if optional is not None and optional.function == "optional":
            members[name] = optional.arguments[1] if len(optional.arguments) > 1 else "null"
    return members


def _constraint(type_: str) -> Call | None:
    try:
        type_call = call(type_)
    except SyntaxProblem:
        return None
    return type_call if type_call is not None and type_call.arguments and not type_call.suffix else None


def _members(outer: Call) -> dict[str, str]:
    text = outer.arguments[0]
    return {attribute.name: attribute.value.of(text) for attribute in hcl.object_items(text, Span(0, len(text))) or ()}


@lru_cache(maxsize=64)
def object_items(
    read: Callable[[str, Span], tuple[Attribute, ...] | None], text: str, span: Span
) -> Mapping[str, Attribute] | None:
    """The items that ``read`` finds in the object at ``span``, by name; cached for large ``for_each`` maps."""
    items = read(text, span)
    return None if items is None else {argument.name: argument for argument in items}


S = TypeVar("S")


class Written(Struct, Generic[S], frozen=True, eq=False):
    """An expression: its ``text`` in HCL, and its place, if the same text is in a file.

    ``type_`` is the type constraint of a variable's value, or of this part of the value.
    """

    text: str
    scope: S
    document: Document | None = None
    span: Span | None = None
    type_: str = ""

    def derived(self, text: str, type_: str = "") -> Self:
        """Another expression of the same scope."""
        return replace(self, text=text, document=None, span=None, type_=type_)

    def arguments(self, function_call: Call) -> list[Self]:
        """The arguments of a call, with their places if the call is in a file."""
        document, span = self.document, self.span
        if document is None or span is None or span.of(document.text) != self.text:
            return [self.derived(argument) for argument in function_call.arguments]
        spans = [Span(span.start + place.start, span.start + place.end) for place in function_call.places]
        return [replace(self, text=place.of(document.text), span=place, type_="") for place in spans]

    @property
    def items(self) -> Mapping[str, Attribute] | None:
        """The items of an object constructor, by name; None for anything else."""
        if self.document is not None and self.span is not None:
            return object_items(self.document.syntax.object_items, self.document.text, self.span)
        return object_items(hcl.object_items, self.text, Span(0, len(self.text)))

    def part(self, name: str, argument: Attribute) -> Self:
        """The value of the item ``name`` of the ``items``."""
        type_ = member_type(self.type_, name)
        if self.document is not None:
            part = replace(self, text=self.document.expression(argument), span=argument.value, type_=type_)
        else:
            part = self.derived(argument.value.of(self.text), type_)
        default = optional_members(self.type_).get(name) if part.text == "null" else None
        return part if default is None else self.derived(default, type_)

    @property
    def parts(self) -> dict[str, Self] | None:
        """The values of all ``items``, and of the optional members of the type; None for anything but an object."""
        items = self.items
        if items is None:
            return None
        by_name = {name: self.part(name, argument) for name, argument in items.items()}
        missing = {
            name: optional_member
            for name, optional_member in optional_members(self.type_).items()
            if name not in by_name
        }
        return by_name | {
            name: self.derived(default, member_type(self.type_, name)) for name, default in missing.items()
        }

    @property
    def elements(self) -> list[Self] | None:
        """The elements of a list constructor; None for anything else."""
        document, span, type_ = self.document, self.span, member_type(self.type_, "")
        if document is not None and span is not None:
            syntax, text = document.syntax, document.text
            places = syntax.list_items(text, span)
            parts = [
                replace(self, text=syntax.expression(text, place), span=place, type_=type_) for place in places or ()
            ]
            return None if places is None else parts
        places = hcl.list_items(self.text, Span(0, len(self.text)))
        return None if places is None else [self.derived(place.of(self.text), type_) for place in places]
