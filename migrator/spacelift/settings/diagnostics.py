"""The diagnostics of Spacelift's settings: variables, mounted files, and what they set for the runs of stacks."""

from __future__ import annotations

from migrator.model.diagnostics import Diagnostic

_REMOVE_BY_HAND = "Remove the static credentials from the setting by hand."

SETTING_SHARED = Diagnostic(
    "setting-shared",
    found="`{name}`, which holds the setting, is used elsewhere too.",
    why="Other code may need the value that would be removed.",
    help=_REMOVE_BY_HAND,
    page="""\
The static credentials are in a map or list under a name, for example `local.environment`. Several resources read the
name. Only some of them are known to be migrated.

Give the migrated stacks a value of their own without the static credentials, or remove the entries by hand once nothing
needs them.""",
)
SETTING_NAMES_UNKNOWN = Diagnostic(
    "setting-names-unknown",
    found="The names of some variables that the resource sets cannot be read here.",
    why="Some of the variables may not be static credentials.",
    help=_REMOVE_BY_HAND,
)
SETTING_NOT_SEPARABLE = Diagnostic(
    "setting-not-separable",
    found="The resource makes other variables too, and its `for_each` is not a map that is written out here.",
    why="The static credentials cannot be removed without the other variables.",
    help=_REMOVE_BY_HAND,
)
SETTING_REFERENCED = Diagnostic(
    "setting-referenced",
    found="{place} refers to the resource.",
    why="Terraform fails if a resource is removed to which other code refers.",
    help="Remove the reference, then run again.",
)
SETTING_LANGUAGE_UNKNOWN = Diagnostic(
    "setting-language-unknown",
    found="The setting is in a file that tf-oidc-migrate cannot edit.",
    why="Only settings in Terraform and YAML are removed.",
    help=_REMOVE_BY_HAND,
)
MOUNTED_FILE_UNKNOWN = Diagnostic(
    "mounted-file-unknown",
    found="The content of the mounted file cannot be read here.",
    why="The file replaces a file of the checkout at run time, and may hold AWS credentials.",
    help="Make sure that the mounted file sets no AWS credentials or role, and exclude the resource.",
    page="""\
Spacelift puts a mounted file under `source/…` over the checkout before `terraform init`. Provider or backend blocks in
such a file win over the blocks that tf-oidc-migrate would migrate, so that runs would still use static credentials.

Look into the mounted file. If the file sets no AWS credentials, add the comment `# tf-oidc-migrate:ignore` above the
resource. If the file sets them, migrate the file by hand.""",
)
MOUNTED_FILE_SIGNS_IN = Diagnostic(
    "mounted-file-signs-in",
    found="The mounted file sets `{name}`.",
    why="The file replaces a file of the checkout at run time, so that the migrated code would not be used.",
    help="Remove `{name}` from the mounted file, then run again.",
)
MOUNTED_VALUES_ARE_STATIC = Diagnostic(
    "mounted-values-are-static",
    found="The mounted file sets Terraform variables to static AWS credentials.",
    why="Values of variables do not override the migrated providers and backends.",
    help="Remove the static credentials from the mounted file.",
)
INIT_ARGUMENTS_UNKNOWN = Diagnostic(
    "init-arguments-unknown",
    found="The value of `TF_CLI_ARGS_init` cannot be read here.",
    why="The arguments may name a backend file with AWS credentials, which would override the backend block.",
    help="Make sure that the arguments set no AWS credentials or role, and exclude the resource.",
)
BACKEND_FILE_MISSING = Diagnostic(
    "backend-file-missing",
    found="`TF_CLI_ARGS_init` names the backend file `{name}`, which is not in this repository.",
    why="The file may hold AWS credentials, which would override the backend block.",
    help="Make sure that the file sets no AWS credentials or role, and exclude the resource.",
)
