"""A context that holds the hook, attached to stacks: their own definitions stay as they are.

See https://search.opentofu.org/provider/spacelift-io/spacelift/latest/docs/resources/context_attachment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from migrator.spacelift.attached.diagnostics import STACK_NOT_IN_TERRAFORM
from migrator.spacelift.attached.resources import Shared, Sharing, block_edits, home_of, sharing_objection, space_of
from migrator.spacelift.stacks.contexts import SpaceliftContext
from migrator.spacelift.stacks.exchange import text_of
from migrator.spacelift.stacks.model import StackDefinition, TerraformDefinition
from migrator.syntax.hcl.strings import string_value
from migrator.syntax.terraform import Literal, NewArgument, NewBlock, Reference
from migrator.terraform.expressions.scopes import ModuleScope

if TYPE_CHECKING:
    from migrator.model.findings import Refusal
    from migrator.spacelift.hooks.in_terraform import Entries
    from migrator.spacelift.stacks.terraform import Stack
    from migrator.span import Edit
    from migrator.workspace.workspace import Workspace

_CONTEXT = Shared("spacelift_context", "spacelift_context_attachment", "context_id", "aws_oidc")


class NewContext(Struct, frozen=True):
    """A new context: the ``label``, and the ``stacks`` that share it; the file of the first stack has the context."""

    label: str
    stacks: tuple[Stack, ...]


class HookContexts:
    """The contexts of a repository that hold hooks; ``kinds`` pairs the stacks with the kinds of their hooks.

    Stacks that are not defined in Terraform are refused.
    """

    def __init__(
        self, workspace: Workspace, kinds: Sequence[tuple[StackDefinition, str]], phases: Sequence[str]
    ) -> None:
        self._workspace = workspace
        self._sharing = Sharing(workspace, _CONTEXT, kinds)
        self._kinds = [(stack, role) for stack, role in kinds if isinstance(stack, TerraformDefinition)]
        self._lists = [f"before_{phase}" for phase in phases]

    def attach(self, definition: StackDefinition, role: str, entries: Entries) -> tuple[Edit, ...] | Refusal:
        """The edits after which a context with the ``entries`` is attached to a stack."""
        refusal = context_objection(definition)
        if refusal or not isinstance(definition, TerraformDefinition):
            return refusal or STACK_NOT_IN_TERRAFORM.refusal()
        stack = definition.source
        blocks: list[tuple[Stack, NewBlock]] = []
        name = _existing(stack, entries[0].text)
        if name is None:
            name = self._sharing.label(stack, role)
            blocks.append((self._sharing.stacks(stack, role)[0], self._context(stack, name, entries)))
        attachment = self._sharing.attachment(stack, role, name, *self._priority(stack, role))
        return block_edits(self._workspace, [*blocks, (stack, attachment)])

    def _priority(self, stack: Stack, role: str) -> Iterator[NewArgument]:
        """The priority of the context, so that the hook runs before the hooks of other contexts that may call AWS."""
        same = (
            definition
            for definition, stack_kind in self._kinds
            if definition.source.block is stack.block and stack_kind == role
        )
        lowest = min(
            (definition.contexts.priority for definition in same if definition.contexts.priority is not None), default=1
        )
        if lowest <= 0:
            yield NewArgument("priority", Reference(str(lowest - 1)))

    def new_context(self, definition: StackDefinition, role: str, entries: Entries) -> NewContext | None:
        """The context that `attach` makes for a stack; None if `attach` makes none."""
        if context_objection(definition) or not isinstance(definition, TerraformDefinition):
            return None
        stack = definition.source
        if _existing(stack, entries[0].text) is not None:
            return None
        return NewContext(self._sharing.label(stack, role), tuple(self._sharing.stacks(stack, role)))

    def _context(self, stack: Stack, label: str, entries: Entries) -> NewBlock:
        space_id = space_of(stack)
        described = "Temporary AWS credentials, for which the hook exchanges the OIDC token of a run"
        arguments = [
            NewArgument("name", Literal(self._sharing.name(stack, label))),
            NewArgument("description", Literal(described)),
            *([NewArgument("space_id", Reference(space_id))] if space_id is not None else []),
            *(NewArgument(name, entries) for name in self._lists),
        ]
        return NewBlock("resource", (_CONTEXT.type, label), tuple(arguments))


def context_objection(definition: StackDefinition) -> Refusal | None:
    """The reason why no context can be attached to a stack; None if a context can be attached."""
    refusal = sharing_objection(definition)
    return replace(refusal, help="Use `--hook-in stack`.") if refusal else None


def _existing(stack: Stack, command: str) -> str | None:
    """The context beside a stack that has the very hook in the same space, if there is one."""
    for document, block in stack.module.blocks("resource", "spacelift_context"):
        hooks = SpaceliftContext(document, block, ModuleScope(stack.module)).argument("before_init")
        same_home = home_of(document, block) == home_of(stack.document, stack.block)
        if hooks is not None and same_home and any(line == command for line in _unescaped(text_of(hooks))):
            return block.labels[1]
    return None


def _unescaped(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield string_value(f'"{line}"') or ""
