"""New first entries for a list of hooks, for any place and any expression of the list.

The old expression may be null, missing, a tuple, a list or a set: ``coalesce(tolist(old), [])`` is a list in each case.
The place is the one that a maintainer would edit: the literal list behind the references, the input of the module call,
else the stack's own argument.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from textwrap import indent
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.errors import SyntaxProblem
from migrator.regex import regex
from migrator.spacelift.hooks.diagnostics import (
    HOOK_LIST_IS_STRING,
    HOOK_LIST_UNREADABLE,
    STACK_HOOKS_DIFFER_IN_JSON,
    STACK_MADE_BY_MODULE,
    STACK_ROLES_DIFFER,
)
from migrator.span import Edit, Span
from migrator.syntax.hcl.edit import replace_value
from migrator.syntax.hcl.new import item_lines
from migrator.syntax.hcl.scanner import skip_balanced, skip_trivia
from migrator.syntax.hcl.strings import quote
from migrator.syntax.languages import HCL
from migrator.syntax.terraform import Block, BodyChange, Literal, NewArgument, Reference
from migrator.terraform.usage.references import References

if TYPE_CHECKING:
    from migrator.model.findings import Refusal
    from migrator.spacelift.stacks.terraform import Stack
    from migrator.terraform.expressions.evaluate import Expression, Scope
    from migrator.workspace.document import Document
    from migrator.workspace.module import ModuleCall

Entries = tuple[Literal, ...]

_CONCAT = regex(r"concat\s*\(")
_FOR = regex(r"\[\s*for\b")
_FIRST_VARIABLE = regex(
    r"(?:(?:concat|coalesce|coalescelist|compact|distinct|flatten|tolist|try)\(\s*)*var\.([\w-]+)\b"
)


class _ListPlace(Struct, frozen=True):
    """A list in the text of a document."""

    document: Document
    span: Span


class _Input(Struct, frozen=True):
    """The variable of a module in one call of the module."""

    call: ModuleCall
    variable: str


class TerraformLists:
    """The places of the lists of hooks of all ``stacks`` in Terraform, and which lists share a place."""

    def __init__(self, stacks: Sequence[Stack]) -> None:
        self._stacks = stacks
        self._sharing: dict[str, dict[Hashable, list[Stack]]] = {}

    def siblings(self, stack: Stack) -> list[Stack]:
        """The stacks that the block of ``stack`` makes, ``stack`` included."""
        return self.sharing("", id(stack.block))

    def sharing(self, name: str, place: Hashable) -> list[Stack]:
        """The stacks with the list ``name`` at ``place``; for the name ``""``, the stacks of a block."""
        if name not in self._sharing:
            by_place = self._sharing.setdefault(name, {})
            for stack in self._stacks:
                for list_place in (_list_place(stack, name), _input(stack, name)) if name else (id(stack.block),):
                    by_place.setdefault(list_place, []).append(stack)
        return self._sharing[name].get(place, [])


class TerraformHooks:
    """Edits of the ``lists``: ``entries`` are the new first entries for the lists of some stacks."""

    def __init__(self, lists: TerraformLists, entries: Mapping[Stack, Entries]) -> None:
        self._lists = lists
        self._entries = entries
        self._of_blocks: dict[tuple[int, str], tuple[Edit, ...] | Refusal | None] = {}

    def prepend(self, stack: Stack, name: str) -> tuple[Edit, ...] | Refusal:
        """The edits that put the new entries first into the stack's list ``name``.

        All stacks with a changed list must need the same entries. Either lists of a block or the block itself is
        changed, never both.
        """
        try:
            key = (id(stack.block), name)
            if key not in self._of_blocks:
                self._of_blocks[key] = self._prepend_in_block(stack, name)
            block_edits = self._of_blocks[key]
            return self._prepend_in_place(stack, name) if block_edits is None else block_edits
        except SyntaxProblem as problem:
            return HOOK_LIST_UNREADABLE.refusal(name=name, reason=problem.reason)

    def _prepend_in_block(self, stack: Stack, name: str) -> tuple[Edit, ...] | Refusal | None:
        """Edits of the block itself; None if every stack of the block with new entries has a place of its own."""
        siblings = self._lists.siblings(stack)
        changing = [sibling for sibling in siblings if sibling in self._entries]
        if not stack.has_usual_inputs or all(self._place(sibling, name) for sibling in changing):
            return None
        if self._need_same_entries(siblings):
            return prepend_argument(stack.document, stack.block, name, self._entries[stack])
        if stack.scope.call is None and all(sibling.key is not None for sibling in siblings):
            return self._prepend_by_key(stack, name, changing)
        return STACK_ROLES_DIFFER.refusal()

    def _prepend_in_place(self, stack: Stack, name: str) -> tuple[Edit, ...] | Refusal:
        place = self._place(stack, name)
        if isinstance(place, _Input):
            return prepend_argument(place.call.document, place.call.block, place.variable, self._entries[stack])
        if place is None:
            return STACK_MADE_BY_MODULE.refusal()
        return _prepend_to(name, place.document, place.span, self._entries[stack])

    def _place(self, stack: Stack, name: str) -> _ListPlace | _Input | None:
        """The place of the stack's list or input, if all stacks that share the list need the same entries."""
        for place in (_list_place(stack, name), _input(stack, name)):
            if place is not None and self._need_same_entries(self._lists.sharing(name, place)):
                return place
        return None

    def _need_same_entries(self, stacks: Sequence[Stack]) -> bool:
        entries = [self._entries.get(stack) for stack in stacks]
        return bool(entries) and all(want is not None and want == entries[0] for want in entries)

    def _prepend_by_key(self, stack: Stack, name: str, changing: Sequence[Stack]) -> tuple[Edit, ...] | Refusal:
        """A list that depends on the key of ``for_each``: each stack has its own hook, or none."""
        by_key = {sibling.key or "": self._entries[sibling] for sibling in changing}
        document, attribute = stack.document, stack.block.attribute(name)
        if attribute is None:
            chosen = _by_key(by_key, _on_lines if document.syntax is HCL else _list)
            return document.change(stack.block, BodyChange(append=(NewArgument(name, Reference(chosen)),)))
        if document.syntax is not HCL:
            return STACK_HOOKS_DIFFER_IN_JSON.refusal()
        if document.expression(attribute) == "null":
            return replace_value(document.path, document.text, attribute.value, _by_key(by_key, _on_lines))
        return _insert(document, attribute.value, attribute.value, _by_key(by_key, _list))


