"""What is said of settings that cannot be removed, and of stacks of another owner's repository."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from migrator.config.config import Config
from migrator.migrate.pipeline import migrate_repo
from migrator.model.findings import Refusal
from migrator.model.results import Mode
from tests.conftest import FIXTURES

STACK = """resource "spacelift_stack" "shop" {
  name       = "shop"
  repository = "%s"
  branch     = "main"
}
"""
PROVIDER = 'provider "aws" {\n  profile = "production"\n}\n'


def test_a_refused_setting_that_breaks_the_hook_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "webshop"
    shutil.copytree(FIXTURES / "rules/spacelift-credentials/profile-by-an-anchor/before", folder)
    result = migrate_repo(str(folder), Config(mode=Mode.PREVIEW))
    (refusal,) = (finding.fix for finding in result.findings if isinstance(finding.fix, Refusal))
    assert "Remove AWS_PROFILE (.spacelift/config.yml:3) from the runs of these stacks" in refusal.help


@pytest.mark.parametrize(("repository", "is_other"), [("acme/shop", False), ("other/shop", True), ("shop", False)])
def test_a_stack_of_another_owner_is_told(tmp_path: Path, repository: str, is_other: bool) -> None:
    folder = tmp_path / "shop"
    (folder / "admin").mkdir(parents=True)
    (folder / "admin/main.tf").write_text(STACK % repository)
    (folder / "main.tf").write_text(PROVIDER)
    result = migrate_repo(str(folder), Config(mode=Mode.PREVIEW, repository="acme/shop"))
    notes = [note.task for note in result.notes if note.code == "stacks-of-another-repository"]
    assert notes == (["This checkout is called `shop`. 1 stack is for repository `other/shop`."] if is_other else [])
