"""Everything that the rules need to know of a repository, gathered once."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.analysis.backends import S3Backend, s3_backends
from migrator.analysis.providers import Provider, aws_providers
from migrator.analysis.stacks import Stack, stacks_running, terraform_stacks
from migrator.workspace import Module, Workspace


@dataclass(frozen=True, eq=False)
class Root:
    """A root module with an S3 backend, and the stacks that run it."""

    module: Module
    backend: S3Backend
    providers: tuple[Provider, ...]
    stacks: tuple[Stack, ...]

    @property
    def group(self) -> str:
        """The name that binds together what must be changed together: `Finding.group`."""
        return f"root module {self.module.path or '.'}"

    @property
    def names_credentials(self) -> bool:
        """Whether the backend, or a provider beside it, names static credentials or a role."""
        providers = [one for one in self.providers if one.foreign is None]
        named = any(one.credentials or (one.is_bare and one.assumed_roles) for one in providers)
        return named or bool(self.backend.credentials or self.backend.role_family or self.backend.assumes_role)

    def needs_hook(self, include_ambient: bool) -> bool:
        """Whether the root module is being migrated, and its backend needs a hook to sign in."""
        if self.backend.foreign is not None or self.backend.has_web_identity:
            return False
        return include_ambient or self.names_credentials


@dataclass(frozen=True, eq=False)
class Facts:
    """The repository's AWS providers, its root modules with an S3 backend, and its Spacelift stacks."""

    providers: tuple[Provider, ...]
    roots: tuple[Root, ...]
    stacks: tuple[Stack, ...]

    def in_module(self, module: Module) -> list[Provider]:
        """The AWS providers of ``module``."""
        return [provider for provider in self.providers if provider.module is module]


def gather(workspace: Workspace) -> Facts:
    """Read the facts of all interesting modules of ``workspace``."""
    providers = {module.path: tuple(aws_providers(module)) for module in workspace.interesting_modules()}
    backends = [backend for module in workspace.interesting_modules() for backend in s3_backends(module)]
    stacks = terraform_stacks(workspace)
    roots = tuple(
        Root(
            backend.module,
            backend,
            providers[backend.module.path],
            tuple(stacks_running(backend.module.path, stacks, workspace, is_only_root=len(backends) == 1)),
        )
        for backend in backends
    )
    return Facts(tuple(one for found in providers.values() for one in found), roots, tuple(stacks))
