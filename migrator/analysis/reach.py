"""Which stacks a setting reaches: by the stack that it names, or by the context that it belongs to.

See https://docs.spacelift.io/concepts/configuration/context: a context is attached by name, or attaches itself to
stacks with a label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TypeVar

from migrator.analysis.definitions import StackDefinition, TerraformDefinition
from migrator.analysis.expressions import Expression, Scope
from migrator.analysis.references import References
from migrator.analysis.settings import Reach
from migrator.analysis.stacks import instances, scopes_of
from migrator.document import Document
from migrator.syntax.terraform import Block
from migrator.workspace import Module, Workspace

_RESOURCE = re.compile(
    r"(?P<data>data\.)?(?P<type>spacelift_stack|spacelift_context|module)\.(?P<name>[\w-]+)"
    r"(?:\[(?P<key>[^\[\]]+)\])?(?:\.[\w-]+)*"
)
_REPEATED = re.compile(r"spacelift_stack\.[\w-]+")
_ATTACHMENT = "spacelift_context_attachment"

_K = TypeVar("_K")
_V = TypeVar("_V")
_Name = str | tuple[str]
"""What a resource calls a context: its slug, and in a tuple its address."""


class Reaches:
    """Knows the ``stacks`` of a repository, what is attached to them, and the ``references`` between its resources.

    Each of many settings asks: what they ask about is indexed once.
    """

    def __init__(self, workspace: Workspace, stacks: Iterable[StackDefinition]) -> None:
        self._workspace = workspace
        self._stacks = tuple(stacks)
        self._attached_in: dict[Module, dict[_Name, list[tuple[Document, Block, Scope]]]] = {}
        self.references = References()

    @cached_property
    def _by_slug(self) -> dict[str | None, list[StackDefinition]]:
        return _grouped((one.slug, one) for one in self._stacks)

    @cached_property
    def _by_address(self) -> dict[tuple[Module, str], list[tuple[TerraformDefinition, bool]]]:
        """The stacks of Terraform by module and address, and those that a call makes by the call's: True for these."""
        found: list[tuple[tuple[Module, str], tuple[TerraformDefinition, bool]]] = []
        for one in self._stacks:
            if isinstance(one, TerraformDefinition):
                call = one.source.scope.call
                found.append(((one.source.module, one.source.address), (one, False)))
                if call is not None:
                    found.append(((call.caller, f"module.{'.'.join(call.block.labels)}"), (one, True)))
        return _grouped(found)

    @cached_property
    def _by_label(self) -> dict[str, list[int]]:
        return _grouped((label, number) for number, one in enumerate(self._stacks) for label in one.labels)

    def of(self, document: Document, block: Block, scope: Scope) -> Reach:
        """The stacks that a resource in ``scope`` reaches by ``stack_id`` or ``context_id``."""
        if (stack := _stack_id(document, block, scope)) is not None:
            return self._by_stack(stack)
        if (context := scope.argument(document, block, "context_id")) is not None:
            return self._by_context(context.behind)
        return Reach(unknown="it names neither a stack nor a context")

    def _by_stack(self, named: Expression) -> Reach:
        behind = named.behind
        slug = behind.string
        if slug is not None:
            found = self._by_slug.get(slug, [])
            return Reach(tuple(found), "" if found else "the stack that it names by its slug is not defined here")
        reference = _RESOURCE.fullmatch(behind.text.strip())
        if reference is None or reference["data"]:
            return Reach(unknown="its stack is not known here")
        stacks = tuple(self._referred(reference, behind))
        return Reach(stacks, "" if stacks else "its stack is not known here")

    def _referred(self, reference: re.Match[str], expression: Expression) -> Iterator[StackDefinition]:
        address, module = f"{reference['type']}.{reference['name']}", expression.scope.module
        key = expression.derived(reference["key"]).string if reference["key"] else None
        for one, is_made_by_call in self._by_address.get((module, address), ()):
            is_here = one.source.scope.call is expression.scope.call
            if is_made_by_call or (is_here and (key is None or one.source.key in (None, key))):
                yield one

    def _by_context(self, context: Expression) -> Reach:
        literal = context.string
        reference = _RESOURCE.fullmatch(context.text.strip())
        if literal is None and (reference is None or reference["type"] == "module"):
            return Reach(unknown="its context is not known here")
        address = f"{reference['data'] or ''}spacelift_context.{reference['name']}" if reference else ""
        found = [self._attached(*one) for one in self._attachments(context, literal, address)]
        labelled = self._labelled(context.scope, address)
        reaches = [*found, *labelled]
        if not reaches:
            return Reach(unknown="nothing that is known here attaches its context")
        stacks = dict.fromkeys(stack for one in reaches for stack in one.stacks)
        unknown = next((one.unknown for one in reaches if one.unknown), "")
        if not stacks and not unknown:
            unknown = "no stack here has the label by which its context attaches itself"
        return Reach(tuple(stacks), unknown, tuple(label for one in labelled for label in one.labels))

    def _attachments(
        self, context: Expression, literal: str | None, address: str
    ) -> Iterator[tuple[Document, Block, Scope]]:
        modules = self._workspace.modules.values() if literal is not None else (context.scope.module,)
        for module in modules:
            yield from self._attachments_in(module).get(literal if literal is not None else (address,), ())

    def _attachments_in(self, module: Module) -> dict[_Name, list[tuple[Document, Block, Scope]]]:
        """The attachments of a module by the slug of their context, or by its address."""
        if module not in self._attached_in:
            self._attached_in[module] = _grouped(
                (name, (document, block, inner))
                for document, block in module.blocks("resource", _ATTACHMENT)
                for outer in scopes_of(self._workspace, module)
                for _, inner in instances(document, block, outer)
                for name in _names(inner.argument(document, block, "context_id"))
            )
        return self._attached_in[module]

    def _attached(self, document: Document, block: Block, scope: Scope) -> Reach:
        stack = _stack_id(document, block, scope)
        return Reach(unknown="a module's runs get its context too") if stack is None else self._by_stack(stack)

    def _labelled(self, scope: Scope, address: str) -> list[Reach]:
        """What a context reaches by its labels; nothing if it has none to attach itself by."""
        for document, block in scope.module.blocks("resource", tuple(address.split("."))):
            labels = scope.argument(document, block, "labels")
            if labels is None or labels.is_null:
                continue
            if labels.strings is None:
                return [Reach(unknown="the labels of its context are not known here")]
            wanted = _attaching(labels.strings)
            return [Reach(tuple(self.labelled(labels.strings)), "", tuple(sorted(wanted)))] if wanted else []
        return []

    def labelled(self, labels: Iterable[str]) -> list[StackDefinition]:
        """The stacks that something with ``labels`` attaches itself to."""
        wanted = _attaching(labels)
        if "*" in wanted:
            return list(self._stacks)
        return [
            self._stacks[number]
            for number in sorted({one for label in wanted for one in self._by_label.get(label, ())})
        ]


