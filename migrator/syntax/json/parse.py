"""Terraform's JSON syntax: text to the same blocks and arguments as HCL, with spans.

https://developer.hashicorp.com/terraform/language/syntax/json says which properties are labels and which are blocks.
``"//"`` is a comment inside of bodies. An object is one block, and an array of objects is several blocks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

from msgspec import Struct

from migrator.errors import SyntaxProblem
from migrator.regex import regex
from migrator.span import Span
from migrator.syntax.hcl.scanner import skip_balanced
from migrator.syntax.hcl.strings import escaped, quote
from migrator.syntax.terraform import Attribute, Block

COMMENT = "//"
_TOKEN = regex(r'"(?:[^"\\\x00-\x1f]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+')
_BLANK = regex(r"[ \t\r\n]*")
_SEQUENCE = regex(r"(?<!\$)\$\{|(?<!%)%\{")
_NOT_AS_IN_HCL = regex(r"\\|[$%]\{")
_WHOLE = regex(r'"\$\{\s*((?:[^"\\{}]|\\.)+?)\s*\}"')
_DEEPEST = 100
LABELS = {
    "provider": 1,
    "variable": 1,
    "output": 1,
    "module": 1,
    "resource": 2,
    "data": 2,
    "ephemeral": 2,
    "terraform": 0,
    "locals": 0,
}
_VENDORS = ("ansible", "cloudformation", "kubernetes", "pulumi", "terragrunt", "opentofu")
_SOURCES = (
    "azure_devops",
    "bitbucket_cloud",
    "bitbucket_datacenter",
    "github_enterprise",
    "gitlab",
    "raw_git",
    "showcase",
)
_NESTED = {
    "terraform": {"backend": 1, "required_providers": 0},
    "provider": {
        "assume_role": 0,
        "assume_role_with_web_identity": 0,
        "default_tags": 0,
        "endpoints": 0,
        "ignore_tags": 0,
        "dynamic": 1,
    },
    "resource": {"lifecycle": 0, "runtime_config": 0, **dict.fromkeys((*_VENDORS, *_SOURCES), 0)},
    "runtime_config": {"environment": 0},
    "dynamic": {"content": 0},
}


class Node(Struct, frozen=True):
    """A JSON value: ``members`` of an object, ``elements`` of an array, neither of anything else."""

    span: Span
    kind: str
    members: tuple[Member, ...] = ()
    elements: tuple[Node, ...] = ()


class Member(Struct, frozen=True):
    """A property of an object: ``span`` from its name's quote to the end of its value."""

    name: str
    span: Span
    value: Node


# --- JSON -----------------------------------------------------------------------------------------------------------


def read(text: str, start: int = 0) -> Node:
    """The JSON value at ``start``. Raises `SyntaxProblem` if the text has no value there, or is nested too deeply."""
    return _value(text, _skip(text, start), 0)


def _skip(text: str, position: int) -> int:
    match = _BLANK.match(text, position)
    return match.end() if match else position


def _value(text: str, start: int, depth: int) -> Node:
    if depth > _DEEPEST:
        raise SyntaxProblem(start, "the text is nested too deeply")
    opening = text[start : start + 1]
    if opening == "{":
        members, end = _sequence(text, start, "}", partial(_member, depth=depth))
        return Node(Span(start, end), "object", members=tuple(child for child in members if isinstance(child, Member)))
    if opening == "[":
        elements, end = _sequence(text, start, "]", partial(_value, depth=depth + 1))
        return Node(Span(start, end), "array", elements=tuple(child for child in elements if isinstance(child, Node)))
    token = _TOKEN.match(text, start)
    if token is None or token[0] in "]},:":
        raise SyntaxProblem(start, "a JSON value is expected here")
    try:
        json.loads(token[0])
    except ValueError:
        raise SyntaxProblem(start, "this is not a JSON value") from None
    return Node(Span(start, token.end()), "string" if opening == '"' else "literal")


def _sequence(
    text: str, start: int, closing: str, parse_child: partial[Member] | partial[Node]
) -> tuple[list[Member | Node], int]:
    children: list[Member | Node] = []
    position = _skip(text, start + 1)
    while not text.startswith(closing, position):
        children.append(parse_child(text, position))
        position = _skip(text, children[-1].span.end)
        if text.startswith(",", position):
            position = _skip(text, position + 1)
            if text.startswith(closing, position):
                raise SyntaxProblem(position, "JSON allows no comma before a closing bracket")
        elif not text.startswith(closing, position):
            raise SyntaxProblem(position, f"a comma or {closing} is expected here")
    return children, position + 1


def _member(text: str, start: int, depth: int) -> Member:
    name = _value(text, start, depth)
    if name.kind != "string":
        raise SyntaxProblem(start, "the name of a property is expected here")
    colon = _skip(text, name.span.end)
    if not text.startswith(":", colon):
        raise SyntaxProblem(colon, "a colon is expected here")
    value = _value(text, _skip(text, colon + 1), depth + 1)
    return Member(string(text, name), Span(start, value.span.end), value)


def string(text: str, node: Node) -> str:
    """The value of a JSON string."""
    return str(json.loads(node.span.of(text)))


# --- Terraform ------------------------------------------------------------------------------------------------------


