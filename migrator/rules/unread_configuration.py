"""Configuration that is not read is told where it names AWS credentials or roles: it must be migrated by hand.

Such are Terraform stacks (`*.tfcomponent.hcl`, `*.tfdeploy.hcl`), Terramate's code generation, Atmos's stacks, and
CDKTF programs in other languages than Python.

Before:

```hcl
# aws.tfcomponent.hcl
provider "aws" "main" {
  config {
    region     = "eu-west-1"
    access_key = var.access_key
    secret_key = var.secret_key
  }
}
```

Nothing changes, and it is told:

```text
aws.tfcomponent.hcl:4: Terraform stack configuration: access_key, secret_key: such files are not read: edit it by hand
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.model.findings import Finding, Fix, Ignored, Refusal
from migrator.rules.registry import Rule
from migrator.terraform.unread import mentions

if TYPE_CHECKING:
    from migrator.decide.context import Context


def check(context: Context) -> Iterator[Finding]:
    """One finding for each file."""
    for mention in mentions(context.workspace):
        told = Refusal("such files are not read: edit it by hand")
        fix: Fix = Ignored("it is excluded") if mention.is_excluded else told
        yield RULE.finding(mention.place, f"{mention.title}: {', '.join(mention.names)}", fix)


RULE = Rule("unread-configuration", "configuration that is not read is told where it names AWS credentials", check)
