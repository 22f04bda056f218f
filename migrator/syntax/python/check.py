"""A Python program for the planner: one text, which Python itself must still parse after the edits."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from migrator.errors import SyntaxProblem
from migrator.span import Edit, Span, apply_edits

if TYPE_CHECKING:
    from migrator.syntax.terraform import Attribute, Block

_DEEPEST = 120  # libcst needs several calls of Python for each level, and its parser a good piece of the stack


def parse(text: str) -> tuple[Attribute | Block, ...]:  # noqa: ARG001 - as HCL's
    """No elements: a program contains no blocks of Terraform; `python` reads the calls."""
    return ()


def check(text: str, block: Span) -> None:
    """Do nothing: a program has no blocks."""


def finish(text: str, items: Sequence[Attribute | Block], edits: Sequence[Edit]) -> str:  # noqa: ARG001 - as HCL's
    """The ``text`` with ``edits``. Raises `EditConflict` if edits collide."""
    return apply_edits(text, edits)


def verify(known_texts: set[str], after: str) -> None:  # noqa: ARG001 - as HCL's
    """Raise `SyntaxProblem` unless Python itself can read ``after``."""
    read(after)


def read(text: str) -> ast.Module:
    """The tree of ``text`` by Python's own parser. Raises `SyntaxProblem` for text that is invalid or too deep."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the program, and none of ours
            tree = ast.parse(text)
    except SyntaxError as error:
        raise SyntaxProblem(line_start(text, error.lineno or 1), "the file is not a Python program") from None
    except (ValueError, RecursionError, MemoryError):
        raise SyntaxProblem(0, "the file is not a Python program, or is nested too deeply") from None
    level: list[ast.AST] = [tree]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return tree
    raise SyntaxProblem(0, "the text is nested too deeply")


def line_start(text: str, line: int) -> int:
    """The offset at which ``line``, counted from 1, begins."""
    return sum(len(line_above) + 1 for line_above in text.split("\n")[: max(line - 1, 0)])
