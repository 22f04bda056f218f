"""A plan without secrets in any text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from migrator.model.findings import FileProblem, Finding, Note
from migrator.model.results import Plan, SigningRow, StackRow
from migrator.secret.mask import hide, mask

if TYPE_CHECKING:
    from migrator.model.known_secrets import KnownSecrets

_Shown = TypeVar("_Shown", Finding, FileProblem, Note, StackRow, SigningRow)
_NAMES = frozenset({"rule", "group", "needs", "place", "repo", "root", "title", "edits"})
"""Paths and names: these are no values, whatever else is called like one."""


def masked(plan: Plan, secrets: KnownSecrets) -> Plan:
    """The ``plan`` with every text masked, except for paths and names; the changes stay the same."""

    def hidden(text: str) -> str:
        return mask(hide(text, secrets.pieces(text)))

    return replace(
        plan,
        findings=tuple(_masked(finding, hidden) for finding in plan.findings),
        problems=tuple(_masked(file_problem, hidden) for file_problem in plan.problems),
        notes=tuple(_masked(note, hidden) for note in plan.notes),
        stacks=tuple(_masked(stack_row, hidden) for stack_row in plan.stacks),
        signers=tuple(_masked(signing_row, hidden) for signing_row in plan.signers),
    )


def _masked(part: _Shown, hidden: Callable[[str], str]) -> _Shown:
    values = {name: getattr(part, name) for name in part.__struct_fields__ if name not in _NAMES}
    after = {name: _hidden(value, hidden) for name, value in values.items()}
    return replace(part, **after) if after != values else part


def _hidden(value: object, hidden: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return hidden(value)
    if isinstance(value, tuple):
        return tuple(_hidden(element, hidden) for element in value)
    return _masked(value, hidden) if isinstance(value, Struct) else value  # type: ignore[type-var]
