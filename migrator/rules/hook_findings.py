"""What the rules that put hooks into stacks have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from migrator.config.config import HookPlace
from migrator.model.findings import Finding, Refusal, Rewrite
from migrator.spacelift.attached.hook_context import HookContexts

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.rules.registry import Rule
    from migrator.spacelift.stacks.model import StackDefinition


def hook_findings(rule: Rule, context: Context, kind: type[StackDefinition]) -> Iterator[Finding]:
    """A finding of ``rule`` for each stack of one kind that is to get the hook in its own list."""
    for wanted in context.hook_plan.all:
        stack = wanted.stack
        if isinstance(stack, kind) and (stack.is_blueprint or context.config.hook_in is HookPlace.STACK):
            fix = context.hook_plan.settled(wanted) or context.hook_plan.prepend(wanted)
            notes = context.hook_plan.notes(wanted, fix)
            if not stack.is_blueprint:
                yield rule.finding(
                    stack.place, wanted.message, fix, wanted.group, notes, subject=stack.title, names=(wanted.code,)
                )
                continue
            needs = frozenset({wanted.group} if isinstance(fix, Rewrite) else ())
            yield replace(
                rule.finding(stack.place, wanted.message, fix, None, notes, subject=stack.title, names=(wanted.code,)),
                needs=needs,
            )


def refused_without_hook(context: Context, findings: Iterator[Finding]) -> Iterator[Finding]:
    """What needs a hook or web identity, and so is refused with ``--auth cloud-integration``."""
    for finding in findings:
        is_refused = context.config.has_integration and isinstance(finding.fix, Rewrite)
        yield (
            replace(finding, fix=Refusal("it is not known how it would live on an integration"), notes=())
            if is_refused
            else finding
        )


def hook_contexts(context: Context) -> HookContexts:
    """The contexts that hold the hooks of all stacks that are to get one."""
    stacks = (hook for hook in context.hook_plan.all if not hook.stack.is_blueprint)
    live = [(hook.stack, hook.kind) for hook in stacks if context.hook_plan.settled(hook) is None]
    return HookContexts(context.workspace, live, context.config.hook_phases)
