"""The guides are true: Terraform says what the FAQ says that it does, and the rule of the guide works."""

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
ADD_A_RULE = (ROOT / "docs" / "development" / "add-a-rule.md").read_text()

_FILE = re.compile(r"^```\w+\n# (?P<path>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_SAID = re.compile(r"^`terraform (?P<command>[^`]+)` says:\n\n```text\n(?P<lines>.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = [part for part in re.split(r"^## ", FAQ, flags=re.MULTILINE) if _SAID.search(part)]


def write(files: str, folder: Path) -> None:
    for match in _FILE.finditer(files):
        (folder / match["path"]).parent.mkdir(parents=True, exist_ok=True)
        (folder / match["path"]).write_text(match["text"])


@pytest.mark.parametrize("example", EXAMPLES, ids=[text.splitlines()[0] for text in EXAMPLES])
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


def test_the_faq_has_examples() -> None:
    assert len(EXAMPLES) > 12


def test_the_rule_of_the_guide_is_one_and_small() -> None:
    paths = [match["path"] for match in _FILE.finditer(ADD_A_RULE)]
    assert [path for path in paths if path.startswith("migrator/")] == ["migrator/rules/google_static_keys.py"]
    assert len({path.split("/")[2] for path in paths if path.startswith("fixtures/rules/")}) == 1
    assert len(paths) == 1 + sum(path.startswith("fixtures/rules/") for path in paths)
    (module,) = (match["text"] for match in _FILE.finditer(ADD_A_RULE) if match["path"].startswith("migrator/"))
    assert len(module.splitlines()) <= 60


def test_the_rule_of_the_guide_finds_what_it_is_for(tmp_path: Path) -> None:
    """In a copy of the project, since a rule is found by being in its folder; its tests are the project's own."""
    for folder in ("migrator", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    write(ADD_A_RULE, tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    rule, case = "migrator/rules/google_static_keys.py", "fixtures/rules/google-static-keys/key-file/before"
    commands = {
        f"pytest -q -p no:cacheprovider -n 0 --basetemp={tmp_path / 'made'} tests/rules/test_fixtures.py -k google-static-keys": 0,
        f"ruff check {rule}": 0,
        f"ruff format --check {rule}": 0,
        "migrator --explain google-static-keys": 0,
        f"migrator --check {case}": 4,
    }
    for command, code in commands.items():
        words = [sys.executable, "-m", *command.split()]
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == code, done.stdout + done.stderr
    assert "The google provider signs in with credentials." in done.stderr
