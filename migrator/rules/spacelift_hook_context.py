"""With ``--hook-in context``: a ``spacelift_context`` holds the hook, and is attached to the stacks that need it.

The hooks of contexts run before the stack's own: https://docs.spacelift.io/concepts/stack/stack-settings.
"""

from __future__ import annotations

from collections.abc import Iterator

from migrator.config import HookPlace
from migrator.edits.context import HookContexts
from migrator.edits.wanted import Wanted
from migrator.model import Finding, Refusal, Rewrite
from migrator.rules.hooks import hook_contexts
from migrator.rules.registry import Context, Rule


def check(context: Context) -> Iterator[Finding]:
    """A finding for each stack of a root module that needs the hook."""
    if context.config.hook_in is not HookPlace.CONTEXT:
        return
    contexts = hook_contexts(context)
    for one in context.wishes.all:
        yield _finding(context, contexts, one)


def _finding(context: Context, contexts: HookContexts, wanted: Wanted) -> Finding:
    wishes, stack = context.wishes, wanted.stack
    fix = wishes.settled(wanted)
    if fix is None:
        edits = contexts.attach(stack, wanted.role, wishes.entries(wanted.role))
        fix = edits if isinstance(edits, Refusal) else Rewrite(edits, "a context with the hook is attached")
    return RULE.finding(stack.place, wanted.message, fix, wanted.group, wishes.notes(wanted, fix))


RULE = Rule("spacelift-hook-context", "a context with the hook is attached to the stack", check)
