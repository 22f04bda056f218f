"""The value of an expression without running Terraform, by literals, defaults and locals."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrator.regex import regex
from migrator.syntax.hcl.scanner import skip_balanced
from migrator.syntax.hcl.strings import quote, string_value

if TYPE_CHECKING:
    from migrator.workspace.module import Module

REFERENCE = regex(r"\b(var|local)\.([\w-]+)")
"""A reference to a variable or local."""

_TEMPLATE = regex(r"(?<!\$)\$\{\s*((?:var|local)\.[\w-]+)\s*\}")
_CONDITIONAL = regex(r"(?P<condition>[^?]+)\?(?P<first>[^?:]+):(?P<second>[^?:]+)")
NONE = ("null", '""', "[]")
"""Values that set nothing."""

_DEPTH = 8


def optional(expression: str) -> str | None:
    """The value of a conditional expression with null, or an empty value, as its other outcome; None otherwise."""
    text = expression.strip()
    if text.startswith('"${') and text.endswith('}"') and skip_balanced(text, 2) == len(text) - 1:
        text = text[3:-2].strip()
    while text.startswith("(") and skip_balanced(text, 0) == len(text):
        text = text[1:-1].strip()
    conditional = _CONDITIONAL.fullmatch(text)
    if conditional is None:
        return None
    first, second = conditional["first"].strip(), conditional["second"].strip()
    if first in NONE or second in NONE:
        return second if first in NONE else first
    return None


def resolve(module: Module, expression: str, depth: int = _DEPTH) -> str | None:
    """The string value of ``expression`` in ``module``; None if the value is unknown or ``null``.

    A variable has its default (a caller or a ``tfvars`` file may set another value), a local its definition.
    """
    literal = string_value(expression)
    if literal is not None or depth == 0:
        return literal
    if expression.startswith('"'):
        return _resolve_template(module, expression, depth)
    reference = REFERENCE.fullmatch(expression)
    if reference is None:
        return None
    text = definition(module, reference)
    return None if text is None else resolve(module, text, depth - 1)


def depends_on_variable(module: Module, expression: str, depth: int = _DEPTH) -> bool:
    """Whether a variable of ``module`` is in ``expression``, or in a local that it names."""
    for reference in REFERENCE.finditer(expression):
        text = definition(module, reference) if reference[1] == "local" else None
        if reference[1] == "var" or (text is not None and depth and depends_on_variable(module, text, depth - 1)):
            return True
    return False


def definition(module: Module, reference: re.Match[str]) -> str | None:
    """The expression behind a `REFERENCE` in ``module``: a variable's default, a local's value; None if unknown."""
    return _default(module, reference[2]) if reference[1] == "var" else _local(module, reference[2])


def _resolve_template(module: Module, template: str, depth: int) -> str | None:
    values = {reference: resolve(module, reference, depth - 1) for reference in _TEMPLATE.findall(template)}
    if not values or None in values.values():
        return None
    return string_value(_TEMPLATE.sub(lambda match: quote(values[match[1]] or "")[1:-1], template))


def _default(module: Module, name: str) -> str | None:
    for document, block in module.blocks("variable", name):
        default = block.attribute("default")
        return document.expression(default) if default else None
    return None


def _local(module: Module, name: str) -> str | None:
    for document, block in module.blocks("locals"):
        if attribute := block.attribute(name):
            return document.expression(attribute)
    return None
