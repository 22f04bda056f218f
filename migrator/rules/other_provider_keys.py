"""AWS keys in providers that do not support web identity are listed.

The documentation of the provider says which sign-ins the provider supports. Without keys, the provider uses the
credentials of the environment, for example those of the hook. A person must say whether their permissions are the same.

Before:

```hcl
# main.tf
provider "awsutils" {
  region  = "eu-west-1"
  profile = "production"
}
```

Nothing changes, and the report says:

```text
main.tf:1: provider "awsutils": profile: no-web-identity
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.model.diagnostics import Diagnostic
from migrator.rules.registry import Rule

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.model.findings import Finding

NO_WEB_IDENTITY = Diagnostic(
    "no-web-identity",
    found="The {provider} provider does not support web identity.",
    why="Without its keys the provider would use the credentials of the environment, so nothing was changed.",
    help="Keep the credentials and run with `--ignore no-web-identity`, or give the provider an `assume_role` with a "
    "role that the hook may assume.",
    page="""\
Only the providers hashicorp/aws and hashicorp/awscc support `assume_role_with_web_identity`. Other providers that call
AWS, for example opensearch, kafka or awsutils, take keys or a profile. Without these they use the credentials that they
find in the environment, for example those of the hook, which may be another identity.

Read the documentation of the provider. If the role of the hook may do what the keys may do, remove the keys. If not,
keep the keys, accept the refusal with `# tf-oidc-migrate:ignore[no-web-identity]`, and rotate the keys as before.""",
)
COPIED_PROVIDER = Diagnostic(
    "copied-provider",
    found="The source of this provider is {source}, not hashicorp.",
    why="The provider may not support web identity, so nothing was changed.",
    help="Migrate the block by hand if {source} is a copy of the AWS provider.",
)
KEY_PROVIDER = Diagnostic(
    "key-provider-keys",
    found="The encryption of the state signs in to AWS KMS with these credentials.",
    why="A key that cannot be used makes the state unreadable, so nothing was changed.",
    help="Give the key provider an `assume_role_with_web_identity` by hand, with a role that may use the key.",
)


def check(context: Context) -> Iterator[Finding]:
    """A finding for each provider."""
    for provider in context.facts.other_providers:
        name = provider.block.labels[0] if provider.block.labels else ""
        diagnostic = COPIED_PROVIDER if provider.copies else NO_WEB_IDENTITY
        diagnostic = KEY_PROVIDER if provider.block.type == "key_provider" else diagnostic
        fix = provider.ignored or diagnostic.refusal(source=provider.copies, provider=name)
        names = [attribute.name for attribute in provider.credentials]
        message = f"{provider.title}: {', '.join(names)}"
        yield RULE.finding(provider.place, message, fix, subject=provider.title, names=names)


RULE = Rule("other-provider-keys", "AWS keys in other providers are listed", check)