def _by_key(by_key: Mapping[str, Entries], write: Callable[[Entries], str]) -> str:
    """An expression for the entries of each key of ``for_each``; other keys get no entries."""
    all_entries = list(by_key.values())
    if all(entries == all_entries[0] for entries in all_entries):
        return f"contains([{', '.join(map(quote, by_key))}], each.key) ? {write(all_entries[0])} : []"
    if write is _list:
        return (
            f"lookup({{ {', '.join(f'{quote(key)} = {_list(want)}' for key, want in by_key.items())} }}, each.key, [])"
        )
    rows = "".join(f"{quote(key)} = {_on_lines(entries)}\n" for key, entries in by_key.items())
    return f"lookup({{\n{indent(rows, '  ')}}}, each.key, [])"


def _list(entries: Entries) -> str:
    return f"[{', '.join(quote(entry.text) for entry in entries)}]"


def _on_lines(entries: Entries) -> str:
    return "\n".join(["[", *item_lines(entries, "  "), "]"])


def _list_place(stack: Stack, name: str) -> _ListPlace | None:
    """The place of the stack's list, if only lists of hooks refer to the place."""
    argument = stack.argument(name)
    origin = argument.origin if argument is not None else None
    if origin is None or origin.document is None or origin.span is None or _is_default(origin):
        return None
    return None if _is_shared(origin, name) else _ListPlace(origin.document, origin.span)


