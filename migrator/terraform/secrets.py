"""What of a repository is secret, where it stands and where it comes from: what no output may show.

A value is secret where a name says so, and wherever it comes from: through locals, variables, their defaults and files
of values, the calls and outputs of modules, and the constants of a program. Masked is a place because of what it holds;
a value that nothing else can be is looked for everywhere else, too.
"""

from __future__ import annotations

import re
import sys
from base64 import b64decode, urlsafe_b64decode
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from posixpath import dirname
from typing import TYPE_CHECKING, NamedTuple

from migrator.errors import SyntaxProblem
from migrator.model.findings import Change
from migrator.model.known_secrets import KnownSecrets, is_unmistakable
from migrator.regex import regex
from migrator.secret import Piece, UnescapedText, assigned_pieces, bare_keys, hide, is_telling, may_tell, refers
from migrator.source import SourceFile
from migrator.syntax.hcl.scanner import tokens
from migrator.syntax.strings import COMMENT, NAME, REFERENCE, TEXT, Lexeme, lexemes
from migrator.workspace.discover import Kind

if TYPE_CHECKING:
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module
    from migrator.workspace.workspace import Workspace

_SHORTEST = 6
_HARMLESS = frozenset(
    {"region", "profile", "type", "name", "description", "source", "version", "bucket", "provider", "sensitive"}
)
"""What stands beside credentials in an object, and is none."""

