"""What served only the credentials that go, goes with them: variables, their values, locals, data, outputs.

A variable goes with its ``default``, with what module calls, ``tfvars`` files and tests give to it, and then with what
those took it from. What is used elsewhere too stays, and so does a variable that a command line sets, since Terraform
rejects a value there that no variable takes: https://developer.hashicorp.com/terraform/language/values/variables.

Before:

```hcl
# main.tf
variable "region" {}
variable "access_key" {}
variable "secret_key" {}

provider "aws" {
  region     = var.region
  access_key = var.access_key
  secret_key = var.secret_key
}
```

```hcl
# terraform.tfvars
region     = "eu-west-1"
access_key = "AKIAIOSFODNN7EXAMPLE"
secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
```

After:

```hcl
# main.tf
variable "region" {}

provider "aws" {
  region = var.region

  assume_role_with_web_identity {
    role_arn                = var.aws_role_arn
    web_identity_token_file = "/mnt/workspace/spacelift.oidc"
  }
}

variable "aws_role_arn" {
  description = "ARN of the IAM role assumed with the Spacelift OIDC token"
  type        = string
}
```

```hcl
# terraform.tfvars
region = "eu-west-1"
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from migrator.model.diagnostics import Diagnostic
from migrator.model.findings import Finding, Note, Rewrite
from migrator.model.notes import ROTATE_AND_REMOVE
from migrator.rules.registry import Rule
from migrator.spacelift.settings.diagnostics import REMOVE_FROM_MOUNTED_FILE
from migrator.spacelift.settings.mounted_files import mounted_values
from migrator.syntax.terraform import Block
from migrator.terraform.usage.orphans import Orphans
from migrator.terraform.usage.removal import Removal, removals, rotate_values, unused_providers
from migrator.terraform.usage.variable_values import variable_values

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.span import Edit
    from migrator.terraform.usage.declarations import Node, Piece
    from migrator.workspace.workspace import Workspace

UNUSED_PROVIDER = Diagnostic(
    "unused-provider",
    found="Nothing in the module uses this provider any more.",
    why="Terraform needs the provider until the data of the provider is gone from the state.",
    help="Apply the migrated code once, then remove the provider block.",
)
VALUE_STAYS = Diagnostic(
    "value-stays",
    found="Another module may read this value, or an option keeps the value.",
    why="The value stays.",
    help="Remove the value by hand if no other module reads the value.",
)
UNSEARCHED_FILES = Diagnostic(
    "unsearched-files",
    found="Check that these large files set no removed variable.",
    why="The files were too large to be searched.",
)
APPLY_AFTER_MERGE = Diagnostic(
    "apply-after-merge",
    found="Apply the removal of these resources after the migrated code is merged.",
    why="Runs of the code before the migration use the resources.",
)


def check(context: Context) -> Iterator[Finding]:
    """A finding for each declaration that has lost its last use, or that stays though credentials came from it."""
    edits: dict[str, list[Edit]] = {}
    for finding in context.earlier_findings if not context.config.keep_variables else ():
        for edit in finding.fix.edits if isinstance(finding.fix, Rewrite) else ():
            edits.setdefault(edit.path, []).append(edit)
    if not edits:
        return
    inputs, settings = context.terragrunt_inputs, context.variable_settings
    roots = {root.module.path for root in context.facts.roots if root.runners.definitions or root.runners.known_stacks}
    roots |= {path for paths in inputs.modules_by_file.values() for path in paths or ()}
    values = variable_values(context.workspace)
    orphans = Orphans(context.workspace, edits, roots, values, (inputs.of, settings.of), inputs.modules_by_file)
    for removal in removals(orphans):
        yield from _removal_findings(context.workspace, orphans, removal)
    for node, reason in orphans.reasons_to_stay.items():
        if orphans.flows[node].is_value and not node.kind.startswith("spacelift_"):
            pieces = [
                *orphans.graph.pieces(node),
                *(piece for node_pieces in orphans.assigned_pieces(node) for piece in node_pieces),
            ]
            notes = rotate_values(pieces, ROTATE_AND_REMOVE) if orphans.flows[node].is_key else ()
            yield RULE.finding(
                pieces[0].place, f"{node.title}: credentials came from here", reason, None, notes, subject=node.title
            )
    for document, provider in unused_providers(orphans):
        fate = UNUSED_PROVIDER.left_alone()
        yield RULE.finding(
            document.place(provider), f"{provider.title()}: gave credentials", fate, subject=provider.title()
        )


def _removal_findings(workspace: Workspace, orphans: Orphans, removal: Removal) -> Iterator[Finding]:
    edits = removal.edits
    group = f"unused credentials at {min(node_pieces[0].place for node_pieces in removal.pieces.values()).key}"
    for node, pieces in removal.pieces.items():
        remaining = orphans.assigned_pieces(node)[1]
        other_places = sorted({str(piece.place) for piece in pieces[1:]})
        outcome = "The declaration is removed" + (
            f", and so is the text at {', '.join(other_places)}." if other_places else "."
        )
        notes = [*_apply_notes(pieces), *_unsearched(orphans, node)]
        if node.kind == "var":
            mounted = mounted_values(workspace, node.name)
            notes += [REMOVE_FROM_MOUNTED_FILE.note(str(place)) for place in mounted]
        if orphans.flows[node].is_key:
            notes += rotate_values(pieces)
            notes += rotate_values(remaining, ROTATE_AND_REMOVE)
        yield RULE.finding(
            pieces[0].place,
            f"{node.title}: used for credentials only",
            Rewrite(edits, outcome),
            group,
            notes,
            subject=node.title,
        )
        edits = ()
        for piece in remaining:
            yield RULE.finding(piece.place, f"the value of the {node.title}", VALUE_STAYS.left_alone())


def _apply_notes(pieces: Sequence[Piece]) -> Iterator[Note]:
    """A note that the code must be applied before stacks stop setting its variables."""
    for piece in pieces:
        if isinstance(piece.element, Block) and piece.element.type == "resource":
            yield APPLY_AFTER_MERGE.note(str(piece.place))


def _unsearched(orphans: Orphans, node: Node) -> Iterator[Note]:
    """A note on files that may set a removed variable, and are too large for a search."""
    if node.kind == "var" and (large := orphans.values.unsearched):
        yield UNSEARCHED_FILES.note(*large)


RULE = Rule(
    "orphaned-credentials",
    "variables, locals, data and outputs that were only for credentials are removed",
    check,
    phase=1,
)
