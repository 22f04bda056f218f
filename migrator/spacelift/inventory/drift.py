"""The differences between the code of a stack and the account: the account is the present state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.model.engine import verdict
from migrator.spacelift.stacks.exchange import EVERY_LIST
from migrator.spacelift.stacks.model import TerraformDefinition

if TYPE_CHECKING:
    from migrator.model.fleet import KnownStack
    from migrator.spacelift.inventory.account import Stack
    from migrator.spacelift.stacks.model import StackDefinition

_CODE = {
    "repository": "the repository",
    "namespace": "the namespace",
    "branch": "the branch",
    "project_root": "the project root",
}


def drift(definition: StackDefinition, known_stack: KnownStack, stack: Stack) -> Iterator[str]:
    """A sentence for each difference between the ``definition`` and the account; unknown values do not differ.

    ``known_stack`` and ``stack`` are the account's.
    """
    for name, setting in _CODE.items():
        written, in_account = getattr(definition.code, name), getattr(known_stack.code, name)
        if written and in_account is not None and written.lower() != in_account.lower():
            yield _difference(setting, written, in_account or ".")
    contradiction = verdict((*known_stack.evidence, *definition.evidence)).contradiction
    if contradiction is not None:
        yield f"{contradiction[0]}, but {contradiction[1]}."
    flags = (
        ("waiting for confirmation", definition.waits, None if stack.autodeploy is None else not stack.autodeploy),
        ("state in Spacelift", definition.manages_state, stack.manages_state_file),
    )
    for setting, written, in_account in flags:
        if written is not None and in_account is not None and written is not in_account:
            yield _difference(setting, "yes" if written else "no", "yes" if in_account else "no")
    if isinstance(definition, TerraformDefinition):
        yield from _in_terraform(definition, known_stack, stack)


def _in_terraform(definition: TerraformDefinition, known_stack: KnownStack, stack: Stack) -> Iterator[str]:
    space = definition.source.argument("space_id")
    written = space.string if space is not None else None
    if written and stack.space and written != stack.space:
        yield _difference("the space", written, stack.space)
    if definition.source.has_known_labels and stack.labels is not None:
        missing = sorted(definition.source.labels - set(stack.labels))
        extra = sorted(set(stack.labels) - definition.source.labels)
        if missing or extra:
            yield _difference("the labels", ", ".join(missing) or "no more", ", ".join(extra) or "no more")
    lists = dict(known_stack.lists)
    for name in EVERY_LIST:
        argument, in_account = definition.source.argument(name), lists.get(name, ())
        commands = () if argument is None or argument.is_null else argument.strings
        if commands is not None and in_account is not None and tuple(commands) != in_account:
            yield f"Code has {_count(commands)} in {name}, and Spacelift {_count(in_account)}. The lists differ."


def _count(commands: tuple[str, ...]) -> str:
    return f"{len(commands)} command{'' if len(commands) == 1 else 's'}"


def _difference(setting: str, written: str, in_account: str) -> str:
    return f"For {setting}, code says {written}, and Spacelift {in_account}."
