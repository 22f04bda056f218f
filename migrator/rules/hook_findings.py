"""Common parts of the rules that put hooks into stacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from migrator.config.config import HookPlace
from migrator.model.diagnostics import Diagnostic
from migrator.model.findings import Finding, LeftAlone, Refusal, Rewrite
from migrator.spacelift.attached.hook_context import HookContexts

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.rules.registry import Rule
    from migrator.spacelift.stacks.model import StackDefinition

INTEGRATION_UNSUPPORTED = Diagnostic(
    "integration-unsupported",
    found="`--auth cloud-integration` does not support code that Terragrunt or CDKTF configures.",
    why="Nothing was changed.",
    help="Use `--auth oidc` for this code.",
    page="""\
With Spacelift's AWS integration, runs get AWS keys in the environment, and the code needs no sign-in of its own. Taking
the credentials out is supported for Terraform's own files.

For Terragrunt and CDKTF, use `--auth oidc`, or remove the credentials by hand.""",
)


def hook_findings(rule: Rule, context: Context, kind: type[StackDefinition]) -> Iterator[Finding]:
    """A finding of ``rule`` for each stack of one kind that gets the hook in its own list."""
    for hook in context.hook_plan.all:
        stack = hook.stack
        if isinstance(stack, kind) and (stack.is_blueprint or context.config.hook_in is HookPlace.STACK):
            fix = context.hook_plan.fate_without_edit(hook) or context.hook_plan.prepend(hook)
            notes = context.hook_plan.notes(hook, fix)
            if not stack.is_blueprint:
                yield rule.finding(
                    stack.place, hook.message, fix, hook.group, notes, subject=stack.title, names=(hook.code,)
                )
                continue
            needs = frozenset({hook.group} if isinstance(fix, Rewrite) else ())
            finding = rule.finding(stack.place, hook.message, fix, None, notes, subject=stack.title, names=(hook.code,))
            yield replace(finding, needs=needs)


def refused_without_hook(context: Context, findings: Iterator[Finding]) -> Iterator[Finding]:
    """The findings, with a refusal of every rewrite that ``--auth cloud-integration`` does not support."""
    for finding in findings:
        is_refused = context.config.has_integration and isinstance(finding.fix, Rewrite)
        yield replace(finding, fix=INTEGRATION_UNSUPPORTED.refusal(), notes=()) if is_refused else finding


def hook_contexts(context: Context) -> HookContexts:
    """The contexts with the hooks of all stacks that get one."""
    stacks = (hook for hook in context.hook_plan.all if not hook.stack.is_blueprint)
    changing = [(hook.stack, hook.kind) for hook in stacks if context.hook_plan.fate_without_edit(hook) is None]
    return HookContexts(context.workspace, changing, context.config.hook_phases)


def as_left_alone(refusal: Refusal) -> LeftAlone:
    """The place left alone for the reason of a ``refusal``: no migrated code depends on the place."""
    return LeftAlone(refusal.reason, code=refusal.code, help=refusal.help)
