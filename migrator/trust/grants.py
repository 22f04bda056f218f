"""The grants: the roles and the runs that may assume them, by the command line and by the repositories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import product
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.errors import UsageError
from migrator.trust.policy import Grant, Role
from migrator.trust.subjects import Runs

if TYPE_CHECKING:
    from migrator.trust.known import SubjectStack, Use

_OF_MODULES = ("TESTING",)
"""The only runs of a module."""


class RoleState(Enum):
    """Whether roles are new: by default the roles that only the user names, and no code."""

    AUTO = "auto"
    NEW = "new"
    IN_USE = "in-use"


class RequiredRole(Struct, frozen=True):
    """The user's request; empty parts have no restriction, or come from the repositories."""

    roles: tuple[str, ...] = ()
    spaces: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    run_types: tuple[str, ...] = ()
    scope: str = ""
    state: RoleState = RoleState.AUTO
    has_session_tags: bool = False

    def grants(self, uses: Sequence[Use], stacks: Sequence[SubjectStack] = ()) -> tuple[Grant, ...]:
        """A grant for each role in code or by name. Raises `UsageError` without any role.

        A role that no code has is for the stacks without a known role; for all ``stacks`` if all have one.
        """
        role_arns = {use.role: None for use in uses if use.role is not None}
        roles = tuple(dict.fromkeys((*role_arns, *self.roles)))
        if not roles:
            raise UsageError(
                "No role was found in the repositories. help: name each role that runs assume, with --role-arn ARN"
            )
        by_role = {role: _stacks(role, uses) if role in role_arns else _stacks(None, uses) or stacks for role in roles}
        return tuple(
            Grant(
                Role(role),
                tuple(self._runs(stacks_of_role)),
                self._is_new(role in role_arns),
                has_session_tags=any(stack.has_session_tags is True for stack in stacks_of_role),
            )
            for role, stacks_of_role in by_role.items()
        )

    def _is_new(self, is_found: bool) -> bool:
        return self.state is RoleState.NEW or (self.state is RoleState.AUTO and not is_found)

    def _runs(self, known_stacks: Sequence[SubjectStack]) -> Iterator[Runs]:
        for slug, space, kind in self._stacks(known_stacks):
            for run_type in self.run_types or (_OF_MODULES if kind == "module" else ("",)):
                yield Runs(space, slug, run_type, self.scope, kind)

    def _stacks(self, known_stacks: Sequence[SubjectStack]) -> Iterator[tuple[str, str, str]]:
        """The slug, the space and the kind of each stack and module."""
        stacks = [(stack.slug, stack.space, stack.kind) for stack in known_stacks if stack.slug]
        if self.stacks or self.modules or not stacks:
            named = [*((slug, "stack") for slug in self.stacks), *((slug, "module") for slug in self.modules)]
            for (slug, kind), space in product(named or [("", "stack")], self.spaces or ("",)):
                yield slug, space, kind
            return
        for slug, space, kind in stacks:
            for own_space in self.spaces or (space,):
                yield slug, own_space, kind


def _stacks(role: str | None, uses: Sequence[Use]) -> list[SubjectStack]:
    return [use.stack for use in uses if use.role == role and use.stack is not None]


def open_questions(
    required: RequiredRole, uses: Sequence[Use], known_stacks: Sequence[SubjectStack] = ()
) -> Iterator[str]:
    """The missing information of repositories and user: sentences for people."""
    stacks = [use.stack for use in uses if use.stack is not None and not use.stack.slug]
    used_stacks = {use.stack for use in uses}
    idle = [stack for stack in known_stacks if stack.kind == "module" and stack not in used_stacks]
    if idle and not required.modules:
        yield (
            f"{_listed(idle)}: The code of the module's tests is not in these repositories."
            " The trust policy does not allow the tests. help: name the module with --module"
        )
    is_named = bool(required.stacks or required.modules)
    if stacks and not is_named:
        yield (
            f"{_listed(stacks)}: The slug is not known. The trust policy does not allow the stack."
            " help: name the slug with --stack"
        )
    guessed = [use.stack for use in uses if use.stack is not None and use.stack.slug and use.stack.is_guess]
    if guessed and not is_named:
        slugs = ", ".join(dict.fromkeys(stack.slug for stack in guessed))
        guess = f"The slugs {slugs} are derived from the names. A renamed stack keeps its first slug."
        yield f"{_listed(guessed)}: {guess} help: name the slug with --slug, --stack or --module"
    spaces = [use.stack for use in uses if use.stack is not None and use.stack.has_open_space]
    if spaces and not required.spaces:
        yield (
            f"{_listed(spaces)}: The id of the space is not known. The trust policy allows any space."
            " help: name the id with --space"
        )
    labels = [use.stack for use in uses if use.stack is not None and use.stack.has_session_tags is None]
    if labels and not required.has_session_tags:
        yield (
            f"{_listed(labels)}: The labels are not known. Runs of a stack with the label"
            " feature:aws_oidc_session_tagging need sts:TagSession. help: allow the tags with --session-tags"
        )
    is_open = [use.stack for use in uses if use.role is None and use.stack is not None]
    if is_open and not required.roles:
        yield f"{_listed(is_open)}: The value of the role variable is not known. help: name the role with --role-arn"


def _listed(stacks: Sequence[SubjectStack]) -> str:
    return ", ".join(dict.fromkeys(f"{stack.place} ({stack.title})" for stack in stacks))
