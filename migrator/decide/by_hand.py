"""The stacks of an inventory that no code defines; the account may give credentials to these, too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from migrator.model.findings import Place
from migrator.model.fleet import is_of_branch, runs
from migrator.spacelift.stacks.definitions import folders_of_runs

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.model.fleet import Fleet, KnownStack
    from migrator.spacelift.inventory.known import Account
    from migrator.spacelift.stacks.model import StackDefinition
    from migrator.workspace.workspace import Workspace


class StacksByHand:
    """The ``stacks`` of an account that run code of a repository, and that no code of the run defines."""

    def __init__(
        self, workspace: Workspace, repo: str, fleet: Fleet, account: Account, defined: Sequence[StackDefinition]
    ) -> None:
        self._workspace = workspace
        known_stacks = (stack for survey in fleet.surveys if survey.repo != repo for stack in survey.stacks)
        self._elsewhere = [other for other in known_stacks if other.account is not None and not other.is_by_hand]
        account_ids = [stack.account.id for stack in defined if stack.account is not None]
        account_ids += [other.slug_in_account for other in self._elsewhere]
        by_hand = account.by_hand(account_ids, folders_of_runs(workspace)) if account.stacks else ()
        self.stacks: tuple[KnownStack, ...] = tuple(filter(self._is_run, by_hand))
        self._below = [stack for stack in self.stacks if stack.code.runs_below]
        self._by_root: dict[str | None, list[KnownStack]] = {}
        for stack in self.stacks:
            if not stack.code.runs_below:
                self._by_root.setdefault(stack.code.project_root, []).append(stack)

    def _is_run(self, stack: KnownStack) -> bool:
        """Whether a stack runs code of the repository, on the branch of the migration."""
        root, identity = stack.code.project_root, self._workspace.identity
        return root is not None and runs(stack.code, identity, root) and is_of_branch(stack.code, identity)

    def with_stacks_by_hand(self, known_stacks: list[KnownStack], path: str) -> list[KnownStack]:
        """The stacks of other repositories and those made by hand that run the root module at ``path``."""
        slugs = {stack.slug_in_account for stack in known_stacks}
        by_hand = (
            stack for stack in (*self._by_root.get(path, ()), *self._below) if stack.slug_in_account not in slugs
        )
        return [*known_stacks, *(stack for stack in by_hand if runs(stack.code, self._workspace.identity, path))]

    def with_static_keys(self, defined: Iterable[StackDefinition]) -> set[StackDefinition | str]:
        """The stacks, and the root modules by path, that get static credentials from the account."""
        defined_with_keys = {stack for stack in defined if stack.account is not None and stack.account.static_keys}
        known_stacks = (*filter(self._is_run, self._elsewhere), *self.stacks)
        with_keys = (other for other in known_stacks if other.account is not None and other.account.static_keys)
        return {*defined_with_keys, *(other.code.project_root or "" for other in with_keys)}


def integrations_of(stacks: Iterable[StackDefinition]) -> dict[StackDefinition, Place]:
    """The stacks with an AWS integration in the account."""
    stack_accounts = ((stack, stack.account) for stack in stacks if stack.account is not None)
    return {stack: Place(account.place) for stack, account in stack_accounts if account.integration}


def origin_of_stack(context: Context, code: str) -> str:
    """The origin, for people, of a stack that runs the root module ``code`` and that no code defines."""
    if templates := context.templates_of("" if code == "." else code):
        return f"by the template at {', '.join(templates)}, or by hand"
    name = context.workspace.identity.name.lower()
    unknown = [
        str(stack.place)
        for stack in context.facts.stacks
        if stack.slug is None and not stack.is_blueprint and (stack.code.repository or name).lower() == name
    ]
    return f"by hand, or at {', '.join(unknown)}" if unknown else "by hand"
