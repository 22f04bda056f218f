"""The changes of a plan by stages of the rollout, each with the changes of all stages before.

The changes of stacks come first (hooks, variables, an AWS integration), then the code, then the removal of static keys
from stacks and contexts: https://docs.spacelift.io/integrations/cloud-providers/oidc/aws-oidc. The files of each stage
are valid on their own, so that each stage can be applied before the next stage is merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from migrator.errors import MigrateError
from migrator.migrate.settlement import Settlement
from migrator.model.findings import Change, Finding, Rewrite
from migrator.model.results import CODE, KEYS, STACKS, StagedChanges, stage_of

if TYPE_CHECKING:
    from migrator.workspace.workspace import Workspace


def staged(workspace: Workspace, settlement: Settlement, without_keys: Settlement) -> tuple[StagedChanges, ...]:
    """The stages with changes, in order, each with the changes of the present files.

    ``settlement`` has all stages, ``without_keys`` all but the last stage. Raises `MigrateError` if the last stage
    would undo a part of the second.
    """
    first = _changes_of(workspace, settlement.findings, frozenset({STACKS}))
    second = without_keys.changes
    identities = {_identity(finding) for finding in settlement.findings}
    if any(_identity(finding) not in identities for finding in _rewrites(without_keys.findings)):
        raise MigrateError("the stages depend on each other, so that one commit is needed: run again without --stages")
    stages: list[StagedChanges] = []
    before: dict[str, Change] = {}
    for name, changes in ((STACKS, first), (CODE, second), (KEYS, settlement.changes)):
        after = {change.path: change for change in changes}
        if after != before:
            stages.append(StagedChanges(name, tuple(changes)))
        before = after
    return tuple(stages)


def _changes_of(workspace: Workspace, findings: Sequence[Finding], names: frozenset[str]) -> list[Change]:
    """The changes that the findings of some stages come to alone."""
    findings_of_stages = [
        replace(finding, group=None, needs=frozenset()) for finding in findings if stage_of(finding) in names
    ]
    settlement = Settlement(workspace, findings_of_stages)
    settlement.run()
    if list(_rewrites(settlement.findings)) != list(_rewrites(findings_of_stages)):
        raise MigrateError("the stages depend on each other, so that one commit is needed: run again without --stages")
    return settlement.changes


def _rewrites(findings: Iterable[Finding]) -> Iterator[Finding]:
    return (finding for finding in findings if isinstance(finding.fix, Rewrite))


def _identity(finding: Finding) -> tuple[object, ...]:
    return finding.rule, finding.place, finding.fix
