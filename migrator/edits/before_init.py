"""A hook put first into ``before_init``, whatever expression it is, so that the value stays right.

The old expression may be null, missing, a tuple, a list or a set: ``coalesce(tolist(old), [])`` is a list in each case.
"""

from __future__ import annotations

import re

from migrator.analysis.stacks import Stack
from migrator.errors import SyntaxProblem
from migrator.model import Refusal
from migrator.span import Edit, Span
from migrator.syntax import hcl
from migrator.syntax.languages import HCL
from migrator.syntax.scanner import skip_balanced, skip_trivia
from migrator.syntax.terraform import BodyChange, Literal, NewArgument

_CONCAT = re.compile(r"concat\s*\(")
_FOR = re.compile(r"\[\s*for\b")


def prepend_hook(stack: Stack, command: str) -> tuple[Edit, ...] | Refusal:
    """The edits after which ``command`` comes first in the stack's ``before_init``, and then what was there."""
    try:
        return _prepend(stack, command)
    except SyntaxProblem as problem:
        return Refusal(f"its before_init cannot be understood: {problem.reason}")


def _prepend(stack: Stack, command: str) -> tuple[Edit, ...] | Refusal:
    document, hooks, item = stack.document, stack.before_init, Literal(command)
    if hooks is None:
        return document.change(stack.block, BodyChange(append=(NewArgument("before_init", (item,)),)))
    syntax, path, text = document.syntax, document.path, document.text
    if document.expression(hooks) == "null":
        return (syntax.replace_by_list(path, text, hooks.value, item),)
    if syntax.list_items(text, hooks.value) is not None:
        return (syntax.prepend_item(path, text, hooks.value, item),)
    inner = syntax.interior(text, hooks.value)
    if inner is None:
        return Refusal("its before_init is a string, where a list belongs")
    quoted = hcl.quote(command)
    insertions = _into_concat(text, inner, quoted) if syntax is HCL else None
    return tuple(
        Edit(path, Span(place, place), syntax.inside(text, hooks.value, addition))
        for place, addition in insertions or _around(text, inner, quoted)
    )


def _into_concat(text: str, inner: Span, quoted: str) -> list[tuple[int, str]] | None:
    """What to insert where, if the expression at ``inner`` is a call of ``concat``: another first argument."""
    concat = _CONCAT.match(text, inner.start, inner.end)
    if concat is None or skip_balanced(text, concat.end() - 1) != inner.end:
        return None
    first = skip_trivia(text, concat.end())
    gap = text[concat.end() : first]
    return [(first, f"[{quoted}],{gap if gap.strip() == '' and gap else ' '}")]


def _around(text: str, inner: Span, quoted: str) -> list[tuple[int, str]]:
    """What to insert where, so that the expression at ``inner`` becomes the rest of a list."""
    if _FOR.match(text, inner.start):
        return [(inner.start, f"concat([{quoted}], "), (inner.end, ")")]
    return [(inner.start, f"concat([{quoted}], coalesce(tolist("), (inner.end, "), []))")]
