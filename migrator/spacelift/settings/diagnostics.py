"""The diagnostics of Spacelift's settings: variables, mounted files, and their effect on the runs of stacks."""

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
    page="""\
A `spacelift_environment_variable` with `for_each` or `count` sets several variables. Static credentials are removed by
removing their entries from the map. Here the map comes from a variable, a data source or a function.

Write the map out in a `local`, or remove the credentials from the source of the map by hand.""",
)
SETTING_REFERENCED = Diagnostic(
    "setting-referenced",
    found="{place} refers to the resource that sets the credentials.",
    why="Terraform fails if the resource is removed and other code refers to the resource.",
    help="Remove the reference, then run again.",
)
SETTING_LANGUAGE_UNKNOWN = Diagnostic(
    "setting-language-unknown",
    found="The setting is in a file that tf-oidc-migrate cannot edit.",
    why="Only settings in Terraform and YAML are removed.",
    help=_REMOVE_BY_HAND,
)
ENVIRONMENT_REPEATED = Diagnostic(
    "environment-repeated",
    found="A `dynamic` block makes the environment of the run from a list.",
    why="The entries of the list may be for other runs too, so nothing was changed.",
    help="Remove the static credentials from the list by hand.",
)
MOUNTED_FROM_HERE = Diagnostic(
    "mounted-from-here",
    found="The resource at {place} mounts this file over the code of stacks.",
    why="The file belongs to the code of these stacks, not to the folder here, so nothing was changed.",
    help="Change the file by hand, together with that code.",
)
MOUNTED_FILE_UNKNOWN = Diagnostic(
    "mounted-file-unknown",
    found="The content of the mounted file cannot be read here.",
    why="The file replaces a file of the checkout at run time, and may hold AWS credentials.",
    help="Make sure that the mounted file sets no AWS credentials or role. "
    "Then put `# tf-oidc-migrate:ignore` above the resource.",
    page="""\
Spacelift puts a mounted file under `source/…` over the checkout before `terraform init`. Provider or backend blocks in
such a file win over the blocks that tf-oidc-migrate would migrate, so that runs would still use static credentials.

Look into the mounted file. If the file sets no AWS credentials, add the comment `# tf-oidc-migrate:ignore` above the
resource. If the file sets them, migrate the file by hand.""",
)
MOUNTED_FILE_SIGNS_IN = Diagnostic(
    "mounted-file-signs-in",
    found="The mounted file sets `{name}`.",
    why="Spacelift adds the file at run time, and the file overrides the sign-in of the code.",
    help="Remove `{name}` from the mounted file, then run again. Add `--include-ambient` if nothing else signs in.",
)
MOUNTED_VALUES_ARE_STATIC = Diagnostic(
    "mounted-values-are-static",
    found="The mounted file sets Terraform variables to static AWS credentials.",
    why="Values of variables do not override the migrated providers and backends.",
    help="Remove the static credentials from the mounted file.",
)
REMOVE_FROM_MOUNTED_FILE = Diagnostic(
    "remove-from-mounted-file",
    found="Remove the static credentials from these mounted files.",
    why="The migrated providers do not use the values.",
    help="Edit the content of each file, and apply the stack's definition.",
)
INIT_ARGUMENTS_UNKNOWN = Diagnostic(
    "init-arguments-unknown",
    found="The value of `TF_CLI_ARGS_init` cannot be read here.",
    why="The arguments may name a backend file with AWS credentials, which would override the backend block.",
    help="Make sure that the arguments set no AWS credentials or role. "
    "Then put `# tf-oidc-migrate:ignore` above the resource.",
    page="""\
Spacelift passes `TF_CLI_ARGS_init` to `terraform init`. An argument like `-backend-config=prod.tfbackend` or
`-backend-config=profile=prod` overrides the backend block of the code.

Look up the value in Spacelift. If the value sets no credentials and no role, add the comment
`# tf-oidc-migrate:ignore` above the resource.""",
)
BACKEND_FILE_MISSING = Diagnostic(
    "backend-file-missing",
    found="`TF_CLI_ARGS_init` names the backend file `{name}`, which is not in this repository.",
    why="The file may hold AWS credentials, which would override the backend block.",
    help="Make sure that the file sets no AWS credentials or role. "
    "Then put `# tf-oidc-migrate:ignore` above the resource.",
)
RECEIVERS_UNKNOWN = Diagnostic(
    "receivers-unknown",
    found="{reason}",
    why="A stack that is not known here may still need these credentials.",
    help="Remove the credentials by hand when no stack needs them.",
    page="""\
Static credentials in a variable, a mounted file or a context are removed only if every stack that gets them is known
and migrated. Here not all of these stacks could be found.

Look in Spacelift at the stacks to which the setting or its context is attached. If all of them run migrated code,
remove the setting by hand. If stacks are defined in another repository, run `tf-oidc-migrate batch` with both.""",
)
STILL_NEEDED = Diagnostic(
    "credentials-still-needed",
    found="{reasons}",
    why="These runs still need the credentials.",
    help="Migrate the code of these stacks in the same run. "
    "Code without credentials of its own needs `--include-ambient`. Or detach the setting from the stacks.",
    page="""\
A setting reaches every stack that it is attached to. The message names each stack, provider or state that still
needs the credentials, for example a stack with Ansible, or code that this run refuses.

Migrate those stacks too, or give them a setting of their own. The next run removes the setting when nothing needs
it.""",
)
CREDENTIALS_OVERRIDE_ROLE = Diagnostic(
    "credentials-override-role",
    found="The setting would override `AWS_ROLE_ARN`, which this run sets for the stack.",
    why="The setting cannot be removed. {reason}",
    help="Remove the setting from this stack by hand, then run again.",
    page="""\
With `--backend-auth env`, runs sign in with `AWS_ROLE_ARN` and the OIDC token. The AWS libraries prefer
`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` to web identity, so that runs would still use the old keys.

Remove or detach the setting from this stack. If other stacks need the keys, move the keys to a context of theirs.""",
)
SETTING_UNREADABLE = Diagnostic(
    "setting-unreadable",
    found="The setting cannot be edited: {reason}.",
    why="An edit of a file that is not understood is not safe.",
    help="Remove the static credentials by hand.",
)
CLEAN_EARLIER_STACKS = Diagnostic(
    "clean-earlier-stacks",
    found="Remove static credentials from stacks that were made from these templates before.",
    why="A change of a template does not change its earlier stacks.",
    help="Edit the environment of each stack in Spacelift.",
)
CHECK_LABELS = Diagnostic(
    "check-labels",
    found="Make sure that no stack of another repository has these labels and needs the credentials.",
    why="A context attaches itself to every stack that has the label.",
    help="Search Spacelift for stacks with the label before you apply the change.",
)
UNSET_FOR_HOOK = Diagnostic(
    "unset-for-hook",
    found="Remove {names} ({place}) from the runs of these stacks.",
    why="The aws CLI in the hook would use that setting, and the exchange of the OIDC token would fail.",
    help="Detach the setting from these stacks, or delete the setting.",
)
REMOVE_CREDENTIALS_FILE = Diagnostic(
    "remove-credentials-file",
    found="Remove the files that these settings named.",
    why="The files may hold access keys, and are mounted, or are in the image of the runner.",
    help="Delete the files, and delete the access keys in AWS after every stack ran once without them.",
)
