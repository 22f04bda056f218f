"""The text of new properties and elements in Terraform's JSON, and its indentation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from migrator.syntax.hcl.strings import quote
from migrator.syntax.json.parse import COMMENT
from migrator.syntax.terraform import Copied, Literal, NewArgument, NewBlock, NewComment, NewObject, Reference


def property_of(addition: NewArgument | NewBlock | NewComment) -> str:
    """The property that Terraform's JSON has for ``addition``, indented by two spaces a level."""
    if isinstance(addition, NewComment):
        return f"{json.dumps(COMMENT)}: {pretty(json.loads(f'{{{property_of(addition.of)}}}'))}"
    if isinstance(addition, NewArgument):
        return f"{json.dumps(addition.name)}: {pretty(_value(addition))}"
    return f"{json.dumps(addition.type)}: {pretty(labelled(addition))}"


def labelled(block: NewBlock) -> Any:
    """A block's content in an object for each of its labels."""
    content = _value(block)
    for label in reversed(block.labels):
        content = {label: content}
    return content


def _value(addition: NewArgument | NewBlock) -> Any:
    if isinstance(addition, NewBlock):
        arguments = {argument.name: _value(argument) for argument in addition.arguments}
        return arguments | {block.type: labelled(block) for block in addition.blocks}
    if isinstance(addition.value, NewObject) and addition.value.condition:
        return f"${{{addition.value.condition}{_expression(addition.value)}}}"
    if isinstance(addition.value, NewObject):
        return {argument.name: _value(argument) for argument in addition.value.items}
    if isinstance(addition.value, Copied):
        return json.loads(addition.value.text)
    if isinstance(addition.value, tuple):
        return [_template(element) for element in addition.value]
    return _template(addition.value)


def _expression(value: object) -> str:
    """The text of ``value`` in HCL, in an expression within a string."""
    if isinstance(value, NewObject):
        return f"{{ {', '.join(f'{new.name} = {_expression(new.value)}' for new in value.items)} }}"
    return value.address if isinstance(value, Reference) else quote(value.text) if isinstance(value, Literal) else ""


def _template(value: Literal | Reference) -> str | None:
    """The string that Terraform's JSON has for ``value``: every string is a template, and a type a bare word."""
    if isinstance(value, Reference) and value.address == "null":
        return None
    if isinstance(value, Reference):
        return f"${{{value.address}}}" if "." in value.address else value.address
    return value.text.replace("${", "$${").replace("%{", "%%{")


def strings(items: Sequence[Literal]) -> list[str]:
    """The elements of an array of ``items``."""
    return [json.dumps(_template(literal), ensure_ascii=False) for literal in items]


def pretty(value: Any) -> str:
    """The text of ``value``, indented by two spaces a level."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def flat(member: str) -> str:
    """The property or element ``member`` in one line."""
    opening, closing = "[]" if member.startswith("{") else "{}"
    return json.dumps(json.loads(f"{opening}{member}{closing}"), ensure_ascii=False)[1:-1]


def indented(member: str, indent: str, unit: str) -> str:
    """The lines of a property, which is indented by two spaces a level, at ``indent`` and by ``unit`` a level."""
    lines = []
    for line in member.split("\n"):
        level = (len(line) - len(line.lstrip(" "))) // 2
        lines.append(indent + unit * level + line[2 * level :])
    return "\n".join(lines)


def indent_at(text: str, offset: int) -> str:
    """The indentation of the line at ``offset``."""
    start = text.rfind("\n", 0, offset) + 1
    line = text[start:offset]
    return line[: len(line) - len(line.lstrip())]


def unit_of(text: str) -> str:
    """One level of indentation: the indent of the file's first indented line."""
    for line in text.split("\n"):
        if line.strip() and line[0] in " \t":
            return line[: len(line) - len(line.lstrip())]
    return "  "
