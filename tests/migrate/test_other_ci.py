"""Runs of the migrated code by other CI services: the cost of the search; the fixtures show what is found."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from migrator.config.config import Config
from migrator.migrate.pipeline import migrate_repo
from migrator.model.results import Mode

PROVIDER = 'provider "aws" {\n  region  = "eu-west-1"\n  profile = "shop"\n}\n'


@pytest.mark.parametrize("unit", [";A=x", "\"'", "; A=x ", "&&", "a/", "a.sh "])
def test_a_long_line_of_a_workflow_costs_no_more_than_its_length(tmp_path: Path, unit: str) -> None:
    workflow = tmp_path / ".github" / "workflows" / "deploy.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(unit * (500_000 // len(unit)))
    (tmp_path / "main.tf").write_text(PROVIDER)
    begun = time.process_time()
    result = migrate_repo(str(tmp_path), Config(mode=Mode.CHECK))
    assert result.changed
    assert time.process_time() - begun < 10, "quadratic, it takes minutes"
