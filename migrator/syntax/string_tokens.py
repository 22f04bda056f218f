"""The tokens of HCL, JSON and Python in one shape, as far as needed to match values with names."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from contextlib import suppress
from itertools import accumulate
from typing import NamedTuple

from migrator.errors import SyntaxProblem
from migrator.regex import regex
from migrator.syntax.hcl import scanner

_JSON = regex(r'"(?P<text>(?:[^"\\]|\\.)*)"|[\[\]{}:,]|[^\s\[\]{}:,"]+')
_TEMPLATE = regex(r"(?<![$%])[$%]\{[^{}]*\}")
_REFERENCE = regex(r"\b(?:(?:var|local)\.[\w-]+|each\.value|module\.[\w-]+\.[\w-]+)(?:\.[\w-]+)?")
_QUOTED = regex(r'\\?"((?:[^"\\]|\\[^"])*)\\?"')
_PYTHON_STRING = regex(r"(?P<prefix>[A-Za-z]*)(?P<quote>'''|\"\"\"|'|\")(?P<text>.*)(?P=quote)", re.DOTALL)
_FIELD = regex(r"\{\{|\}\}|(?P<field>\{[^{}]*\})")
_WORD = regex(r"[^\W\d]\w*")
_HCL_KINDS = {"newline": "newline", "comment": "comment", "inline": "comment", "quote": "string", "heredoc": "string"}
_HCL_KINDS |= {"unquote": "end", "marker": "end", "template": "open", "text": "text", "open": "open", "close": "close"}
_HCL_KINDS |= {"comma": "comma", "equal": "give"}


class Token(NamedTuple):
    """A piece of a text.

    ``kind`` is one of word, string, end (of a string), text (in a string), open, close, give (``=`` or ``:``), compare,
    comma, newline, comment.
    """

    kind: str
    start: int
    end: int


def hcl_tokens(text: str) -> Iterator[Token]:
    """The tokens of HCL, up to the first error."""
    with suppress(SyntaxProblem):
        for kind, start, end, _ in scanner.tokens(text):
            if kind == "other":
                yield from _hcl_words(text, start, end)
            elif kind in _HCL_KINDS:
                yield Token(_HCL_KINDS[kind], start, end)


def _hcl_words(text: str, start: int, end: int) -> Iterator[Token]:
    if text[start:end] in ("==", "!="):
        yield Token("compare", start, end)
        return
    colon = text.find(":", start, end)
    if colon < 0:
        yield Token("word", start, end)
        return
    for kind, first, last in (("word", start, colon), ("give", colon, colon + 1), ("word", colon + 1, end)):
        if first < last:
            yield Token(kind, first, last)


def json_tokens(text: str) -> Iterator[Token]:
    """JSON's, with the templates that Terraform has in strings."""
    kinds = {"{": "open", "[": "open", "}": "close", "]": "close", ":": "give", ",": "comma"}
    for match in _JSON.finditer(text):
        if match["text"] is None:
            yield Token(kinds.get(match[0], "word"), *match.span())
            continue
        yield Token("string", match.start(), match.start() + 1)
        yield from _pieces(text, *match.span("text"), _TEMPLATE)
        yield Token("end", match.end() - 1, match.end())


def _pieces(text: str, start: int, end: int, template: re.Pattern[str]) -> Iterator[Token]:
    """The literal pieces of a string, and the references of the string's templates."""
    position = start
    for match in template.finditer(text, start, end):
        if match.lastgroup is None and template is _FIELD:
            continue
        yield Token("text", position, match.start())
        for literal in _QUOTED.finditer(match[0]):
            yield Token("text", match.start() + literal.start(1), match.start() + literal.end(1))
        for name in (_WORD if template is _FIELD else _REFERENCE).finditer(match[0]):
            yield Token("word", match.start() + name.start(), match.start() + name.end())
        position = match.end()
    yield Token("text", position, end)


def python_tokens(text: str) -> Iterator[Token]:
    """The tokens of Python, up to the first error."""
    starts = [0, *accumulate(len(line) for line in io.StringIO(text, newline=""))]
    kinds = {**dict.fromkeys("([{", "open"), **dict.fromkeys(")]}", "close"), ",": "comma", "=": "give", ":": "give"}
    kinds |= {":=": "give", ";": "newline", "==": "compare", "!=": "compare", "in": "compare"}
    with suppress(tokenize.TokenError, SyntaxError, IndexError):
        for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
            start, end = starts[token.start[0] - 1] + token.start[1], starts[token.end[0] - 1] + token.end[1]
            if token.type == tokenize.STRING:
                yield from _python_string(text, start, end)
            elif token.type == tokenize.COMMENT:
                yield Token("comment", start, end)
            elif token.type == tokenize.NEWLINE:
                yield Token("newline", start, end)
            elif token.string in kinds:
                yield Token(kinds[token.string], start, end)
            elif token.type in (tokenize.NAME, tokenize.NUMBER):
                yield Token("word", start, end)


def _python_string(text: str, start: int, end: int) -> Iterator[Token]:
    match = _PYTHON_STRING.fullmatch(text, start, end)
    if match is None:
        return
    yield Token("string", start, match.start("text"))
    if "f" in match["prefix"].lower():
        yield from _pieces(text, *match.span("text"), _FIELD)
    else:
        yield Token("text", *match.span("text"))
    yield Token("end", match.end("text"), end)
