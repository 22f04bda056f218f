"""Spacelift's documented hook becomes the first ``before_init`` entry of the stack that runs a migrated root module.

It exports temporary credentials, for which the stack's OIDC token is exchanged, before ``terraform init`` reads the
backend: https://docs.spacelift.io/integrations/cloud-providers/oidc/aws-oidc.
"""

from __future__ import annotations

from collections.abc import Iterator

from migrator.analysis.facts import Root
from migrator.analysis.stacks import Stack
from migrator.config import ROLE_VARIABLE, Config, is_role_arn
from migrator.edits.before_init import prepend_hook
from migrator.edits.hook import SHELL_ROLE, has_hook, hook
from migrator.edits.role_variable import value_note
from migrator.model import Finding, Fix, Ignored, LeftAlone, Note, Refusal, Rewrite
from migrator.rules.registry import Context, Rule
from migrator.syntax import hcl


def check(context: Context) -> Iterator[Finding]:
    """A finding for each stack of a root module that needs the hook; one with the hook to paste where none is known."""
    for root in context.facts.roots:
        if root.needs_hook(context.config.include_ambient):
            role = _role(root, context.config)
            if isinstance(role, Refusal):
                yield RULE.finding(root.backend.place, "the role of the hook", role, root.group)
            else:
                yield from _findings(context, root, role)


def _findings(context: Context, root: Root, role: str) -> Iterator[Finding]:
    command, path = hook(role, context.config.token_file), root.module.path or "."
    notes = [value_note(ROLE_VARIABLE, path)] if role == SHELL_ROLE else []
    task = "make this the first before_init entry of the stacks that run"
    paste = [*notes, Note(task, (path,), command)]
    for stack in root.stacks:
        message = f"{stack.title}, which runs {path}"
        if stack.is_ignored:
            yield RULE.finding(stack.place, message, Ignored("a comment says so"), root.group, paste)
        else:
            yield RULE.finding(stack.place, message, _fix(stack, command), root.group, notes)
    if not root.stacks:
        fix = LeftAlone("no stack definition found")
        yield RULE.finding(root.backend.place, "the hook of its stack", fix, root.group, paste)


def _role(root: Root, config: Config) -> str | Refusal:
    """The role for the state: the one asked for, the one that reached it before, the providers', the shell's."""
    if config.backend_role_arn is not None:
        return config.backend_role_arn
    if len(root.role_arns) > 1:
        return Refusal("its backend assumes one of several roles: name the hook's by --backend-role-arn")
    for expression in root.role_arns:
        role = hcl.string_value(expression)
        if role is None or not is_role_arn(role):
            return Refusal("the backend's role_arn is no literal ARN of a role: name the hook's by --backend-role-arn")
        return role
    return config.role_arn or SHELL_ROLE


def _fix(stack: Stack, command: str) -> Fix:
    if has_hook(stack):
        return LeftAlone("its before_init has the hook already")
    if stack.is_overridden:
        return Refusal("an override file changes it too, and may replace its hooks")
    if stack.ignores_hooks:
        return Refusal("its lifecycle ignores changes of before_init, so that a hook would never be applied")
    edits = prepend_hook(stack, command)
    return edits if isinstance(edits, Refusal) else Rewrite(edits, "the hook, first in before_init")


RULE = Rule("spacelift-hook-hcl", "the stack exports temporary credentials before terraform init", check)