_TYPES = frozenset({"string", "bool", "number", "any", "none"})
_PLACES = regex(r"(?i)(?:.*_|\A)(?:source|path|root|dir|directory|folder|file|key|prefix|arn|id|sha|digest|url|uri)s?")
_REFERENCE = regex(
    r"\b(?P<kind>var|local)\.(?P<name>[\w-]+)(?!\.locals\b)(?:\.(?P<below>[\w-]+))?|each\.value(?P<item>(?:\.[\w-]+)?)"
    r"|\bmodule\.(?P<module>[\w-]+)\.(?P<output>[\w-]+)|\.locals\.(?P<local>[\w-]+)(?:\.(?P<part>[\w-]+))?"
)
_BETWEEN = regex(r"/\*.*?\*/|\s", re.DOTALL)
_ENCODED = regex(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_ESCAPED = "\\u"
_NAMES = regex(r'(?m)(?<![\w-])[\w-]++(?="?[ \t]*[=:])|(?<=")[^"\n]++(?="[^"=\n]*(?:"[^"\n]*"\s*)?\{)')
"""What stands before an equals sign or a colon, and labels of blocks."""

_PROSE = regex(r"\bdescription[ \t]*=[ \t]*\"[\w ,.()/']*\"")
"""A description of plain words, which tells of no secret, whatever it speaks of."""

_TWICE = 2
_DEEPEST = 50
_LONGEST = 4096


def literals(expression: str) -> Iterator[str]:
    """The texts in the strings and heredocs of an expression, line by line; too short ones are left out."""
    with suppress(SyntaxProblem):
        for token in tokens(expression):
            if token.kind == "text":
                lines = (line.strip() for line in expression[token.start : token.end].split("\n"))
                yield from (line for line in lines if len(line) >= _SHORTEST)


class _Address(NamedTuple):
    """What a value is known by in a ``scope``: the path of a module, or of a program; ``below`` is an item of it."""

    scope: str
    kind: str
    name: str
    below: str = ""


class Secrets:
    """The secrets of ``documents``, and of the other files of their modules, and of whatever these are called with."""

    def __init__(self, workspace: Workspace, documents: Iterable[Document]) -> None:
        self._workspace = workspace
        self._pieces: dict[str, list[Lexeme]] = {}
        self._definitions: dict[str, dict[tuple[str, str], list[Lexeme]]] = {}
        self._said_before: dict[_Address, str] = {}
        self._documents = {document.path: document for document in documents}
        for folder in sorted({dirname(path) for path in self._documents} & workspace.modules.keys()):
            self._documents |= {file.path: file for file in _files(workspace.modules[folder])}
        if any(document.kind is Kind.TERRAGRUNT for document in self._documents.values()):
            self._documents |= {item.path: item for item in workspace.of_kind(Kind.TERRAGRUNT)}
        self._traced = self._trace()

    # --- where secrets come from ------------------------------------------------------------------------------------

    def _written(self, document: Document) -> list[Lexeme]:
        if document.path not in self._pieces:
            self._pieces[document.path] = lexemes(document.path, document.text)
        return self._pieces[document.path]

    def _trace(self) -> Mapping[tuple[str, str, str], set[str]]:
        """The addresses of everything that secrets come from, with the items of each; ``""`` stands for all of it."""
        traced: dict[tuple[str, str, str], set[str]] = {}
        pending = [
            address
            for document in self._documents.values()
            if may_tell(document.text)
            for piece in self._written(document)
            if piece.kind == REFERENCE and _is_assigned_secret(piece)
            for address in self._meant(document, piece)
        ]
        while pending:
            address = pending.pop()
            below = traced.setdefault(address[:3], set())
            if address.below in below:
                continue
            below.add(address.below)
            if address.kind == "var":
                for call in self._workspace.calls.get(address.scope, ()):
                    argument = f"{call.block.labels[0] if call.block.labels else ''}.{address.name}"
                    pending.append(_Address(call.caller.path, "argument", argument, address.below))
            for document, piece in self._defined(address):
                if piece.kind == REFERENCE and (not address.below or address.below in piece.names):
                    pending += self._meant(document, piece)
        return traced

    def _meant(self, document: Document, reference: Lexeme) -> Iterator[_Address]:
        """What a reference in a file is one to, in each module that the file is part of."""
        text = _BETWEEN.sub("", document.text[reference.start : reference.end])
        if document.kind is Kind.PYTHON:
            yield _Address(document.path, "name", text)
            return
        for match in _REFERENCE.finditer(text):
            for scope in self._scopes(document.path):
                if match["kind"]:
                    yield _Address(scope, match["kind"], match["name"], match["below"] or "")
                elif match["item"] is not None:
                    yield _Address(scope, "each", " ".join(reference.header), match["item"][1:])
                elif match["local"]:
                    others = (item for item in self._documents.values() if item.kind is Kind.TERRAGRUNT)
                    yield from (_Address(other.path, "local", match["local"], match["part"] or "") for other in others)
                elif (scope, match["module"]) in self._called:
                    yield _Address(self._called[scope, match["module"]], "output", match["output"])

    @cached_property
    def _called(self) -> dict[tuple[str, str], str]:
        """The path of the module behind each call of a module."""
        calls = ((path, call) for path, of in self._workspace.calls.items() for call in of if call.block.labels)
        return {(call.caller.path, call.block.labels[0]): path for path, call in calls}

    def _scopes(self, path: str) -> list[str]:
        known = self._documents.get(path)
        if known is not None and known.kind is Kind.TERRAGRUNT:
            return [path]
        return [module.path for module in self._linked.get(path, ())] or [dirname(path)]

    @cached_property
    def _linked(self) -> dict[str, list[Module]]:
        found: dict[str, list[Module]] = {}
        for module in self._workspace.modules.values():
            for document in _files(module):
                found.setdefault(document.path, []).append(module)
        return found

    def _defined(self, address: _Address) -> Iterator[tuple[Document, Lexeme]]:
        """What stands in a module or a program for what it defines at an address; only files that name it are read."""
        module, alone = self._workspace.modules.get(address.scope), self._documents.get(address.scope)
        word = _word(address.kind, address.name)
        for document in _files(module) if module else [alone] if alone else []:
            if word in document.text or _ESCAPED in document.text:
                definitions = self._definitions_in(document)
                yield from ((document, piece) for piece in definitions.get((address.kind, address.name), ()))

    def _definitions_in(self, document: Document) -> dict[tuple[str, str], list[Lexeme]]:
        if document.path not in self._definitions:
            found = self._definitions.setdefault(document.path, {})
            for piece in self._written(document):
                if defined := _defines(document.path, piece):
                    found.setdefault(defined, []).append(piece)
        return self._definitions[document.path]

    def _is_relevant(self, path: str, text: str) -> bool:
        """Whether a text may hold a secret by a name: one that tells, or one that a secret comes from. Quick."""
        if may_tell(text) and may_tell(_PROSE.sub("", text)):
            return True
        if path.endswith((".tfvars", ".tfvars.json")) and path not in self._linked:
            return any(_word(*defined) in text for defined in self._anywhere)
        scopes = [path] if path.endswith(".py") else self._scopes(path)
        return any(word in text for scope in scopes for word in self._words.get(scope, ()))

    @cached_property
    def _words(self) -> dict[str, set[str]]:
        """A word for each thing that is traced, by the module or program that it stands in."""
        found: dict[str, set[str]] = {}
        for scope, kind, name in self._traced:
            found.setdefault(scope, set()).add(_word(kind, name))
        return found

    @cached_property
    def _anywhere(self) -> dict[tuple[str, str], set[str]]:
        """What is traced, in whatever module: a file of values may be of any."""
        found: dict[tuple[str, str], set[str]] = {}
        for (_, kind, name), belows in self._traced.items():
            found.setdefault((kind, name), set()).update(belows)
        return found

    def _is_secret(self, path: str, text: str, piece: Lexeme) -> bool:
        """Whether a text of a file is what a name tells of, or what a secret comes from."""
        value = text[piece.start : piece.end].strip()
        if not value or (refers(value) and value not in _TYPES) or (piece.is_passed_on and not is_unmistakable(value)):
            return False
        defined = _defines(path, piece)
        if defined is None or _is_assigned_secret(piece):
            return _is_assigned_secret(piece)
        is_deep = len(piece.names) > 1 and not is_unmistakable(value)
        if path.endswith((".tfvars", ".tfvars.json")) and path not in self._linked:
            belows = self._anywhere.get(defined, set())
        else:
            scopes = [path] if path.endswith(".py") else self._scopes(path)
            belows = {below for scope in scopes for below in self._traced.get((scope, *defined), ())}
        return any(below in piece.names or not (below or is_deep) for below in belows)

    # --- what they are ----------------------------------------------------------------------------------------------

    @cached_property
    def known(self) -> KnownSecrets:
        """The values, as far as nothing else can be meant by one."""
        values: list[str] = []
        names: set[str] = set()
        for document in self._documents.values():
            names.update(document.path.split("/"), [document.path])
            if not self._is_relevant(document.path, document.text):
                names.update(match[0] for match in _NAMES.finditer(document.text))
                values += self._plain_values(document.text, None)
                continue
            for piece in self._written(document):
                names.update(piece.names)
                if piece.kind == NAME:
                    names.add(document.text[piece.start : piece.end])
            values += self._values(document)
        return KnownSecrets(values, names)

    def _values(self, document: Document) -> Iterator[str]:
        text = document.text
        for piece in self._written(document):
            if piece.kind == TEXT and self._is_secret(document.path, text, piece):
                yield text[piece.start : piece.end]
                yield UnescapedText(text[piece.start : piece.end]).text
        yield from self._plain_values(text, _texts(document.path, self._written(document)))
        wholes: dict[tuple[int, tuple[str, ...]], list[Lexeme]] = {}
        for piece in self._written(document):
            if (
                piece.kind in (TEXT, REFERENCE)
                and piece.names
                and (_is_assigned_secret(piece) or _defines(document.path, piece))
            ):
                wholes.setdefault((piece.statement, piece.names), []).append(piece)
        for pieces in wholes.values():
            if len(pieces) > 1 and all(
                _is_assigned_secret(item) or self._is_secret(document.path, text, item) for item in pieces
            ):
                yield "".join(self._said(document, piece, _DEEPEST) for piece in pieces)

    @staticmethod
    def _plain_values(text: str, is_text: Callable[[int], bool] | None) -> Iterator[str]:
        """The values that a text itself tells of, whatever its language."""
        yield from (UnescapedText(text[start:end]).text for start, end in assigned_pieces(text, is_text))
        for _, inner in _decoded(text):
            yield from inner

    def _said(self, document: Document, piece: Lexeme, depth: int) -> str:
        """The texts that a piece of a value comes to, one after the other."""
        if piece.kind == TEXT:
            return "" if piece.is_passed_on else UnescapedText(document.text[piece.start : piece.end]).text
        return "".join(self._said_of(address, depth - 1) for address in self._meant(document, piece) if depth)

    def _said_of(self, address: _Address, depth: int) -> str:
        if address not in self._said_before:
            self._said_before[address] = said = ""
            for document, literal in self._defined(address):
                is_part = literal.kind in (TEXT, REFERENCE) and (not address.below or address.below in literal.names)
                if is_part and len(said) < _LONGEST:
                    said += self._said(document, literal, depth)
            self._said_before[address] = said[:_LONGEST]
        return self._said_before[address]

    # --- where they stand -------------------------------------------------------------------------------------------

    def masked(self, change: Change) -> Change:
        """``change`` with every secret in it masked, line for line."""
        before = None if change.before is None else self._hidden(change.path, change.before)
        return Change(change.path, before, self._hidden(change.path, change.after))

    def _hidden(self, path: str, data: bytes) -> bytes:
        source = SourceFile(path, data)
        return source.encode(hide(source.text, self._places(path, source.text)))

    def _places(self, path: str, text: str) -> Iterator[Piece]:
        is_relevant, keys = self._is_relevant(path, text), list(bare_keys(text))
        pieces = self._pieces_of(path, text) if is_relevant or keys else []
        yield from (
            (literal.start, literal.end)
            for literal in pieces
            if literal.kind == TEXT and self._is_secret(path, text, literal)
        )
        yield from assigned_pieces(text, _texts(path, pieces) if is_relevant else None)
        yield from (place for place, _ in _decoded(text))
        yield from self.known.pieces(text)
        where = [
            literal
            for literal in pieces
            if literal.kind == TEXT and literal.names and _PLACES.fullmatch(literal.names[-1])
        ]
        paths = _Cover([*where, *(literal for literal in pieces if literal.kind == NAME)])
        yield from (place for place in keys if not paths.holds(place))

    def _pieces_of(self, path: str, text: str) -> list[Lexeme]:
        known = self._documents.get(path)
        return self._written(known) if known is not None and known.text == text else lexemes(path, text)


class _Cover:
    """The places that some pieces cover."""

    def __init__(self, pieces: Iterable[Lexeme]) -> None:
        self._places = sorted((literal.start, literal.end) for literal in pieces)

    def __call__(self, place: int) -> bool:
        return self.holds((place, place + 1))

    def holds(self, piece: Piece) -> bool:
        """Whether all of a piece is covered by one of them."""
        index = bisect_right(self._places, (piece[0], sys.maxsize)) - 1
        return index >= 0 and self._places[index][0] <= piece[0] and piece[1] <= self._places[index][1]


def _texts(path: str, pieces: Iterable[Lexeme]) -> Callable[[int], bool]:
    """Whether a place in a file is no code: all of YAML is none."""
    if path.endswith((".yml", ".yaml")):
        return lambda _: True
    return _Cover(literal for literal in pieces if literal.kind in (TEXT, COMMENT))


def _files(module: Module) -> list[Document]:
    return [*module.documents, *module.tests, *module.values]


def _word(kind: str, name: str) -> str:
    """What stands in a file that defines something: its name, that of the argument, the label of the block."""
    return name.rpartition(".")[2] if kind == "argument" else name.rpartition(" ")[2]


def _is_assigned_secret(piece: Lexeme) -> bool:
    """Whether the names that a piece is given to, or a variable's whose default it is, tell of a secret."""
    if piece.header[:1] == ("variable",) and not any(map(is_telling, piece.names)):
        return piece.names[:1] == ("default",) and any(map(is_telling, piece.header[1:]))
    return any(map(is_telling, piece.names)) and piece.names[-1].lower() not in _HARMLESS


def _defines(path: str, piece: Lexeme) -> tuple[str, str] | None:
    """What a piece belongs to the definition of: a local, variable, output, argument of a call, constant."""
    header, names = piece.header, piece.names
    if path.endswith(".py"):
        return ("name", names[0]) if names else None
    if header[:1] == ("locals",) and names:
        return "local", names[0]
    if header[:1] == ("variable",) and len(header) > 1 and names[:1] == ("default",):
        return "var", header[1]
    if header[:1] == ("output",) and len(header) > 1 and names[:1] == ("value",):
        return "output", header[1]
    if header[:1] == ("module",) and len(header) > 1 and names:
        return "argument", f"{header[1]}.{names[0]}"
    if header and names[:1] == ("for_each",):
        return "each", " ".join(header)
    if header[:1] == ("variables",) and names:
        return "var", names[0]
    if not header and names and path.endswith((".tfvars", ".tfvars.json")):
        return "var", names[0]
    return None


def _decoded(text: str, depth: int = _TWICE) -> Iterator[tuple[Piece, list[str]]]:
    """Where base64 stands that holds secrets, and which."""
    for match in _ENCODED.finditer(text) if depth else ():
        inner = _decode(match[0])
        if inner:
            found = [inner[start:end] for start, end in (*assigned_pieces(inner, lambda _: True), *bare_keys(inner))]
            found += (item for _, below in _decoded(inner, depth - 1) for item in below)
            if found:
                yield match.span(), found


def _decode(text: str) -> str:
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    try:
        data = urlsafe_b64decode(padded) if "-" in text or "_" in text else b64decode(padded)
        return data.decode()
    except ValueError:
        return ""
