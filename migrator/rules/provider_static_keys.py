"""Static keys in an AWS provider give way to web identity.

``access_key``, ``secret_key``, ``token``, ``profile`` and shared files go, ``assume_role_with_web_identity`` comes:
https://registry.terraform.io/providers/hashicorp/aws/latest/docs#assuming-an-iam-role-using-a-web-identity. Keys that
were left would silently win over it. An ``assume_role`` stays and is chained after it.

Before:

```hcl
# main.tf
provider "aws" {
  region  = "eu-west-1"
  profile = "production"

  assume_role {
    role_arn = "arn:aws:iam::123456789012:role/deploy"
  }
}
```

After:

```hcl
# main.tf
provider "aws" {
  region = "eu-west-1"

  assume_role {
    role_arn = "arn:aws:iam::123456789012:role/deploy"
  }

  assume_role_with_web_identity {
    role_arn                = var.aws_role_arn
    web_identity_token_file = "/mnt/workspace/spacelift.oidc"
  }
}
```

```hcl
# variables.tf
variable "aws_role_arn" {
  description = "ARN of the IAM role assumed with the Spacelift OIDC token"
  type        = string
}
```
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from migrator.model.diagnostics import Diagnostic
from migrator.model.findings import Finding, Fix, LeftAlone, Note, Refusal, Rewrite
from migrator.rules.registry import Rule
from migrator.syntax.terraform import BodyChange
from migrator.terraform.providers import WEB_IDENTITY, Provider
from migrator.terraform.rotation import condition_notes, region_notes, rotate

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.model.fleet import KnownModule
    from migrator.span import Edit
    from migrator.terraform.outside_calls import CalledModule

CALL_CANNOT_FOLLOW = Diagnostic(
    "call-cannot-follow",
    found="This call cannot pass the new variables of the module.",
    why="{reason}",
    help="Resolve the reason here, and run on both repositories again.",
)
MODULE_REFUSED = Diagnostic(
    "module-refused",
    found="The called module is not migrated.",
    why="{reason}",
    help="Resolve the refusal of the module, and run on both repositories again.",
)
MERGE_WITH_MODULES = Diagnostic(
    "merge-with-modules",
    found="Merge this change together with the changes of these called modules.",
    why="The variables of the modules change.",
)


def check(context: Context) -> Iterator[Finding]:
    """A finding for each provider that names static credentials, here or in a called module of another repository."""
    for provider in context.facts.providers:
        if provider.skip_reason is not None and provider.credentials:
            yield _finding(provider, provider.skip_reason)
        elif provider.credentials and context.environment_roots.covers(provider):
            served = context.environment_roots.sign_in(provider)
            notes = (*region_notes(provider), *rotate(provider))
            for root in context.environment_roots.roots_reaching(provider.module) or (None,):
                group = root.group if root is not None else None
                yield _finding(provider, served, group, notes)
        elif not provider.is_bare and (decided := context.sign_ins.of(provider)) is not None:
            fix, notes = (
                decided[0],
                (*decided[1], *condition_notes(provider), *region_notes(provider), *rotate(provider)),
            )
            needs = context.web_identity.needs(provider)
            for group in sorted(needs) or (None,):  # all groups of a hook sign in together, or none
                shown_notes = () if isinstance(fix, LeftAlone) else notes
                if isinstance(fix, LeftAlone) and not (provider.credentials or needs):
                    continue
                finding = _finding(provider, fix, group, shown_notes)
                yield replace(finding, needs=needs | _overridden(context, provider))
    yield from _of_other_repositories(context)


def _overridden(context: Context, provider: Provider) -> frozenset[str]:
    """The places of Spacelift's mounted files that override a provider's source, and may sign in otherwise."""
    if not context.facts.overrides:
        return frozenset()
    roots = context.workspace.roots_of(provider.module)
    overrides = (override for root in roots for override in context.facts.overrides_of(root.path))
    return frozenset(override.place.key for override in overrides if override.is_source)


def _of_other_repositories(context: Context) -> Iterator[Finding]:
    """A finding for each module of another repository whose callers here must follow it."""
    for called in context.called_modules:
        if not called.calls:
            continue
        module, first = called.module, called.calls[0].known_call
        edits, to_do = context.sign_ins.of_called_module(called)
        fix: Fix = (
            edits if isinstance(edits, Refusal) else Rewrite((*edits, *_without_inputs(called)), _outcome(module))
        )
        if module.refusal:
            calls = [
                (outside_call.known_call.repo, str(outside_call.known_call.place)) for outside_call in called.calls
            ]
            is_cause = module.refused_by in calls
            reason = module.refusal
            fix = CALL_CANNOT_FOLLOW.refusal(reason=reason) if is_cause else MODULE_REFUSED.left_alone(reason=reason)
        notes = to_do if isinstance(fix, Rewrite) else ()
        order = MERGE_WITH_MODULES.note(module.title)
        yield RULE.finding(first.place, f"{first.title}: calls {module.title}", fix, called.group, (*notes, order))


def _without_inputs(called: CalledModule) -> Iterator[Edit]:
    """The edits that remove the lost inputs of the module; a call may be in several files, with overrides."""
    for outside_call in called.calls:
        for document, block in outside_call.call.caller.blocks("module", outside_call.call.block.labels):
            removed = [argument for argument in block.attributes if argument.name in called.module.loses]
            if removed:
                yield from document.change(block, BodyChange(remove=tuple(removed)))


def _outcome(module: KnownModule) -> str:
    outcome = [f"The call passes {', '.join(input_.name for input_ in module.gains)}."] if module.gains else []
    sentences = [f"The call no longer passes {', '.join(module.loses)}."] if module.loses else []
    return " ".join((*outcome, *sentences))


def _finding(provider: Provider, fix: Fix, group: str | None = None, notes: Iterable[Note] = ()) -> Finding:
    names = [attribute.name for attribute in provider.credentials] or [WEB_IDENTITY]
    message = f"{provider.title}: {', '.join(names)}"
    return RULE.finding(provider.place, message, fix, group, notes, subject=provider.title, names=names)


RULE = Rule("provider-static-keys", "static keys in an AWS provider are replaced by web identity", check)
