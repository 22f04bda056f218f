"""Root modules, and the stacks that run them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.terraform.backends import effective_backends
from migrator.workspace.discover import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.model.account import AccountStack
    from migrator.model.fleet import KnownStack
    from migrator.spacelift.stacks.model import StackDefinition
    from migrator.terraform.backends import S3Backend
    from migrator.terraform.providers import Provider
    from migrator.terraform.remote_states import RemoteState
    from migrator.workspace.module import Module


class Runners(Struct, frozen=True, eq=False):
    """The stacks that run one root module: by ``definitions`` of this repository, and ``known_stacks`` of others.

    Stacks from ``blueprints`` may run the root module, too; none of these stacks is known.
    """

    definitions: tuple[StackDefinition, ...] = ()
    known_stacks: tuple[KnownStack, ...] = ()
    blueprints: tuple[StackDefinition, ...] = ()

    @property
    def all(self) -> tuple[StackDefinition | KnownStack, ...]:
        """The stacks of this repository and of others."""
        return (*self.definitions, *self.known_stacks)

    @property
    def accounts(self) -> Iterator[AccountStack]:
        """The stacks in the inventory of the account."""
        return (stack.account for stack in self.all if stack.account is not None)

    def merged(self, other: Runners) -> Runners:
        """The stacks of these runners and of ``other``, each once."""
        return Runners(
            tuple(dict.fromkeys((*self.definitions, *other.definitions))),
            tuple(dict.fromkeys((*self.known_stacks, *other.known_stacks))),
            tuple(dict.fromkeys((*self.blueprints, *other.blueprints))),
        )


class Root(Struct, frozen=True, eq=False, dict=True):
    """A root module with an S3 backend, and the stacks that run it.

    ``backends`` are the block itself, those of override files, and the partial configurations. ``remote_states`` are
    the states that the root module, and the modules that it calls, read from S3. ``gets_static_keys`` says that
    Spacelift's settings give static credentials to its runs.
    """

    module: Module
    backends: tuple[S3Backend, ...]
    providers: tuple[Provider, ...]
    runners: Runners
    remote_states: tuple[RemoteState, ...] = ()
    gets_static_keys: bool = False

    @property
    def group(self) -> str:
        """The name of the group that changes together: `Finding.group`."""
        return group_of(self.module)

    @cached_property
    def backend(self) -> S3Backend:
        """The block that counts: the block of an override file replaces the others."""
        return self.blocks[0]

    @cached_property
    def blocks(self) -> list[S3Backend]:
        """The block that counts, and the block that counts for OpenTofu if it is another."""
        return effective_backends(self.backends)

    @cached_property
    def carriers(self) -> tuple[S3Backend, ...]:
        """The ``backends`` that assume a role."""
        return tuple(backend for backend in self.backends if backend.assumes_role)

    @cached_property
    def role_arns(self) -> set[str]:
        """The expressions of the roles that the backend assumes; partial configurations count most.

        ``""`` means no role, if some alternative configurations assume a role and others do not.
        """
        files = [backend for backend in self.backends if backend.is_partial]
        partial = {backend.role_arn for backend in files if backend.role_arn}
        complete_files = (backend for backend in files if backend.credentials or backend.block.attribute("bucket"))
        if partial and not self.backend.role_arn and any(not backend.assumes_role for backend in complete_files):
            partial.add("")
        return partial or {backend.role_arn for backend in self.blocks if backend.role_arn}

    @cached_property
    def names_credentials(self) -> bool:
        """Whether the backend, or a provider or remote state of the root module, names static credentials or a role."""
        providers = [
            provider
            for provider in self.providers
            if provider.skip_reason is None and provider.document.kind is not Kind.TEST
        ]
        if any(provider.credentials or (provider.is_bare and provider.assumed_roles) for provider in providers):
            return True
        if self.gets_static_keys or any(remote_state.names_credentials for remote_state in self.remote_states):
            return True
        return any(backend.credentials or backend.role_family or backend.assumes_role for backend in self.backends)

    @cached_property
    def has_web_identity(self) -> bool:
        """Whether the backend already signs in with web identity itself."""
        return any(backend.has_web_identity for backend in self.backends)

    def is_migrated(self, include_ambient: bool) -> bool:
        """Whether the root module is migrated, and its backend needs another sign-in."""
        return self._is_to_sign_in and (include_ambient or self.names_credentials)

    @cached_property
    def _is_to_sign_in(self) -> bool:
        return self.backend.skip_reason is None and not self.has_web_identity


class ModuleWithStaticKeys(Struct, frozen=True, eq=False):
    """A root module without an S3 backend whose runs get static credentials from Spacelift's settings."""

    module: Module
    stacks: tuple[StackDefinition, ...]

    @property
    def group(self) -> str:
        """The name of the group that changes together: `Finding.group`."""
        return group_of(self.module)


def group_of(module: Module) -> str:
    """The name of the group of a root module: `Finding.group`."""
    return f"root module {module.path or '.'}"
