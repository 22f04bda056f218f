"""The stacks of an account's inventory: stacks by hand, and exact subjects for the trust policies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from migrator.model.account import ACCOUNT
from migrator.model.fleet import RepoIdentity
from migrator.spacelift.hooks.roles import roles_in
from migrator.trust.known import ROLE_VARIABLE, Knowledge, SubjectStack

if TYPE_CHECKING:
    from migrator.spacelift.inventory.known import Account


def with_account(repositories: Sequence[Knowledge], account: Account, roles: Iterable[str]) -> list[Knowledge]:
    """The ``repositories``, and the stacks of the ``account`` that none of the repositories defines.

    Checksums show which variables of a stack hold one of the ``roles``, or one of the code's.
    """
    if account.keys is None:
        return list(repositories)
    in_code = {role for knowledge in repositories for code in knowledge.code for role in code.roles if role}
    known_roles = sorted({*roles, *in_code})
    repositories_shown = [
        replace(knowledge, stacks=tuple(_with_roles(stack, known_roles) for stack in knowledge.stacks))
        for knowledge in repositories
    ]
    defined = {
        stack.account.id for knowledge in repositories_shown for stack in knowledge.stacks if stack.account is not None
    }
    by_hand = tuple(_with_roles(stack, known_roles) for stack in _stacks(account) if stack.slug not in defined)
    return [*repositories_shown, Knowledge(RepoIdentity(ACCOUNT), (), by_hand)]


def _stacks(account: Account) -> Iterator[SubjectStack]:
    keys = account.keys
    by_id = {stack.id: stack for stack in keys.inventory.stacks} if keys is not None else {}
    for known_stack in account.stacks:
        if keys is not None and known_stack.account is not None:
            commands = (command for _, command in keys.commands(by_id[known_stack.account.id], "before_init"))
            yield SubjectStack(
                known_stack.title,
                known_stack.place,
                known_stack.code,
                known_stack.account.id,
                known_stack.account.space,
                frozenset(role for command in commands for role in roles_in(command)),
                is_guess=False,
                has_session_tags=known_stack.account.has_session_tags,
                account=known_stack.account,
            )


def _with_roles(known_stack: SubjectStack, roles: Sequence[str]) -> SubjectStack:
    """The stack with the ``roles`` in its variables, by checksum."""
    if known_stack.account is None:
        return known_stack
    names = [name for name, _ in known_stack.account.checksums if ROLE_VARIABLE.fullmatch(name)]
    roles_held = frozenset(role for role in roles for name in names if known_stack.account.has(name, role))
    return replace(known_stack, variable_roles=known_stack.variable_roles | roles_held) if roles_held else known_stack
