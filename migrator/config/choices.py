"""What the command line offers to choose from, and its defaults; apart, so that ``--help`` loads little."""

from __future__ import annotations

from enum import Enum

TOKEN_FILE = "/mnt/workspace/spacelift.oidc"  # noqa: S105 - a path
"""Where Spacelift puts a run's OIDC token: https://docs.spacelift.io/integrations/cloud-providers/oidc."""

BRANCH = "spacelift-oidc"


class HookPlace(Enum):
    """Where the hook is put."""

    STACK = "stack"
    CONTEXT = "context"
    RUNTIME_CONFIG = "runtime-config"


class BackendAuth(Enum):
    """How a backend is to sign in: by the hook, by itself, by variables of its stack, or as its engine allows."""

    AUTO = "auto"
    HOOK = "hook"
    NATIVE = "native"
    ENV = "env"


class RoleIn(Enum):
    """Where a provider's role stands that is known: in its block, or in a variable that the stacks set."""

    LITERAL = "literal"
    VARIABLE = "variable"


class Auth(Enum):
    """What runs sign in by: their OIDC token, or the AWS integration of Spacelift itself."""

    OIDC = "oidc"
    CLOUD_INTEGRATION = "cloud-integration"


class ProviderAuth(Enum):
    """How providers are to sign in: by web identity of their own, or with the credentials of the hook."""

    WEB_IDENTITY = "web-identity"
    HOOK = "hook"
