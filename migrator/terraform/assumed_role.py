"""The role that a backend assumes, as it is written: in flat arguments, or in an ``assume_role`` object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct, field

from migrator.syntax.terraform import Copied, NewArgument, NewObject

if TYPE_CHECKING:
    from migrator.model.findings import Refusal

Written = TypeVar("Written")
"""An argument in the syntax of its file."""

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

ROLE_FAMILY = tuple(NESTED_NAMES)
"""The flat arguments that make the backend assume a role."""

_OF_WEB_IDENTITY = ("session_name", "duration", "policy", "policy_arns", "//")
"""What ``assume_role`` and ``assume_role_with_web_identity`` both have, but for the role; a comment in JSON."""


class AssumedRole(Struct, Generic[Written], frozen=True):
    """The members of ``assume_role`` by name, each as it is written, and the ``arguments`` that say so.

    ``literal`` is the role, None where it is an expression. ``comments`` are those on flat arguments by the name of
    their member, and those on and in ``assume_role`` by "". ``objection`` says why the members are not known, if so.
    """

    members: Mapping[str, str]
    arguments: tuple[Written, ...]
    literal: str | None
    is_flat: bool
    comments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    objection: Refusal | None = None

    @property
    def supported_arguments(self) -> tuple[NewArgument, ...]:
        """What web identity has as well."""
        return tuple(self.moved(name) for name in _OF_WEB_IDENTITY if name in self.members)

    @property
    def unsupported_names(self) -> list[str]:
        """What web identity has no counterpart of: the names of members."""
        return [name for name in self.members if name not in ("role_arn", *_OF_WEB_IDENTITY)]

    @property
    def chained(self) -> tuple[NewArgument, ...]:
        """What is to be written for the role to be assumed after web identity: flat arguments become an object."""
        if not self.is_flat:
            return ()
        return (NewArgument("assume_role", NewObject(tuple(map(self.moved, self.members)))),)

    def moved(self, name: str) -> NewArgument:
        """The member ``name`` with its comments, as it is to be written in another place."""
        *above, behind = self.comments.get(name, ("",))
        return NewArgument(name, Copied(self.members[name]), tuple(above), behind)


def duration(seconds: str) -> str | None:
    """A flat number of seconds as the duration of an object; None for anything else than a number."""
    return f'"{seconds}s"' if seconds.isascii() and seconds.isdigit() else None
