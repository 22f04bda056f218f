"""Whether a list has the hook already, in any spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.errors import SyntaxProblem
from migrator.regex import regex
from migrator.syntax.hcl.scanner import tokens
from migrator.syntax.yaml.tree import Keys, Scalar, Sequence, Tree, resolved

if TYPE_CHECKING:
    from migrator.terraform.expressions.evaluate import Expression

EXCHANGE = "assume-role-with-web-identity"
"""The text that every spelling of the hook contains."""

PHASES = ("init", "plan", "apply", "perform", "destroy")
"""The phases with lists of hooks before and after."""

EVERY_LIST = tuple(f"before_{phase}" for phase in PHASES)
"""The lists of hooks that run before a phase."""

_REFERENCE = regex(r'\b(?:var|local|each)\.[\w-]+(?:\.[\w-]+|\["[^"]*"\]|\[each\.key\])*')
_DEPTH = 6


def exchanges_token(expression: Expression, depth: int = _DEPTH) -> bool:
    """Whether a list of hooks exchanges a token, in its own text or in a value that the list refers to.

    A list that depends on the key of ``for_each`` may exchange a token for some stacks only.
    """
    commands = expression.strings
    return EXCHANGE in (text_of(expression, depth) if commands is None else "\n".join(commands))


def text_of(expression: Expression, depth: int = _DEPTH) -> str:
    """The texts of all strings in an expression and in the referenced values, one a line."""
    text = expression.text
    try:
        texts = [text[token.start : token.end] for token in tokens(text) if token.kind.startswith("text")]
    except SyntaxProblem:  # JSON within JSON's own escapes
        texts = [text]
    for reference in _REFERENCE.finditer(text) if depth else ():
        origin = expression.derived(reference[0]).origin
        if origin is not None and origin.text != text:
            texts.append(text_of(origin, depth - 1))
    return "\n".join(texts)


def commands(tree: Tree, keys: Keys) -> tuple[str, ...]:
    """The strings in the list at ``keys``, which need not exist."""
    place = tree.find(keys)
    nodes = map(resolved, place.node.items) if place and isinstance(place.node, Sequence) else ()
    return tuple(node.value for node in nodes if isinstance(node, Scalar))


def has_hook(tree: Tree, keys: Keys) -> bool:
    """Whether a command in the list at ``keys`` exchanges a token already; the shell's comments do not count."""
    lines = (line for command in commands(tree, keys) for line in command.splitlines())
    return any(EXCHANGE in line and not line.lstrip().startswith("#") for line in lines)