def _is_default(origin: Expression) -> bool:
    """Whether the list is the default of a variable: a caller or a ``tfvars`` file may set another value."""
    blocks = origin.scope.module.blocks("variable")
    return any(document is origin.document and _is_within(origin.span, block) for document, block in blocks)


def _is_within(span: Span | None, block: Block) -> bool:
    return span is not None and block.span.start <= span.start and span.end <= block.span.end


def _is_shared(origin: Expression, name: str) -> bool:
    """Whether the list is a local that is used elsewhere than in lists of hooks called ``name``."""
    module = origin.scope.module
    for document, block in module.blocks("locals"):
        for local in block.attributes:
            if document is origin.document and local.value == origin.span:
                is_list = re.compile(rf"\b{name}\"?\s*[=:]\s*\"?(?:\$\{{)?\Z")
                uses = References().uses_of(module, {f"local.{local.name}"})
                return not all(is_list.search(use.document.text[: use.offset], max(use.offset - 99, 0)) for use in uses)
    return False


def _input(stack: Stack, name: str) -> _Input | None:
    """The module call and the argument that the stack's list begins with; None for other expressions."""
    scope: Scope = stack.scope
    argument = stack.argument(name)
    match = _FIRST_VARIABLE.match(argument.text) if argument is not None else None
    if scope.call is None or match is None:
        return None
    default = next((scope.argument(*block, "default") for block in scope.module.blocks("variable", match[1])), None)
    argument_passed = scope.call.block.attribute(match[1])
    is_empty = default is None or default.is_null or default.strings == ()
    return _Input(scope.call, match[1]) if argument_passed or is_empty else None


def prepend_argument(document: Document, block: Block, name: str, entries: Entries) -> tuple[Edit, ...] | Refusal:
    """The edits that put ``entries`` first into an argument of a block, or add the argument."""
    attribute = block.attribute(name)
    if attribute is None:
        return document.change(block, BodyChange(append=(NewArgument(name, entries),)))
    return _prepend_to(name, document, attribute.value, entries)


def _prepend_to(name: str, document: Document, value: Span, entries: Entries) -> tuple[Edit, ...] | Refusal:
    syntax, path, text = document.syntax, document.path, document.text
    if syntax.expression(text, value) == "null":
        return (syntax.replace_by_list(path, text, value, entries),)
    if syntax.list_items(text, value) is not None:
        return (syntax.prepend_items(path, text, value, entries),)
    inner = syntax.interior(text, value)
    if inner is None:
        return HOOK_LIST_IS_STRING.refusal(name=name)
    return _insert(document, value, inner, _list(entries))


def _insert(document: Document, value: Span, inner: Span, addition: str) -> tuple[Edit, ...]:
    """Make the expression at ``inner`` the rest of a list that begins with ``addition``, a list."""
    text, syntax = document.text, document.syntax
    insertions = _into_concat(text, inner, addition) if syntax is HCL else None
    return tuple(
        Edit(document.path, Span(place, place), syntax.inside(text, value, insertion))
        for place, insertion in insertions or _around(text, inner, addition)
    )


def _into_concat(text: str, inner: Span, addition: str) -> list[tuple[int, str]] | None:
    """The offset and the text to insert for a first argument of ``concat`` at ``inner``; None for other calls."""
    concat = _CONCAT.match(text, inner.start, inner.end)
    if concat is None or skip_balanced(text, concat.end() - 1) != inner.end:
        return None
    first = skip_trivia(text, concat.end())
    gap = text[concat.end() : first]
    return [(first, f"{addition},{gap if gap.strip() == '' and gap else ' '}")]


def _around(text: str, inner: Span, addition: str) -> list[tuple[int, str]]:
    """The insertions that make the expression at ``inner`` the rest of a list."""
    if text.startswith("[", inner.start) or _FOR.match(text, inner.start):
        return [(inner.start, f"concat({addition}, "), (inner.end, ")")]
    return [(inner.start, f"concat({addition}, coalesce(tolist("), (inner.end, "), []))")]
