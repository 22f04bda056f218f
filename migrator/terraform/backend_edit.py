"""A backend that signs in by itself, as S3's can from Terraform and OpenTofu 1.6 on: an argument in place of a hook.

``assume_role_with_web_identity = { … }`` is an object, not a block as in a provider, and on Terraform its role is a
literal: https://developer.hashicorp.com/terraform/language/backend/s3#assume-role-with-web-identity-configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.config.config import Config, is_role_arn
from migrator.model.findings import Refusal
from migrator.syntax.hcl.strings import string_value
from migrator.syntax.terraform import Attribute, BodyChange, Copied, Literal, NewArgument, NewObject
from migrator.terraform.diagnostics import (
    BAD_DURATION,
    NO_WEB_IDENTITY_ROLE,
    ROLE_ARGUMENTS,
    ROLE_IGNORED,
    ROLE_NOT_LITERAL,
    TWO_ROLES,
    UNREADABLE_ROLE,
)

if TYPE_CHECKING:
    from migrator.terraform.backends import S3Backend
    from migrator.terraform.remote_states import Config as StateConfig
    from migrator.terraform.remote_states import RemoteState
    from migrator.workspace.document import Document

NESTED_NAMES = {
    "role_arn": "role_arn",
    "session_name": "session_name",
    "external_id": "external_id",
    "assume_role_duration_seconds": "duration",
    "assume_role_policy": "policy",
    "assume_role_policy_arns": "policy_arns",
    "assume_role_tags": "tags",
    "assume_role_transitive_tag_keys": "transitive_tag_keys",
}
"""What the flat role family is called in ``assume_role``."""

OF_WEB_IDENTITY = ("session_name", "duration", "policy", "policy_arns", "//")
"""What ``assume_role`` and ``assume_role_with_web_identity`` both have, but for the role; a comment in JSON."""

_WEB_IDENTITY = "assume_role_with_web_identity"


class SignIn(Struct, frozen=True):
    """How a backend or a part of a remote state signs in afterwards: by itself, by a hook or by the environment.

    ``role`` is the role of its own web identity, ``""`` if it has none. The arguments to ``remove`` and to
    ``comment_out`` go, those to ``append`` come. ``said`` are the outcome, if the arguments do not say it.
    """

    role: str
    remove: tuple[Attribute, ...] = ()
    append: tuple[NewArgument, ...] = ()
    comment_out: tuple[Attribute, ...] = ()
    said: tuple[str, ...] = ()

    @property
    def change(self) -> BodyChange:
        """The change of the block, or of the object, that configures the sign-in."""
        return BodyChange(self.remove, self.comment_out, self.append)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The outcome for people."""
        if self.said:
            return self.said
        if not self.role:
            removed = "The static credentials are removed."
            return (removed, "The role is assumed after web identity.") if self.append else (removed,)
        is_chained = any(new_argument.name == "assume_role" for new_argument in self.append)
        signed = f"Web identity signs in with {self.role}."
        return (signed, "That role assumes the earlier role.") if is_chained else (signed,)

    @property
    def outcome(self) -> str:
        """The sentences of the outcome in one line."""
        return " ".join(self.sentences)


class _Assumed(Struct, frozen=True):
    """The role that a backend assumes: the members of ``assume_role`` by name, and the arguments that say so.

    ``comments`` are those on flat arguments by the name of their member, and those on and in ``assume_role`` by "".
    """

    members: dict[str, str]
    arguments: tuple[Attribute, ...]
    is_flat: bool
    comments: dict[str, tuple[str, ...]]

    @property
    def role(self) -> str:
        return self.members["role_arn"]

    @property
    def meant(self) -> str | None:
        """The role as a literal; None where it is an expression."""
        return string_value(self.role)

    @property
    def kept(self) -> tuple[NewArgument, ...]:
        """What web identity has as well."""
        return tuple(self.moved(item) for item in OF_WEB_IDENTITY if item in self.members)

    @property
    def lost(self) -> list[str]:
        """What web identity has no counterpart of: the names of members."""
        return [name for name in self.members if name not in ("role_arn", *OF_WEB_IDENTITY)]

    @property
    def chained(self) -> tuple[NewArgument, ...]:
        """The same as an object, which may stand beside web identity."""
        if not self.is_flat:
            return ()
        return (NewArgument("assume_role", NewObject(tuple(map(self.moved, self.members)))),)

    def moved(self, name: str) -> NewArgument:
        """The member ``name`` with its comments, as it is to be written in another place."""
        *above, behind = self.comments.get(name, ("",))
        return NewArgument(name, Copied(self.members[name]), tuple(above), behind)


def sign_in(backend: S3Backend, config: Config, role: str | None, *, has_own: bool, may_vary: bool) -> SignIn | Refusal:
    """How ``backend`` signs in by itself, if it is to (``has_own``), with its own role or else with ``role``.

    ``may_vary`` says whether the role may be any expression. Where ``--backend-role-arn`` names another than the role
    that was assumed before, that one is chained after it.
    """
    assumed = _assumed(backend)
    if isinstance(assumed, Refusal):
        return assumed
    removed = (*backend.credentials, *backend.role_family)
    if assumed is None:
        if not has_own:
            return SignIn("", removed)
        named = config.backend_role_arn or role
        if named is None:
            return NO_WEB_IDENTITY_ROLE.refusal()
        return _signed_in(NewArgument("role_arn", Literal(named)), config, removed)
    if config.backend_role_arn is not None and assumed.meant != config.backend_role_arn:
        other = NewArgument("role_arn", Literal(config.backend_role_arn))
        return _signed_in(other, config, removed, assumed.chained)
    if assumed.lost:
        return ROLE_ARGUMENTS.refusal(names=", ".join(assumed.lost))
    if not may_vary and not is_role_arn(assumed.meant or ""):
        return ROLE_NOT_LITERAL.refusal()
    removed += tuple(attribute for attribute in assumed.arguments if attribute not in removed)
    return _signed_in(assumed.moved("role_arn"), config, removed, (), assumed.kept, assumed.comments.get("", ()))


