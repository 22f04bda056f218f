"""What the rules that put hooks into stacks have in common."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.analysis.definitions import StackDefinition
from migrator.config import HookPlace
from migrator.edits.context import HookContexts
from migrator.model import Finding
from migrator.rules.registry import Context, Rule


def hook_findings(rule: Rule, context: Context, kind: type[StackDefinition]) -> Iterator[Finding]:
    """A finding of ``rule`` for each stack of one kind that is to get the hook in its own list."""
    if context.config.hook_in is HookPlace.STACK:
        for wanted in context.wishes.all:
            if isinstance(wanted.stack, kind):
                fix = context.wishes.settled(wanted) or context.wishes.prepend(wanted)
                notes = context.wishes.notes(wanted, fix)
                yield rule.finding(wanted.stack.place, wanted.message, fix, wanted.group, notes)


def hook_contexts(context: Context) -> HookContexts:
    """The contexts that hold the hooks of all stacks that are to get one."""
    live = [(one.stack, one.role) for one in context.wishes.all if context.wishes.settled(one) is None]
    return HookContexts(context.workspace, live, context.config.hook_phases)
