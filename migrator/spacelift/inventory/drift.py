"""Where the code that defines a stack and the account disagree: the account is what runs today."""

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


def drift(definition: StackDefinition, known: KnownStack, stack: Stack) -> Iterator[str]:
    """A sentence for each thing that the ``definition`` says otherwise than the account; what is not known is none.

    ``known`` and ``stack`` are the account's.
    """
    for name, setting in _CODE.items():
        written, shown = getattr(definition.code, name), getattr(known.code, name)
        if written and shown is not None and written.lower() != shown.lower():
            yield _said(setting, written, shown or ".")
    contradiction = verdict((*known.evidence, *definition.evidence)).contradiction
    if contradiction is not None:
        yield f"{contradiction[0]}, but {contradiction[1]}."
    plain = (
        ("waiting for confirmation", definition.waits, None if stack.autodeploy is None else not stack.autodeploy),
        ("state in Spacelift", definition.manages_state, stack.manages_state_file),
    )
    for setting, written, shown in plain:
        if written is not None and shown is not None and written is not shown:
            yield _said(setting, "yes" if written else "no", "yes" if shown else "no")
    if isinstance(definition, TerraformDefinition):
        yield from _in_terraform(definition, known, stack)


def _in_terraform(definition: TerraformDefinition, known: KnownStack, stack: Stack) -> Iterator[str]:
    space = definition.source.argument("space_id")
    written = space.string if space is not None else None
    if written and stack.space and written != stack.space:
        yield _said("the space", written, stack.space)
    if definition.source.has_known_labels and stack.labels is not None:
        missing = sorted(definition.source.labels - set(stack.labels))
        extra = sorted(set(stack.labels) - definition.source.labels)
        if missing or extra:
            yield _said("the labels", ", ".join(missing) or "no more", ", ".join(extra) or "no more")
    lists = dict(known.lists)
    for name in EVERY_LIST:
        argument, shown = definition.source.argument(name), lists.get(name, ())
        commands = () if argument is None or argument.is_null else argument.strings
        if commands is not None and shown is not None and tuple(commands) != shown:
            yield f"Code has {_counted(commands)} in {name}, and Spacelift {_counted(shown)}. The lists differ."


def _counted(commands: tuple[str, ...]) -> str:
    return f"{len(commands)} command{'' if len(commands) == 1 else 's'}"


def _said(setting: str, written: str, shown: str) -> str:
    return f"For {setting}, code says {written}, and Spacelift {shown}."
