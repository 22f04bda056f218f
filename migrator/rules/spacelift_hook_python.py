"""The hook becomes the first entry of ``before_init=`` (``before_inits=``) of a stack in a CDKTF or Pulumi program.

What it is for, `spacelift_hook_hcl` tells; CDKTF writes strings into Terraform's JSON as they are, so ``${`` is escaped
there, and Pulumi does not: https://docs.spacelift.io/vendors/pulumi.

Before:

```python
# __main__.py
import pulumi_spacelift as spacelift

spacelift.Stack(
    "app",
    repository="shop",
    branch="main",
    before_inits=[
        "make generated",
    ],
)
```

```hcl
# main.tf
terraform {
  backend "s3" {
    bucket   = "state"
    key      = "app.tfstate"
    role_arn = "arn:aws:iam::123456789012:role/terraform-state"
  }
}
```

After:

```python
# __main__.py
import pulumi_spacelift as spacelift

spacelift.Stack(
    "app",
    repository="shop",
    branch="main",
    before_inits=[
        'export $(printf … --role-arn …:role/terraform-state …)',
        # Stop the run if AWS denied the exchange: the export succeeds all the same.
        'test -n "$AWS_SESSION_TOKEN"',
        "make generated",
    ],
)
```

```hcl
# main.tf
terraform {
  backend "s3" {
    bucket = "state"
    key    = "app.tfstate"
    # role_arn = "arn:aws:iam::123456789012:role/terraform-state"
  }
}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.rules.hook_findings import hook_findings
from migrator.rules.registry import Rule
from migrator.spacelift.stacks.model import PythonDefinition

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.model.findings import Finding


def check(context: Context) -> Iterator[Finding]:
    """A finding for each such stack that runs a root module which needs the hook."""
    yield from hook_findings(RULE, context, PythonDefinition)


RULE = Rule("spacelift-hook-python", "a stack in Python exports temporary credentials before terraform init", check)
