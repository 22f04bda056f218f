"""AWS keys in providers that know no web identity are told: only their own documentation says what else they can do.

Without keys they sign in with the environment's credentials, such as the hook's; whether those may do what these keys
may is for a person to say.

Before:

```hcl
# main.tf
provider "awsutils" {
  region  = "eu-west-1"
  profile = "production"
}
```

Nothing changes, and it is told:

```text
main.tf:1: provider "awsutils": profile: it knows no web identity: without them it would live on the environment's
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.model.findings import Finding, Refusal
from migrator.rules.registry import Rule

if TYPE_CHECKING:
    from migrator.decide.context import Context


def check(context: Context) -> Iterator[Finding]:
    """One finding for each provider."""
    for provider in context.facts.other_providers:
        reason = "it knows no web identity: without them it would live on the environment's"
        if provider.copies:
            reason = (
                f"its source {provider.copies} is not hashicorp's: migrate it by hand if it is a copy of that provider"
            )
        fix = provider.ignored or Refusal(reason)
        names = ", ".join(attribute.name for attribute in provider.credentials)
        yield RULE.finding(provider.place, f"{provider.title}: {names}", fix)


RULE = Rule("other-provider-keys", "AWS keys in other providers are told", check)
