"""Every mention of AWS credentials in the tree has an account: a finding, a reason why it is not read, or its own line.

A census of bytes, which shares nothing with the other rules, looks in every text file for what can sign in to AWS:
arguments of the provider and of the S3 backend, ``AWS_*`` names, ``-backend-config`` and ``--profile``, access keys.
What no other finding is about, and no reason explains, is listed as not understood, file by file.

Before:

```hcl
# backend.tf.tpl
terraform {
  backend "s3" {
    bucket  = "state"
    key     = "app.tfstate"
    profile = "${profile}"
  }
}
```

Nothing changes, and the report says:

```text
backend.tf.tpl:5: profile: 1 mention: mention-not-understood
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.census.accounts import RULE_ID, findings
from migrator.rules.registry import Rule

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.model.findings import Finding


def check(context: Context) -> Iterator[Finding]:
    """A finding for each file with unaccounted mentions, and for each reason not to read files."""
    return findings(context.workspace, context.earlier_findings)


RULE = Rule(RULE_ID, "every mention of AWS credentials has an account", check, phase=9)
