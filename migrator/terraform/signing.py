"""The signer of the requests of a provider or a backend, by its arguments and its environment.

The order is that of hashicorp/aws-sdk-go-base, which the AWS provider and the S3 backend from Terraform 1.6 on share.
Keys in the block override all else. Web identity replaces a profile and the environment, though the profile must exist.
Then roles are assumed, one after the other. https://github.com/hashicorp/aws-sdk-go-base/blob/main/aws_config.go
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from migrator.secret.names import STATIC_KEYS
from migrator.span import Span
from migrator.syntax.hcl.scanner import joined
from migrator.syntax.hcl.strings import quote, string_value
from migrator.syntax.terraform import BodyChange, Copied, Literal, NewArgument, NewObject
from migrator.terraform.origins import Argument, Credentials
from migrator.terraform.providers import CREDENTIALS, Provider

if TYPE_CHECKING:
    from migrator.terraform.backends import S3Backend
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module
    from migrator.workspace.workspace import Workspace

_WEB_IDENTITY = "assume_role_with_web_identity"
_A_ROLE = "a role"


class ConfiguredSignIn(Struct, frozen=True):
    """The configuration of a block's sign-in, in words; ``""`` for a missing part.

    ``keys`` are the names of its static keys, ``named`` is the origin of its credentials.
    """

    keys: frozenset[str] = frozenset()
    named: str = ""
    profile: str = ""
    web_identity: str = ""
    assumed: tuple[str, ...] = ()


class Signer(Struct, frozen=True):
    """The signer of requests, in words for people: ``title``.

    ``role`` is the role of the web identity that signs first, an ARN or an expression; ``""`` for any other
    credentials. ``is_keyless`` says that web identity or the environment signs; ``is_failure`` that nobody does.
    """

    title: str
    role: str = ""
    is_keyless: bool = False
    is_failure: bool = False


ENVIRONMENT = Signer("the environment", is_keyless=True)
INCOMPLETE = Signer("fails: static credentials are empty", is_failure=True)
NO_PROFILE = Signer("fails: failed to get shared config profile", is_failure=True)


class Environment(Struct, frozen=True):
    """The environment of a run: ``default`` signs if neither the block nor a variable names a signer.

    ``profile`` is ``AWS_PROFILE``; ``profiles`` are the existing profiles, None if they are unknown.
    """

    has_keys: bool = False
    web_identity: str = ""
    profile: str = ""
    profiles: frozenset[str] | None = None
    default: Signer = ENVIRONMENT


def signer(block: ConfiguredSignIn, environment: Environment) -> Signer:
    """The first credentials with the roles that they assume, or the failure of the sign-in."""
    first = _first(block, environment)
    if first.is_failure:
        return first
    assumed = (role if role == _A_ROLE else f"role {role}" for role in block.assumed)
    return replace(first, title=", then ".join((first.title, *assumed)))


def _first(block: ConfiguredSignIn, environment: Environment) -> Signer:
    if block.keys:
        return Signer(block.named) if block.keys >= {"access_key", "secret_key"} else INCOMPLETE
    profile = block.profile or environment.profile
    is_missing = environment.profiles is not None and profile not in environment.profiles
    if profile and is_missing:
        return NO_PROFILE
    if block.web_identity:
        doubt = f", if there is a profile {profile}" if profile and environment.profiles is None else ""
        return Signer(f"web identity {block.web_identity}{doubt}", block.web_identity, is_keyless=True)
    if block.profile:
        return Signer(f"profile {block.profile}")
    if environment.has_keys:
        return Signer("keys in the environment")
    if environment.profile:
        return Signer(f"profile {environment.profile}")
    if environment.web_identity:
        return Signer(f"web identity {environment.web_identity}", environment.web_identity, is_keyless=True)
    return Signer(block.named) if block.named else environment.default


def provider_sign_in(workspace: Workspace, provider: Provider, without: Collection[Provider] = ()) -> ConfiguredSignIn:
    """The sign-in of the provider with the block ``provider``; override files count.

    The credentials of the blocks ``without`` do not count.
    """
    family = sorted(provider.family, key=lambda block: block.document.is_override)
    arguments: dict[str, Argument] = {}
    for block in (member for member in family if member not in without):
        arguments |= {attribute.name: (block.document, attribute) for attribute in block.credentials}
    web_identity = next((roles for block in reversed(family) if (roles := block.web_identity_roles)), [])
    assumed = next((roles for block in reversed(family) if (roles := block.assumed_roles)), [])
    has_web_identity = provider.has_web_identity
    return _sign_in(
        Credentials(workspace, provider.module, arguments),
        role_title(web_identity[0]) if web_identity else "a role" if has_web_identity else "",
        [role_title(role) for role in assumed],
    )


def backend_sign_in(workspace: Workspace, backends: Sequence[S3Backend]) -> ConfiguredSignIn:
    """The sign-in of the backend of ``backends``: the block that counts, then its partial configurations.

    The same holds for the parts of a remote state's configuration.
    """
    return changed_sign_in(workspace, [(backend, BodyChange()) for backend in backends])


def changed_sign_in(workspace: Workspace, backends: Sequence[tuple[S3Backend, BodyChange]]) -> ConfiguredSignIn:
    """The sign-in of the ``backends`` after the change of each."""
    arguments: dict[str, Argument] = {}
    added: dict[str, str] = {}
    for backend, change in backends:
        removed_spans = {child.span for child in (*change.remove, *change.comment_out)}
        remaining = {
            argument.name: (backend.document, argument)
            for argument in backend.block.attributes
            if argument.span not in removed_spans
        }
        arguments |= remaining
        added = {name: role for name, role in added.items() if name not in remaining}
        added |= {
            addition.name: _role_of(backend.document, addition)
            for addition in change.append
            if isinstance(addition, NewArgument)
        }
    kept_arguments = {name: argument for name, argument in arguments.items() if name not in added}
    sign_in = _configured(workspace, backends[0][0].module, kept_arguments)
    assumed = [role_title(added[name]) for name in ("assume_role", "role_arn") if name in added]
    web_identity = role_title(added[_WEB_IDENTITY]) if _WEB_IDENTITY in added else sign_in.web_identity
    return replace(sign_in, web_identity=web_identity, assumed=(*assumed, *sign_in.assumed))


def _role_of(document: Document, argument: NewArgument) -> str:
    """The expression of the role in a new argument."""
    value = argument.value
    if isinstance(value, NewObject):
        return next((_role_of(document, member) for member in value.items if member.name == "role_arn"), "")
    if isinstance(value, Copied):
        return joined(document.syntax.expression(value.text, Span(0, len(value.text))))
    return quote(value.text) if isinstance(value, Literal) else ""


def _configured(workspace: Workspace, module: Module, arguments: Mapping[str, Argument]) -> ConfiguredSignIn:
    """The sign-in of an S3 backend or remote state with ``arguments``."""
    credentials = {name: argument for name, argument in arguments.items() if name in CREDENTIALS}
    flat = arguments.get("role_arn")
    roles = [_member(arguments.get("assume_role")), flat[0].expression(flat[1]) if flat else None]
    assumed = [role_title(role) for role in roles if role is not None and role not in ('""', "null")]
    web_identity = _member(arguments.get(_WEB_IDENTITY))
    configured = Credentials(workspace, module, credentials)
    return _sign_in(configured, "" if web_identity is None else role_title(web_identity), assumed)


def role_title(role: str) -> str:
    """The name of a role for people: its ARN, or a description of the expression."""
    literal = string_value(role)
    return " ".join(role.split()) or _A_ROLE if literal is None else literal


def _sign_in(credentials: Credentials, web_identity: str, assumed: list[str]) -> ConfiguredSignIn:
    keys = STATIC_KEYS & credentials.arguments.keys()
    profile = credentials.profile or credentials.expression("profile") if "profile" in credentials.arguments else ""
    named = credentials.title if credentials.arguments else ""
    return ConfiguredSignIn(keys, named, profile, web_identity, tuple(assumed))


def _member(argument: Argument | None) -> str | None:
    """The ``role_arn`` in an object; ``""`` if it is unknown, None if it is missing."""
    if argument is None:
        return None
    document, attribute = argument
    items = document.object_items(attribute)
    return next((document.expression(argument) for argument in items if argument.name == "role_arn"), "")
