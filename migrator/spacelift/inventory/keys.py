"""Where an account hands static AWS credentials to its stacks, by the names of variables and files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from migrator.spacelift.settings.model import is_static_file, is_static_variable
from migrator.spacelift.stacks.exchange import EXCHANGE

if TYPE_CHECKING:
    from migrator.spacelift.inventory.account import Context, Element, Inventory, Stack


@dataclass(frozen=True, slots=True)
class StaticKey:
    """A variable or mounted file, ``name``, of a ``holder``: the ``kind`` is ``stack`` or ``context``."""

    kind: str
    holder: str
    name: str
    is_file: bool

    @property
    def title(self) -> str:
        """The key and where it is, for people."""
        return f"{self.name} of the {self.kind} {self.holder}"


@dataclass(frozen=True)
class AccountKeys:
    """What the stacks of an ``inventory`` sign in with."""

    inventory: Inventory

    @cached_property
    def contexts(self) -> dict[str, Context]:
        """The account's contexts by their ids."""
        return {context.id: context for context in self.inventory.contexts}

    @cached_property
    def receivers(self) -> dict[str, frozenset[str]]:
        """The ids of the stacks and modules that each context is attached to, by the context's id."""
        found = {
            context.id: {stack_attachment.stack_id for stack_attachment in context.attached_stacks or ()}
            for context in self.inventory.contexts
        }
        for stack in self.inventory.stacks:
            for attachment in stack.attached_contexts or ():
                found.setdefault(attachment.context_id, set()).add(stack.id)
        return {name: frozenset(stacks) for name, stacks in found.items()}

    def contexts_of(self, stack: Stack) -> Iterator[Context]:
        """The contexts that are attached to a stack, by name or by label."""
        named = {attachment.context_id for attachment in stack.attached_contexts or ()}
        named |= {name for name, stacks in self.receivers.items() if stack.id in stacks}
        yield from (self.contexts[name] for name in sorted(named) if name in self.contexts)

    def of(self, stack: Stack) -> tuple[StaticKey, ...]:
        """The static keys that runs of a stack get, from the stack itself and from its contexts."""
        own = _static("stack", stack.id, stack.config)
        contexts = (
            key for context in self.contexts_of(stack) for key in _static("context", context.id, context.config)
        )
        return (*own, *contexts)

    def has_exchange(self, stack: Stack) -> bool:
        """Whether the stack, or a context of it, exchanges the OIDC token before init already."""
        lists = [
            stack.before_init,
            *(context.hooks.before_init for context in self.contexts_of(stack) if context.hooks is not None),
        ]
        return any(EXCHANGE in command for commands in lists for command in commands or ())

    def is_told(self, stack: Stack) -> bool:
        """Whether the account told all that a stack may get keys from."""
        known = (stack.config, stack.attached_contexts, *(context.config for context in self.contexts_of(stack)))
        names = {attachment.context_id for attachment in stack.attached_contexts or ()}
        return None not in known and names <= self.contexts.keys()


def integration_of(stack: Stack) -> str:
    """The AWS integration that signs in for a stack: its name or role; ``""`` if there is none."""
    for attachment in stack.attached_aws_integrations or ():
        return attachment.name or attachment.integration_id
    old = stack.integrations.aws if stack.integrations is not None else None
    return (old.assumed_role_arn or "") if old is not None else ""


def _static(kind: str, holder: str, config: tuple[Element, ...] | None) -> Iterator[StaticKey]:
    for element in config or ():
        is_file = element.type == "FILE_MOUNT"
        if is_static_file(element.id) if is_file else is_static_variable(element.id):
            yield StaticKey(kind, holder, element.id, is_file)
