"""Configuration that is not read is listed if it names AWS credentials or roles: people migrate it by hand.

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

Nothing changes, and the report says:

```text
aws.tfcomponent.hcl:4: Terraform stack configuration: access_key, secret_key: not-read
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.model.diagnostics import Diagnostic
from migrator.rules.registry import Rule
from migrator.terraform.unread import mentions
from migrator.workspace.diagnostics import EXCLUDED

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.model.findings import Finding, Fix

NOT_READ = Diagnostic(
    "not-read",
    found="The program does not read this kind of file: {kind}.",
    why="The file names AWS credentials or a role, and nothing was changed.",
    help="Migrate the file by hand, or exclude the file with `--exclude`.",
)


def check(context: Context) -> Iterator[Finding]:
    """A finding for each file."""
    for mention in mentions(context.workspace):
        fix: Fix = EXCLUDED.ignored() if mention.is_excluded else NOT_READ.refusal(kind=mention.title)
        message = f"{mention.title}: {', '.join(mention.names)}"
        yield RULE.finding(mention.place, message, fix, subject=mention.title, names=mention.names)


RULE = Rule("unread-configuration", "configuration that is not read is listed if the file names AWS credentials", check)
