"""Who refers to what in the expressions of a module: variables, locals, data, outputs of modules, resources.

See https://developer.hashicorp.com/terraform/language/expressions/references. A reference is looked for in all of a
file's text but its comments, so that templates, heredocs, every kind of block, and files that cannot be understood
count alike: one too many keeps something, one too few would break a module.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter, itemgetter

from migrator.document import Document
from migrator.errors import SyntaxProblem
from migrator.model import Place
from migrator.span import Span
from migrator.syntax.languages import HCL
from migrator.syntax.scanner import IDENTIFIER, comments
from migrator.workspace import Module

_DOT = r"\s*\.\s*"
_REFERENCE = re.compile(
    rf"(?<!\w)(?:(?P<kind>var|local|output){_DOT}(?P<name>{IDENTIFIER})"
    rf"|(?P<mode>data|ephemeral){_DOT}(?P<type>{IDENTIFIER}){_DOT}(?P<label>{IDENTIFIER})"
    rf"|module{_DOT}(?P<call>{IDENTIFIER})(?:\s*\[[^\]\n]*\])?(?:{_DOT}(?P<output>{IDENTIFIER}))?"
    rf"|(?P<resource>(?!data\b|ephemeral\b)[a-z][a-z0-9]*_\w+){_DOT}(?P<resource_label>{IDENTIFIER}))"
)
_INDEXED = re.compile(rf"\w+{_DOT}{IDENTIFIER}(?P<index>\[[^\]]*\])")


@dataclass(frozen=True, eq=False)
class Use:
    """A reference at ``offset`` of a file, to ``address`` as Terraform writes it without spaces and indices."""

    document: Document
    offset: int
    address: str

    @property
    def place(self) -> Place:
        """The line that it is on."""
        return Place(self.document.path, self.document.source.line(self.offset))

    @property
    def index(self) -> str:
        """The index behind a reference to a resource, in brackets; ``""`` if it has none."""
        match = _INDEXED.match(self.document.text, self.offset)
        return match["index"] if match else ""


class References:
    """The references in the files of a repository, each file read once and when it is first asked for."""

    def __init__(self) -> None:
        self._by_document: dict[str, tuple[Use, ...]] = {}
        self._by_address: dict[str, dict[str, list[Use]]] = {}

    def of(self, document: Document) -> tuple[Use, ...]:
        """All references of a file, in the order of the text."""
        if document.path not in self._by_document:
            ignored = _comments(document)
            self._by_document[document.path] = tuple(
                Use(document, match.start(), address(match))
                for match in _REFERENCE.finditer(document.text)
                if not _is_inside(match.start(), ignored)
            )
        return self._by_document[document.path]

    def within(self, document: Document, span: Span) -> tuple[Use, ...]:
        """The references of a part of a file."""
        uses = self.of(document)
        offset = attrgetter("offset")
        return uses[bisect_left(uses, span.start, key=offset) : bisect_left(uses, span.end, key=offset)]

    def to(self, module: Module, wanted: set[str]) -> Iterator[Use]:
        """The references in a module and its tests to any of the addresses ``wanted``."""
        for document in (*module.documents, *module.tests):
            yield from self.in_file(document, wanted)

    def in_file(self, document: Document, wanted: set[str]) -> list[Use]:
        """The references of a file to any of the addresses ``wanted``, in the order of the text."""
        if document.path not in self._by_address:
            by_address = self._by_address.setdefault(document.path, {})
            for use in self.of(document):
                by_address.setdefault(use.address, []).append(use)
        known = self._by_address[document.path]
        return sorted((use for one in wanted for use in known.get(one, ())), key=attrgetter("offset"))


def address(match: re.Match[str]) -> str:
    """What a reference refers to; ``module.x`` for one to a module's outputs together."""
    if match["kind"]:
        return f"{match['kind']}.{match['name']}"
    if match["mode"]:
        return f"{match['mode']}.{match['type']}.{match['label']}"
    if match["call"]:
        return f"module.{match['call']}" + (f".{match['output']}" if match["output"] else "")
    return f"{match['resource']}.{match['resource_label']}"


def addresses(text: str) -> set[str]:
    """What the references in a text are to."""
    return {address(match) for match in _REFERENCE.finditer(text)}


def _comments(document: Document) -> list[tuple[int, int]]:
    """Where the comments are; in JSON, and in what is no HCL, none are told apart."""
    found: list[tuple[int, int]] = []
    if document.syntax is HCL:
        with suppress(SyntaxProblem):
            found.extend(comments(document.text))
    return found


def _is_inside(offset: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether one of the ``spans``, which are in order, holds ``offset``."""
    index = bisect_right(spans, offset, key=itemgetter(0))
    return index > 0 and offset < spans[index - 1][1]
