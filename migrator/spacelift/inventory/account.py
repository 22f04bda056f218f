"""The data of an inventory: an account's stacks, contexts, integrations, spaces and modules, without any value.

The names are those of Spacelift's GraphQL interface. None stands for what the account did not tell.
``docs/inventory.schema.json`` describes the file.
"""

from __future__ import annotations

import msgspec

FORMAT = "tf-oidc-migrate inventory"
VERSION = 1
"""The version of the file's shape: raised when a reader of the version before could misunderstand the file."""

Names = tuple[str, ...]


class Data(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A part of an inventory, with the keys of GraphQL."""


class Element(Data, frozen=True, kw_only=True):
    """An environment variable or a mounted file: the name, never the value.

    ``checksum`` is the SHA-256 of the value in hexadecimal digits:
    https://github.com/spacelift-io/terraform-provider-spacelift/blob/main/docs/resources/environment_variable.md.
    """

    id: str
    type: str
    write_only: bool | None = None
    runtime: bool | None = None
    checksum: str | None = None


class ContextAttachment(Data, frozen=True, kw_only=True):
    """A context that is attached to a stack; the lowest ``priority`` runs first."""

    context_id: str
    context_name: str | None = None
    priority: int | None = None
    is_autoattached: bool | None = None


class StackAttachment(Data, frozen=True, kw_only=True):
    """A stack, or a module if ``is_module``, that a context is attached to."""

    stack_id: str
    is_module: bool | None = None
    is_autoattached: bool | None = None
    priority: int | None = None


class IntegrationAttachment(Data, frozen=True, kw_only=True):
    """An AWS integration that is attached to a stack, for ``read`` and for ``write`` runs."""

    integration_id: str
    name: str | None = None
    read: bool | None = None
    write: bool | None = None


class PolicyAttachment(Data, frozen=True, kw_only=True):
    """A policy that is attached to a stack."""

    policy_id: str
    policy_type: str | None = None


class Hooks(Data, frozen=True, kw_only=True):
    """The commands of each phase, in order; secrets in the commands are masked."""

    before_init: Names | None = None
    before_plan: Names | None = None
    before_apply: Names | None = None
    before_perform: Names | None = None
    before_destroy: Names | None = None


class Vendor(Data, frozen=True, kw_only=True):
    """The vendor of a stack: the name of the type in GraphQL, with the type's versions and tools."""

    typename: str = msgspec.field(name="__typename")
    version: str | None = None
    workspace: str | None = None
    terraform_workflow_tool: str | None = None
    open_tofu_workflow_tool: str | None = None
    terraform_version: str | None = None
    terragrunt_version: str | None = None
    tool: str | None = None
    use_run_all: bool | None = None
    use_state_management: bool | None = None


class Identified(Data, frozen=True, kw_only=True):
    """An object with an id; ``is_default`` is for VCS integrations alone."""

    id: str
    is_default: bool | None = None


class AssumedRole(Data, frozen=True, kw_only=True):
    """The role that the old AWS integration of a stack assumes; None if there is none."""

    assumed_role_arn: str | None = None


class StackIntegrations(Data, frozen=True, kw_only=True):
    """The integrations that are a part of a stack itself."""

    aws: AssumedRole | None = None


class Stack(Hooks, frozen=True, kw_only=True):
    """A stack; ``id`` is the slug."""

    id: str
    name: str
    repository: str | None = None
    namespace: str | None = None
    provider: str | None = None
    branch: str | None = None
    project_root: str | None = None
    additional_project_globs: Names | None = None
    repository_url: str | None = msgspec.field(name="repositoryURL", default=None)
    space: str | None = None
    labels: Names | None = None
    autodeploy: bool | None = None
    administrative: bool | None = None
    is_disabled: bool | None = None
    manages_state_file: bool | None = None
    terraform_version: str | None = None
    runner_image: str | None = None
    local_preview_enabled: bool | None = None
    worker_pool: Identified | None = None
    vcs_integration: Identified | None = None
    vendor_config: Vendor | None = None
    integrations: StackIntegrations | None = None
    attached_aws_integrations: tuple[IntegrationAttachment, ...] | None = None
    attached_contexts: tuple[ContextAttachment, ...] | None = None
    attached_policies: tuple[PolicyAttachment, ...] | None = None
    config: tuple[Element, ...] | None = None


class Context(Data, frozen=True, kw_only=True):
    """A context."""

    id: str
    name: str
    space: str | None = None
    labels: Names | None = None
    hooks: Hooks | None = None
    config: tuple[Element, ...] | None = None
    attached_stacks: tuple[StackAttachment, ...] | None = None


class AwsIntegration(Data, frozen=True, kw_only=True):
    """An AWS integration; ``duration_seconds`` is how long the credentials are valid."""

    id: str
    name: str
    role_arn: str | None = None
    duration_seconds: int | None = None
    generate_credentials_in_worker: bool | None = None
    labels: Names | None = None
    autoattach_enabled: bool | None = None
    space: str | None = None


class Space(Data, frozen=True, kw_only=True):
    """A space; a child space that inherits sees the contexts and integrations of ``parent_space``."""

    id: str
    name: str
    parent_space: str | None = None
    inherit_entities: bool | None = None


class Module(Data, frozen=True, kw_only=True):
    """A module of Spacelift's registry; ``id`` is the slug."""

    id: str
    name: str
    terraform_provider: str | None = None
    repository: str | None = None
    namespace: str | None = None
    branch: str | None = None
    project_root: str | None = None
    space: str | None = None
    labels: Names | None = None
    workflow_tool: str | None = None


class ReadError(Data, frozen=True, kw_only=True):
    """A part of the account that could not be read: ``what`` is the name, ``message`` the reason."""

    what: str
    message: str


class Inventory(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The data of the account at ``endpoint``.

    ``read_at`` is a time as ISO 8601 has it, in UTC. ``missing`` are the fields that the account's schema lacks,
    as ``Type.field``; ``errors`` what it has, but did not tell.
    """

    format: str = FORMAT
    version: int = VERSION
    endpoint: str
    read_at: str
    missing: Names = ()
    errors: tuple[ReadError, ...] = ()
    spaces: tuple[Space, ...] = ()
    stacks: tuple[Stack, ...] = ()
    modules: tuple[Module, ...] = ()
    contexts: tuple[Context, ...] = ()
    aws_integrations: tuple[AwsIntegration, ...] = ()