def resources(workspace: Workspace, type_: str) -> Iterator[tuple[Document, Block, Scope]]:
    """Every resource of a type of Spacelift's, once for each scope that its module and ``for_each`` make."""
    for module in workspace.modules.values():
        for document, block in module.blocks("resource", type_) if module.is_interesting else ():
            for outer in scopes_of(workspace, module):
                for _, scope in instances(document, block, outer):
                    yield document, block, scope


def _attaching(labels: Iterable[str]) -> set[str]:
    return {one.removeprefix("autoattach:") for one in labels if one.startswith("autoattach:")}


def _stack_id(document: Document, block: Block, scope: Scope) -> Expression | None:
    """The stack that a resource names; of one that stacks repeat, ``each.value`` is each of them."""
    named, each = scope.argument(document, block, "stack_id"), block.attribute("for_each")
    stacks = document.expression(each) if each is not None else ""
    if named is None or not named.text.startswith("each.value") or not _REPEATED.fullmatch(stacks):
        return named
    return named.derived(named.text.replace("each.value", stacks, 1))


def _names(context: Expression | None) -> Iterator[_Name]:
    """Each of the names that an attachment has for its context."""
    behind = context.behind if context is not None else None
    if behind is not None and behind.string is not None:
        yield behind.string
    found = _RESOURCE.fullmatch(behind.text.strip()) if behind is not None else None
    if found is not None:
        yield (f"{found['data'] or ''}{found['type']}.{found['name']}",)


def _grouped(pairs: Iterable[tuple[_K, _V]]) -> dict[_K, list[_V]]:
    found: dict[_K, list[_V]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found
