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
  description = "IAM role assumed with the Spacelift OIDC token"
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
from dataclasses import replace
from typing import TYPE_CHECKING

from migrator.model.findings import ROTATE_AND_REMOVE, Finding, LeftAlone, Note, Rewrite
from migrator.rules.registry import Rule
from migrator.syntax.terraform import Block
from migrator.terraform.usage.orphans import Orphans
from migrator.terraform.usage.removal import Removal, removals, rotate_values, unused_providers
from migrator.terraform.usage.variable_values import variable_values

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.span import Edit
    from migrator.terraform.usage.declarations import Node, Piece


def check(context: Context) -> Iterator[Finding]:
    """A finding for each thing that has lost its last use, or that stays though credentials came from it."""
    edits: dict[str, list[Edit]] = {}
    for finding in context.settled if not context.config.keep_variables else ():
        for edit in finding.fix.edits if isinstance(finding.fix, Rewrite) else ():
            edits.setdefault(edit.path, []).append(edit)
    if not edits:
        return
    inputs, settings = context.terragrunt_inputs, context.variable_settings
    roots = {root.module.path for root in context.facts.roots if root.runners.here or root.runners.elsewhere}
    roots |= {path for paths in inputs.beside.values() for path in paths or ()}
    values = variable_values(context.workspace)
    orphans = Orphans(context.workspace, edits, roots, values, (inputs.of, settings.of), inputs.beside)
    for removal in removals(orphans):
        yield from _gone(orphans, removal)
    for node, reason in orphans.kept.items():
        if orphans.flows[node].is_value and not node.kind.startswith("spacelift_"):
            pieces = [*orphans.pieces(node), *(piece for found in orphans.given(node) for piece in found)]
            keys = rotate_values(pieces) if orphans.flows[node].is_key else ()
            notes = [replace(note, task=ROTATE_AND_REMOVE) for note in keys]
            yield RULE.finding(
                pieces[0].place, f"{node.title}: credentials came from it", LeftAlone(reason), None, notes
            )
    for document, provider in unused_providers(orphans):
        fate = LeftAlone("nothing in its module uses it any more: take it out when its data is gone from the state")
        yield RULE.finding(document.place(provider), f"{provider.title()}: served credentials", fate)


def _gone(orphans: Orphans, removal: Removal) -> Iterator[Finding]:
    edits = removal.edits
    group = f"what served credentials at {min(found[0].place for found in removal.pieces.values()).key}"
    for node, pieces in removal.pieces.items():
        left = orphans.given(node)[1]
        elsewhere = sorted({str(piece.place) for piece in pieces[1:]})
        outcome = "removed" + (f", with {', '.join(elsewhere)}" if elsewhere else "")
        notes = [*_to_apply(pieces), *_unsearched(orphans, node)]
        if orphans.flows[node].is_key:
            notes += rotate_values(pieces)
            notes += (replace(note, task=ROTATE_AND_REMOVE) for note in rotate_values(left))
        yield RULE.finding(
            pieces[0].place, f"{node.title}: served only credentials", Rewrite(edits, outcome), group, notes
        )
        edits = ()
        for piece in left:
            reason = "another module may read it, or an option keeps it"
            yield RULE.finding(piece.place, f"the value of the {node.title}", LeftAlone(reason))


def _to_apply(pieces: Sequence[Piece]) -> Iterator[Note]:
    """That the code must be there before stacks lose what they give to its variables."""
    for piece in pieces:
        if isinstance(piece.item, Block) and piece.item.type == "resource":
            yield Note(
                "apply after the migrated code is merged, since that needs it until then, what went at",
                (str(piece.place),),
            )


def _unsearched(orphans: Orphans, node: Node) -> Iterator[Note]:
    """That files may give values to a variable that goes, and were too large to be searched."""
    if node.kind == "var" and (large := orphans.values.unsearched):
        yield Note("see that these large files, which were not searched, set no variable that goes:", tuple(large))


RULE = Rule("orphaned-credentials", "what served only credentials goes with them", check, phase=1)
