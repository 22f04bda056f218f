"""The diagnostics on attaching contexts, integrations or variables to a stack."""

from __future__ import annotations

from migrator.model.diagnostics import Diagnostic

_BY_HAND = "Attach the context, integration or variable to the stack by hand."

STACK_NOT_IN_TERRAFORM = Diagnostic(
    "stack-not-in-terraform",
    found="The stack is not defined in Terraform.",
    why="A Terraform resource cannot refer to the stack.",
    help=_BY_HAND,
    page="""\
Contexts, AWS integrations and variables are attached to a stack by Terraform resources, for example
`spacelift_context_attachment`. Such a resource refers to the `spacelift_stack` in the same Terraform module.

This stack is defined in another language, for example in a YAML file of a module, a CDKTF program or a Pulumi
program. Attach what the stack needs there, or in Spacelift's pages. A hook can also go into the stack's own list:
`--hook-in stack`.""",
)
STACK_ID_UNKNOWN = Diagnostic(
    "stack-id-unknown",
    found="A module from another repository or a registry makes the stack.",
    why="The module's output with the stack's id is not known, so no resource can refer to the stack.",
    help=_BY_HAND,
)
STACK_IN_CALLED_MODULE = Diagnostic(
    "stack-in-called-module",
    found="The stack is in a module that other modules call.",
    why="Every call of the module would make the shared context or integration again.",
    help="Define the context or integration in the calling module, and attach it to the stack by hand.",
)
STACK_SPACE_VARIES = Diagnostic(
    "stack-space-varies",
    found="The `space_id` of the stack depends on `each`.",
    why="A single context or integration cannot be in several spaces.",
    help="Attach a context or integration in each space by hand.",
)
STACK_VALUES_DIFFER = Diagnostic(
    "stack-values-differ",
    found="A single block makes several stacks. Not all of them need the same value of `{name}`.",
    why="A single resource for the block would set a wrong value for some of the stacks.",
    help="Set `{name}` on each stack by hand.",
)
NEW_FILE_EXISTS = Diagnostic(
    "new-file-exists",
    found="New resources belong in `{path}`. A file of that name exists, and git ignores it or it is not readable.",
    why="An existing file that cannot be read is not changed.",
    help="Rename `{path}`, then run again.",
)
