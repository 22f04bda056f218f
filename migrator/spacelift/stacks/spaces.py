"""The tree of Spacelift's spaces, as far as defined in a repository.

A context reaches the context's own space, and inheriting spaces below:
https://docs.spacelift.io/concepts/spaces/access-control.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.spacelift.stacks.resource import resources
from migrator.spacelift.stacks.slugs import slug_of
from migrator.spacelift.stacks.targets import targets

if TYPE_CHECKING:
    from migrator.spacelift.stacks.resource import Resource
    from migrator.terraform.expressions.evaluate import Scope
    from migrator.workspace.workspace import Workspace

DEFAULT = ("default", "")
"""The space of objects without a space: ``legacy`` if the account has such a space, else ``root``."""

_ROOT = ("id", "root")
_DEFAULTS = (DEFAULT, _ROOT, ("id", "legacy"))
_BY_PATH = "data.spacelift_space_by_path."
_DEEPEST = 50

Space = tuple[str, ...]
"""The identity of a space: the kind of the key, and the key."""


class _KnownSpace(Struct, frozen=True):
    """A space of the repository: the parent, and whether the space inherits; None if not known."""

    slug: str | None
    parent: Space
    inherits: bool | None


def _made(scope: Scope, address: str, key: str | None) -> Space:
    return ("resource", scope.module.path, address, key or "", str(id(scope.call)))


class Spaces:
    """The spaces of one repository."""

    def __init__(self, workspace: Workspace) -> None:
        self._targets = targets(workspace)
        self._known: dict[Space, _KnownSpace] = {}
        for space in resources(workspace, "spacelift_space"):
            self._known[_made(space.scope, space.address, space.key)] = _KnownSpace(
                slug_of(space.string("name")),
                self._of(space, "parent_space_id", _ROOT),
                space.is_true("inherit_entities", default=False),
            )

    def of(self, resource: Resource) -> Space:
        """The space of a stack, a module or a context; a module from elsewhere may have a default of its own."""
        is_resource = resource.block.type == "resource"
        return self._of(resource, "space_id", DEFAULT if is_resource else ("text", resource.address))

    def _of(self, resource: Resource, argument: str, default: Space) -> Space:
        value, scope = resource.argument(argument), resource.scope
        if value is None or value.is_null:
            return default
        target = self._targets.of(value)
        if target is not None and target.literal is not None:
            return ("id", target.literal)
        if target is None or target.scope is None:
            return ("text", scope.module.path, value.text, str(id(scope.call)))
        if target.address.startswith(_BY_PATH):
            path = self._path(target.address, target.scope)
            return _ROOT if path == "root" else ("path", path) if path else ("text", target.address)
        return _made(target.scope, target.address, target.key)

    def _path(self, address: str, scope: Scope) -> str:
        name = address.removeprefix(_BY_PATH)
        for document, block in scope.module.blocks("data", "spacelift_space_by_path"):
            value = scope.argument(document, block, "space_path") if block.labels[1:] == (name,) else None
            if value is not None and value.string:
                return value.string
        return ""

    def reaches(self, holder: Space, receiver: Space) -> bool | None:
        """Whether objects in the space ``holder`` reach objects in ``receiver``; None if not known."""
        for _ in range(_DEEPEST):
            if holder == receiver:
                return True
            receivers = self._known.get(receiver)
            if receivers is None:
                return self._reaches_unknown(holder, receiver)
            if receivers.inherits is None or self._may_be(holder, receivers):
                return None
            if not receivers.inherits:
                return False
            receiver = receivers.parent
        return None

    def _may_be(self, holder: Space, receivers: _KnownSpace) -> bool:
        """Whether a space with an id or a variable may be the space that the repository makes."""
        has_same_id = holder[0] == "id" and (receivers.slug is None or holder[1].startswith(receivers.slug))
        return has_same_id or holder[0] in ("text", "path")

    def _reaches_unknown(self, holder: Space, receiver: Space) -> bool | None:
        """The result of `reaches` for a space of another repository, which may be below any other except the root."""
        is_top = receiver in _DEFAULTS
        if is_top and (holder in self._known or (holder[0] == "id" and holder not in _DEFAULTS)):
            return False
        return False if receiver == _ROOT and holder == ("id", "legacy") else None
