"""The changed sign-ins of providers, backends and remote states, by the findings of earlier phases.

A rule makes its edits from these changes, and the later signers follow from them: no file is read again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.config.config import ProviderAuth
from migrator.decide.environment_roots import environment_sign_in
from migrator.model.findings import Refusal, Rewrite
from migrator.syntax.terraform import Attribute
from migrator.terraform.backend_edit import SignIn, hook_sign_in

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.environment_roots import EnvironmentRoot
    from migrator.decide.roots import Root
    from migrator.model.findings import Place
    from migrator.terraform.backends import S3Backend
    from migrator.terraform.providers import Provider
    from migrator.terraform.remote_states import Config, RemoteState


RULES = ("provider-static-keys", "provider-environment", "s3-backend", "remote-state")
"""The rules that change how a block signs in."""


class SignInChanges:
    """The changes of the blocks that the earlier findings of a context rewrite."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._rewritten = {
            (finding.rule, finding.place.key)
            for finding in context.earlier_findings
            if isinstance(finding.fix, Rewrite) and finding.fix.edits
        }
        self._roots = {backend: root for root in context.facts.roots for backend in root.backends}

    def _is_rewritten(self, place: Place, *rules: str) -> bool:
        return any((rule, place.key) in self._rewritten for rule in rules)

    def loses_credentials(self, provider: Provider) -> bool:
        """Whether the credentials of a provider's block are removed."""
        return self._is_rewritten(provider.place, *RULES[:2])

    def block_with_new_identity(self, provider: Provider) -> Provider | None:
        """The block of a provider that gets a web identity; None if no block does."""
        losing = (block for block in self._losing(provider) if not block.has_web_identity and block.is_lead)
        return None if self._context.config.provider_auth is ProviderAuth.HOOK else next(losing, None)

    def web_identity(self, provider: Provider) -> str | None:
        """The expression of the provider's new role; None if its web identity does not change."""
        if self._context.config.provider_auth is ProviderAuth.HOOK:
            replaced = map(self._context.hook_identity.replaces_web_identity, self._losing(provider))
            return "" if any(replaced) else None
        block = self.block_with_new_identity(provider)
        return self._context.web_identity.role_expression(block) if block is not None else None

    def _losing(self, provider: Provider) -> Iterator[Provider]:
        """The blocks of a provider that lose credentials, and sign in by themselves or by a hook."""
        serves = self._context.environment_roots.covers
        return (block for block in provider.family if self.loses_credentials(block) and not serves(block))

    def of_backend(self, backend: S3Backend) -> SignIn[Attribute] | None:
        """The new sign-in of a backend block or a partial configuration; None without a change."""
        if not self._is_rewritten(backend.place, "s3-backend") or backend not in self._roots:
            return None
        new_sign_in = backend_sign_in(self._context, self._roots[backend], backend)
        return new_sign_in if isinstance(new_sign_in, SignIn) else None

    def of_state(self, state: RemoteState) -> dict[S3Backend, SignIn[Attribute]]:
        """The new sign-ins of the parts of a remote state's configuration."""
        if not self._is_rewritten(state.place, "remote-state"):
            return {}
        new_sign_ins = _state_sign_ins(self._context, state)
        return {part.backend: outcome for part, outcome in new_sign_ins if isinstance(outcome, SignIn)}


def backend_sign_in(context: Context, root: Root, backend: S3Backend) -> SignIn[Attribute] | Refusal:
    """The new sign-in of a root module's backend: by the environment, by itself, or by a hook."""
    strategies = context.strategies
    is_migrated = root.is_migrated(context.config.include_ambient)
    environment_root = context.environment_roots.at(root.module.path) if is_migrated else None
    if environment_root is not None:
        is_rejected = bool(strategies.flat_role_objection(root))
        return environment_sign_in(context.workspace, backend, environment_root, rejects_flat=is_rejected)
    is_native = is_migrated and strategies.of(root).is_native
    return strategies.sign_in(root, backend) if is_native else hook_sign_in(backend)


StateSignIns = Iterator[tuple["Config", SignIn[Attribute] | Refusal]]
"""The parts of a remote state's configuration, each with its new sign-in."""


def environment_state_sign_ins(context: Context, state: RemoteState, root: EnvironmentRoot) -> StateSignIns:
    """The sign-ins of a remote state by the environment of a root module."""
    readers = (reader for reader in context.facts.roots if reader.module is root.module)
    rejects_flat = any(context.strategies.flat_role_objection(reader) for reader in readers)
    for part in state.configs:
        yield part, environment_sign_in(context.workspace, part.backend, root, rejects_flat=rejects_flat)


def hook_state_sign_ins(state: RemoteState) -> StateSignIns:
    """The sign-ins of a remote state by a hook."""
    yield from ((part, hook_sign_in(part.backend)) for part in state.configs if part.changes)


def _state_sign_ins(context: Context, state: RemoteState) -> StateSignIns:
    if state.has_web_identity:
        return hook_state_sign_ins(state)
    if roots := context.environment_roots.roots_reaching(state.module):
        return environment_state_sign_ins(context, state, roots[0])
    native = context.strategies.native_readers(state)
    if native is None or isinstance(native, Refusal):
        return hook_state_sign_ins(state)
    return context.strategies.state_sign_ins(state, native)
