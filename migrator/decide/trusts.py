"""Which roles the runs of which stacks sign in with after a migration: those that AWS must trust them with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from migrator.config.config import is_role_arn
from migrator.decide.roots import Runners
from migrator.model.findings import Refusal
from migrator.model.fleet import KnownStack
from migrator.model.results import SigningRow, TrustRow

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.facts import Facts


def trust_rows(context: Context, signers: Sequence[SigningRow]) -> tuple[TrustRow, ...]:
    """A row for each role that is known by its ARN: those of hooks, but refused groups, and what ``signers`` tell.

    Roles that only a variable of the stack names are none of them, but for those that it is ``given``.
    """
    facts = context.facts
    refused = {finding.group for finding in context.settled if isinstance(finding.fix, Refusal)}
    found: dict[str, dict[str, None]] = {}
    runners = dict(_runners(facts))
    for row in signers:
        if is_role_arn(row.role):
            found.setdefault(row.role, {}).update(_titles(runners.get(row.root, Runners())))
    for target in context.hook_plan.targets:
        if isinstance(target.role, str) and is_role_arn(target.role) and target.group not in refused:
            found.setdefault(target.role, {}).update(_titles(target.runners))
    for role_value in context.sign_ins.values:
        found.setdefault(role_value.role, {}).update(_titles(facts.runners_of(role_value.root)))
    return tuple(TrustRow(role, tuple(stacks)) for role, stacks in sorted(found.items()))


def _runners(facts: Facts) -> Iterator[tuple[str, Runners]]:
    yield from ((root.module.path or ".", root.runners) for root in facts.roots)
    yield from (
        (with_static_keys.module.path or ".", Runners(with_static_keys.stacks))
        for with_static_keys in facts.modules_with_static_keys
    )


def _titles(runners: Runners) -> dict[str, None]:
    """The stacks by their titles; those of other repositories with the name of theirs."""
    return {
        f"{runner.repo}: {runner.title}" if isinstance(runner, KnownStack) else runner.title: None
        for runner in runners.all
    }
