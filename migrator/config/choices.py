"""The choices and defaults of the command line, in a small module so that ``--help`` is fast."""

from __future__ import annotations

from enum import Enum

TOKEN_FILE = "/mnt/workspace/spacelift.oidc"  # noqa: S105 - a path
"""Where Spacelift puts a run's OIDC token: https://docs.spacelift.io/integrations/cloud-providers/oidc."""

BRANCH = "spacelift-oidc"


class HookPlace(Enum):
    """The place for the hook."""

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
    """The place for a known role of a provider: the provider's block, or a variable that the stacks set."""

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
