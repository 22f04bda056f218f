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
from migrator.model.findings import Finding, LeftAlone, Note, Refusal
from migrator.rules.hook_findings import hook_findings
from migrator.rules.registry import Rule
from migrator.spacelift.stacks.model import TerraformDefinition
from migrator.spacelift.stacks.runtime_config import PATH

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.hooks import Target


BY_HAND = Diagnostic(
    "stack-made-in-spacelift",
    found="This stack is made in Spacelift's pages: no code of this run defines {stack}.",
    why="Only code can be changed here.",
    help="attach the hook: tf-oidc-migrate attach --inventory FILE --output DIR REPO",
    page="An inventory lists the stack, and no code of the run defines the stack. `tf-oidc-migrate attach` writes a"
    " Terraform module with a context that has the hook, and attaches the context to the stack: see"
    " docs/inventory.md.",
)
FROM_TEMPLATE = Diagnostic(
    "stack-made-from-template",
    found="The stack {stack} may be made from the template at {templates}.",
    why="A stack keeps the version of the template that made the stack.",
    help="update the stack to a version of the template with the hook, or attach the hook: "
    "tf-oidc-migrate attach --stack ID",
)
OF_TEMPLATE = "give the hook, before the code is merged, to these stacks, which a template may have made:"
ATTACH = "attach the hook with tf-oidc-migrate attach, before the code is merged, to the stacks"


def check(context: Context) -> Iterator[Finding]:
    """A finding for each stack of a root module that needs the hook; one with the hook to paste where none is known."""
    for target in context.hook_plan.targets:
        yield from _of_target(context, target)
    yield from hook_findings(RULE, context, TerraformDefinition)


def _of_target(context: Context, target: Target) -> Iterator[Finding]:
    refused = next((stack for stack in target.runners.elsewhere if stack.refusal), None)
    if isinstance(target.role, Refusal):
        yield RULE.finding(target.place, "the role of the hook", target.role, target.group)
    elif refused is not None:
        fix = Refusal(f"its stack at {refused.repo}: {refused.place} is refused: {refused.refusal}")
        yield RULE.finding(target.place, "the hook of its stack", fix, target.group)
    elif not target.runners.here and not target.runners.elsewhere and target.path not in context.facts.tested:
        notes = context.hook_plan.to_paste(target.role, target.title, target.region)
        if context.hook_plan.runtime.sets_hooks:
            notes.append(Note("the hook must be in this file as well, where its lists replace a stack's:", (PATH,)))
        fate = LeftAlone("no stack definition found")
        yield RULE.finding(target.place, "the hook of its stack", fate, target.group, notes)
    else:
        for stack in target.runners.elsewhere:
            if stack.is_by_hand and not stack.has_hook:
                note = Note(ATTACH, (stack.slug_in_account,), code=BY_HAND.code, help=BY_HAND.help)
                alone = BY_HAND.left_alone(stack=stack.title)
                if templates := context.templates_of(target.path):
                    note = Note(OF_TEMPLATE, (stack.slug_in_account,), code=FROM_TEMPLATE.code, help=FROM_TEMPLATE.help)
                    alone = FROM_TEMPLATE.left_alone(stack=stack.title, templates=", ".join(templates))
                yield RULE.finding(target.place, f"the hook of {stack.place}", alone, target.group, (note,))


RULE = Rule("spacelift-hook-hcl", "the stack exports temporary credentials before terraform init", check)
