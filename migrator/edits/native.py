"""A backend that signs in by itself, as S3's can from Terraform and OpenTofu 1.6 on: an argument in place of a hook.

``assume_role_with_web_identity = { … }`` is an object, not a block as in a provider, and on Terraform its role is a
literal: https://developer.hashicorp.com/terraform/language/backend/s3#assume-role-with-web-identity-configuration.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migrator.analysis.backends import S3Backend
from migrator.config import Config, is_role_arn
from migrator.model import Note, Refusal
from migrator.syntax import hcl
from migrator.syntax.terraform import Attribute, Copied, Literal, NewArgument, NewObject

_NESTED_NAMES = {
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

_OF_WEB_IDENTITY = ("session_name", "duration", "policy", "policy_arns")
"""What ``assume_role`` and ``assume_role_with_web_identity`` both have, but for the role."""

_UNKNOWN = "no role is known for its web identity: name one by --backend-role-arn"
_NO_LITERAL = "its role is no literal ARN, as a backend's must be: name one by --backend-role-arn"


@dataclass(frozen=True, slots=True)
class SignIn:
    """What is to become of a backend's arguments; ``lost`` are those that web identity has no counterpart of."""

    role: str
    remove: tuple[Attribute, ...]
    append: tuple[NewArgument, ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """What it comes to, for people."""
        return f"web identity with {self.role}" if self.append else "removed"

    def notes(self, backend: S3Backend) -> Iterator[Note]:
        """What a person must see to."""
        if self.lost:
            task = f"web identity knows no {', '.join(self.lost)}: let the role's trust policy not ask for it, at"
            yield Note(task, (str(backend.place),))


@dataclass(frozen=True, slots=True)
class _Assumed:
    """The role that a backend assumes: the members of ``assume_role`` by name, and the arguments that say so."""

    members: dict[str, str]
    arguments: tuple[Attribute, ...]
    is_flat: bool


def sign_in(backend: S3Backend, config: Config, role: str | None, *, has_own: bool, may_vary: bool) -> SignIn | Refusal:
    """How ``backend`` signs in by itself, if it is to (``has_own``), with its own role or else with ``role``.

    ``may_vary`` says whether the role may be any expression. Where ``--backend-role-arn`` names another than the role
    that was assumed before, that one is chained after it.
    """
    if any(backend.document.is_ignored(one) for one in backend.block.attributes if one.name in _ROLES):
        return Refusal("its role is to be left alone, and could not stand beside web identity")
    assumed = _assumed(backend)
    if isinstance(assumed, Refusal):
        return assumed
    removed = (*backend.credentials, *backend.role_family)
    if assumed is None and not has_own:
        return SignIn("", removed)
    before = assumed.members["role_arn"] if assumed else None
    if config.backend_role_arn is not None and before is not None and _meant(before) != config.backend_role_arn:
        chained = _chained(assumed) if assumed and assumed.is_flat else ()
        return _signed_in(Literal(config.backend_role_arn), config, removed, (), chained)
    named = config.backend_role_arn or (role if before is None else None)
    if named is None and before is None:
        return Refusal(_UNKNOWN)
    if named is None and not is_role_arn(_meant(before or "") or "") and not may_vary:
        return Refusal(_NO_LITERAL)
    kept = _kept(assumed)
    lost = tuple(name for name in assumed.members if name not in ("role_arn", *_OF_WEB_IDENTITY)) if assumed else ()
    arguments = assumed.arguments if assumed else ()
    value = Literal(named) if named is not None else Copied(before or "")
    return _signed_in(value, config, (*removed, *(one for one in arguments if one not in removed)), kept, (), lost)


_ROLES = ("role_arn", "assume_role")


def _assumed(backend: S3Backend) -> _Assumed | Refusal | None:
    """The role that is assumed, each value as it is written; None where there is none."""
    document, nested = backend.document, backend.block.attribute("assume_role")
    if nested is None:
        if backend.role_arn is None:
            return None
        members = {_NESTED_NAMES[one.name]: one.value.of(document.text) for one in backend.role_family}
        seconds = next((one for one in backend.role_family if one.name == "assume_role_duration_seconds"), None)
        if seconds is not None:
            number = document.expression(seconds).strip('"')
            if not number.isascii() or not number.isdigit():
                return Refusal("its assume_role_duration_seconds is no number")
            members["duration"] = f'"{number}s"'
        return _Assumed(members, backend.role_family, is_flat=True)
    items = document.object_items(nested)
    members = {one.name: one.value.of(document.text) for one in items}
    if "role_arn" not in members:
        return Refusal("its assume_role is no object with a role that could be read here")
    return _Assumed(members, (nested,), is_flat=False)


def _meant(written: str) -> str | None:
    return hcl.string_value(written)


def _kept(assumed: _Assumed | None) -> tuple[NewArgument, ...]:
    members = assumed.members if assumed else {}
    return tuple(NewArgument(name, Copied(members[name])) for name in _OF_WEB_IDENTITY if name in members)


def _chained(assumed: _Assumed) -> tuple[NewArgument, ...]:
    items = tuple(NewArgument(name, Copied(value)) for name, value in assumed.members.items())
    return (NewArgument("assume_role", NewObject(items)),)


def chained_role(backend: S3Backend) -> tuple[NewArgument, ...] | Refusal:
    """``assume_role`` in place of the flat role family of ``backend``."""
    assumed = _assumed(backend)
    return assumed if isinstance(assumed, Refusal) else _chained(assumed) if assumed is not None else ()


def _signed_in(
    role: Literal | Copied,
    config: Config,
    remove: Sequence[Attribute],
    kept: tuple[NewArgument, ...],
    chained: tuple[NewArgument, ...],
    lost: tuple[str, ...] = (),
) -> SignIn:
    token = NewArgument("web_identity_token_file", Literal(config.token_file))
    items = NewObject((NewArgument("role_arn", role), token, *kept))
    append = (NewArgument("assume_role_with_web_identity", items), *chained)
    said = role.text if isinstance(role, Literal) else (_meant(role.text) or "the role that it assumed")
    return SignIn(said, tuple(remove), append, lost)
