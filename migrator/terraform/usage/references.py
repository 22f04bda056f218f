"""The references in the expressions of a module: variables, locals, data, outputs of modules, resources.

See https://developer.hashicorp.com/terraform/language/expressions/references. The search covers all text of a file
except for comments, so that templates, heredocs, every kind of block, and unparsable files count alike. A surplus
reference keeps a declaration, a missing one would break a module. Blanks, line ends and comments may surround the dots,
and JSON may escape any character.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from contextlib import suppress
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.errors import SyntaxProblem
from migrator.model.findings import Place
from migrator.regex import regex
from migrator.syntax.hcl.scanner import IDENTIFIER, comments
from migrator.syntax.terraform import Block

if TYPE_CHECKING:
    from migrator.span import Span
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module

_GAP = r"(?:\s++|/\*(?s:.{0,99}?)\*/|(?:\#|//)[^\n]{0,99}\n){0,9}+"
_DOT = rf"{_GAP}\.{_GAP}"
_REFERENCE = regex(
    rf"(?<!\w)(?:(?P<kind>var|local|output){_DOT}(?P<name>{IDENTIFIER})"
    rf"|(?P<mode>data|ephemeral){_DOT}(?P<type>{IDENTIFIER}){_DOT}(?P<label>{IDENTIFIER})"
    rf"|module{_DOT}(?P<call>{IDENTIFIER})(?:{_GAP}\[[^\]\n]*\])?(?:{_DOT}(?P<output>{IDENTIFIER}))?"
    rf"|(?P<resource>(?!data\b|ephemeral\b)[a-z][a-z0-9]*_\w+){_DOT}(?P<resource_label>{IDENTIFIER}))"
)
_ESCAPE = regex(r"\\(?:u([0-9A-Fa-f]{4})|.)", re.DOTALL)
_INDEXED = regex(rf"\w+{_DOT}{IDENTIFIER}(?P<index>\[[^\]]*\])")


class Use(Struct, frozen=True, eq=False):
    """A reference at ``offset`` of a file, to ``address`` as Terraform writes it without spaces and indices."""

    document: Document
    offset: int
    address: str

    @property
    def place(self) -> Place:
        """The line of the reference."""
        return Place(self.document.path, self.document.source.line(self.offset))

    @property
    def index(self) -> str:
        """The index behind a reference to a resource, in brackets; ``""`` if it has none."""
        match = _INDEXED.match(self.document.text, self.offset)
        return match["index"] if match else ""


class References:
    """The references in the files of a repository; each file is read once, at the first request."""

    def __init__(self) -> None:
        self._by_document: dict[str, tuple[Use, ...]] = {}
        self._by_address: dict[str, dict[str, list[Use]]] = {}

    def uses_in(self, document: Document) -> tuple[Use, ...]:
        """All references of a file, in the order of the text."""
        if document.path not in self._by_document:
            text, moved = _readable(document)
            matches = _REFERENCE.finditer(text)
            self._by_document[document.path] = tuple(
                Use(document, moved(match.start()), address(match)) for match in matches
            )
        return self._by_document[document.path]

    def uses_within(self, document: Document, span: Span) -> tuple[Use, ...]:
        """The references of a part of a file."""
        uses = self.uses_in(document)
        offset = attrgetter("offset")
        return uses[bisect_left(uses, span.start, key=offset) : bisect_left(uses, span.end, key=offset)]

    def uses_of(self, module: Module, names: set[str]) -> Iterator[Use]:
        """The references in a module and its tests to any of the addresses ``names``."""
        for document in (*module.documents, *module.tests):
            yield from self.in_file(document, names)

    def in_file(self, document: Document, names: set[str]) -> list[Use]:
        """The references of a file to any of the addresses ``names``, in the order of the text."""
        if document.path not in self._by_address:
            by_address = self._by_address.setdefault(document.path, {})
            for use in self.uses_in(document):
                by_address.setdefault(use.address, []).append(use)
        uses_by_address = self._by_address[document.path]
        return sorted((use for name in names for use in uses_by_address.get(name, ())), key=attrgetter("offset"))


def address(match: re.Match[str]) -> str:
    """The address of a reference; ``module.x`` for a reference to all outputs of a module."""
    if match["kind"]:
        return f"{match['kind']}.{match['name']}"
    if match["mode"]:
        return f"{match['mode']}.{match['type']}.{match['label']}"
    if match["call"]:
        return f"module.{match['call']}" + (f".{match['output']}" if match["output"] else "")
    return f"{match['resource']}.{match['resource_label']}"


def addresses(text: str) -> set[str]:
    """The addresses of the references in a text."""
    return {address(match) for match in _REFERENCE.finditer(text)}


def _readable(document: Document) -> tuple[str, Callable[[int], int]]:
    """The text without parts that hide or resemble a reference, and the original offsets."""
    text = document.text
    return _unescaped(text) if document.path.endswith(".json") else (_without_comments(text), int)


def _without_comments(text: str) -> str:
    """``text`` with blanks in place of comments, up to the first invalid HCL."""
    pieces: list[str] = []
    position = 0
    with suppress(SyntaxProblem):
        for start, end in comments(text):
            pieces += text[position:start], " " * (end - start)
            position = end
    return "".join(pieces) + text[position:]


def _unescaped(text: str) -> tuple[str, Callable[[int], int]]:
    """``text`` with the characters that JSON escapes, and the original offsets."""
    pieces: list[str] = []
    starts, shifts = [0], [0]
    position = length = 0
    for match in _ESCAPE.finditer(text) if "\\" in text else ():
        pieces += text[position : match.start()], _character(match)
        length += match.start() - position + 1
        position = match.end()
        starts.append(length)
        shifts.append(position - length)
    after = "".join(pieces) + text[position:]
    return after, lambda offset: offset + shifts[bisect_right(starts, offset) - 1]


def _character(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else {"n": "\n", "r": "\r", "t": "\t"}.get(match[0][1], match[0][1])


def argument_at(document: Document, offset: int) -> str:
    """The name of the argument with ``offset`` in its value; ``""`` if no argument has it."""
    blocks = list(document.blocks)
    while blocks:
        block = blocks.pop()
        if block.span.start <= offset < block.span.end:
            for element in block.items:
                if isinstance(element, Block):
                    blocks.append(element)
                elif element.span.start <= offset < element.span.end:
                    return element.name
    return ""
