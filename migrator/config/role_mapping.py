"""The user's mapping of identities, by the source of their credentials, to roles."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec import Struct

from migrator.errors import UsageError
from migrator.workspace.discover import matches

KINDS = ("profile", "alias", "var", "account")
"""The kinds of origins: a profile, a provider's alias, a variable with a key, an account."""

Origin = tuple[str, str]
"""One of `KINDS`, and a name."""


class RoleMapping(Struct, frozen=True, forbid_unknown_fields=True):
    """The role ``arn`` for the identities that ``origin`` says, in the folders that the glob ``paths`` matches.

    ``is_flag``: the mapping is from the command line and overrides a settings file. A mapping with a path overrides one
    without.
    """

    origin: Origin
    arn: str
    paths: str = "*"
    is_flag: bool = False

    def __str__(self) -> str:
        return ":".join(self.origin)

    @property
    def title(self) -> str:
        """The mapping with the role, in the format of the command line."""
        return f"{self}={self.arn}"

    @property
    def weight(self) -> tuple[bool, bool]:
        """The precedence of the mapping."""
        return self.is_flag, self.paths != "*"

    @property
    def scope(self) -> tuple[Origin, str, bool]:
        """The identity in the folders of the mapping, which can have a single role."""
        return self.origin, self.paths, self.is_flag


def origin_of(text: str) -> Origin:
    """The origin that ``text`` writes as ``kind:name``. Raises `UsageError` for any other text."""
    kind, _, name = text.partition(":")
    if kind not in KINDS or not name.strip():
        raise UsageError("The origin of a role is profile:NAME, alias:NAME, var:NAME or account:NUMBER")
    if kind == "account" and not (len(name) == 12 and name.isascii() and name.isdigit()):
        raise UsageError("An account id has twelve digits")
    return kind, name


def flag_mapping(text: str) -> RoleMapping:
    """The mapping of ``--role KIND:NAME=ARN``. Raises `UsageError`."""
    origin, equals, arn = text.rpartition("=arn:")
    if not equals:
        raise UsageError("--role must be KIND:NAME=ARN, for example profile:prod=arn:aws:iam::123456789012:role/name")
    try:
        return RoleMapping(origin_of(origin), f"arn:{arn}", is_flag=True)
    except UsageError as error:
        raise UsageError(f"--role: {error}") from None


def conflict(mappings: Iterable[RoleMapping]) -> RoleMapping | None:
    """The first mapping with another role than an equal mapping before."""
    roles: dict[tuple[Origin, str, bool], str] = {}
    return next(
        (
            role_mapping
            for role_mapping in mappings
            if roles.setdefault(role_mapping.scope, role_mapping.arn) != role_mapping.arn
        ),
        None,
    )


def matching(mappings: Iterable[RoleMapping], path: str, origins: Collection[Origin]) -> list[RoleMapping]:
    """The mappings that count for an identity in the folder ``path``; those that count for less are left out."""
    of_identity = [
        role_mapping
        for role_mapping in mappings
        if role_mapping.origin in origins and matches(path, role_mapping.paths)
    ]
    most = max((role_mapping.weight for role_mapping in of_identity), default=None)
    return [role_mapping for role_mapping in of_identity if role_mapping.weight == most]


def unmatched(mappings: Iterable[RoleMapping], used: Collection[str]) -> tuple[str, ...]:
    """The origins in ``mappings`` that are not ``used``."""
    return tuple(dict.fromkeys(str(role_mapping) for role_mapping in mappings if str(role_mapping) not in used))
