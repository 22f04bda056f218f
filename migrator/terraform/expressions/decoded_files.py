"""The data of ``yamldecode(file(…))`` and ``jsondecode(file(…))`` as an expression."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from migrator.errors import SyntaxProblem
from migrator.regex import regex
from migrator.syntax.hcl.strings import quote
from migrator.syntax.source import SourceFile
from migrator.syntax.yaml.tree import Mapping, Node, Scalar, Sequence, find, names, resolved

if TYPE_CHECKING:
    from migrator.workspace.module import Module

_FILE = regex(r'file\(\s*"((?:\$\{path\.module\}/)?[^"$%{}\\]+)"\s*\)')
_LARGEST = 1_000_000
_MOST_VALUES = 50_000
_NUMBER = regex(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")


@lru_cache(maxsize=64)
def decoded(module: Module, argument: str) -> str | None:
    """The data of the file that ``argument``, a call of ``file`` in ``module``, names; None if unknown."""
    named = _FILE.fullmatch(argument.strip())
    if named is None or not module.documents:
        return None
    root = os.path.realpath(module.documents[0].root)
    path = os.path.realpath(os.path.join(root, module.path, named[1].removeprefix("${path.module}/")))
    if os.path.commonpath([root, path]) != root or not os.path.isfile(path) or os.path.getsize(path) > _LARGEST:
        return None
    from migrator.syntax.yaml.parse import read  # here: PyYAML is needed for few repositories

    try:
        with open(path, "rb") as file:
            tree = read(SourceFile(named[1], file.read()).text)
        return None if tree.root is None else "".join(_expression(tree.root, iter(range(_MOST_VALUES))))
    except (OSError, SyntaxProblem, StopIteration, RuntimeError):
        return None


def _expression(node: Node, budget: Iterator[int]) -> Iterator[str]:
    """The pieces of a literal expression; the ``budget`` limits the number of values, since aliases may make many."""
    next(budget)
    node = resolved(node)
    if isinstance(node, Sequence):
        yield "["
        for member in node.items:
            yield from _expression(member, budget)
            yield ", "
        yield "]"
    elif isinstance(node, Mapping):
        yield "{"
        for name in names(node):
            yield f"{quote(name)} = "
            yield from _member(node, name, budget)
            yield ", "
        yield "}"
    elif isinstance(node, Scalar):
        yield _scalar(node)


def _member(node: Mapping, name: str, budget: Iterator[int]) -> Iterator[str]:
    lookup = find(node, (name,))
    yield from _expression(lookup.node, budget) if lookup else ("null",)


def _scalar(node: Scalar) -> str:
    if node.is_null:
        return "null"
    if not node.is_string and (_NUMBER.fullmatch(node.value) or node.value in ("true", "false")):
        return node.value
    return quote(node.value)
