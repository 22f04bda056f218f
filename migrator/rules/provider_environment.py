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
from typing import TYPE_CHECKING

from migrator.model.findings import Finding, LeftAlone
from migrator.rules.registry import Rule

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.terraform.providers import Provider


def check(context: Context) -> Iterator[Finding]:
    """One finding for each provider without credentials of its own."""
    for provider in context.facts.providers:
        if provider.is_bare:
            yield _finding(context, provider)


def _finding(context: Context, provider: Provider) -> Finding:
    title = f"{provider.title}: names no credentials of its own"
    environment, decided = context.sign_ins.environment(provider), context.sign_ins.of(provider)
    if decided is not None:
        fix, notes = decided
        why, group = (environment.why, environment.group) if environment is not None else ("", None)
        return RULE.finding(provider.place, title + why, fix, group, notes)
    if context.sign_ins.is_passed_in(provider):
        return RULE.finding(
            provider.place, title, LeftAlone("it stands for the one that the module's caller passes in")
        )
    alone = "it lives on the environment's credentials"
    if environment is not None and not context.environment_roots.serves(provider):
        alone += ", which stay what they were: its backend signs in by itself"
    return RULE.finding(provider.place, title, LeftAlone(alone))


RULE = Rule("provider-environment", "a provider beside a hook does not live on the hook's credentials", check)
