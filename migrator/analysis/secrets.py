"""The literal secrets of a file: what no output may show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from posixpath import dirname

from migrator.discover import Kind
from migrator.document import Document
from migrator.errors import SyntaxProblem
from migrator.secret import is_telling, may_tell
from migrator.syntax.program import named_strings
from migrator.syntax.scanner import tokens
from migrator.syntax.terraform import Block
from migrator.workspace import Workspace

_SHORTEST = 6


def literals(expression: str) -> Iterator[str]:
    """The texts in the strings and heredocs of an expression, line by line; too short ones are left out."""
    with suppress(SyntaxProblem):
        for token in tokens(expression):
            if token.kind == "text":
                lines = (line.strip() for line in expression[token.start : token.end].split("\n"))
                yield from (line for line in lines if len(line) >= _SHORTEST)


def known_secrets(workspace: Workspace, documents: Iterable[Document]) -> Iterator[str]:
    """The secrets of ``documents``, and of the other files of their modules, values of variables included.

    What a name tells of in one file may stand in another under a name that does not tell.
    """
    chosen = {document.path: document for document in documents}
    folders = {dirname(path) for path in chosen} & workspace.modules.keys()
    for module in (workspace.modules[folder] for folder in sorted(folders)):
        chosen |= {document.path: document for document in (*module.documents, *module.tests, *module.values)}
    for document in chosen.values():
        yield from secrets_of(document)


def secrets_of(document: Document) -> Iterator[str]:
    """What the file gives to arguments and variables whose names tell of a secret."""
    if document.kind is Kind.PYTHON:
        told = (string for name, string in named_strings(document.text) if is_telling(name))
        yield from (line for string in told for line in string.split("\n") if len(line) >= _SHORTEST)
        return
    if not may_tell(document.text):
        return
    pending: list[tuple[Block, bool]] = [
        (block, False) for block in document.blocks if may_tell(block.span.of(document.text))
    ]
    while pending:
        block, is_secret = pending.pop()
        is_secret |= block.type == "variable" and any(map(is_telling, block.labels))
        with suppress(SyntaxProblem):
            for attribute in block.attributes:
                if is_telling(attribute.name) or (is_secret and attribute.name == "default"):
                    yield from literals(document.expression(attribute))
            pending += ((nested, is_secret) for nested in block.blocks())