def parse(text: str) -> tuple[Attribute | Block, ...]:
    """The arguments and blocks at the top of a file, in order. Raises `SyntaxProblem` if the text is no JSON."""
    root = read(text)
    rest = _skip(text, root.span.end)
    if rest < len(text):
        raise SyntaxProblem(rest, "nothing may follow the JSON value")
    return tuple(_blocks_in(text, root, LABELS))


def _blocks_in(text: str, node: Node, labels: dict[str, int]) -> Iterator[Block]:
    for holder in node.elements or (node,):
        for member in holder.members:
            if member.name in labels:
                yield from _expand(text, member.value, member.name, (), labels[member.name], member.span)


def _expand(text: str, node: Node, type_: str, labels: tuple[str, ...], missing: int, span: Span) -> Iterator[Block]:
    if node.kind == "array":
        for element in node.elements:
            yield from _expand(text, element, type_, labels, missing, element.span)
    elif missing:
        for member in node.members:
            yield from _expand(text, member.value, type_, (*labels, member.name), missing - 1, member.span)
    elif node.kind == "object":
        body = Span(node.span.start + 1, node.span.end - 1)
        yield Block(type_, labels, span, body, partial(_read_body, text, type_))


def _read_body(text: str, type_: str, body: Span) -> tuple[Attribute | Block, ...]:
    node = read(text, body.start - 1)
    nested = _NESTED.get(type_, {})
    items: list[Attribute | Block] = []
    seen: set[str] = set()
    for member in node.members:
        if member.name in seen and member.name not in nested:
            raise SyntaxProblem(member.span.start, f"the argument {member.name} is set twice")
        if member.name != COMMENT:
            seen.add(member.name)
        if member.name in nested and member.value.kind in ("object", "array"):
            items += _expand(text, member.value, member.name, (), nested[member.name], member.span)
        elif member.name != COMMENT:
            items.append(Attribute(member.name, member.span, member.value.span))
    return tuple(items)


def body(text: str) -> Span:
    """The span between the braces of the file's object."""
    span = read(text).span
    return Span(span.start + 1, span.end - 1)


def values(text: str) -> tuple[Attribute, ...]:
    """The values of variables in a ``tfvars.json`` file. Raises `SyntaxProblem` if the text is no such file."""
    parse(text)
    return object_items(text, Span(0, len(text))) or ()


def expression(text: str, value: Span) -> str:
    """The value in HCL's terms: a string is a template, and ``"${var.x}"`` is ``var.x``, in objects and arrays, too."""
    return _expression(text, read(text, value.start))


def _expression(text: str, node: Node) -> str:
    if node.kind == "string":
        return _template(string(text, node))
    if not _NOT_AS_IN_HCL.search(text, node.span.start, node.span.end):
        return node.span.of(text)
    if node.kind == "array":
        return f"[{', '.join(_expression(text, element) for element in node.elements)}]"
    properties = (f"({_template(member.name)}) = {_expression(text, member.value)}" for member in node.members)
    return f"{{ {', '.join(properties)} }}"


def _template(template: str) -> str:
    """The value of a string in HCL: text outside of ``${…}`` and ``%{…}`` is escaped; a broken template is text."""
    pieces: list[str] = []
    position = 0
    while match := _SEQUENCE.search(template, position):
        try:
            end = skip_balanced(template, match.end() - 1)
        except SyntaxProblem:
            return quote(template)
        if match.start() == 0 and end == len(template) and template[0] == "$":
            return template[2:-1].strip("~").strip()
        pieces += [escaped(template[position : match.start()]), template[match.start() : end]]
        position = end
    return f'"{"".join(pieces)}{escaped(template[position:])}"'


def interior(text: str, value: Span) -> Span | None:
    """The expression in the string ``"${…}"`` at ``value``; None for any other value."""
    match = _WHOLE.fullmatch(text, value.start, value.end)
    return Span(match.start(1), match.end(1)) if match else None


def inside(text: str, value: Span, addition: str) -> str:  # noqa: ARG001 - as HCL's
    """The text of the expression ``addition`` for use within the string at ``value``."""
    return json.dumps(addition, ensure_ascii=False)[1:-1]


def list_items(text: str, value: Span) -> tuple[Span, ...] | None:
    """The elements of the array at ``value``; None for any other value."""
    node = read(text, value.start)
    return tuple(element.span for element in node.elements) if node.kind == "array" else None


def object_items(text: str, value: Span) -> tuple[Attribute, ...] | None:
    """The properties of the object at ``value``; None for any other value."""
    node = read(text, value.start)
    if node.kind != "object":
        return None
    return tuple(Attribute(member.name, member.span, member.value.span) for member in node.members)


def comments_on(text: str, element: Attribute | Block) -> str:
    """The comments inside of a block, or of an argument's object; other arguments have no comments in JSON."""
    start = element.body.start - 1 if isinstance(element, Block) else element.value.start
    if text[start] != "{":
        return ""
    node = read(text, start)
    return "\n".join(member.value.span.of(text) for member in node.members if member.name == COMMENT)


def check(text: str, block: Span) -> None:
    """Do nothing: the text was parsed as JSON already."""


def verify(known_texts: set[str], after: str) -> None:  # noqa: ARG001 - as HCL's
    """Parse ``after``, also by Python's own parser. Raises `SyntaxProblem`."""
    parse(after)
    try:
        json.loads(after)
    except (ValueError, RecursionError):
        raise SyntaxProblem(0, "the JSON parser of Python cannot parse the text") from None
