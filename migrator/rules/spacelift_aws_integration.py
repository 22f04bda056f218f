"""With ``--auth cloud-integration``: Spacelift's own AWS integration is attached to the stacks, in place of OIDC.

Spacelift assumes the role itself, and hands its credentials to the run:
https://docs.spacelift.io/integrations/cloud-providers/aws. Static keys, profiles and the backend's role go. A stack
that has an integration already keeps it. The role must trust Spacelift's account before the attachment is applied, as
it is tried out then: the summary has the role with that trust policy, ready to paste.

Before, with ``--auth cloud-integration --role-arn arn:aws:iam::123456789012:role/shop``:

```hcl
# main.tf
provider "aws" {
  region  = "eu-west-1"
  profile = "production"
}
```

```hcl
# stacks/main.tf
resource "spacelift_stack" "shop" {
  name       = "shop"
  repository = "shop"
  branch     = "main"
}
```

After:

```hcl
# main.tf
provider "aws" {
  region = "eu-west-1"
}
```

```hcl
# stacks/main.tf
resource "spacelift_stack" "shop" {
  name       = "shop"
  repository = "shop"
  branch     = "main"
}

resource "spacelift_aws_integration" "aws" {
  name                           = "shop-123456789012"
  role_arn                       = "arn:aws:iam::123456789012:role/shop"
  duration_seconds               = 3600
  generate_credentials_in_worker = false
}

resource "spacelift_aws_integration_attachment" "aws_shop" {
  integration_id = spacelift_aws_integration.aws.id
  stack_id       = spacelift_stack.shop.id
  read           = true
  write          = true
}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.model.diagnostics import Diagnostic
from migrator.model.findings import Finding, Fix, Ignored, Note, Refusal, Rewrite
from migrator.model.results import code_in_words
from migrator.rules.registry import Rule
from migrator.spacelift.attached.integration_edit import Integrations
from migrator.spacelift.diagnostics import (
    CODE_NOT_MIGRATED,
    MADE_IN_SPACELIFT,
    NO_STACK_DEFINITION,
    STACK_ELSEWHERE_REFUSED,
)
from migrator.spacelift.hooks.diagnostics import STACK_HAS_HOOK

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.environment_roots import EnvironmentRoot
    from migrator.spacelift.stacks.model import StackDefinition


PASTE_INTEGRATION = Diagnostic(
    "paste-integration",
    found="Add this AWS integration for the stacks that run these root modules.",
    why="This run does not change the definitions of the stacks.",
    help="Paste the text into the Terraform code that defines the stacks. Write the slug of the stack into the text.",
)
TRUST_SPACELIFT = Diagnostic(
    "trust-spacelift",
    found="Let the role trust Spacelift before the integration is attached to these stacks.",
    why="Spacelift assumes the role while it attaches the integration.",
    help="Give the role this trust policy, and apply it first.",
)
INTEGRATION_EXISTS = Diagnostic(
    "integration-there",
    found="The stack uses the AWS integration at {place} already.",
    why="The runs of the stack get their credentials from that integration.",
)


class _PlannedIntegration(Struct, frozen=True, eq=False):
    """An integration with ``role`` for a stack, since the stack runs ``code``."""

    stack: StackDefinition
    code: str
    role: str
    group: str
    refusal: str = ""


ATTACH_INTEGRATION = Diagnostic(
    "attach-integration",
    found="Attach an AWS integration with this role to the stack.",
    why="The stack is made in Spacelift's pages.",
    help="Attach the integration before you push the branch, and remove the static keys of the stack.",
)


def check(context: Context) -> Iterator[Finding]:
    """A finding for each stack; with a text to paste if no stack is known."""
    all_planned = list(_planned(context))
    changing = [
        (planned.stack, planned.role) for planned in all_planned if _fate_without_edit(context, planned) is None
    ]
    integrations = Integrations(context.workspace, context.config, changing)
    for root in context.environment_roots.roots:
        if root.has_integration:
            yield from _of_root(integrations, root)
    for planned in all_planned:
        yield _finding(context, integrations, planned)


def _planned(context: Context) -> Iterator[_PlannedIntegration]:
    for root in context.environment_roots.roots:
        if root.has_integration and not isinstance(root.role, Refusal):
            for stack in root.runners.definitions:
                yield _PlannedIntegration(stack, root.title, root.role or "", root.group)
    for stack, known_root in context.facts.serving:
        if known_root.by == "integration":
            yield _PlannedIntegration(
                stack, known_root.title, known_root.role, f"root module {known_root.title}", known_root.refusal
            )


def _of_root(integrations: Integrations, root: EnvironmentRoot) -> Iterator[Finding]:
    if isinstance(root.role, Refusal):
        yield RULE.finding(root.place, "the role of the integration", root.role, root.group)
        return
    for known_stack in root.runners.known_stacks:
        if reason := dict(known_stack.obstacles).get("integration", ""):
            fix = STACK_ELSEWHERE_REFUSED.refusal(repo=known_stack.repo, place=known_stack.place, reason=reason)
            yield RULE.finding(root.place, "the integration of its stack", fix, root.group)
        elif known_stack.is_by_hand and not known_stack.has_integration:
            by_hand_fix = MADE_IN_SPACELIFT.left_alone(stack=known_stack.title)
            note = ATTACH_INTEGRATION.note(known_stack.place.path, paste=str(root.role or ""))
            yield RULE.finding(root.place, f"the integration of {known_stack.place}", by_hand_fix, root.group, (note,))
    if not root.runners.all:
        note = PASTE_INTEGRATION.note(root.title, paste=integrations.to_paste(str(root.role)))
        fate = NO_STACK_DEFINITION.left_alone()
        yield RULE.finding(root.place, "the integration of its stack", fate, root.group, (note,))


def _fate_without_edit(context: Context, planned: _PlannedIntegration) -> Fix | None:
    """The fate of a stack without a new integration; None if an integration is attached."""
    stack = planned.stack
    if stack.is_ignored:
        return stack.document.ignored
    if planned.refusal:
        return CODE_NOT_MIGRATED.left_alone(reason=planned.refusal)
    if place := context.facts.integrations.get(stack):
        return INTEGRATION_EXISTS.left_alone(place=place)
    return STACK_HAS_HOOK.refusal() if context.strategies.has_hook(stack) else None


def _finding(context: Context, integrations: Integrations, planned: _PlannedIntegration) -> Finding:
    fix, notes = _fate_without_edit(context, planned), list[Note]()
    if fix is None:
        edits = integrations.attach(planned.stack, planned.role)
        fix = edits if isinstance(edits, Refusal) else Rewrite(edits, "The AWS integration is attached.")
        notes = [TRUST_SPACELIFT.note(planned.stack.title, paste=integrations.trust(planned.role))]
    elif isinstance(fix, Ignored):
        notes = [PASTE_INTEGRATION.note(planned.code, paste=integrations.to_paste(planned.role))]
    message = f"{planned.stack.title}, which runs {code_in_words(planned.code)}"
    return RULE.finding(planned.stack.place, message, fix, planned.group, notes, subject=planned.stack.title)


RULE = Rule("spacelift-aws-integration", "Spacelift's AWS integration is attached to the stack", check)
