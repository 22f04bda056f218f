"""Which stacks a setting reaches: by the stack that it names, or by the context that it belongs to.

See https://docs.spacelift.io/concepts/configuration/context: a context is attached by name, or attaches itself to
stacks with a label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from migrator.analysis.definitions import StackDefinition, TerraformDefinition
from migrator.analysis.expressions import Expression, Scope
from migrator.analysis.settings import Reach
from migrator.analysis.stacks import instances, scopes_of
from migrator.document import Document
from migrator.syntax.terraform import Block
from migrator.workspace import Workspace

_RESOURCE = re.compile(
    r"(?P<data>data\.)?(?P<type>spacelift_stack|spacelift_context|module)\.(?P<name>[\w-]+)"
    r"(?:\[(?P<key>[^\[\]]+)\])?(?:\.[\w-]+)*"
)
_REPEATED = re.compile(r"spacelift_stack\.[\w-]+")
_ATTACHMENT = "spacelift_context_attachment"


class Reaches:
    """Knows the ``stacks`` of a repository and what is attached to them."""

    def __init__(self, workspace: Workspace, stacks: Iterable[StackDefinition]) -> None:
        self._workspace = workspace
        self._stacks = tuple(stacks)

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
            found = [one for one in self._stacks if one.slug == slug]
            return Reach(tuple(found), "" if found else "the stack that it names by its slug is not defined here")
        reference = _RESOURCE.fullmatch(behind.text.strip())
        if reference is None or reference["data"]:
            return Reach(unknown="its stack is not known here")
        stacks = tuple(self._referred(reference, behind))
        return Reach(stacks, "" if stacks else "its stack is not known here")

    def _referred(self, reference: re.Match[str], expression: Expression) -> Iterator[StackDefinition]:
        address, module = f"{reference['type']}.{reference['name']}", expression.scope.module
        key = expression.derived(reference["key"]).string if reference["key"] else None
        for one in self._stacks:
            if not isinstance(one, TerraformDefinition):
                continue
            stack, call = one.source, one.source.scope.call
            is_called = (
                call is not None and call.caller is module and f"module.{'.'.join(call.block.labels)}" == address
            )
            is_here = stack.module is module and stack.address == address and call is expression.scope.call
            if is_called or (is_here and (key is None or stack.key in (None, key))):
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
            for document, block in module.blocks("resource", _ATTACHMENT):
                for scope in scopes_of(self._workspace, module):
                    for _, inner in instances(document, block, scope):
                        named = inner.argument(document, block, "context_id")
                        if named is not None and _is_same(named.behind, literal, address):
                            yield document, block, inner

    def _attached(self, document: Document, block: Block, scope: Scope) -> Reach:
        stack = _stack_id(document, block, scope)
        return Reach(unknown="a module's runs get its context too") if stack is None else self._by_stack(stack)

    def _labelled(self, scope: Scope, address: str) -> list[Reach]:
        """What a context reaches by its labels; nothing if it has none to attach itself by."""
        for document, block in scope.module.blocks("resource", "spacelift_context"):
            labels = scope.argument(document, block, "labels") if ".".join(block.labels) == address else None
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
        return [one for one in self._stacks if "*" in wanted or not wanted.isdisjoint(one.labels)]


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


def _is_same(named: Expression, literal: str | None, address: str) -> bool:
    if literal is not None:
        return named.string == literal
    found = _RESOURCE.fullmatch(named.text.strip())
    return found is not None and f"{found['data'] or ''}{found['type']}.{found['name']}" == address
