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
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.model.findings import Finding, Fix, Ignored, LeftAlone, Note, Refusal, Rewrite
from migrator.rules.registry import Rule
from migrator.spacelift.attached.integration_edit import Integrations

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.environment_roots import EnvironmentRoot
    from migrator.spacelift.stacks.model import StackDefinition


@dataclass(frozen=True, eq=False)
class _Wanted:
    """A stack that is to have an integration with ``role``, since it runs ``code``."""

    stack: StackDefinition
    code: str
    role: str
    group: str
    refusal: str = ""


def check(context: Context) -> Iterator[Finding]:
    """A finding for each stack; one with what to paste where none is known."""
    wanted = list(_wanted(context))
    live = [(planned.stack, planned.role) for planned in wanted if _settled(context, planned) is None]
    integrations = Integrations(context.workspace, context.config, live)
    for root in context.environment_roots.roots:
        if root.has_integration:
            yield from _of_root(integrations, root)
    for planned in wanted:
        yield _finding(context, integrations, planned)


def _wanted(context: Context) -> Iterator[_Wanted]:
    for root in context.environment_roots.roots:
        if root.has_integration and not isinstance(root.role, Refusal):
            for stack in root.runners.here:
                yield _Wanted(stack, root.title, root.role or "", root.group)
    for stack, known in context.facts.serving:
        if known.by == "integration":
            yield _Wanted(stack, known.title, known.role, f"root module {known.title}", known.refusal)


def _of_root(integrations: Integrations, root: EnvironmentRoot) -> Iterator[Finding]:
    if isinstance(root.role, Refusal):
        yield RULE.finding(root.place, "the role of its integration", root.role, root.group)
        return
    for known in root.runners.elsewhere:
        if reason := dict(known.obstacles).get("integration", ""):
            fix = Refusal(f"its stack at {known.repo}: {known.place} is refused: {reason}")
            yield RULE.finding(root.place, "the integration of its stack", fix, root.group)
        elif known.is_by_hand and not known.has_integration:
            alone = LeftAlone(f"The stack {known.title} is made in Spacelift's pages: only code can be changed here.")
            note = Note("attach an AWS integration with this role to the stack", (known.place.path,), str(root.role))
            yield RULE.finding(root.place, f"the integration of {known.place}", alone, root.group, (note,))
    if not root.runners.all:
        note = Note("put this beside the stacks that run", (root.title,), integrations.to_paste(str(root.role)))
        fate = LeftAlone("no stack definition found")
        yield RULE.finding(root.place, "the integration of its stack", fate, root.group, (note,))


def _settled(context: Context, wanted: _Wanted) -> Fix | None:
    """What becomes of a stack to which no integration is attached; None if one is to be."""
    stack = wanted.stack
    if stack.is_ignored:
        return stack.document.ignored
    if wanted.refusal:
        return LeftAlone(f"what it runs is not migrated: {wanted.refusal}")
    if place := context.facts.integrations.get(stack):
        return LeftAlone(f"it has the AWS integration at {place}")
    if context.strategies.has_hook(stack):
        return Refusal("it has the hook, whose credentials would mix with the integration's: remove it")
    return None


def _finding(context: Context, integrations: Integrations, wanted: _Wanted) -> Finding:
    fix, notes = _settled(context, wanted), list[Note]()
    if fix is None:
        edits = integrations.attach(wanted.stack, wanted.role)
        fix = edits if isinstance(edits, Refusal) else Rewrite(edits, "the AWS integration is attached")
        task = (
            "let the role trust Spacelift before the attachment of its integration is applied: this is its policy for"
        )
        notes = [Note(task, (wanted.stack.title,), integrations.trust(wanted.role))]
    elif isinstance(fix, Ignored):
        notes = [Note("put this beside the stacks that run", (wanted.code,), integrations.to_paste(wanted.role))]
    message = f"{wanted.stack.title}, which runs {wanted.code}"
    return RULE.finding(wanted.stack.place, message, fix, wanted.group, notes)


RULE = Rule("spacelift-aws-integration", "Spacelift's AWS integration is attached to the stack", check)
