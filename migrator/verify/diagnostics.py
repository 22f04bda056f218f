"""The messages of a verification about cells that failed or are not proven."""

from __future__ import annotations

from migrator.model.diagnostics import Diagnostic

NO_ENGINE = Diagnostic(
    "verify-no-engine",
    found="Neither terraform nor tofu is installed.",
    help="Install the engine of the stack, or name its path with --engine.",
)
INVALID = Diagnostic(
    "verify-invalid",
    found="{engine} rejects the root module: {said}.",
    help="Correct the root module on the branch.",
)
OTHER_ENGINE = Diagnostic(
    "verify-other-engine",
    found="{engine} rejects the root module, but the stack runs another engine: {said}.",
    help="Install the engine of the stack, or name its path with --engine.",
)
NO_PROVIDERS = Diagnostic(
    "verify-no-providers",
    found="Providers or modules are not on this machine, so `validate` was skipped: {said}.",
    help="Set TF_PLUGIN_CACHE_DIR, configure a mirror, or let the engine download them with --fetch-providers.",
)
OTHER_PROGRAM = Diagnostic(
    "verify-not-terraform",
    found="{what} writes this root module when the stack runs.",
    help="Verify the stack with --level spacelift.",
)
NO_MOTO = Diagnostic(
    "verify-no-moto",
    found="The emulated AWS is not installed.",
    help="Install the extra `verify`: `pipx install '.[verify]'` in a checkout of the tool.",
)
NO_SHELL = Diagnostic("verify-no-program", found="{program} is not installed.", help="Install {program}.")
NO_STACK = Diagnostic(
    "verify-no-stack",
    found="No stack that runs this root module is known.",
    help="Name the repository that defines the stack, or the inventory of the account with --inventory.",
)
UNKNOWN_HOOKS = Diagnostic(
    "verify-unknown-hooks",
    found="The hooks before init are not known: {why}.",
    help="Verify the stack with --level spacelift.",
)
UNKNOWN_CONTEXT = Diagnostic(
    "verify-unknown-context",
    found="A context may run hooks before the stack's own: {why}.",
    help="Read the hooks of the account with --inventory.",
)
OWN_SPELLING = Diagnostic(
    "verify-own-spelling",
    found="The hook differs from the exchange that Spacelift documents, so the hook was not run.",
    help="Verify the stack with --level spacelift.",
)
NO_HOOK = Diagnostic(
    "verify-no-hook",
    found="The backend uses the credentials of the environment, and no hook before init signs in.",
    help="Add the hook to the stack: `tf-oidc-migrate --include-ambient` does that, or prints the hook.",
)
TOO_EARLY = Diagnostic(
    "verify-too-early",
    found="{where} calls AWS or Terraform before the hook signs in.",
    help="Put the hook first: migrate with --hook-in context, or give the hook's context a lower priority.",
)
EXCHANGE_FAILED = Diagnostic(
    "verify-exchange-failed",
    found="In {shell} the hook got no credentials for a run of type {run}: {said}.",
    help="Correct the hook. Spacelift puts the token into {token}.",
)
NOT_EXPORTED = Diagnostic(
    "verify-other-session",
    found="In {shell} the hook signs in as {found}, not as {expected}.",
    help="Correct the role of the hook.",
)
NO_GUARD = Diagnostic(
    "verify-no-guard",
    found="No guard follows the hook: if AWS denies the exchange, the run goes on with other credentials.",
    help='Add the hook `test -n "$AWS_SESSION_TOKEN"` after the exchange.',
)
INTEGRATION = Diagnostic(
    "verify-integration",
    found="The stack signs in with Spacelift's AWS integration, which only Spacelift can do.",
    help="Verify the stack with --level spacelift.",
)
NO_ROLE_VALUE = Diagnostic(
    "verify-role-not-known",
    found="No file gives the value of {name} on the stack.",
    help="Set {name} on the stack. For this verification, name the same role with --role-arn.",
)
BACKEND_FAILED = Diagnostic(
    "verify-backend-failed",
    found="`init` with the backend fails: {said}.",
    help="Correct the backend on the branch.",
)
NO_BASE = Diagnostic(
    "verify-no-base",
    found="The branch from before the migration is not known, so the state cannot be compared.",
    help="Name the branch or commit with --base.",
)
NO_OLD_BACKEND = Diagnostic(
    "verify-no-old-backend",
    found="Before the migration this root module had no S3 backend.",
    help="Check that the state was moved to {place} before.",
)
OTHER_STATE = Diagnostic(
    "verify-other-state",
    found="The backend leads to another state: {name} was {before} and is {after}.",
    help="Give {name} its value from before the migration.",
)
UNKNOWN_STATE = Diagnostic(
    "verify-unknown-state",
    found="The code before the migration does not write {name} of the backend as a literal.",
    help="Compare the state with --level spacelift.",
)
MANY_FILES = Diagnostic(
    "verify-many-backend-files",
    found="Several files may hold the other arguments of the backend: {files}.",
    help="Set TF_CLI_ARGS_init on the stack, or verify the stack with --level spacelift.",
)
OTHER_SIGNER = Diagnostic(
    "verify-other-signer",
    found="{who} signs in as {found}, but the report of the migration says {expected}.",
    help="Correct the hook, the variables of the stack or the block. Report a bug if the report is wrong.",
)
OTHER_ACCOUNT = Diagnostic(
    "verify-other-account",
    found="{who} signs in to another account: it was {before} and is {after}.",
    help="Name a role of account {before}.",
)
STATIC_KEYS = Diagnostic(
    "verify-static-keys",
    found="{who} still signs in with {found}.",
    help="Migrate the block, or remove the key.",
)
UNKNOWN_SIGNER = Diagnostic(
    "verify-environment",
    found="{who} signs in with {found}, which is not known here.",
    help="Verify the stack with --level spacelift.",
)
OVERRIDDEN = Diagnostic(
    "verify-overridden",
    found="A mounted file or a setting decides who signs in: {title}: {reason}.",
    help="Take the credentials out of the mounted file, or remove the file.",
)
NO_SESSION = Diagnostic(
    "verify-no-session",
    found="The hook gave no credentials, so this check was not made.",
    help="Resolve the problem of the check `hook` first.",
)
UNSEEN = Diagnostic(
    "verify-unseen",
    found="{who} did not try to sign in, so this check was not made.",
    help="Resolve the problems of the checks `hook` and `state` first.",
)
NO_ROLE_KNOWN = Diagnostic(
    "verify-no-role",
    found="The role with which runs of the stack sign in is not known.",
    help="Name the value of the role variables with --role-arn.",
)
NO_POLICY = Diagnostic(
    "verify-no-policy",
    found="The trust policy of {role} is not known: {why}.",
    help="Write the role to a file: aws iam get-role --role-name NAME > DIR/NAME.json, and name DIR with --policies.",
)
UNKNOWN_POLICY = Diagnostic(
    "verify-unknown-policy",
    found="This command cannot decide whether runs may assume {role}. {why}.",
    help="Check the statement by hand, or with a run.",
)
UNKNOWN_SUBJECT = Diagnostic(
    "verify-unknown-subject",
    found="The trust policy of {role} depends on the {what}, which is not certain here.",
    help="Read the stacks of the account with --inventory.",
)
DENIED = Diagnostic(
    "verify-denied",
    found="{role} denies {action} to {run} with the subject {subject}. {why}.",
    help="Correct the trust policy. `tf-oidc-migrate trust` writes one.",
)
CHAIN_DENIED = Diagnostic(
    "verify-chain-denied",
    found="{role} denies {action} to {by}. {why}.",
    help="Correct the trust policy of the role.",
)
NO_PREVIEW = Diagnostic(
    "verify-no-preview",
    found="No preview can be made: {why} is not known.",
    help="Commit the branch, and name the inventory of the account with --inventory.",
)
PREVIEW_NOT_RUN = Diagnostic(
    "verify-preview-not-run",
    found="The preview was written and not run. A preview proves nothing about runs that apply changes.",
    help="Run the preview with --run, or with `{command}`.",
)
PREVIEW_FAILED = Diagnostic(
    "verify-preview-failed",
    found="The preview failed: {said}.",
    help="Read the log of the preview in Spacelift.",
)
NO_MARKER = Diagnostic(
    "verify-no-marker",
    found="The log of a preview does not show the {what}.",
    help="Read the log of the preview in Spacelift, and check that the runner image has the aws CLI and jq.",
)
NATIVE_ELSEWHERE = Diagnostic(
    "verify-native-elsewhere",
    found="The backend signs in by itself, and was tried with {engine}, which is not the engine of the stack.",
    help="Install the engine of the stack, or name its path with --engine.",
)
OTHER_TOKEN = Diagnostic(
    "verify-other-token",
    found="{who} reads the token from {found}, but Spacelift puts the token into {token}.",
    help="Correct web_identity_token_file, or name the file with --token-file.",
)
NO_HOOK_ROLE = Diagnostic(
    "verify-hook-role-not-known",
    found="No file gives the value of the variable that holds the role of the hook.",
    help="Set TF_VAR_aws_role_arn on the stack. For this verification, name the same role with --role-arn.",
)
