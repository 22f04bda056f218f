"""The new sign-in of a backend in any language: by itself, by a hook or by the environment.

From Terraform and OpenTofu 1.6 on, S3's can sign in by itself: an argument in place of a hook.
``assume_role_with_web_identity = { … }`` is an object, not a block as in a provider, and on Terraform its role is a
literal: https://developer.hashicorp.com/terraform/language/backend/s3#assume-role-with-web-identity-configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Generic, Protocol

from msgspec import Struct

from migrator.config.config import Config, is_role_arn
from migrator.model.findings import Refusal
from migrator.syntax.terraform import Attribute, BodyChange, Literal, NewArgument, NewObject
from migrator.terraform.assumed_role import AssumedRole, Written
from migrator.terraform.diagnostics import NO_WEB_IDENTITY_ROLE, ROLE_ARGUMENTS, ROLE_NOT_LITERAL
from migrator.terraform.providers import WEB_IDENTITY

if TYPE_CHECKING:
    from migrator.terraform.backends import S3Backend
    from migrator.terraform.remote_states import Config as StateConfig
    from migrator.terraform.remote_states import RemoteState


class Backend(Protocol[Written]):
    """A backend or remote state in S3, in any language: arguments that name credentials, and a role to assume."""

    @property
    def credentials(self) -> tuple[Written, ...]:
        """The arguments that name static credentials."""

    @property
    def role_family(self) -> tuple[Written, ...]:
        """The flat arguments that assume a role."""

    @property
    def assumed(self) -> AssumedRole[Written] | Refusal | None:
        """The role that the backend assumes; None without a role, or if the role stays as it is."""

    @property
    def has_web_identity(self) -> bool:
        """Whether the backend signs in with web identity itself."""

    @property
    def web_identity_role(self) -> str | None:
        """The literal role of its web identity; None if the role is not known."""


class SignIn(Struct, Generic[Written], frozen=True):
    """The new sign-in of a backend or of a part of a remote state: by itself, by a hook or by the environment.

    ``role`` is the role of its own web identity, ``""`` without one. The arguments to ``remove`` and to ``comment_out``
    are removed, those to ``append`` are added. ``own_sentences`` are the outcome, if the arguments do not say it.
    """

    role: str
    remove: tuple[Written, ...] = ()
    append: tuple[NewArgument, ...] = ()
    comment_out: tuple[Written, ...] = ()
    own_sentences: tuple[str, ...] = ()

    @property
    def change(self: SignIn[Attribute]) -> BodyChange:
        """The change of the block, or of the object, that configures the sign-in."""
        return BodyChange(self.remove, self.comment_out, self.append)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The outcome for people."""
        if self.own_sentences:
            return self.own_sentences
        if not self.role:
            removed = "The static credentials are removed."
            return (removed, "The role is assumed after web identity.") if self.append else (removed,)
        is_chained = any(new_argument.name == "assume_role" for new_argument in self.append)
        sentence = f"Web identity signs in with {self.role}."
        return (sentence, "That role assumes the earlier role.") if is_chained else (sentence,)

    @property
    def outcome(self) -> str:
        """The sentences of the outcome in one line."""
        return " ".join(self.sentences)


def sign_in(
    backend: Backend[Written], config: Config, role: str | None, *, has_own: bool, may_vary: bool
) -> SignIn[Written] | Refusal:
    """The sign-in of ``backend`` by itself, with its own role (if ``has_own``) or else with ``role``.

    ``may_vary`` says whether the role may be any expression. If ``--backend-role-arn`` names another role than the
    assumed role, the assumed role is chained after web identity.
    """
    assumed, named = backend.assumed, config.backend_role_arn
    if isinstance(assumed, Refusal):
        return assumed
    removed = (*backend.credentials, *backend.role_family)
    if assumed is None:
        if not has_own:
            return SignIn("", removed)
        role = named or role
        if role is None:
            return NO_WEB_IDENTITY_ROLE.refusal()
        return SignIn(role, removed, (_web_identity(config, NewArgument("role_arn", Literal(role))),))
    if named is not None and assumed.literal != named:
        other = _web_identity(config, NewArgument("role_arn", Literal(named)))
        return SignIn(named, removed, (other, *assumed.chained))
    if assumed.objection is not None:
        return assumed.objection
    if assumed.unsupported_names:
        return ROLE_ARGUMENTS.refusal(names=", ".join(assumed.unsupported_names))
    if not may_vary and not is_role_arn(assumed.literal or ""):
        return ROLE_NOT_LITERAL.refusal()
    removed += tuple(argument for argument in assumed.arguments if argument not in removed)
    web_identity = _web_identity(
        config, assumed.moved("role_arn"), assumed.supported_arguments, assumed.comments.get("", ())
    )
    return SignIn(assumed.literal or "the assumed role", removed, (web_identity,))


def hook_sign_in(backend: Backend[Written]) -> SignIn[Written] | Refusal:
    """The sign-in by a hook: the keys are removed, and the role becomes a comment.

    Next to web identity the role is chained: static keys would override web identity, and a flat role is an error from
    Terraform 1.10 on.
    """
    if not backend.has_web_identity:
        sentences = ["The static credentials are removed."] * bool(backend.credentials)
        sentences += ["The role is commented out."] * bool(backend.role_family)
        return SignIn("", backend.credentials, (), backend.role_family, tuple(sentences))
    assumed = backend.assumed if backend.role_family else None
    if isinstance(assumed, Refusal):
        return assumed
    is_there = assumed is None or (assumed.literal is not None and assumed.literal == backend.web_identity_role)
    chained = assumed.chained if assumed is not None and not is_there else ()
    return SignIn("", (*backend.credentials, *backend.role_family), chained)


def outcomes_of(backend: Backend[Written], new_sign_in: SignIn[Written]) -> Iterator[str]:
    """The sentences for people about a backend that a hook or the environment signs in."""
    if backend.credentials:
        yield "The static credentials are removed."
    if new_sign_in.comment_out:
        yield "The role is commented out."
    elif new_sign_in.append:
        yield "The role is assumed after web identity."
    elif any(argument in new_sign_in.remove for argument in backend.role_family):
        yield "The role is removed: web identity signs in with that role."


def state_sign_ins(
    state: RemoteState, config: Config, role: str | None, mapped_role: Callable[[S3Backend], str | Refusal | None]
) -> Iterator[tuple[StateConfig, SignIn[Attribute] | Refusal]]:
    """The sign-ins of the parts of a remote state: the parts that assume a role sign in, or else the last part.

    ``role`` is the role of the root module's backend, ``mapped_role`` finds the role that the user named for an
    identity.
    """
    changed = [
        state_config for state_config in state.configs if state_config.changes or state_config.backend.assumes_role
    ] or list(state.configs[-1:])
    carriers = [config_block for config_block in changed if config_block.backend.assumes_role] or changed[-1:]
    for config_block in changed:
        own_role = mapped_role(config_block.backend)
        if isinstance(own_role, Refusal):
            yield config_block, own_role
        else:
            yield (
                config_block,
                sign_in(
                    config_block.backend, config, own_role or role, has_own=config_block in carriers, may_vary=True
                ),
            )


def _web_identity(
    config: Config, role: NewArgument, role_arguments: tuple[NewArgument, ...] = (), comments: tuple[str, ...] = ()
) -> NewArgument:
    token = NewArgument("web_identity_token_file", Literal(config.token_file))
    return NewArgument(WEB_IDENTITY, NewObject((role, token, *role_arguments)), comments)
