"""Messages about providers, backends and the states that they read, with the reasons against a migration."""

from __future__ import annotations

from migrator.model.diagnostics import Diagnostic

MOCK_KEYS_IN_TEST = Diagnostic(
    "mock-keys-in-test",
    found="The keys of this provider are a mock for `terraform test`.",
    why="The provider does not sign in to AWS, so nothing was changed.",
)
MOCK_KEYS = Diagnostic(
    "mock-keys",
    found="The keys are a mock, and AWS's checks are skipped.",
    why="The configuration is for an emulator, so nothing was changed.",
)
NOT_AWS_REGION = Diagnostic(
    "not-an-aws-region",
    found="The region is not a region of AWS.",
    why="The keys that sign in here are keys of another object store, so nothing was changed.",
)
EMULATOR = Diagnostic(
    "emulator",
    found="The {name} is that of an emulator.",
    why="The keys are not for AWS, so nothing was changed.",
)
NOT_AWS_ENDPOINT = Diagnostic(
    "not-an-aws-endpoint",
    found="The {name} is not an endpoint of AWS.",
    why="The keys that sign in here are keys of that other service, so nothing was changed.",
)
UNKNOWN_ENDPOINT = Diagnostic(
    "unknown-endpoint",
    found="The value of the {name} is not known without running Terraform.",
    why="The endpoint may belong to another object store, so nothing was changed.",
    help="Write the endpoint as a literal, or remove the endpoint if the code is for AWS.",
    page="""An endpoint that comes from a variable or a data source may be AWS, an emulator, for example
LocalStack, or another object store. The keys of another store must stay. tf-oidc-migrate cannot see which case it is
and changes nothing.

If the endpoint is always AWS, remove the argument: AWS is the default. Otherwise keep the keys, and put
`# tf-oidc-migrate:ignore` above the block.""",
)
OTHER_STORE = Diagnostic(
    "other-object-store",
    found="The arguments {names} are for object stores other than AWS, and no endpoint is named.",
    why="The keys may belong to another store, so nothing was changed.",
    help="Name the endpoint of the store, or remove these arguments if the code is for AWS.",
)
CONDITIONAL_KEYS = Diagnostic(
    "conditional-keys",
    found="This provider chooses between static credentials and web identity by a condition.",
    why="The code supports web identity already, so nothing was changed.",
    help="Set the variables of the condition on the stacks so that web identity is chosen.",
)
CHOOSE_WEB_IDENTITY = Diagnostic(
    "choose-web-identity",
    found="Make sure that these providers choose web identity in every run.",
    why="A condition chooses, and the static credentials for the other case are removed.",
    help="Set the variables of the condition on each stack before you push the branch.",
)
NO_WEB_IDENTITY_ROLE = Diagnostic(
    "no-role-for-backend",
    found="No role is known for the web identity of the backend.",
    why="The backend has no role of its own and this run names no role, so nothing was changed.",
    help="Name the role with `--backend-role-arn ARN`.",
)
ROLE_NOT_LITERAL = Diagnostic(
    "backend-role-not-literal",
    found="The role of the backend is not the literal ARN of a role.",
    why="Terraform reads a backend before variables have values, so the role cannot become web identity.",
    help="Name the role with `--backend-role-arn ARN`.",
)
ROLE_IGNORED = Diagnostic(
    "backend-role-ignored",
    found="A `tf-oidc-migrate:ignore` comment covers the role of the backend.",
    why="A role that stays cannot be combined with web identity, so nothing was changed.",
    help="Remove the comment, or use `--backend-auth hook`.",
)
OTHER_TOKEN = Diagnostic(
    "token-of-another-service",
    found="The web identity of this block uses {used}, which is not the OIDC token of Spacelift.",
    why="Today the static keys sign in instead. Without the keys the sign-in may fail, so nothing was changed.",
    help="Set `web_identity_token_file` to the token of Spacelift, /mnt/workspace/spacelift.oidc, and run again.",
)
TWO_ROLES = Diagnostic(
    "two-backend-roles",
    found="The backend has both `role_arn` and `assume_role`.",
    why="Terraform and OpenTofu accept only one of the two, so nothing was changed.",
    help="Remove the argument that is not in use.",
)
UNREADABLE_ROLE = Diagnostic(
    "unreadable-assume-role",
    found="The value of `assume_role` is not an object with a readable `role_arn`.",
    why="The role is not known, so nothing was changed.",
    help="Write `assume_role` as an object with a literal `role_arn`, or name the role with `--backend-role-arn ARN`.",
)
BAD_DURATION = Diagnostic(
    "duration-not-a-number",
    found="The value of `assume_role_duration_seconds` is not a number.",
    why="The duration cannot be carried over, so nothing was changed.",
    help="Write the duration as a number of seconds.",
)
ROLE_ARGUMENTS = Diagnostic(
    "role-arguments-not-supported",
    found="The role of the backend has {names}, which web identity does not support.",
    why="Without these arguments the role may not be usable, so nothing was changed.",
    help="Name a second role with `--backend-role-arn ARN`: the backend signs in with the second role first.",
    page="""`assume_role` takes arguments such as `external_id`, `tags` and `transitive_tag_keys`, and
`assume_role_with_web_identity` does not. A trust policy that asks for an external id would reject web identity.

Name a role that trusts Spacelift's token with `--backend-role-arn ARN`. The backend signs in with that role and then
assumes the role of before, with all its arguments. The hook (`--backend-auth hook`) does not have this limit.""",
)
BACKEND_REPLACED = Diagnostic(
    "backend-replaced",
    found="The override file replaces this backend with {title} ({place}).",
    why="Terraform does not use this block while the override file is there, so nothing was changed.",
    help="Remove this block, or remove the override file and run again.",
)
UNKNOWN_STATE_BACKEND = Diagnostic(
    "unknown-state-backend",
    found="The backend of this remote state is not known without running Terraform.",
    why="The state may not be in S3, so nothing was changed.",
    help='Write `backend = "s3"` as a literal.',
)
IGNORED_CONSTRAINT = Diagnostic(
    "version-constraint-too-old",
    found="The constraint {constraint} at {place} may not be changed and admits no release from {release} on.",
    why="Web identity needs release {release} of the provider, so nothing was changed.",
    help="Raise the constraint at {place}, or let this run change that file.",
)
CONSTRAINT_NOT_READ = Diagnostic(
    "constraint-not-read",
    found="Before the merge, make sure that this constraint admits release {release} of {name}.",
    why="The constraint is not a literal, and this run cannot read its value. Web identity needs release {release}.",
)
LOCKED_RELEASE = Diagnostic(
    "lock-file-too-old",
    found="Run `terraform init -upgrade -backend=false` and commit {file} in these root modules.",
    why="The file pins hashicorp/{kind} {version}, and web identity needs {release}.",
)
MAJOR_RELEASE = Diagnostic(
    "new-major-release",
    found="Before the merge, check the code with the upgrade guide {guides}.",
    why="The migration raised the constraint on {name} to a new major release: web identity needs {release}.",
)
NEW_RELEASE = Diagnostic(
    "new-release",
    found="Before the merge, check that the code works with the new release of {name}.",
    why="The migration raised the constraint: web identity needs {release}.",
)
RAISED_MINIMUM = Diagnostic(
    "raised-minimum",
    found="Before the merge, check that the lowest release of {name} may be raised.",
    why="Web identity needs {release}.",
)
