"""A provider that lives on the environment's credentials gets web identity where a hook would change them.

The ``before_init`` hook exports credentials for the backend; a provider without any of its own would silently sign in
with them. So beside a hook it gets web identity too, and so where settings of Spacelift hand static credentials to the
runs, and where it assumes a role beside a backend that signs in by itself. Elsewhere it is listed, and migrated with
``--include-ambient``: beside a backend that signs in by itself, its environment stays what it was.

Before:

```hcl
# main.tf
terraform {
  backend "s3" {
    bucket   = "state"
    key      = "app.tfstate"
    region   = "eu-west-1"
    role_arn = "arn:aws:iam::123456789012:role/terraform-state"
  }
}

provider "aws" {
  region = "eu-west-1"
}
```

After:

```hcl
# main.tf
terraform {
  backend "s3" {
    bucket = "state"
    key    = "app.tfstate"
    region = "eu-west-1"
    # role_arn = "arn:aws:iam::123456789012:role/terraform-state"
  }
}

provider "aws" {
  region = "eu-west-1"

  assume_role_with_web_identity {
    role_arn                = var.aws_role_arn
    web_identity_token_file = "/mnt/workspace/spacelift.oidc"
  }
}
```

```hcl
# variables.tf
variable "aws_role_arn" {
  description = "IAM role assumed with the Spacelift OIDC token"
  type        = string
}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from migrator.model.findings import Finding, LeftAlone
from migrator.rules.registry import Rule

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.terraform.providers import Provider

_HOOK = ", and the hook's would become its own"
_SETTINGS = ", and lives on those of Spacelift's settings"
_ROLE = ", and assumes a role with the environment's"


class _Beside(NamedTuple):
    """The group of a root module, and why its environment is none to live on: for those that assume a role, or all."""

    group: str
    why: str
    is_for_all: bool = True


def check(context: Context) -> Iterator[Finding]:
    """One finding for each provider without credentials of its own."""
    hooked = _hooked(context)
    for provider in context.facts.providers:
        if provider.is_bare:
            yield _finding(context, provider, hooked.get(provider.module.path))


def _hooked(context: Context) -> dict[str, _Beside]:
    """The modules whose environment changes, by path: root modules and units, and those that they call."""
    ambient = context.config.include_ambient
    needs_hook = context.strategies.needs_hook
    roots = [
        (root.module, _Beside(root.group, _HOOK))
        for root in context.facts.roots
        if root.gets_static_keys or needs_hook(root)
    ]
    roots += [(module.module, _Beside(module.group, _SETTINGS)) for module in context.facts.modules_with_static_keys]
    found = context.facts.terragrunt
    for unit, group in zip(found.units, found.groups, strict=True):
        if unit.module is not None and unit.needs_hook(ambient):
            roots.append((unit.module, _Beside(group, _HOOK)))
    alone = (root for root in context.facts.roots if root.is_migrated(ambient) and not needs_hook(root))
    roots += [(root.module, _Beside(root.group, _ROLE, is_for_all=False)) for root in alone]
    hooked: dict[str, _Beside] = {}
    for module, beside in roots:
        hooked.setdefault(module.path, beside)
    for path, beside in list(hooked.items()):
        for reached in context.workspace.reached_from(path):
            hooked.setdefault(reached, beside)
    return hooked


def _finding(context: Context, provider: Provider, beside: _Beside | None) -> Finding:
    title = f"{provider.title}: names no credentials of its own"
    if _is_passed_in(context, provider):
        return RULE.finding(
            provider.place, title, LeftAlone("it stands for the one that the module's caller passes in")
        )
    is_served = context.environment_roots.serves(provider)
    is_free = beside is None or not (beside.is_for_all or provider.assumed_roles)
    if is_served or (is_free and not context.config.include_ambient):
        alone = "it lives on the environment's credentials"
        if beside is not None and not is_served:
            alone += ", which stay what they were: its backend signs in by itself"
        return RULE.finding(provider.place, title, LeftAlone(alone))
    fix = context.web_identity.sign_in(provider)
    notes = context.web_identity.notes(provider)
    return RULE.finding(
        provider.place, title + (beside.why if beside else ""), fix, beside.group if beside else None, notes
    )


def _is_passed_in(context: Context, provider: Provider) -> bool:
    return provider.is_proxy and provider.module.path in context.workspace.calls


RULE = Rule("provider-environment", "a provider beside a hook does not live on the hook's credentials", check)
