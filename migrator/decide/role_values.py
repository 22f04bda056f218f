"""With ``--role-in variable``: the values that role variables are to have on the stacks that run a root module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.decide.diagnostics import VARIABLE_FOR_TWO_ROLES
from migrator.spacelift.diagnostics import ROLE_SET_DIFFERENTLY

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.model.findings import Place, Refusal
    from migrator.workspace.module import Module

PREFIX = "TF_VAR_"
"""What begins the name of an environment variable that sets one of Terraform:
https://developer.hashicorp.com/terraform/cli/config/environment-variables#tf_var_name."""


@dataclass(eq=False)
class RoleValue:
    """The ``role`` that the variable ``name`` of the root module at ``root`` is to have, for providers at ``users``."""

    root: str
    name: str
    role: str
    users: list[Place] = field(default_factory=list)

    @property
    def environment_variable(self) -> str:
        """What sets it in the environment of a run."""
        return PREFIX + self.name


class RoleValues:
    """The values that the providers which were signed in so far need."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._given: dict[tuple[str, str], RoleValue] = {}

    def __iter__(self) -> Iterator[RoleValue]:
        return iter(self._given.values())

    def give(self, root: Module, name: str, role: str, user: Place) -> Refusal | None:
        """Ask for a value; a refusal where the variable is to have another, or a stack gives it another already."""
        given = self._given.get((root.path, name)) or RoleValue(root.path, name, role)
        if given.role != role:
            return VARIABLE_FOR_TWO_ROLES.refusal(variable=f"var.{name}", root=root.path or ".")
        if refused := self._objection(given):
            return refused
        given.users.append(user)
        self._given[root.path, name] = given
        return None

    def has(self, root: Module, name: str) -> bool:
        """Whether the variable ``name`` of a root module is given a value."""
        return (root.path, name) in self._given

    def use(self, root: Module, name: str, user: Place) -> None:
        """Say that what is at ``user`` needs the variable as well, if it is given a value."""
        if (given := self._given.get((root.path, name))) is not None:
            given.users.append(user)

    def _objection(self, given: RoleValue) -> Refusal | None:
        """Where a stack sets the variable to another role, if one does."""
        variable, role = given.environment_variable, given.role
        runners = self._context.facts.runners_of(given.root)
        for stack in runners.here:
            for item in self._context.facts.variables.of(stack):
                if item.name == variable and item.value not in (None, role):
                    return ROLE_SET_DIFFERENTLY.refusal(place=item.place)
        for known in runners.elsewhere:
            if dict(known.roles).get(variable, role) != role:
                return ROLE_SET_DIFFERENTLY.refusal(place=f"{known.repo}: {known.place}")
        return None
