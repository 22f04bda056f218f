"""The hook becomes the first command before init of a stack in YAML: a blueprint, a template, a stack file of a module.

A blueprint's are at ``hooks.init.before``: https://docs.spacelift.io/concepts/blueprint. `analysis.yaml_stacks` tells
which other files are known.

Before:

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

```yaml
# blueprint.yml
stack:
  name: app
  space: root
  vcs:
    repository: shop
    branch: main
  vendor:
    terraform:
      manage_state: false
  hooks:
    init:
      before:
        - make generated
```

After:

```yaml
# blueprint.yml
stack:
  name: app
  space: root
  vcs:
    repository: shop
    branch: main
  vendor:
    terraform:
      manage_state: false
  hooks:
    init:
      before:
        - 'export $(printf … --role-arn …:role/terraform-state …)'
        # Stop the run if AWS denied the exchange: the export succeeds all the same.
        - 'test -n "$AWS_SESSION_TOKEN"'
        - make generated
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

from migrator.model.findings import Finding, LeftAlone, Note
from migrator.rules.hook_findings import hook_findings
from migrator.rules.registry import Rule
from migrator.spacelift.stacks.blueprints import unread_blueprints
from migrator.spacelift.stacks.model import YamlDefinition

if TYPE_CHECKING:
    from migrator.decide.context import Context


def check(context: Context) -> Iterator[Finding]:
    """A finding for each such stack that runs a root module which needs the hook, and for what cannot be read."""
    yield from hook_findings(RULE, context, YamlDefinition)
    for document, block in unread_blueprints(context.workspace):
        place, title = document.place(block), ".".join(block.labels)
        unread = LeftAlone("its template is not read: it is no heredoc")
        task = "put the hook into what these templates make, and take static AWS credentials out:"
        fix = document.ignored if document.is_ignored(block) else unread
        yield RULE.finding(place, title, fix, None, (Note(task, (str(place),)),) if fix is unread else ())


RULE = Rule("spacelift-hook-yaml", "a stack in YAML exports temporary credentials before terraform init", check)
