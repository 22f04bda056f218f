"""The diagnostics of CDKTF programs: unknown parts of a call, and the reasons against an edit."""

from __future__ import annotations

from migrator.model.diagnostics import Diagnostic

_BY_HAND = "Migrate this call by hand."

PROVIDER_ARGUMENTS_UNKNOWN = Diagnostic(
    "provider-arguments-unknown",
    found="The call does not pass a scope and an id as `AwsProvider` expects.",
    why="The place of the new argument is not known.",
    help=_BY_HAND,
)
CREDENTIALS_VARY_IN_PROGRAM = Diagnostic(
    "credentials-vary-in-program",
    found="The credentials come from a loop variable or a parameter, so they differ between the providers.",
    why="All these providers would share a single role variable.",
    help="Write each provider as a call of its own, with its own credentials.",
    page="""\
The profile or keys of the provider are known only when the program runs, for example `for name in names:
AwsProvider(self, name, profile=name)`. Each pass of the loop may be another AWS identity.

Write a call for each identity, so that each gets a role variable of its own.""",
)
PROVIDER_MADE_REPEATEDLY = Diagnostic(
    "provider-made-repeatedly",
    found="The call may run several times in the same scope.",
    why="A scope can declare the role variable only once.",
    help="Name the role with `--role-arn`, or move the call into the stack's constructor.",
    page="""\
A function that adds an `AwsProvider` may be called several times for the same stack. The role variable would be
declared once for each call, and CDKTF rejects a second construct with the same id.

With `--role-arn ARN`, the role is written into the call and no variable is needed.""",
)
NAME_TAKEN_IN_PROGRAM = Diagnostic(
    "name-taken-in-program",
    found="The program uses the name `{name}` for something else.",
    why="The role variable needs a name of its own.",
    help="Rename `{name}` in the program, then run again.",
)
ALIAS_UNKNOWN = Diagnostic(
    "alias-unknown",
    found="This provider needs a role variable of its own, and the `alias` of the provider cannot be read.",
    why="The role variable is named after the alias.",
    help="Write the `alias` as a string literal.",
)
VARIABLE_OUT_OF_SIGHT = Diagnostic(
    "variable-out-of-sight",
    found="The program declares the variable `{name}` in a place that the provider cannot refer to.",
    why="A second variable of that name in the scope would be an error.",
    help="Declare `{name}` before the provider, in the same function.",
)
IMPORT_UNKNOWN = Diagnostic(
    "import-unknown",
    found="The import of `{name}` was not found.",
    why="The class for web identity has to be imported from the same module.",
    help="Import `{name}` by name, for example `from cdktf_cdktf_provider_aws.provider import AwsProvider`.",
)
SCOPE_SHARED = Diagnostic(
    "scope-shared",
    found="Several places in the program add providers to the same scope.",
    why="No single place can declare the role variable for all of them.",
    help="Name the role with `--role-arn`, or add the providers in a single function.",
)
SCOPE_ON_SAME_LINE = Diagnostic(
    "scope-on-same-line",
    found="The call is on the same line as the statement that sets its scope.",
    why="The role variable has to be declared between the two.",
    help="Write the call on a line of its own.",
)
BACKEND_ARGUMENTS_UNKNOWN = Diagnostic(
    "backend-arguments-unknown",
    found="The values of {names} cannot be read.",
    why="The values cannot be written into `assume_role_with_web_identity`.",
    help="Write the values as literals, or use `--backend-auth hook`.",
)
BACKEND_ROLE_IS_OBJECT = Diagnostic(
    "backend-role-is-object",
    found="The backend's `assume_role` is an object.",
    why="The role in an object is not converted to web identity.",
    help="Name a role with `--backend-role-arn`. That role then assumes the role of the backend.",
)
BINDINGS_TOO_OLD = Diagnostic(
    "bindings-too-old",
    found="The program uses provider bindings of CDKTF before 0.13.",
    why="Blocks have another form in these bindings.",
    help="Upgrade CDKTF and the bindings, then run again.",
)
