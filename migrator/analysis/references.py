"""Who refers to what in the expressions of a module: variables, locals, data, outputs of modules, resources.

See https://developer.hashicorp.com/terraform/language/expressions/references. A reference is looked for in all of a
file's text but its comments, so that templates, heredocs, every kind of block, and files that cannot be understood
count alike: one too many keeps something, one too few would break a module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from migrator.document import Document
from migrator.errors import SyntaxProblem
from migrator.model import Place
from migrator.span import Span
from migrator.syntax.languages import HCL
from migrator.syntax.scanner import IDENTIFIER, tokens
from migrator.workspace import Module

_DOT = r"\s*\.\s*"
_REFERENCE = re.compile(
    rf"(?<!\w)(?:(?P<kind>var|local|output){_DOT}(?P<name>{IDENTIFIER})"
    rf"|(?P<mode>data|ephemeral){_DOT}(?P<type>{IDENTIFIER}){_DOT}(?P<label>{IDENTIFIER})"
    rf"|module{_DOT}(?P<call>{IDENTIFIER})(?:\s*\[[^\]\n]*\])?(?:{_DOT}(?P<output>{IDENTIFIER}))?"
    rf"|(?P<resource>(?!data\b|ephemeral\b)[a-z][a-z0-9]*_\w+){_DOT}(?P<resource_label>{IDENTIFIER}))"
)


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


class References:
    """The references in the files of a repository, each file read once and when it is first asked for."""

    def __init__(self) -> None:
        self._by_document: dict[str, tuple[Use, ...]] = {}

    def of(self, document: Document) -> tuple[Use, ...]:
        """All references of a file, in the order of the text."""
        if document.path not in self._by_document:
            comments = _comments(document)
            self._by_document[document.path] = tuple(
                Use(document, match.start(), address(match))
                for match in _REFERENCE.finditer(document.text)
                if not any(one.start <= match.start() < one.end for one in comments)
            )
        return self._by_document[document.path]

    def within(self, document: Document, span: Span) -> Iterator[Use]:
        """The references of a part of a file."""
        return (use for use in self.of(document) if span.start <= use.offset < span.end)

    def to(self, module: Module, wanted: set[str]) -> Iterator[Use]:
        """The references in a module and its tests to any of the addresses ``wanted``."""
        for document in (*module.documents, *module.tests):
            yield from (use for use in self.of(document) if use.address in wanted)


def address(match: re.Match[str]) -> str:
    """What a reference refers to; ``module.x`` for one to a module's outputs together."""
    if match["kind"]:
        return f"{match['kind']}.{match['name']}"
    if match["mode"]:
        return f"{match['mode']}.{match['type']}.{match['label']}"
    if match["call"]:
        return f"module.{match['call']}" + (f".{match['output']}" if match["output"] else "")
    return f"{match['resource']}.{match['resource_label']}"


def mentions(text: str, wanted: str) -> bool:
    """Whether a text has a reference to the address ``wanted`` in it."""
    return any(address(match) == wanted for match in _REFERENCE.finditer(text))


def _comments(document: Document) -> list[Span]:
    """Where the comments are; in JSON, and in what is no HCL, none are told apart."""
    found: list[Span] = []
    if document.syntax is HCL:
        with suppress(SyntaxProblem):
            for token in tokens(document.text):
                if token.kind in ("comment", "inline"):
                    found.append(Span(token.start, token.end))
    return found
