"""Variables that are set for the runs of stacks: ``spacelift_environment_variable`` on the stack or its context.

See https://search.opentofu.org/provider/spacelift-io/spacelift/latest/docs/resources/environment_variable. Roles and
paths are no secrets, so that Spacelift may show their values: ``write_only = false``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.spacelift.attached.diagnostics import STACK_NOT_IN_TERRAFORM, STACK_VALUES_DIFFER
from migrator.spacelift.attached.hook_context import context_objection
from migrator.spacelift.attached.resources import (
    Shared,
    Sharing,
    block_edits,
    free_label,
    identifier,
    objection,
    repeated,
    space_of,
)
from migrator.spacelift.stacks.model import StackDefinition, TerraformDefinition
from migrator.syntax.terraform import Literal, NewArgument, NewBlock, Reference

if TYPE_CHECKING:
    from migrator.model.findings import Refusal
    from migrator.spacelift.stacks.terraform import Stack
    from migrator.span import Edit
    from migrator.workspace.workspace import Workspace

_TYPE = "spacelift_environment_variable"
_CONTEXT = Shared("spacelift_context", "spacelift_context_attachment", "context_id", "aws_oidc")


class Variable(Struct, frozen=True):
    """A variable of the environment, and its value."""

    name: str
    value: str


class VariableResources:
    """The resources that set variables; ``variables`` pairs ``stacks`` of the repository with their variables."""

    def __init__(
        self,
        workspace: Workspace,
        stacks: Sequence[StackDefinition],
        variables: Sequence[tuple[StackDefinition, Variable]],
    ) -> None:
        self._workspace = workspace
        self._stacks = [stack.source for stack in stacks if isinstance(stack, TerraformDefinition)]
        self._variables = [
            (stack.source, variable) for stack, variable in variables if isinstance(stack, TerraformDefinition)
        ]

    def of_stack(self, definition: StackDefinition, variable: Variable) -> tuple[Edit, ...] | Refusal:
        """The edits that set the variable for the stack, and for no other stack without need."""
        refusal = objection(definition)
        if refusal or not isinstance(definition, TerraformDefinition):
            return refusal or STACK_NOT_IN_TERRAFORM.refusal()
        stack = definition.source
        siblings = [sibling for sibling in self._stacks if sibling.block is stack.block]
        setters = [sibling for sibling in siblings if (sibling, variable) in self._variables]
        if len(setters) < len(siblings) and (
            stack.scope.call is not None or None in [sibling.key for sibling in siblings]
        ):
            return STACK_VALUES_DIFFER.refusal(name=variable.name)
        keys = () if len(setters) == len(siblings) else dict.fromkeys(sibling.key for sibling in setters)
        repetition, address = repeated(stack, keys)
        holder = NewArgument("stack_id", Reference(f"{address}.id"))
        return block_edits(self._workspace, [(stack, self._resource(stack, variable, (*repetition, holder)))])

    def of_context(self, stack: Stack, context: str, variable: Variable) -> tuple[Edit, ...] | Refusal:
        """The edits after which the context of that label, in the file of ``stack``, has the variable."""
        holder = NewArgument("context_id", Reference(f"spacelift_context.{context}.id"))
        label = free_label(stack.module, _TYPE, f"{context}_{identifier(variable.name)}")
        return block_edits(self._workspace, [(stack, _block(label, (holder,), variable))])

    def _resource(self, stack: Stack, variable: Variable, arguments: tuple[NewArgument, ...]) -> NewBlock:
        """The resource, with a label that differs from the labels for other values of the block's stacks."""
        values = dict.fromkeys(
            other_variable.value
            for other, other_variable in self._variables
            if other.block is stack.block and other_variable.name == variable.name
        )
        number = list(values).index(variable.value) + 1
        label = f"{stack.block.labels[1]}_{identifier(variable.name)}" + (f"_{number}" if number > 1 else "")
        return _block(free_label(stack.module, _TYPE, label), arguments, variable)


class VariableContexts:
    """Contexts with variables that runs sign in with; ``required`` pairs stacks with their variables."""

    def __init__(self, workspace: Workspace, required: Sequence[tuple[StackDefinition, tuple[Variable, ...]]]) -> None:
        self._workspace = workspace
        self._sharing = Sharing(workspace, _CONTEXT, [(stack, _key(variables)) for stack, variables in required])

    def attach(self, definition: StackDefinition, variables: tuple[Variable, ...]) -> tuple[Edit, ...] | Refusal:
        """The edits after which a context with the ``variables`` is attached to a stack."""
        refusal = context_objection(definition)
        if refusal or not isinstance(definition, TerraformDefinition):
            return refusal or STACK_NOT_IN_TERRAFORM.refusal()
        stack, key = definition.source, _key(variables)
        label, first, space = self._sharing.label(stack, key), self._sharing.stacks(stack, key)[0], space_of(stack)
        arguments = (
            NewArgument("name", Literal(self._sharing.name(stack, label))),
            NewArgument("description", Literal("The IAM role that runs assume with their OIDC token")),
            *([NewArgument("space_id", Reference(space))] if space is not None else []),
        )
        blocks = [(first, NewBlock("resource", (_CONTEXT.type, label), arguments))]
        holder = NewArgument("context_id", Reference(f"{_CONTEXT.type}.{label}.id"))
        for variable in variables:
            name = free_label(stack.module, _TYPE, f"{label}_{identifier(variable.name)}")
            blocks.append((first, _block(name, (holder,), variable)))
        return block_edits(self._workspace, [*blocks, (stack, self._sharing.attachment(stack, key, label))])


def _key(variables: tuple[Variable, ...]) -> str:
    """The key that stacks with a common context share: the role comes last, since labels are made from the role."""
    return " ".join(variable.value for variable in sorted(variables, key=lambda variable: variable.name, reverse=True))


def _block(label: str, arguments: tuple[NewArgument, ...], variable: Variable) -> NewBlock:
    assignment = (
        NewArgument("name", Literal(variable.name)),
        NewArgument("value", Literal(variable.value)),
        NewArgument("write_only", Reference("false")),
    )
    return NewBlock("resource", (_TYPE, label), (*arguments, *assignment))
