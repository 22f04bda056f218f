"""The choices and defaults of the command line, in a small module so that ``--help`` is fast."""

from __future__ import annotations

from enum import Enum

TOKEN_FILE = "/mnt/workspace/spacelift.oidc"  # noqa: S105 - a path
"""The path of a run's OIDC token: https://docs.spacelift.io/integrations/cloud-providers/oidc."""

BRANCH = "spacelift-oidc"


class HookPlace(Enum):
    """The place for the hook."""

    STACK = "stack"
    CONTEXT = "context"
    RUNTIME_CONFIG = "runtime-config"


class BackendAuth(Enum):
    """The sign-in of backends: by the hook, native, by variables of the stack, or as the engine allows."""

    AUTO = "auto"
    HOOK = "hook"
    NATIVE = "native"
    ENV = "env"


class RoleIn(Enum):
    """The place for a known role of a provider: the provider's block, or a variable that the stacks set."""

    LITERAL = "literal"
    VARIABLE = "variable"


class Auth(Enum):
    """The sign-in of runs: by the OIDC token, or by the AWS integration of Spacelift."""

    OIDC = "oidc"
    CLOUD_INTEGRATION = "cloud-integration"


class ProviderAuth(Enum):
    """The sign-in of providers: by their own web identity, or with the credentials of the hook."""

    WEB_IDENTITY = "web-identity"
    HOOK = "hook"
