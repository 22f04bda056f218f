"""The guides are true: Terraform says what the FAQ says that it does, and the rule of the guide is one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Terraform

ROOT = Path(__file__).parents[2]
FAQ = (ROOT / "docs" / "faq.md").read_text()
NEW_RULE = (ROOT / "docs" / "new-rule.md").read_text()

_FILE = re.compile(r"^```\w+\n# (?P<path>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_SAID = re.compile(r"^`terraform (?P<command>[^`]+)` says:\n\n```text\n(?P<lines>.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = [part for part in re.split(r"^## ", FAQ, flags=re.MULTILINE) if _SAID.search(part)]


def write(files: str, folder: Path) -> None:
    for match in _FILE.finditer(files):
        (folder / match["path"]).parent.mkdir(parents=True, exist_ok=True)
        (folder / match["path"]).write_text(match["text"])


@pytest.mark.parametrize("example", EXAMPLES, ids=[one.splitlines()[0] for one in EXAMPLES])
def test_terraform_says_what_the_faq_says(
    example: str, terraform: Terraform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    write(example, tmp_path)
    said = _SAID.search(example)
    assert said
    done = terraform.run(*said["command"].split(), "-no-color", cwd=tmp_path)
    assert done.returncode == 1
    told = " ".join(re.sub(r"[│╷╵]", "", done.stderr).split())
    for line in said["lines"].splitlines():
        assert line in told


def test_the_faq_has_examples_and_links_to_pages_that_are_there() -> None:
    assert len(EXAMPLES) > 12
    for page in (ROOT / "docs").glob("*.md"):
        for link in re.findall(r"\]\(([\w./-]+?)(?:#[\w-]+)?\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_page_is_listed() -> None:
    listed = set(re.findall(r"^\| \[([\w-]+\.md)\]", (ROOT / "docs" / "README.md").read_text(), re.MULTILINE))
    assert listed == {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}


def test_the_rule_of_the_guide_is_one(tmp_path: Path) -> None:
    """In a copy of the project, since a rule is found by being in its folder; its tests are the project's own."""
    for folder in ("migrator", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    write(NEW_RULE, tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    ruff = [sys.executable, "-m", "ruff"]
    for command in (
        [*pytest_, "-n", "0", "tests/rules/test_fixtures.py", "-k", "metadata-check"],
        [*ruff, "check", "migrator/rules/metadata_check.py"],
        [*ruff, "format", "--check", "migrator/rules/metadata_check.py"],
    ):
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "--explain all > docs/rules.md" in NEW_RULE
