"""Rules of a phase have no order: shuffled, reversed or renamed, they come to the same."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from migrator.config.config import Config
from migrator.migrate import planning
from migrator.migrate.planning import Planning
from migrator.model.fleet import RepoIdentity
from migrator.model.results import Plan
from migrator.rules.registry import Rule, all_rules
from migrator.workspace.discover import listing, walk
from migrator.workspace.workspace import Workspace
from tests.rules.test_fixtures import CASES, case_id, options

ORDERS = (None, 1, 2, 3)
"""Reversed, and the seeds by which rules are shuffled."""


def ordered(seed: int | None) -> tuple[Rule, ...]:
    rules = list(all_rules())
    if seed is None:
        return tuple(reversed(rules))
    random.Random(seed).shuffle(rules)
    return tuple(rules)


def plan(folder: Path, case: Path) -> Plan:
    return Planning(Workspace(listing(folder, walk(folder)), RepoIdentity("webshop")), Config(**options(case))).plan()


def outcome(made: Plan) -> tuple[object, ...]:
    """What a plan comes to, whatever the order in which it was found."""
    findings = sorted((str(finding.place), finding.rule, finding.message, finding.fate) for finding in made.findings)
    changes = sorted((change.path, change.after) for change in made.changes)
    notes = sorted((note.task, note.paste, sorted(note.subjects)) for note in made.notes)
    return findings, changes, notes, sorted(map(str, made.signers)), sorted(map(str, made.trusts))


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_a_case_is_the_same_in_every_order(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "webshop"
    shutil.copytree(case / "before", folder, symlinks=True)
    expected = outcome(plan(folder, case))
    for seed in ORDERS:
        monkeypatch.setattr(planning, "all_rules", lambda seed=seed: ordered(seed))
        assert outcome(plan(folder, case)) == expected
