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
  description = "ARN of the IAM role assumed with the Spacelift OIDC token"
  type        = string
}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.model.diagnostics import Diagnostic
from migrator.rules.registry import Rule
from migrator.terraform.identity_diagnostics import ENVIRONMENT_CREDENTIALS

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.model.findings import Finding
    from migrator.terraform.providers import Provider

PASSED_IN = Diagnostic(
    "passed-in-provider",
    found="The calling module passes this provider in.",
    why="The provider of the calling module signs in, so there is nothing to change here.",
)
ENVIRONMENT_UNCHANGED = Diagnostic(
    "environment-unchanged",
    found="This provider uses the credentials of the environment.",
    why="The backend signs in by itself and no hook changes these credentials, so nothing was changed.",
    help="To give the provider web identity as well, use `--include-ambient`.",
)


def check(context: Context) -> Iterator[Finding]:
    """A finding for each provider without credentials of its own."""
    for provider in context.facts.providers:
        if provider.is_bare:
            yield _finding(context, provider)


def _finding(context: Context, provider: Provider) -> Finding:
    title = f"{provider.title}: names no credentials"
    environment, decided = context.sign_ins.environment(provider), context.sign_ins.of(provider)
    if decided is not None:
        fix, notes = decided
        reason, group = (environment.reason, environment.group) if environment is not None else ("", None)
        return RULE.finding(provider.place, title + reason, fix, group, notes, subject=provider.title)
    if context.sign_ins.is_passed_in(provider):
        return RULE.finding(provider.place, title, PASSED_IN.left_alone(), subject=provider.title)
    is_unchanged = environment is not None and not context.environment_roots.covers(provider)
    diagnostic = ENVIRONMENT_UNCHANGED if is_unchanged else ENVIRONMENT_CREDENTIALS
    return RULE.finding(provider.place, title, diagnostic.left_alone(), subject=provider.title)


RULE = Rule(
    "provider-environment",
    "a provider without credentials gets web identity where a hook would change its credentials",
    check,
)
