"""Messages about declarations that credentials come from, and that stay."""

from __future__ import annotations

from migrator.model.diagnostics import Diagnostic

STILL_USED = Diagnostic(
    "still-used",
    found="Another place still uses this value: {place}.",
    why="The declaration stays.",
    help="If the other place does not need the value, remove the value there and the declaration by hand.",
)
NEEDED_BY_MODULE = Diagnostic(
    "needed-by-another-module",
    found="The module {module} shares the file {file} and needs this value.",
    why="The declaration stays.",
)
HOLDS_ROLE = Diagnostic(
    "holds-a-role",
    found="This variable holds the ARN of a role.",
    why="The variable is for the migrated sign-in, so the declaration stays.",
)
CREATES_RESOURCE = Diagnostic(
    "creates-a-resource",
    found="Credentials came from an attribute of this resource.",
    why="Without the block Terraform would destroy what the block made, so the block stays.",
    help="Remove the resource by hand if nothing needs what the resource makes.",
)
OUTPUT_OF_MODULE = Diagnostic(
    "output-of-another-module",
    found="Credentials came from an output of a module outside of this repository.",
    why="The module call stays.",
)
VALUE_IGNORED = Diagnostic(
    "value-ignored",
    found="A `tf-oidc-migrate:ignore` comment covers a value of this variable at {place}.",
    why="Terraform rejects values of variables that are not declared, so the declaration stays.",
    help="Remove the value and the declaration by hand.",
)
NOT_IN_WORK_TREE = Diagnostic(
    "not-in-work-tree",
    found="The file {path} is not in the work tree and may use this value.",
    why="The declaration stays.",
    help="Check out all files, for example with `git sparse-checkout disable`, and run again.",
)
VALUE_FROM_OUTSIDE = Diagnostic(
    "value-from-outside",
    found="The command at {place} gives this variable a value.",
    why="Terraform would reject the value without the declaration, so the declaration stays.",
    help="After the migrated code is merged, remove the value from the command and the declaration in one commit.",
)
VALUE_FROM_ENVIRONMENT = Diagnostic(
    "value-from-environment",
    found="The environment variable at {place} gives this variable a value.",
    why="The declaration stays.",
    help="After the migrated code is merged, remove the environment variable, and then the declaration.",
)
ROOT_OUTPUT = Diagnostic(
    "root-module-output",
    found="This is an output of a root module.",
    why="Other stacks may read the output, so the declaration stays.",
    help="Remove the output by hand if no other stack reads the output.",
)
CALLER_CANNOT_FOLLOW = Diagnostic(
    "caller-cannot-follow",
    found="A caller of this module in another repository cannot be changed.",
    why="{reason}",
    help="Resolve the reason at the caller, and run on both repositories again.",
)
PUBLISHED_MODULE = Diagnostic(
    "published-module",
    found="Other repositories may call this module.",
    why="Their calls may pass this variable or read this output, so the declaration stays.",
    help="Run on the calling repositories together with this one, or remove the declaration by hand.",
)
UNPARSED_FILE = Diagnostic(
    "unparsed-file-may-use",
    found="The file {path} cannot be parsed and may use this value.",
    why="The declaration stays.",
    help="Correct that file, and run again.",
)
TEST_MAY_USE = Diagnostic(
    "test-may-use",
    found="The test file {path} may use this value.",
    why="The declaration stays.",
    help="Remove the value from the test and the declaration by hand.",
)
UNCLEAR_CALL = Diagnostic(
    "unclear-module-call",
    found="The module call at {place} may call this module.",
    why="The call passes this variable, so the declaration stays.",
    help="Remove the argument of that call and the declaration by hand, if the call is of this module.",
)
