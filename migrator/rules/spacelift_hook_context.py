r"""With ``--hook-in context``: a ``spacelift_context`` holds the hook, and is attached to the stacks that need it.

The hooks of contexts run before the stack's own: https://docs.spacelift.io/concepts/stack/stack-settings.

Before, with ``--hook-in context``:

```hcl
# stacks.tf
resource "spacelift_stack" "app" {
  name         = "app"
  repository   = "shop"
  branch       = "main"
  manage_state = false
}
```

```hcl
# main.tf
terraform {
  backend "s3" {
    bucket   = "state"
    key      = "app.tfstate"
    role_arn = "arn:aws:iam::123456789012:role/terraform-state"
  }
}
```

After:

```hcl
# main.tf
terraform {
  backend "s3" {
    bucket = "state"
    key    = "app.tfstate"
    # role_arn = "arn:aws:iam::123456789012:role/terraform-state"
  }
}
```

```hcl
# stacks.tf
resource "spacelift_stack" "app" {
  name         = "app"
  repository   = "shop"
  branch       = "main"
  manage_state = false
}

resource "spacelift_context" "aws_oidc" {
  name        = "aws-oidc-shop"
  description = "Temporary AWS credentials, for which the hook exchanges the OIDC token of a run"
  before_init = [
    "export $(printf … --role-arn …:role/terraform-state …)",
    # Stop the run if AWS denied the exchange: the export succeeds all the same.
    "test -n \"$AWS_SESSION_TOKEN\"",
  ]
}

resource "spacelift_context_attachment" "aws_oidc_app" {
  context_id = spacelift_context.aws_oidc.id
  stack_id   = spacelift_stack.app.id
}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.config.config import HookPlace
from migrator.model.findings import Finding, Refusal, Rewrite
from migrator.rules.hook_findings import hook_contexts
from migrator.rules.registry import Rule

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.hooks import PlannedHook
    from migrator.spacelift.attached.hook_context import HookContexts


def check(context: Context) -> Iterator[Finding]:
    """A finding for each stack of a root module that needs the hook."""
    if context.config.hook_in is not HookPlace.CONTEXT:
        return
    contexts = hook_contexts(context)
    for hook in context.hook_plan.all:
        if not hook.stack.is_blueprint:
            yield _finding(context, contexts, hook)


def _finding(context: Context, contexts: HookContexts, hook: PlannedHook) -> Finding:
    hook_plan, stack = context.hook_plan, hook.stack
    fix = hook_plan.fate_without_edit(hook)
    if fix is None:
        edits = contexts.attach(stack, hook.kind, hook_plan.entries(hook.role, hook.region))
        fix = edits if isinstance(edits, Refusal) else Rewrite(edits, "A context with the hook is attached.")
    notes = hook_plan.notes(hook, fix)
    return RULE.finding(stack.place, hook.message, fix, hook.group, notes, subject=stack.title, names=(hook.code,))


RULE = Rule("spacelift-hook-context", "a context with the hook is attached to the stack", check)
