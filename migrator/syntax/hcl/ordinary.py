"""Whether a text is written in the most ordinary part of HCL, of which nothing but the form of each line must be known.

A line is blank, the header of a block, an argument, an element of a list, or a bracket that closes. Values are
strings, numbers, references and lists of these. A text with expressions, or with values that spread over lines in
another way, is not ordinary: python-hcl2 parses such a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrator.regex import regex

_WORDS = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
_TEXT = r"[^\"\\$%]|[$%](?![{$%])"
_TOKEN = regex(
    rf"(?P<blank>[ \t]+|(?:#|//).*)|(?P<words>{_WORDS})(?![\w.-])"
    r"|(?P<n>-?(?:0|[1-9]\d{0,17})(?:\.\d{1,9})?)(?![\w.-])"
    rf"|(?P<s>\"(?:{_TEXT}|\\[nrt\"\\]|\$\$\{{|%%\{{|\$\{{(?:{_WORDS}|\"(?:{_TEXT})*\")\}})*+\")|(?P<mark>[][{{}}=,])",
    re.ASCII,
)
_CONSTANTS = frozenset({"true", "false", "null"})
_KEYWORDS = frozenset({*_CONSTANTS, "for", "if", "in", "else", "endif", "endfor"})
_LINE = regex(
    r"(?P<block>w[ws]*\{)|w=(?:(?P<object>\{)|(?P<list>\[)|(?P<argument>[wcrsn]|\[(?:[wcrsn](?:,[wcrsn])*)?\]|\{\}))"
    r"|(?P<element>[wcrsn],)|(?P<last>[wcrsn])|(?P<brace>\})|(?P<bracket>\])"
)
"""The lines, with a letter for each word, constant, reference, string and number."""
_PLACES = {
    "block": ("", "block"),
    "object": ("", "block", "object"),
    "list": ("", "block", "object"),
    "argument": ("", "block", "object"),
    "element": ("list",),
    "last": ("list",),
    "brace": ("block", "object"),
    "bracket": ("list", "last"),
}
"""What each kind of line may stand in; after the last element of a list, the list must end."""


def is_ordinary(text: str) -> bool:
    """Whether each line of ``text`` has an ordinary form, and stands where this form may."""
    opened = [""]
    for line in text.split("\n"):
        form = "".join(_letters(line))
        match = _LINE.fullmatch(form)
        kind = match.lastgroup if match else None
        if not form:
            continue
        if kind is None or opened[-1] not in _PLACES[kind]:
            return False
        if kind == "last":
            opened[-1] = kind
        elif kind in ("brace", "bracket"):
            opened.pop()
        elif kind not in ("argument", "element"):
            opened.append(kind)
    return opened == [""]


def _letters(line: str) -> Iterator[str]:
    """A letter for each token of ``line``; ``?`` for what no ordinary line has."""
    position = 0
    while position < len(line):
        token = _TOKEN.match(line, position)
        if token is None:
            yield "?"
            return
        kind, word = token.lastgroup or "", token[0]
        if word in _CONSTANTS:
            yield "c"
        elif (kind == "words" or "${" in word) and not _KEYWORDS.isdisjoint(re.findall(r"\w+", word)):
            yield "?"
        elif kind == "words":
            yield "r" if "." in word else "w"
        else:
            yield {"mark": word, "blank": ""}.get(kind, kind)
        position = token.end()
