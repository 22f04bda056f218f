"""All results as one JSON document, for programs; ``docs/report.schema.json`` describes it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TextIO

from migrator import __version__
from migrator.report.serial import OUTCOMES, VERSION, to_plain
from migrator.report.shown import show_whole, shown
from migrator.report.totals import State, Totals, state_of, totals_of

if TYPE_CHECKING:
    from migrator.model.results import RepoResult

_OF_PLANS = ("inputs", "fingerprint")
"""What only a stored plan needs."""


def write(results: Iterable[RepoResult], out: TextIO) -> None:
    """Write the report, one result a line, in ASCII alone."""
    tool = {"name": "tf-oidc-migrate", "version": __version__}
    totals = _plain_totals(totals_of(shown(results)))
    out.write(f'{{\n"version": {VERSION},\n"tool": {json.dumps(tool)},\n"totals": {json.dumps(totals)},\n"results": [')
    for number, result in enumerate(map(show_whole, results)):
        told = {name: value for name, value in to_plain(result).items() if name not in _OF_PLANS}
        plain = {"state": state_of(result).value, **told}
        out.write((",\n" if number else "\n") + json.dumps(plain))
    out.write("\n]\n}\n")


def _plain_totals(totals: Totals) -> dict[str, Any]:
    return {
        "repositories": totals.repositories,
        "states": {state.value: totals.states[state] for state in State},
        "findings": {name: totals.outcomes[name] for name in OUTCOMES.values()},
        "problems": totals.problems,
        "files": totals.files,
        "stacks": totals.stacks,
        "rotations": totals.rotations,
    }
