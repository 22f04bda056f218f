"""HCL's tokens, as far as needed to find the end of a string, a template, a heredoc or a bracket.

The rules are those of HashiCorp's own scanner (hclsyntax/scan_tokens.rl and spec.md in hashicorp/hcl). Templates nest
in strings and heredocs, ``$${`` and ``%%{`` are escapes, and a heredoc ends at a line with the marker and blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from migrator.errors import SyntaxProblem
from migrator.regex import regex

IDENTIFIER = r"[^\W\d][\w-]*"

_CODE = regex(
    rf"""
    (?P<space>[ \t\r]+)
  | (?P<newline>\n)
  | (?P<comment>(?:\#|//)[^\n]*)
  | (?P<inline>/\*(?s:.*?)\*/)
  | (?P<unclosed>/\*)
  | (?P<quote>")
  | (?P<heredoc><<-?(?P<marker>{IDENTIFIER})\r?\n)
  | (?P<open>[(\[{{])
  | (?P<close>[)\]}}])
  | (?P<comma>,)
  | (?P<equal>=(?![=>]))
  | (?P<other>[^\s"\#/<>=!(){{}}\[\],]+|[=!<>]=|=>|.)
    """,
    re.VERBOSE,
)
_LITERAL = r"\$\$\{|%%\{|\$(?!\{)|%(?!\{)"
_IN_QUOTES = regex(rf'(?P<text>(?:[^"\\$%\n]+|\\[^\n]|{_LITERAL})++)|(?P<template>[$%]\{{)|(?P<unquote>")')
_IN_HEREDOC = regex(
    rf"(?P<text>(?:[^$%\n]+|{_LITERAL})*+\n)|(?P<text2>(?:[^$%\n]+|{_LITERAL})++)|(?P<template>[$%]\{{)"
)
_SIMPLE = r"""[^"{}()\[\]\n\#/<]"""
_TEMPLATE = rf"[$%]\{{(?:{_SIMPLE}|\({_SIMPLE}*+\)|\[{_SIMPLE}*+\])*+\}}"
_PIECE = rf"{_LITERAL}|{_TEMPLATE}"
STRING = rf'"(?:[^"\\$%\n]+|\\[^\n]|{_PIECE})*+"'
_LAST_LINE = r"[ \t\r]*+(?P=end)(?=[ \t\r]*+\n)"
HEREDOC = rf"<<-?(?P<end>{IDENTIFIER})\r?\n(?:(?!{_LAST_LINE})(?:[^$%\n]+|{_PIECE})*+\n)*+{_LAST_LINE}"
_WHOLE = rf"{STRING}|{HEREDOC}|/(?![/*])|<(?!<)"
_GULP = regex(rf"""(?:[^"\#/<()\[\]{{}}]+|{_WHOLE}|(?:\#|//)[^\n]*|/\*(?s:.*?)\*/)*+""")
_GULP_OF_VALUE = regex(rf"""(?:[^"\#/<()\[\]{{}},=!>\n]+|[=!<>]=|=>|[!>]|{_WHOLE})*+""")
_DEEPEST = 250
"""The limit for nested brackets and templates, since readers may be recursive."""

_TOO_DEEP = "the text is nested too deeply"
_NOTABLE = regex(rf"(?P<comment>(?:\#|//)[^\n]*|/\*(?s:.*?)\*/)|{STRING}|{HEREDOC}|(?P<intricate>\"|<<|/\*)")
_OPENS = frozenset("([{")
_CLOSES = {")": "(", "]": "[", "}": "{"}
_ENDS = frozenset(("", *",)]}\n#"))
TRIVIA = r"(?:[ \t\r\n]++|(?:\#|//)[^\n]*+|/\*(?s:.*?)\*/)*+"
BLANKS = r"(?:[ \t\r]++|/\*(?s:.*?)\*/)*+"
_TRIVIA = regex(TRIVIA)
_APART = regex(r"[\s/]\.|\.[\s/#]")
_BLANKS = regex(BLANKS)


class Token(NamedTuple):
    """A piece of the text.

    ``kind`` is one of space, newline, comment, inline, quote, unquote, heredoc, marker, template, text, open, close,
    comma, equal, other. ``depth`` is the number of open brackets, strings, heredocs and templates before the token.
    """

    kind: str
    start: int
    end: int
    depth: int


def tokens(text: str, position: int = 0) -> Iterator[Token]:
    """All tokens of ``text`` from ``position`` on; ``position`` must be outside of strings and comments.

    Ends at the end of the text, or after a closing bracket that was not opened on the way. Raises `SyntaxProblem` for
    a string that is not closed on its line, a bracket closed by another kind, or an end inside of any of them.
    """
    stack: list[tuple[str, int]] = []
    length = len(text)
    while position < length:
        inside = stack[-1][0] if stack else ""
        depth = len(stack)
        if depth > _DEEPEST:
            raise SyntaxProblem(position, _TOO_DEEP)
        if inside == '"':
            kind, end = _step_quoted(text, position, stack)
        elif inside[:2] == "<<":
            kind, end = _step_heredoc(text, position, stack)
        else:
            kind, end = _step_code(text, position, stack)
        yield Token(kind, position, end, depth)
        if kind == "close" and depth == 0:
            return
        position = end
    if stack:
        opened, at = stack[-1]
        raise SyntaxProblem(at, f"{_NAMES.get(opened, 'the heredoc')} is never closed")


_NAMES = {'"': "the string", "(": "the parenthesis", "[": "the bracket", "{": "the brace", "${": "the template"}


def _step_code(text: str, position: int, stack: list[tuple[str, int]]) -> tuple[str, int]:
    match = _CODE.match(text, position)
    if match is None:
        raise SyntaxProblem(position, "unexpected character")
    kind = match.lastgroup or "other"
    if kind == "unclosed":
        raise SyntaxProblem(position, "the comment is never closed")
    if kind == "quote":
        stack.append(('"', position))
    elif kind == "heredoc" or kind == "marker":
        kind = "heredoc"
        stack.append(("<<" + match["marker"], position))
    elif kind == "open":
        stack.append((text[position], position))
    elif kind == "close" and stack:
        opened = stack[-1][0]
        opening = _CLOSES[text[position]]
        if opened != opening and not (opened == "${" and opening == "{"):
            raise SyntaxProblem(position, f'"{text[position]}" closes what was opened as "{opened}"')
        stack.pop()
    return kind, match.end()


def _step_quoted(text: str, position: int, stack: list[tuple[str, int]]) -> tuple[str, int]:
    match = _IN_QUOTES.match(text, position)
    if match is None:
        raise SyntaxProblem(stack[-1][1], "the string is not closed on its line")
    kind = match.lastgroup or "text"
    if kind == "template":
        stack.append(("${", position))
    elif kind == "unquote":
        stack.pop()
    return kind, match.end()


def _step_heredoc(text: str, position: int, stack: list[tuple[str, int]]) -> tuple[str, int]:
    if text[position - 1] == "\n" and (end := text.find("\n", position)) >= 0:
        line = text[position:end]
        if line.strip(" \t\r") == stack[-1][0][2:]:
            stack.pop()
            return "marker", position + len(line.rstrip())
    match = _IN_HEREDOC.match(text, position)
    if match is None:
        raise SyntaxProblem(stack[-1][1], "the heredoc is never closed")
    if match.lastgroup == "template":
        stack.append(("${", position))
        return "template", match.end()
    return "text", match.end()


def comments(text: str) -> Iterator[tuple[int, int]]:
    """The spans of the comments of ``text``, in order. Raises `SyntaxProblem` like `tokens`."""
    position = 0
    while match := _NOTABLE.search(text, position):
        position = match.end()
        if match.lastgroup == "comment":
            yield match.span()
        elif match.lastgroup == "intricate":
            for token in tokens(text, match.start()):
                if token.kind in ("comment", "inline"):
                    yield token.start, token.end
                position = token.end
                if _is_end(token):
                    break


def is_text(text: str, offset: int) -> bool:
    """Whether ``offset`` is in the text of a string or a heredoc, outside of templates; also true for invalid HCL."""
    with suppress(SyntaxProblem):
        return any(token.kind == "text" and token.start <= offset < token.end for token in tokens(text))
    return True


def joined(expression: str) -> str:
    """The ``expression`` without blanks and comments around the dots of names: ``var /* c */.x`` is ``var.x``."""
    if not _APART.search(expression):
        return expression
    pieces: list[str] = []
    trivia: list[str] = []
    with suppress(SyntaxProblem):
        for token in tokens(expression):
            text = expression[token.start : token.end]
            if token.kind in ("space", "newline", "comment", "inline"):
                trivia.append(text)
                continue
            is_name = token.kind == "other" and text.startswith(".")
            if not (is_name or (pieces and pieces[-1].endswith(".") and token.kind == "other")):
                pieces += trivia
            pieces.append(text)
            trivia = []
        return "".join([*pieces, *trivia])
    return expression


def skip_trivia(text: str, position: int) -> int:
    """The first place from ``position`` on that is neither blank nor newline nor comment."""
    match = _TRIVIA.match(text, position)
    return match.end() if match else position


def skip_blanks(text: str, position: int) -> int:
    """The first place from ``position`` on that is neither blank nor a ``/* */`` comment."""
    match = _BLANKS.match(text, position)
    return match.end() if match else position


def skip_balanced(text: str, position: int) -> int:
    """The place after the bracket that closes the one at ``position``. Raises `SyntaxProblem` if there is none.

    The text between the brackets is skipped without tokens, since most blocks of a file are never parsed.
    """
    stack: list[tuple[str, int]] = []
    while True:
        match = _GULP.match(text, position)
        position = match.end() if match else position
        character = text[position : position + 1]
        if character in _OPENS:
            stack.append((character, position))
            if len(stack) > _DEEPEST:
                raise SyntaxProblem(position, _TOO_DEEP)
        elif character in _CLOSES:
            if stack.pop()[0] != _CLOSES[character]:
                raise SyntaxProblem(position, f'"{character}" closes a bracket of another kind')
            if not stack:
                return position + 1
        elif character:
            position = _skip_text(text, position)
            continue
        else:
            raise SyntaxProblem(stack[-1][1], f"{_NAMES[stack[-1][0]]} is never closed")
        position += 1


def _skip_text(text: str, position: int) -> int:
    """The offset after the string or heredoc at ``position``, which contains templates, or after one other token."""
    return next(token.end for token in tokens(text, position) if _is_end(token))


def _is_end(token: Token) -> bool:
    is_alone = token.depth == 0 and token.kind not in ("quote", "heredoc")
    return is_alone or (token.depth == 1 and token.kind in ("unquote", "marker"))


def skip_expression(text: str, position: int, *, in_brackets: bool) -> int:
    """The end of the expression at ``position``: after the last token that is neither blank nor comment.

    The expression ends before a comma, before a closing bracket of an outer expression, and before a newline unless
    ``in_brackets``. An empty expression ends at ``position``. Raises `SyntaxProblem` like `tokens`.
    """
    skip = skip_trivia if in_brackets else skip_blanks
    end = position
    while True:
        match = _GULP_OF_VALUE.match(text, position)
        if match and (gulp := match[0].rstrip(" \t\r")):
            end = position + len(gulp)
        position = match.end() if match else position
        character = text[position : position + 1]
        if character in _OPENS:
            end = position = skip_balanced(text, position)
        elif character == "=":
            raise SyntaxProblem(position, "the argument has a second =")
        elif (after := skip(text, position)) != position:
            position = after
        elif character in _ENDS or text.startswith("//", position):
            break
        else:
            end = position = _skip_text(text, position)
    return end
