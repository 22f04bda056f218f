"""What the rules change in the sign-in of each provider, backend and remote state, as far as the findings are settled.

A rule makes its edits of these changes, and who signs afterwards follows from them: no file is read again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.config.config import ProviderAuth
from migrator.decide.environment_sign_in import environment_sign_in
from migrator.model.findings import Refusal, Rewrite
from migrator.syntax.terraform import BodyChange
from migrator.terraform.backend_edit import hook_sign_in

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.roots import Root
    from migrator.model.findings import Place
    from migrator.terraform.backends import S3Backend
    from migrator.terraform.providers import Provider
    from migrator.terraform.remote_states import Config, RemoteState


class SignInChanges:
    """The changes of the blocks that the settled findings of a context rewrite."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._rewritten = {
            (finding.rule, finding.place.key)
            for finding in context.settled
            if isinstance(finding.fix, Rewrite) and finding.fix.edits
        }
        self._backends = {
            backend.place.key: (root, backend) for root in context.facts.roots for backend in root.backends
        }
        self._states = {state.place.key: state for state in context.facts.remote_states}
        self._providers = {provider.place.key: provider for provider in context.facts.providers}

    def _is_rewritten(self, place: Place, *rules: str) -> bool:
        return any((rule, place.key) in self._rewritten for rule in rules)

    def loses_credentials(self, provider: Provider) -> bool:
        """Whether the credentials of a provider's block go."""
        return self._is_rewritten(provider.place, "provider-static-keys", "provider-environment")

    def web_identity(self, provider: Provider) -> str | None:
        """The expression of the role that a provider signs in with afterwards; None if that does not change."""
        for block in provider.family:
            known = self._providers.get(block.place.key)
            if known is None or not self.loses_credentials(block):
                continue
            if self._context.environment_roots.serves(known):
                continue
            if self._context.config.provider_auth is ProviderAuth.HOOK:
                if self._context.hook_identity.replaces_web_identity(known):
                    return ""
            elif not known.has_web_identity and known.is_lead:
                return self._context.web_identity.role_expression(known)
        return None

    def of_backend(self, backend: S3Backend) -> BodyChange:
        """The change of a backend block or a partial configuration."""
        found = self._backends.get(backend.place.key)
        if found is None or not self._is_rewritten(backend.place, "s3-backend"):
            return BodyChange()
        signed = backend_sign_in(self._context, *found)
        return BodyChange() if isinstance(signed, Refusal) else signed

    def of_state(self, state: RemoteState) -> list[tuple[Config, BodyChange]]:
        """The changes of the parts of a remote state's configuration."""
        known = self._states.get(state.place.key)
        if known is None or not self._is_rewritten(state.place, "remote-state"):
            return []
        return [(part, made) for part, made in state_sign_in(self._context, known) if isinstance(made, BodyChange)]


def backend_sign_in(context: Context, root: Root, backend: S3Backend) -> BodyChange | Refusal:
    """How a backend of a root module signs in afterwards: by the environment, by itself, or by a hook."""
    strategies = context.strategies
    is_migrated = root.is_migrated(context.config.include_ambient)
    environment_root = context.environment_roots.at(root.module.path) if is_migrated else None
    if environment_root is not None:
        is_rejected = bool(strategies.rejecting(root))
        made = environment_sign_in(context.workspace, backend, environment_root, rejects_flat=is_rejected)
        return made if isinstance(made, Refusal) else BodyChange(made.remove, made.comment_out, made.append)
    signed = strategies.sign_in(root, backend) if is_migrated and strategies.of(root).is_native else None
    if signed is None:
        return hook_sign_in(backend)
    return signed if isinstance(signed, Refusal) else BodyChange(signed.remove, (), signed.append)


def state_sign_in(context: Context, state: RemoteState) -> Iterator[tuple[Config, BodyChange | Refusal]]:
    """How each part of a remote state's configuration signs in afterwards."""
    strategies = context.strategies
    if not state.has_web_identity and (environment_roots := context.environment_roots.reaching(state.module)):
        root = environment_roots[0]
        rejects = any(strategies.rejecting(other) for other in context.facts.roots if other.module is root.module)
        for part in state.configs:
            made = environment_sign_in(context.workspace, part.backend, root, rejects_flat=rejects)
            yield part, made if isinstance(made, Refusal) else BodyChange(made.remove, made.comment_out, made.append)
        return
    native = None if state.has_web_identity else strategies.native_readers(state)
    if isinstance(native, Refusal):
        return
    if native is None:
        yield from ((part, hook_sign_in(part.backend)) for part in state.configs if part.changes)
        return
    for part, signed in strategies.state_sign_ins(state, native):
        yield part, signed if isinstance(signed, Refusal) else BodyChange(signed.remove, (), signed.append)
