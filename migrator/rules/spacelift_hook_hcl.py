r"""Spacelift's documented hook becomes the first ``before_init`` entry of the stack that runs a migrated root module.

It exports temporary credentials, for which the stack's OIDC token is exchanged, before ``terraform init`` reads the
backend: https://docs.spacelift.io/integrations/cloud-providers/oidc/aws-oidc.

Before:

```hcl
# stacks.tf
resource "spacelift_stack" "app" {
  name         = "app"
  repository   = "shop"
  branch       = "main"
  manage_state = false
  before_init  = [
    "make generated",
  ]
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
  before_init  = [
    "export $(printf … --role-arn …:role/terraform-state …)",
    # Stop the run if AWS denied the exchange: the export succeeds all the same.
    "test -n \"$AWS_SESSION_TOKEN\"",
    "make generated",
  ]
}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.model.diagnostics import Diagnostic
from migrator.model.findings import Finding, Refusal
from migrator.rules.hook_findings import hook_findings
from migrator.rules.registry import Rule
from migrator.spacelift.diagnostics import NO_STACK_DEFINITION, STACK_ELSEWHERE_REFUSED
from migrator.spacelift.stacks.model import TerraformDefinition
from migrator.spacelift.stacks.runtime_config import PATH

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.hooks import Target


ADD_HOOK_TO_RUNTIME_CONFIG = Diagnostic(
    "add-hook-to-runtime-config",
    found="Add the hook to this file too.",
    why="Lists of hooks in the file replace the lists of the stack.",
    help="Make the hook the first entry of each `before_init` list in the file that applies to the stack.",
)


def check(context: Context) -> Iterator[Finding]:
    """A finding for each stack of a root module that needs the hook; with the hook to paste if no stack is known."""
    for target in context.hook_plan.targets:
        yield from _of_target(context, target)
    yield from hook_findings(RULE, context, TerraformDefinition)


def _of_target(context: Context, target: Target) -> Iterator[Finding]:
    refused = next((stack for stack in target.runners.elsewhere if stack.refusal), None)
    if isinstance(target.role, Refusal):
        yield RULE.finding(target.place, "the role of the hook", target.role, target.group)
    elif refused is not None:
        fix = STACK_ELSEWHERE_REFUSED.refusal(repo=refused.repo, place=refused.place, reason=refused.refusal)
        yield RULE.finding(target.place, "the hook of its stack", fix, target.group)
    elif not target.runners.here and not target.runners.elsewhere and target.path not in context.facts.tested:
        notes = context.hook_plan.to_paste(target.role, target.title, target.region)
        if context.hook_plan.runtime.sets_hooks:
            notes.append(ADD_HOOK_TO_RUNTIME_CONFIG.note(PATH))
        fate = NO_STACK_DEFINITION.left_alone()
        yield RULE.finding(target.place, "the hook of its stack", fate, target.group, notes)


RULE = Rule("spacelift-hook-hcl", "the stack exports temporary credentials before terraform init", check)
