"""The data of ``yamldecode(file(…))`` and ``jsondecode(file(…))`` as an expression, and the names of ``fileset(…)``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.errors import SyntaxProblem
from migrator.regex import regex
from migrator.syntax.hcl.strings import quote
from migrator.syntax.source import SourceFile
from migrator.syntax.yaml.tree import Mapping, Node, Scalar, Sequence, find, names, resolved

if TYPE_CHECKING:
    from migrator.workspace.module import Module

_FILE = regex(r'file\(\s*"((?:\$\{path\.module\}/)?[^"$%{}\\]+)"\s*\)')
_FOLDER = regex(r'path\.module|"(?:\$\{path\.module\}/?)?([^"$%{}\\]*)"')
_DEEP_OR_SPECIAL = regex(r"\*\*|\.\.|^/|[\[\]{}\\]")
_MOST_FILES = 1_000
_LARGEST = 1_000_000
_MOST_VALUES = 50_000
_NUMBER = regex(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")


@lru_cache(maxsize=64)
def decoded(module: Module, argument: str) -> str | None:
    """The data of the file that ``argument``, a call of ``file`` in ``module``, names; None if unknown."""
    named = _FILE.fullmatch(argument.strip())
    if named is None or not module.documents:
        return None
    path = _inside(module, named[1].removeprefix("${path.module}/"))
    if path is None or not os.path.isfile(path) or os.path.getsize(path) > _LARGEST:
        return None
    from migrator.syntax.yaml.parse import read  # here: PyYAML is needed for few repositories

    try:
        with open(path, "rb") as file:
            tree = read(SourceFile(named[1], file.read()).text)
        return None if tree.root is None else "".join(_expression(tree.root, iter(range(_MOST_VALUES))))
    except (OSError, SyntaxProblem, StopIteration, RuntimeError):
        return None


@lru_cache(maxsize=64)
def files_below(module: Module, folder: str, pattern: str) -> tuple[str, ...] | None:
    """The names of ``fileset(folder, pattern)`` in ``module``, for a pattern of known depth; None if unknown."""
    named = _FOLDER.fullmatch(folder.strip())
    if named is None or not pattern or not module.documents or _DEEP_OR_SPECIAL.search(pattern):
        return None
    path = _inside(module, named[1] or "")
    if path is None or not os.path.isdir(path):
        return None
    try:
        found = sorted(islice(Path(path).glob(pattern), _MOST_FILES + 1))
    except (OSError, ValueError):
        return None
    files = tuple(file.relative_to(path).as_posix() for file in found if file.is_file())
    return files if len(found) <= _MOST_FILES else None


def _inside(module: Module, name: str) -> str | None:
    """The path of a file or folder that a module names; None if the path is outside of the repository."""
    root = os.path.realpath(module.documents[0].root)
    path = os.path.realpath(os.path.join(root, module.path, name))
    return path if os.path.commonpath([root, path]) == root else None


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
