"""The diagnostics of hooks: why a hook cannot be put into a stack's list, or must not be."""

from __future__ import annotations

from migrator.model.diagnostics import Diagnostic

_IN_CONTEXT = "use `--hook-in context`"

HOOK_LIST_UNREADABLE = Diagnostic(
    "hook-list-unreadable",
    found="The stack's `{name}` cannot be parsed: {reason}.",
    why="The hook cannot be added to a list that is not understood.",
    help=f"Write `{{name}}` as a list of strings, or {_IN_CONTEXT}.",
    page="""\
The hook has to come first in the stack's list of hooks. tf-oidc-migrate adds an entry only to an expression that it
can parse.

Write the list out, for example `before_init = ["make generated"]`. Or put the hook into a context, which leaves the
stack's own lists as they are: `--hook-in context`.""",
)
HOOK_LIST_IS_STRING = Diagnostic(
    "hook-list-is-string",
    found="The stack's `{name}` is a string. Spacelift expects a list of strings.",
    why="A second entry cannot be added to a string.",
    help="Put square brackets around the string, then run again.",
)
HOOK_LIST_COMPUTED = Diagnostic(
    "hook-list-computed",
    found="The program computes the stack's `{name}` only when it runs.",
    why="The hook cannot be added to a value that is not a Python list yet.",
    help="Add the hook to `{name}` by hand, as its first entry.",
    page="""\
Pulumi's `Output` values and CDKTF's tokens get their value while the program runs. Python cannot join such a value
with a list of strings.

Add the hook where the value is made, for example inside the function that `.apply(…)` calls.""",
)
HOOK_LIST_SHARED = Diagnostic(
    "hook-list-shared",
    found="The stack's `{name}` is in a dict that other calls use too.",
    why="A change of the dict would give the hook to other stacks as well.",
    help="Pass `{name}` to this stack as an argument of its own, then run again.",
    page="""\
A Python dict that several calls unpack with `**options` sets the same hooks for every stack. The hook signs in as
the role of this stack only.

Pass the list to the stack itself, for example `Stack(self, "app", before_init=["make generated"], **options)`, and
remove `before_init` from the shared dict.""",
)
HOOK_LIST_UNKNOWN = Diagnostic(
    "hook-list-unknown",
    found="The stack is defined in a way that tf-oidc-migrate does not support.",
    why="The place for its hooks is not known.",
    help="Add the hook to the stack by hand.",
)
HOOK_LIST_IMPORTED = Diagnostic(
    "hook-list-imported",
    found="The stack file sets no `{name}` of its own, and may import the list of another file.",
    why="A new list in this file could replace the imported list.",
    help="Add the hook to the file that sets the list, or set the list in this file.",
    page="""\
Stack files of Atmos and similar modules import defaults from other files. A list that a file sets itself takes the
place of the imported list, so that hooks of the imported list would be lost.

Add the hook as the first entry of the list in the imported file. All stacks that import the file then get the hook.""",
)
STACK_ROLES_DIFFER = Diagnostic(
    "stack-roles-differ",
    found="A single block makes several stacks. Not all of them run migrated code with the same role.",
    why="A hook in the block would give the wrong role to some of the stacks.",
    help="Set `for_each` from a map or set that is written out, or give each role a block of its own.",
    page="""\
A `spacelift_stack` with `count`, or in a module that is called several times, makes several stacks from one list of
hooks. The hook exchanges the OIDC token for credentials of one role.

With `for_each` over keys that are written out, tf-oidc-migrate adds a hook by key. Otherwise split the block, so
that all stacks of a block use the same role.""",
)
STACK_HOOKS_DIFFER_IN_JSON = Diagnostic(
    "stack-hooks-differ-in-json",
    found="A single block in JSON makes several stacks. Not all of them need the same hook.",
    why="A list that depends on the key of `for_each` is added to HCL files only.",
    help="Move the block to a `.tf` file, or add the hook by hand.",
)
STACK_MADE_BY_MODULE = Diagnostic(
    "stack-made-by-module",
    found="A module from another repository or a registry makes the stack.",
    why="The variable that takes the stack's hooks is not known.",
    help="Pass the hook to the module by hand.",
    page="""\
tf-oidc-migrate knows the inputs of the common modules that make stacks, for example
`cloudposse/cloud-infrastructure-automation/spacelift`. The module of this stack is another module.

Look up the input for `before_init` in the module's documentation, and pass the hook as its first entry.""",
)
STACK_HAS_HOOK = Diagnostic(
    "stack-has-hook",
    found="The stack has the hook that exchanges its OIDC token.",
    why="The hook sets credentials in every run. New credentials would mix with them.",
    help="Remove the hook, or use `--auth oidc` with `--backend-auth hook`.",
    page="""\
The stack exchanges its OIDC token in a hook already, for example from an earlier migration. The hook exports AWS
keys, which would override `AWS_ROLE_ARN` and mix with the keys of an integration.

Keep the hook and run with `--auth oidc --backend-auth hook`, or remove the hook from the stack first.""",
)
STACK_HAS_INTEGRATION = Diagnostic(
    "stack-has-integration",
    found="The stack uses the AWS integration at {place}.",
    why="The integration sets credentials in every run. New credentials would mix with them.",
    help="Detach the integration, or keep it and use `--auth cloud-integration`.",
    page="""\
Spacelift's AWS integration sets `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` for every run.
The hook sets the same variables later. Some commands of the run would then use one identity, and some the other.

Choose one way to sign in for the stack: the hook (`--auth oidc`) or the integration (`--auth cloud-integration`).""",
)
HOOKS_EXPORT_CREDENTIALS = Diagnostic(
    "hooks-export-credentials",
    found="`{name}` {of} exports `{variable}`.",
    why="The exported value would override the credentials of the new hook.",
    help="Remove the export, then run again.",
    page="""\
All hooks of a run share one environment. A command after the new hook that exports `AWS_ACCESS_KEY_ID`,
`AWS_PROFILE` or a similar variable decides which credentials Terraform uses. The backend would still sign in as
before.

Remove the command if the stack needs no static credentials any more. If a later command needs another identity, set
the variable for that command alone: `AWS_PROFILE=x command`.""",
)
SETTING_OF_OTHER_REPOSITORY = Diagnostic(
    "setting-of-other-repository",
    found="{reason}",
    why="The setting would override the credentials of the new hook.",
    help="Detach the setting from the stack in the other repository, then run again.",
    page="""\
Another repository of the run attaches a setting to this stack by its slug: Spacelift's AWS integration, a context with
hooks that export credentials, a variable such as `AWS_PROFILE`, or a mounted file that signs in. Such a setting would
override the new hook.

Remove the setting, or the attachment, where the other repository defines it. Then run again with both repositories.""",
)
STACK_OVERRIDDEN = Diagnostic(
    "stack-overridden",
    found="An override file changes the stack too.",
    why="The override file may replace the list that the hook is added to.",
    help="Merge the override file into the stack's block, then run again.",
    page="""\
Terraform merges a file named `override.tf` or `*_override.tf` into the block of the same name. If the override file
sets `before_init`, that list replaces the list with the new hook.

Move the arguments of the override file into the block of the stack, and delete the override file.""",
)
STACK_IGNORES_HOOKS = Diagnostic(
    "stack-ignores-hooks",
    found="The stack's `lifecycle` block ignores changes of `{name}`.",
    why="Terraform would never apply the new hook.",
    help="Remove `{name}` from `ignore_changes`, or use `--hook-in context`.",
    page="""\
With `ignore_changes = [before_init]` or `ignore_changes = all`, Terraform keeps the hooks that the stack has in
Spacelift. A new entry in the code would have no effect, and the migrated backend would find no credentials.

Remove the entry from `ignore_changes`. Or use `--hook-in context`: the context with the hook is a new resource.""",
)
RUNTIME_CONFIG_UNREADABLE = Diagnostic(
    "runtime-config-unreadable",
    found="`.spacelift/config.yml` cannot be parsed.",
    why="The hook cannot be added to a file that is not understood.",
    help="Correct the file, then run again.",
)
RUNTIME_TESTS_DIFFER = Diagnostic(
    "runtime-tests-differ",
    found="Tests in `.spacelift/config.yml` share one list of hooks, but run code with different roles.",
    why="A single hook cannot sign in as several roles.",
    help="Give each test a `before_init` list of its own.",
)
RUNTIME_DEFAULTS_DIFFER = Diagnostic(
    "runtime-defaults-differ",
    found="`stack_defaults` in `.spacelift/config.yml` applies to stacks with different roles.",
    why="A single hook cannot sign in as several roles.",
    help="Give each stack an entry of its own under `stacks`, with its own list of hooks.",
)
RUNTIME_LIST_REPLACES = Diagnostic(
    "runtime-list-replaces",
    found="The stack sets `{name}` to a value that cannot be read here.",
    why="A `{name}` list in `.spacelift/config.yml` would replace the stack's hooks.",
    help="Use `--hook-in stack`, or copy the stack's hooks into `.spacelift/config.yml`.",
    page="""\
A list of hooks in `.spacelift/config.yml` takes the place of the list in the settings of the stack. A new list with
the hook alone would drop the stack's own commands.

Copy the commands of the stack into the entry of the file, and run again. Or let the hook go into the stack's
settings: `--hook-in stack`.""",
)
RUNTIME_ENVIRONMENT_REPLACES = Diagnostic(
    "runtime-environment-replaces",
    found="`stack_defaults` in `.spacelift/config.yml` sets an environment.",
    why="An environment in the stack's own entry may replace the environment of the defaults.",
    help="Copy the default variables into the stack's entry, then run again.",
)