def state_sign_ins(
    state: RemoteState, config: Config, role: str | None, mapped: Callable[[S3Backend], str | Refusal | None]
) -> Iterator[tuple[StateConfig, SignIn | Refusal]]:
    """What becomes of each part of a remote state's configuration: one that assumes a role signs in, or else the last.

    ``role`` is that of the root module's backend, ``mapped`` the one that the user named for an identity.
    """
    changed = [
        state_config for state_config in state.configs if state_config.changes or state_config.backend.assumes_role
    ] or list(state.configs[-1:])
    carriers = [config_block for config_block in changed if config_block.backend.assumes_role] or changed[-1:]
    for config_block in changed:
        own = mapped(config_block.backend)
        if isinstance(own, Refusal):
            yield config_block, own
        else:
            yield (
                config_block,
                sign_in(config_block.backend, config, own or role, has_own=config_block in carriers, may_vary=True),
            )


def _with_web_identity(backend: S3Backend) -> SignIn | Refusal:
    """What is to become of keys and a flat role beside web identity that is there: the role is chained after it.

    Static keys would win over it, and a flat role is an error from Terraform 1.10 on.
    """
    removed = (*backend.credentials, *backend.role_family)
    assumed = _assumed(backend) if backend.role_family else None
    if isinstance(assumed, Refusal):
        return assumed
    if assumed is None or assumed.meant in _roles_there(backend):
        return SignIn("", removed)
    return SignIn("", removed, assumed.chained)


def hook_sign_in(backend: S3Backend) -> SignIn | Refusal:
    """The sign-in by a hook: keys go, the role becomes a comment; next to web identity the role is chained."""
    if backend.has_web_identity:
        return _with_web_identity(backend)
    said = ["The static credentials are removed."] * bool(backend.credentials)
    said += ["The role is commented out."] * bool(backend.role_family)
    return SignIn("", backend.credentials, (), backend.role_family, tuple(said))


def _roles_there(backend: S3Backend) -> set[str | None]:
    argument = backend.block.attribute(_WEB_IDENTITY)
    items = backend.document.object_items(argument) if argument else ()
    return {backend.document.literal(attribute) for attribute in items if attribute.name == "role_arn"} - {None}


def _assumed(backend: S3Backend) -> _Assumed | Refusal | None:
    """The role that is assumed, each value as it is written; None where there is none, or it is to stay as it is."""
    document, nested = backend.document, backend.block.attribute("assume_role")
    if any(attribute.name == "role_arn" for attribute in backend.ignored):
        return ROLE_IGNORED.refusal()
    if nested is None:
        return _flat(backend) if backend.role_arn is not None else None
    if backend.role_arn is not None:
        return TWO_ROLES.refusal()
    if document.is_ignored(nested):
        return None
    items = document.object_items(nested)
    members = {attribute.name: attribute.value.of(document.text) for attribute in items}
    if "role_arn" not in members:
        return UNREADABLE_ROLE.refusal()
    comments = document.syntax.comments_of(document.text, backend.block, nested, (*backend.credentials, nested), items)
    return _Assumed(members, (nested,), is_flat=False, comments={"": comments[:-1]})


def _flat(backend: S3Backend) -> _Assumed | Refusal:
    document, members, comments = backend.document, {}, {}
    removed = (*backend.credentials, *backend.role_family)
    for attribute in backend.role_family:
        value = _value(document, attribute)
        if value is None:
            return BAD_DURATION.refusal()
        members[NESTED_NAMES[attribute.name]] = value
        found = document.syntax.comments_of(document.text, backend.block, attribute, removed, (attribute,))
        comments[NESTED_NAMES[attribute.name]] = found
    return _Assumed(members, backend.role_family, is_flat=True, comments=comments)


def _value(document: Document, attribute: Attribute) -> str | None:
    """A flat argument's value as a member of an object: seconds become a duration."""
    if attribute.name != "assume_role_duration_seconds":
        return attribute.value.of(document.text)
    number = document.expression(attribute).strip('"')
    return f'"{number}s"' if number.isascii() and number.isdigit() else None


def chained_role(backend: S3Backend) -> tuple[NewArgument, ...] | Refusal:
    """``assume_role`` in place of the flat role family of ``backend``."""
    assumed = _assumed(backend)
    return assumed if isinstance(assumed, Refusal) else assumed.chained if assumed is not None else ()


def _signed_in(
    role: NewArgument,
    config: Config,
    remove: Sequence[Attribute],
    chained: tuple[NewArgument, ...] = (),
    kept: tuple[NewArgument, ...] = (),
    comments: tuple[str, ...] = (),
) -> SignIn:
    token = NewArgument("web_identity_token_file", Literal(config.token_file))
    items, value = NewObject((role, token, *kept)), role.value
    copied = string_value(value.text) if isinstance(value, Copied) else None
    said = value.text if isinstance(value, Literal) else copied or "the assumed role"
    return SignIn(said, tuple(remove), (NewArgument(_WEB_IDENTITY, items, comments), *chained))
