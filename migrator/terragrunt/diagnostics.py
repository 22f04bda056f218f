"""The diagnostics of Terragrunt's files: generated code, includes and inputs, and the reasons against changes."""

from __future__ import annotations

from migrator.model.diagnostics import Diagnostic

INCLUDE_UNKNOWN = Diagnostic(
    "include-unknown",
    found="The included file is not in this repository, or the path of the file cannot be read here.",
    why="The included file may hold a backend or providers, which stay as they are.",
    help="Write the path with `find_in_parent_folders` or as a literal, or migrate the included file by hand.",
)
GENERATED_UNKNOWN = Diagnostic(
    "generated-unknown",
    found="The content that this block writes cannot be read here.",
    why="The content may hold a provider or a backend.",
    help="Write the content as a heredoc in the block, then run again.",
    page="""\
A `generate` block writes a file with a provider or a backend. The `contents` come from a function or an expression
that only Terragrunt can evaluate, so the credentials in the file are not known.

Write the contents as a heredoc in the block: `contents = <<EOF … EOF`. Values from Terragrunt can stay in `${…}`.""",
)
GENERATED_UNREADABLE = Diagnostic(
    "generated-unreadable",
    found="This block writes Terraform code that is not understood. {reason}",
    help="Correct the code, or write the code without directives such as `%{{ if }}`. "
    "To leave the block, use `# tf-oidc-migrate:ignore`.",
)
GENERATED_UNSOUND = Diagnostic(
    "generated-unsound",
    found="The changed Terraform code in this block would not be valid: {reason}.",
    why="The block was left as it is.",
    help="Migrate the block by hand.",
)
NOT_INCLUDED = Diagnostic(
    "not-included",
    found="No unit in this repository is known to include this file.",
    why="The role and the stack of the units that use the file are not known.",
    help="Run on a folder that holds the units too, or migrate the file by hand.",
    page="""\
Files like `root.hcl` apply only to units that include them. No `terragrunt.hcl` in this repository includes the
file, as far as its `include` blocks can be read.

If units in another folder include the file, run on the root of the repository. If nothing includes the file, delete
the file.""",
)
UNITS_DIFFER = Diagnostic(
    "units-differ",
    found="Some units that share this `remote_state` set `iam_role`, and others do not.",
    why="The role of the state would be right for some of the units only.",
    help="Give the units with `iam_role` a `remote_state` of their own.",
    page="""\
If Terragrunt assumes an `iam_role` for a unit, the state's `role_arn` is assumed with that role and stays. For other
units, the hook signs in as the state's role, and `role_arn` is commented out. A shared block can only be changed in
one of these ways.""",
)
ROLE_STAYS_CHAINED = Diagnostic(
    "role-stays-chained",
    found="The state's role is assumed with {by}.",
    why="The role needs no change.",
)
PASSED_ON = Diagnostic(
    "passed-on",
    found="The entry hands an environment variable to Terraform, and sets no value itself.",
    why="An empty variable changes nothing in Terraform.",
    help="Remove the variable from the settings of the stack.",
)
IAM_ROLE_UNKNOWN = Diagnostic(
    "iam-role-unknown",
    found="The value of `iam_role` is not known to be the ARN of a role.",
    why="`iam_web_identity_token` needs the ARN of a role.",
    help="Write the ARN as a literal, then run again.",
)
TERRAGRUNT_TOO_OLD = Diagnostic(
    "terragrunt-too-old",
    found="The constraint {constraint} excludes every Terragrunt release from 0.59.3 on.",
    why="Terragrunt 0.59.3 is the first release that supports `iam_web_identity_token`.",
    help="Raise the constraint, then run again.",
    page="""\
`iam_web_identity_token` lets Terragrunt assume `iam_role` with the OIDC token of the run. Terragrunt 0.59.3 brought
this argument: https://github.com/gruntwork-io/terragrunt/pull/2997. The constraint in
`terragrunt_version_constraint` allows older releases only.""",
)
INSTALL_TERRAGRUNT = Diagnostic(
    "install-terragrunt",
    found="Use Terragrunt 0.59.3 or newer in the stacks that run these units.",
    why="Older releases do not support `iam_web_identity_token`.",
    help="Raise the version in the runner image or in the stack's settings.",
)
OVERRIDE_CANNOT_DECLARE = Diagnostic(
    "override-cannot-declare",
    found="The block writes an override file.",
    why="An override file cannot declare the role variable.",
    help="Declare the variable in the module that the unit runs, or name the role with `--role-arn`.",
)
DECLARED_REPEATEDLY = Diagnostic(
    "declared-repeatedly",
    found="The block writes this code once for each item of a `for` expression.",
    why="Each copy would declare the role variable, and a second declaration is an error.",
    help="Declare the variable in the module that the unit runs, or name the role with `--role-arn`.",
)
MODULES_DIFFER = Diagnostic(
    "modules-differ",
    found="Some of the modules that get this code declare `var.{name}`, and others do not.",
    why="A second declaration is an error, and a missing declaration is an error too.",
    help="Declare `{name}` in all of the modules or in none.",
)
STACK_OF_SEVERAL_IDENTITIES = Diagnostic(
    "stack-of-several-identities",
    found="{stack} runs units in which this provider signs in with different credentials.",
    why="A stack has one value of the role variable for all its units, so nothing was changed.",
    help="Make a stack for each of the accounts, or write the role of each unit into its `inputs` by hand.",
    page="""\
A stack with `use_run_all` runs all units below its project root. If a provider takes its profile or its keys from the
folder of the unit, the units of that stack sign in to different accounts. `TF_VAR_aws_role_arn` of the stack would give
all units the same role, and resources of one account would be looked for in another.

Make a stack for each account, then run again. Or give the code of the units a role by hand: write the role into a file
next to the profile, and use the role in `assume_role_with_web_identity` of the generated provider.""",
)
ENVIRONMENT_STAYS = Diagnostic(
    "environment-stays",
    found="The unit `{unit}` has no S3 state and no generated provider, so this run adds no hook and no web identity.",
    why="Without these variables the providers of the unit would have no credentials, so nothing was changed.",
    help="Write the provider with a `generate` block, or attach an AWS integration to the stack, then run again.",
)
LOCAL_SHARED = Diagnostic(
    "local-shared",
    found="`local.{name}` holds the credentials, and is used for something else too.",
    why="Other code may need the value that would be removed.",
    help="Give the credentials a local of their own, then run again.",
)
OBJECT_UNREADABLE = Diagnostic(
    "object-unreadable",
    found="The object with the credentials cannot be edited: {reason}.",
    why="An edit of code that is not understood is not safe.",
    help="Remove the credentials by hand.",
)
REMOVE_LOCALS = Diagnostic(
    "remove-locals",
    found="Remove these locals.",
    why="The locals hold keys that nothing uses after the migration.",
    help="Delete each local from the file.",
)
STATE_UNKNOWN = Diagnostic(
    "state-unknown",
    found="{what} of `remote_state` cannot be read here.",
    why="The state may be in S3 and use static credentials.",
    help="Write the value out in this repository, then run again.",
    page="""\
`remote_state` is made by an expression that only Terragrunt can evaluate, for example a function or a file outside
of this repository. A profile or keys in the block would not be seen.

Write `backend = "s3"` and the `config` map as literals, or in `locals` of a file that the unit includes.""",
)
