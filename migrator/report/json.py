"""All results as one JSON document, for programs; ``docs/report.schema.json`` describes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

from migrator.report.serial import OUTCOMES, VERSION, to_plain
from migrator.report.totals import State, Totals, state_of

if TYPE_CHECKING:
    from migrator.report.collected import Collected

_OF_PLANS = ("inputs", "fingerprint")
"""The fields that only a stored plan needs."""


def write(collected: Collected, out: TextIO) -> None:
    """Write the report, one result a line, in ASCII alone."""
    run = collected.run
    tool = {"name": "tf-oidc-migrate", "version": run.version}
    head = {"version": VERSION, "tool": tool, "run": {"command": run.command, "date": run.date}}
    lines = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in head.items())
    totals = json.dumps(_plain_totals(collected.totals))
    out.write("{\n" + ",\n".join(lines) + f',\n"totals": {totals},\n"results": [')
    for repo in collected.with_diffs():
        fields = {name: value for name, value in to_plain(repo.result).items() if name not in _OF_PLANS}
        document = {"state": state_of(repo.result).value, **fields}
        out.write((",\n" if repo.number > 1 else "\n") + json.dumps(document))
    out.write("\n]\n}\n")


def _plain_totals(totals: Totals) -> dict[str, Any]:
    return {
        "repositories": totals.repositories,
        "states": {state.value: totals.states[state] for state in State},
        "findings": {name: totals.outcomes[name] for name in OUTCOMES},
        "problems": totals.problems,
        "files": totals.files,
        "stacks": totals.stacks,
        "rotations": totals.rotations,
    }
