"""The object constructors that make up a map, through locals and ``merge``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.errors import SyntaxProblem
from migrator.regex import regex
from migrator.span import Span
from migrator.syntax.languages import HCL
from migrator.terraform.expressions.defaults import REFERENCE
from migrator.terraform.expressions.forms import call

if TYPE_CHECKING:
    from migrator.syntax.terraform import Attribute
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module

_MERGED = regex(r"(?:merge|tomap)\(")
_DEPTH = 8


class Part(Struct, frozen=True, eq=False):
    """A part of a map: an object constructor with its ``items``, None for any other expression, at ``value``.

    ``locals`` are the names of those that led there, ``spans`` where their values are written.
    """

    document: Document
    value: Span
    items: tuple[Attribute, ...] | None
    locals: tuple[str, ...] = ()
    spans: tuple[tuple[str, Span], ...] = ()


def parts(module: Module, document: Document, value: Span) -> Iterator[Part]:
    """The parts of the expression at ``value``: for Terraform, later parts override earlier parts."""
    return _parts(module, Part(document, value, None), _DEPTH)


def _parts(module: Module, part: Part, depth: int) -> Iterator[Part]:
    document, text = part.document, part.document.text
    try:
        items = document.syntax.object_items(text, part.value)
        inner = document.syntax.interior(text, part.value) if items is None and depth else None
        arguments = _arguments(document, inner) if inner else None
    except SyntaxProblem:
        items = inner = arguments = None
    definition = _definition(module, inner.of(text)) if inner else None
    if items is not None:
        yield Part(document, part.value, items, part.locals, part.spans)
    elif arguments is not None:
        for argument in arguments:
            yield from _parts(module, Part(document, argument, None, part.locals, part.spans), depth - 1)
    elif inner and definition:
        holder, attribute = definition
        spans = (*part.spans, (holder.path, attribute.span))
        inner_part = Part(holder, attribute.value, None, (*part.locals, inner.of(text)), spans)
        yield from _parts(module, inner_part, depth - 1)
    else:
        yield part


def _arguments(document: Document, value: Span) -> tuple[Span, ...] | None:
    """The arguments of ``merge``, at their places in the file."""
    is_made = document.syntax is HCL and _MERGED.match(document.text, value.start, value.end) is not None
    function_call = call(value.of(document.text)) if is_made else None
    if function_call is None or function_call.suffix:
        return None
    return tuple(Span(value.start + place.start, value.start + place.end) for place in function_call.places)


def _definition(module: Module, expression: str) -> tuple[Document, Attribute] | None:
    reference = REFERENCE.fullmatch(expression)
    if reference is None or reference[1] != "local":
        return None
    for document, block in module.blocks("locals"):
        if (attribute := block.attribute(reference[2])) is not None:
            return document, attribute
    return None


def is_used_elsewhere(module: Module, reference: str, known_places: set[tuple[str, Span]]) -> bool:
    """Whether the module refers to a local outside of the ``known_places``."""
    pattern = re.compile(rf"(?<![\w.-]){re.escape(reference)}(?![\w-])")
    return any(
        not any(path == document.path and span.start <= match.start() < span.end for path, span in known_places)
        for document in (*module.documents, *module.tests)
        for match in pattern.finditer(document.text)
    )
