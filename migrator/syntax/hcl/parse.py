"""HCL: text to blocks with spans (our scanner), and the opinion of a whole parser on a block (python-hcl2)."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache, partial

from migrator.errors import SyntaxProblem
from migrator.regex import regex
from migrator.span import Span
from migrator.syntax.hcl.ordinary import is_ordinary
from migrator.syntax.hcl.scanner import (
    BLANKS,
    HEREDOC,
    IDENTIFIER,
    STRING,
    TRIVIA,
    skip_balanced,
    skip_blanks,
    skip_expression,
    skip_trivia,
    tokens,
)
from migrator.syntax.terraform import Attribute, Block

_IDENTIFIER = regex(IDENTIFIER)
_LABEL = regex(rf'"((?:[^"\\$%\n]|\\[^\n]|\$\$\{{|%%\{{|\$(?!\{{)|%(?!\{{))*+)"|({IDENTIFIER})')
_KEY = regex(rf'"((?:[^"\\\n]|\\[^\n])*+)"|({IDENTIFIER})')
_USUAL = regex(
    rf"""({IDENTIFIER})[ \t]*+(?:=[ \t]*+([^\s"\#/<>=!,()\[\]{{}}]++|{STRING})(?=\n)|("[^"\\$%\n]*+"[ \t]*+)*+(\{{))"""
)
"""An argument with a value of one token on a line of its own, or the header of a block with plain labels."""

_NEXT_LINE = regex(rf"{BLANKS}(?:(?=[\n\#/])|\Z){TRIVIA}")
_SHORT = 4000


def parse(text: str) -> tuple[Attribute | Block, ...]:
    """The arguments and blocks at the top of a file, in order. Raises `SyntaxProblem` if the text is no HCL."""
    return _read_body(text, Span(0, len(text)))


def _read_body(text: str, body: Span) -> tuple[Attribute | Block, ...]:
    items: list[Attribute | Block] = []
    names: set[str] = set()
    if body.start and text[skip_blanks(text, body.start)] not in "\n#/":
        return _read_one_line(text, body)
    position = skip_trivia(text, body.start)
    while position < body.end:
        element = _read_item(text, position)
        if isinstance(element, Attribute) and element.name in names:
            raise SyntaxProblem(position, f"the argument {element.name} is set twice")
        items.append(element)
        names.add(element.name if isinstance(element, Attribute) else "")
        position = _end_of_line(text, element)
    return tuple(items)


def _read_one_line(text: str, body: Span) -> tuple[Attribute, ...]:
    """A body on the line of the brace, which also ends there and holds one argument or none."""
    position = skip_blanks(text, body.start)
    if position == body.end:
        return ()
    element = _read_item(text, position)
    if isinstance(element, Block) or skip_blanks(text, element.span.end) != body.end:
        raise SyntaxProblem(position, "a block on one line may hold only one argument")
    return (element,)


def _read_item(text: str, start: int) -> Attribute | Block:
    match = _USUAL.match(text, start)
    if match and match[2]:
        return Attribute(match[1], Span(start, match.end(2)), Span(*match.span(2)))
    if match:
        labels = tuple(text[match.end(1) : match.start(4)].split('"')[1::2])
        return _block(text, start, match[1], labels, match.start(4))
    name = _IDENTIFIER.match(text, start)
    if name is None:
        raise SyntaxProblem(start, "an argument or a block is expected here")
    position = skip_blanks(text, name.end())
    if text.startswith("=", position):
        return _read_attribute(text, start, name[0], position + 1)
    return _read_block(text, start, name[0], position)


def _read_attribute(text: str, start: int, name: str, position: int) -> Attribute:
    value = skip_blanks(text, position)
    end = skip_expression(text, value, in_brackets=False)
    if end == value:
        raise SyntaxProblem(start, "an argument has no value")
    return Attribute(name, Span(start, end), Span(value, end))


def _read_block(text: str, start: int, type_: str, position: int) -> Block:
    labels: list[str] = []
    while label := _LABEL.match(text, position):
        labels.append(label[1] if label[1] is not None else label[2])
        position = skip_blanks(text, label.end())
    if not text.startswith("{", position):
        raise SyntaxProblem(start, "this is neither an argument nor a block")
    return _block(text, start, type_, tuple(labels), position)


def _block(text: str, start: int, type_: str, labels: tuple[str, ...], brace: int) -> Block:
    end = skip_balanced(text, brace)
    return Block(type_, labels, Span(start, end), Span(brace + 1, end - 1), partial(_read_body, text))


def _end_of_line(text: str, element: Attribute | Block) -> int:
    """The offset of the line after ``element``; ``element`` must be the last on a line."""
    following = _NEXT_LINE.match(text, element.span.end)
    if following is None:
        raise SyntaxProblem(skip_blanks(text, element.span.end), "a new line is expected after an argument or block")
    return following.end()


def body(text: str) -> Span:
    """The span of the whole file, which is a body like that of a block."""
    return Span(0, len(text))


def values(text: str) -> tuple[Attribute, ...]:
    """The values of variables in a ``tfvars`` file. Raises `SyntaxProblem` if the text is no such file."""
    assignments: list[Attribute] = []
    for attribute in parse(text):
        if isinstance(attribute, Block):
            raise SyntaxProblem(attribute.span.start, "a file of values of variables may not hold a block")
        assignments.append(attribute)
    return tuple(assignments)


def expression(text: str, value: Span) -> str:
    """The expression at ``value``."""
    return value.of(text)


def interior(text: str, value: Span) -> Span | None:
    """The expression at ``value`` without the quotes and braces of ``"${…}"``; None for any other string."""
    if not text.startswith('"', value.start):
        return value
    if text.startswith("${", value.start + 1) and skip_balanced(text, value.start + 2) == value.end - 1:
        start = skip_trivia(text, value.start + 3)
        with suppress(SyntaxProblem):  # what is in the braces may be no expression
            return Span(start, skip_expression(text, start, in_brackets=True))
    return None


def inside(text: str, value: Span, addition: str) -> str:  # noqa: ARG001 - as JSON's
    """The text of the expression ``addition`` for use within the value at ``value``."""
    return addition


def list_items(text: str, value: Span) -> tuple[Span, ...] | None:
    """The elements of the list constructor ``[…]`` at ``value``; None if the expression is anything else.

    Raises `SyntaxProblem` if the brackets hold no list.
    """
    if not text.startswith("[", value.start) or skip_balanced(text, value.start) != value.end:
        return None
    elements: list[Span] = []
    position = skip_trivia(text, value.start + 1)
    if re.match(r"for\b", text[position : position + 4]):
        return None
    while position < value.end - 1:
        end = skip_expression(text, position, in_brackets=True)
        if end == position:
            raise SyntaxProblem(position, "an element of the list is missing")
        elements.append(Span(position, end))
        position = skip_trivia(text, end)
        if text.startswith(",", position):
            position = skip_trivia(text, position + 1)
    return tuple(elements)


def object_items(text: str, value: Span) -> tuple[Attribute, ...] | None:
    """The ``key = value`` items of the object constructor ``{…}`` at ``value``; None for any other expression."""
    if not text.startswith("{", value.start) or skip_balanced(text, value.start) != value.end:
        return None
    items: list[Attribute] = []
    position = skip_trivia(text, value.start + 1)
    while position < value.end - 1:
        key = _KEY.match(text, position)
        after = skip_blanks(text, key.end()) if key else position
        if key is None or text[after] not in "=:":
            return None
        start = skip_trivia(text, after + 1)
        end = skip_expression(text, start, in_brackets=False)
        items.append(Attribute(key[1] if key[1] is not None else key[2], Span(position, end), Span(start, end)))
        position = skip_trivia(text, end)
        if text.startswith(",", position):
            position = skip_trivia(text, position + 1)
    return tuple(items)


def check(text: str, block: Span) -> None:
    """Have python-hcl2 parse ``block``. Raises `SyntaxProblem` at the start of the line that the parser rejects."""
    try:
        _loads(block.of(text) + "\n")
    except SyntaxProblem as problem:
        raise SyntaxProblem(block.start + problem.offset, problem.reason) from None


def verify(known_texts: set[str], after: str) -> None:
    """Parse ``after``, and let python-hcl2 parse all elements without ``known_texts``. Raises `SyntaxProblem`."""
    for element in parse(after):
        if element.span.of(after) not in known_texts:
            check(after, element.span)


def plain(text: str) -> str:
    """The ``text`` without parts that have no meaning in HCL, but that python-hcl2 rejects: see docs/python-hcl2.md.

    Comments, line breaks inside of brackets and templates, blanks after a heredoc's marker, ``~``, ``$${``, non-ASCII
    letters. Lines that follow on a line break taken out keep their number.
    """
    pieces: list[str] = []
    opened: list[str] = []
    joined = 0
    last = ""
    for token in tokens(text):
        piece = text[token.start : token.end]
        if token.kind == "template" or token.kind == "open":
            opened.append(piece[-1] if token.kind == "open" else "$")
        elif token.kind == "close" and opened:
            opened.pop()
        if token.kind == "newline" and opened and opened[-1] in "([$" and last != "marker":
            piece = " "
            joined += 1
        elif token.kind == "newline":
            piece += "\n" * joined
            joined = 0
        elif token.kind == "inline":
            joined += piece.count("\n")
        if token.kind != "space":
            last = token.kind
        pieces.append(_piece(token.kind, piece))
    return re.sub(r"(?<![ \t\r])[ \t\r]+\n", "\n", "".join(pieces))


def _piece(kind: str, piece: str) -> str:
    if kind in ("comment", "inline"):
        return " "
    if kind == "other":
        piece = piece.replace("~", "")
    if kind == "text":
        piece = piece.replace("$${", "").replace("%%{", "")
    return re.sub(r"[^\x00-\x7f]", "x", piece)


_WORDS = regex(
    rf"""(?P<words>"[^"\\$%\n]+")|(?P<comment>(?:\#|//)[^\n]*)|/\*(?s:.*?)\*/|{HEREDOC}|{STRING}|(?P<intricate>"|<<|/\*)"""
)


def shape(text: str) -> str:
    """The ``text`` without the words of strings and comments, which python-hcl2 need not read.

    Many blocks have the same shape, and each shape is parsed once. A text with strings in templates is a shape of its
    own.
    """
    pieces: list[str] = []
    position = 0
    for match in _WORDS.finditer(text):
        kind = match.lastgroup
        if kind == "intricate":
            return text
        if kind == "words" or kind == "comment":
            pieces += text[position : match.start()], '"x"' if kind == "words" else "#"
            position = match.end()
    return "".join(pieces) + text[position:]


def _loads(text: str) -> None:
    """Let python-hcl2 parse the shape of ``text``; results for short shapes are cached."""
    shaped = shape(text)
    line = _short_verdict(shaped) if len(shaped) < _SHORT else _verdict(shaped)
    if line is not None:
        raise SyntaxProblem(_offset(text, line), "python-hcl2 cannot parse the text")


@lru_cache(maxsize=2000)
def _short_verdict(text: str) -> int | None:
    return _verdict(text)


def _verdict(text: str) -> int | None:
    return None if is_ordinary(text) else opinion(text)


def opinion(text: str) -> int | None:
    """The line that python-hcl2 rejects; None if the text is valid."""
    import hcl2.api  # here: the parser and its grammar take longer to load than a run that needs neither
    from lark.exceptions import LarkError, UnexpectedInput

    try:
        hcl2.api.parses_to_tree(plain(text))
    except UnexpectedInput as error:
        return max(getattr(error, "line", 1), 1)
    except (LarkError, RecursionError):
        return 1
    return None


def _offset(text: str, line: int) -> int:
    lines = text.split("\n")
    return sum(len(line_above) + 1 for line_above in lines[: line - 1])


_IGNORED_ABOVE = regex(r"[ \t]*(?:#|//|/\*)")


def comments_on(text: str, element: Attribute | Block) -> str:
    """The comments on the first and last line of ``element`` or of the body, and on the lines right above."""
    first = text.rfind("\n", 0, element.span.start) + 1
    pieces = [text[first : element.span.start], _rest_of_line(text, element.span.end)]
    if isinstance(element, Block):
        pieces.append(_rest_of_line(text, element.body.start))
    elif "\n" in element.value.of(text):
        pieces.append(_rest_of_line(text, element.value.start))
    while first and _IGNORED_ABOVE.match(text, above := text.rfind("\n", 0, first - 1) + 1):
        pieces.append(text[above:first])
        first = above
    return "\n".join(pieces)


def _rest_of_line(text: str, offset: int) -> str:
    end = text.find("\n", offset)
    return text[offset : end if end >= 0 else len(text)]
