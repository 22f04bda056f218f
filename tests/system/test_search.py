"""The tests' examples are the same for anyone, every time; a search draws others and tells how to have one again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = """
import hashlib, importlib, sys
import tests.conftest
for name in sys.argv[1:]:
    importlib.import_module(name)
from hypothesis import given, settings, strategies as st
from tests.modules import hcl_files, json_files
seen = hashlib.sha256()

@settings(max_examples=50)
@given(hcl_files(), json_files(), st.text(), st.integers())
def draw(a, b, c, d):
    seen.update(repr((a, b, c, d)).encode())

draw()
print(seen.hexdigest())
"""
TEST = """
from hypothesis import given, strategies as st

@given(st.integers(0, 1000))
def test_numbers(number):
    assert number < 900

def test_dice(dice):
    assert dice.random() < 2

def test_that_draws_nothing():
    raise AssertionError
"""


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    everything = {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=everything, capture_output=True, text=True, check=False, timeout=120)


def test_neither_hashes_nor_what_was_imported_change_the_examples() -> None:
    done = [
        run("-c", EXAMPLES, PYTHONHASHSEED="1"),
        run("-c", EXAMPLES, "migrator.rules.terragrunt", "migrator.trust.policy", PYTHONHASHSEED="2"),
    ]
    assert [ended.stderr for ended in done] == ["", ""]
    assert done[0].stdout == done[1].stdout


@pytest.mark.parametrize("only", ["numbers", "dice"])
def test_a_search(only: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Of tests that draw: what fails is told, with a command that fails again; what has failed is not run again."""
    test = tmp_path_factory.mktemp("it") / "test_it.py"
    test.write_text(TEST)
    here = ("-n", "0", "-c", "pyproject.toml", "-p", "tests.conftest")
    done = run("-m", "tests.search", "--minutes", "0.01", "--only", only, *here, str(test))
    rounds = re.findall(r"round \d+, seed (\d+)", done.stdout)
    assert len(set(rounds)) == len(rounds) > 0, done.stdout
    assert "draws_nothing" not in done.stdout
    assert done.returncode == (1 if only == "numbers" else 0), done.stdout
    if only == "numbers":
        assert "number=900" in done.stdout
        again = re.findall(r"again: \S+ (.+)", done.stdout)
        assert len(again) == 1
        assert run(*again[0].replace("'::", f"{test}::").replace("'", "").split(), *here).returncode == 1
