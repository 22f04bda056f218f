"""The variables that hold the ARNs of roles: their names, and their declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.config.config import ROLE_VARIABLE
from migrator.model.notes import SET_ROLE_VARIABLE
from migrator.syntax.terraform import Literal, NewArgument, NewBlock, Reference

if TYPE_CHECKING:
    from migrator.model.findings import Note


class RoleVariable(Struct, frozen=True):
    """A variable for a role's ARN, of the provider ``provider_name``; None for a module's first provider."""

    name: str
    provider_name: str | None = None

    @property
    def reference(self) -> Reference:
        """The variable in an expression."""
        return Reference(f"var.{self.name}")

    @property
    def summary(self) -> str:
        """The description of the variable."""
        return "ARN of the IAM role assumed with the Spacelift OIDC token" + (
            f" ({self.provider_name})" if self.provider_name else ""
        )

    def declaration(self, *, is_optional: bool) -> NewBlock:
        """The ``variable`` block; if it ``is_optional``, null means no role."""
        description = NewArgument("description", Literal(self.summary))
        default = (NewArgument("default", Reference("null")),) if is_optional else ()
        return NewBlock("variable", (self.name,), (description, NewArgument("type", Reference("string")), *default))


def role_variable(provider_name: str | None) -> RoleVariable:
    """The variable for a module's first identity (None), or for the identity ``provider_name`` of `identities`."""
    if provider_name is None:
        return RoleVariable(ROLE_VARIABLE)
    return RoleVariable(f"{ROLE_VARIABLE}_{provider_name}", provider_name)


def variable_called(name: str) -> RoleVariable:
    """The variable with that name."""
    return role_variable(None if name == ROLE_VARIABLE else name.removeprefix(f"{ROLE_VARIABLE}_"))


def value_note(name: str, *roots: str, role: str = "the ARN of a role") -> Note:
    """A note: the stacks which run ``roots`` must set the variable ``name``."""
    return SET_ROLE_VARIABLE.note(*roots, name=name, role=role)
