"""Messages about hooks: the role of a hook, and the providers that can use the credentials of a hook."""

from __future__ import annotations

from migrator.model.diagnostics import Diagnostic

NO_HOOK = Diagnostic(
    "no-hook",
    found="The root module `{root}` gets no hook.",
    why="The {what} would have no credentials, so nothing was changed.",
    help="Let this run migrate the backend of `{root}`, or use web identity in each block.",
)
SEVERAL_ROLES_FOR_HOOK = Diagnostic(
    "several-roles-for-hook",
    found="The providers of the root module `{root}` need different roles.",
    why="A hook has one role, so nothing was changed.",
    help="Use `--provider-auth web-identity`: then each provider signs in with its own role.",
)
HOOK_ROLE_UNKNOWN = Diagnostic(
    "hook-role-unknown",
    found="The root module `{root}` has a hook already, and the role of that hook is not known.",
    why="The role may not be right for this provider, so nothing was changed.",
    help="Name the role of the hook with `--backend-role-arn ARN`, if the provider may have that role.",
)
HOOK_HAS_OTHER_ROLE = Diagnostic(
    "hook-has-other-role",
    found="This run would give the provider the role {role}, and the hook has another role.",
    why="A hook has one role, so nothing was changed.",
    help="Use `--provider-auth web-identity`, or name one role for both with `--backend-role-arn`.",
)
HOOK_HAS_BACKEND_ROLE = Diagnostic(
    "hook-has-backend-role",
    found="The hook has the role of the backend.",
    why="A hook has one role, and the provider had other credentials, so nothing was changed.",
    help="Name one role for both with `--backend-role-arn ARN`, or use `--provider-auth web-identity`.",
)
HOOK_IDENTITY_COLLISION = Diagnostic(
    "hook-identity-collision",
    found="The code at {place} has other credentials today, and would get the role of this hook too.",
    why="A single role cannot replace two identities, so nothing was changed.",
    help="Use `--provider-auth web-identity`, or name the role of each identity with `--role`.",
)
SEVERAL_HOOK_ROLES = Diagnostic(
    "several-hook-roles",
    found="The stacks of this root module have hooks with different roles.",
    why="A single role would have to be right for all stacks, so nothing was changed.",
    help="Use `--provider-auth web-identity`, or name one role with `--backend-role-arn ARN`.",
)
USES_HOOK = Diagnostic(
    "uses-hook",
    found="This provider names no credentials.",
    why="The credentials of the hook are for this provider too, so nothing was changed.",
)
WEB_IDENTITY_STAYS = Diagnostic(
    "web-identity-stays",
    found="This provider has web identity with a role that is not known to be the role of the hook.",
    why="The web identity stays.",
)
HOOK_ONLY = Diagnostic(
    "hook-only",
    found="This code can sign in only with a hook.",
    why="This run puts no hook into stacks, so nothing was changed.",
    help="Run on this code again with `--auth oidc --backend-auth hook`.",
)
ROLE_VARIABLE_TAKEN = Diagnostic(
    "role-variable-taken",
    found="The variable {variable} is for something else in this module.",
    why="The hook would take its role from that variable, so nothing was changed.",
    help="Name the role of the hook with `--backend-role-arn ARN`.",
)
STACK_OF_SEVERAL_ROLES = Diagnostic(
    "stack-of-several-roles",
    found="The same stack runs units with different credentials, or different roles, for their states.",
    why="A hook has one role, so nothing was changed.",
    help="Name the role of the hook with `--backend-role-arn ARN`.",
)
TERRAGRUNT_NEEDS_HOOK = Diagnostic(
    "terragrunt-needs-hook",
    found="Terragrunt itself calls AWS for the bucket and does not support web identity there.",
    why="The calls of Terragrunt would have no credentials, so nothing was changed.",
    help="Use `--backend-auth hook`.",
)
SEVERAL_BACKEND_ROLES = Diagnostic(
    "several-backend-roles",
    found="The backend {how} roles.",
    why="A hook has one role, so nothing was changed.",
    help="Name the role of the hook with `--backend-role-arn ARN`.",
)
HOOK_ROLE_NOT_LITERAL = Diagnostic(
    "hook-role-not-literal",
    found="The `role_arn` of the backend is not the literal ARN of a role.",
    why="The role of the hook is not known, so nothing was changed.",
    help="Name the role of the hook with `--backend-role-arn ARN`.",
)
HOOK_IN_RUNTIME_CONFIG = Diagnostic(
    "hook-in-runtime-config",
    found="The hook of this stack goes into the file {path} next to its code.",
    why="The definition of the stack is not changed.",
)

# --- tasks -----------------------------------------------------------------------------------------------------------

CHECK_SETTINGS_OF_OTHERS = Diagnostic(
    "check-settings-of-others",
    found="Check whether these settings of other repositories reach your stacks.",
    why="The settings attach themselves by a label, and would override the credentials of the hook.",
    help="Detach the settings from stacks with the hook. A stack in a space out of reach does not get the settings.",
)
ADD_HOOK = Diagnostic(
    "add-hook",
    found="Make these commands the first entries of {lists} on the stacks that run these root modules.",
    why="No code that defines these stacks was found, or this run may not change the code.",
    help="Paste the commands before you push the branch. The commands take effect at once, for the old code as well.",
    page="""\
The hook is a list of commands that a stack runs before `terraform init`. The commands exchange Spacelift's OIDC token
for credentials of an IAM role, and export the credentials for the rest of the run. Spacelift sets
`TF_VAR_spacelift_run_id` in every run, so nobody sets this variable.

The hook takes effect at once, for runs of the old code as well: code that uses the credentials of the environment then
signs in with the role of the hook. So let the role trust Spacelift before you add the hook.

The stack is made in Spacelift's pages, or in a file that this run may not change. Open the stack's settings, go to
Hooks, and put the commands first, before other hooks that call AWS.""",
)
GIVE_HOOK_TO_STACKS = Diagnostic(
    "give-hook-to-stacks",
    found="Add the hook to the stacks that were made from these blueprints before.",
    why="A stack does not change when its blueprint changes.",
    help="Add the hook in the settings of each stack, or create the stack again.",
)
