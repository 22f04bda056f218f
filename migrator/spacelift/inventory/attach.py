"""Which stacks of an account get the hook from a context that Terraform attaches, and which do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from migrator.model.fleet import KnownRoot, Survey, is_of_branch, runs
from migrator.spacelift.inventory.account import Inventory, Stack
from migrator.spacelift.inventory.keys import AccountKeys, StaticKey
from migrator.spacelift.inventory.known import code_of

_VENDORS = {
    "StackConfigVendorTerraform": "Terraform",
    "StackConfigVendorOpenTofu": "OpenTofu",
    "StackConfigVendorTerragrunt": "Terragrunt",
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A stack that gets the hook with ``role``, ``""`` if a variable of the stack is to name the role.

    The context's ``priority`` is lower than that of every context that is attached already, so its hook runs first.
    """

    stack: Stack
    role: str
    priority: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A stack that gets no hook, and the ``reason``."""

    stack: Stack
    reason: str


@dataclass(frozen=True)
class Attachments:
    """What is to be done for the stacks of an account; ``removable`` are the keys that nobody needs afterwards.

    ``kept`` are keys in contexts that are attached to others, too, each with their ids.
    """

    made: tuple[Attachment, ...]
    skipped: tuple[Skipped, ...]
    removable: tuple[StaticKey, ...]
    kept: tuple[tuple[StaticKey, tuple[str, ...]], ...]


RoleOf = Callable[[Stack], str | None]
"""The role for a stack's hook: an ARN, ``""`` if a variable is to name the role, None if the stack needs no hook."""


def attachments(inventory: Inventory, role_of: RoleOf) -> Attachments:
    """What is to be done for the stacks that get static keys, and that ``role_of`` has a role for."""
    account = AccountKeys(inventory)
    made: list[Attachment] = []
    skipped: list[Skipped] = []
    for stack in inventory.stacks:
        role = role_of(stack)
        if role is None:
            continue
        reason = _objection(account, stack)
        if reason:
            skipped.append(Skipped(stack, reason))
        elif account.of(stack):
            made.append(Attachment(stack, role, _first(stack)))
    keys = dict.fromkeys(key for attachment in made for key in account.of(attachment.stack))
    done = {attachment.stack.id for attachment in made}
    others = {key: account.others(key, done) for key in keys}
    removable = tuple(key for key in keys if not others[key])
    return Attachments(tuple(made), tuple(skipped), removable, tuple((key, ids) for key, ids in others.items() if ids))


def _objection(account: AccountKeys, stack: Stack) -> str:
    """Why a stack gets no hook; ``""`` if the stack can get one."""
    if not account.is_told(stack):
        return "The account did not tell which variables and contexts the stack has. help: use a key that may read all"
    if not account.of(stack):
        return ""
    vendor = stack.vendor_config.typename if stack.vendor_config is not None else ""
    if vendor not in _VENDORS:
        return (
            f"The stack gets static keys, but is of the vendor {vendor.removeprefix('StackConfigVendor') or 'unknown'}"
        )
    if account.has_exchange(stack):
        return "The stack exchanges its OIDC token already, but gets static keys as well. help: remove the keys"
    return account.hook_obstacle(stack)


def _first(stack: Stack) -> int:
    """A priority below those of the contexts that are attached by name: the lowest runs first."""
    return (
        min(
            (attachment.priority for attachment in stack.attached_contexts or () if attachment.priority is not None),
            default=1,
        )
        - 1
    )


def roots_of(survey: Survey, stack: Stack) -> Iterator[KnownRoot]:
    """The root modules of a repository that a stack runs."""
    code = code_of(stack)
    for root in survey.roots:
        if is_of_branch(code, root.identity) and runs(code, root.identity, root.path):
            yield root
