"""The documents say what is so: examples are outputs, commands are CI's, options are the program's."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from migrator.cli.main import cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
EXAMPLES = re.findall(r"<!-- example: tf-oidc-migrate ([^\n]*) -->\n```\w*\n(.*?)```", README, re.DOTALL)


def printed(arguments: str) -> str:
    """What the program prints on standard output, from the second hunk's file on left out."""
    command = [sys.executable, "-m", "migrator", *arguments.split()]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize(("arguments", "shown"), EXAMPLES)
def test_an_example_is_what_the_program_prints(arguments: str, shown: str) -> None:
    parts = [part for part in shown.split("...\n") if part]
    output = printed(arguments)
    assert parts
    for part in parts:
        assert part in output


def test_the_first_command_of_the_readme_succeeds() -> None:
    assert EXAMPLES
    command = ".venv/bin/tf-oidc-migrate --preview fixtures/repos/webshop"
    assert f"\n{command}\n" in README
    done = subprocess.run(
        [sys.executable, "-m", "migrator", *command.split()[1:]], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "refused:" not in done.stderr
    assert "fixtures/rules" not in done.stderr


def test_every_option_is_in_the_readme_and_only_those() -> None:
    real = {name for parameter in cli.params for name in parameter.opts if name.startswith("--")}
    named = set(re.findall(r"--[a-z][a-z-]+", re.search(r"\| option \|.*?\n\n", README, re.DOTALL)[0]))  # type: ignore[index]
    assert named == real - {"--verbose", "--quiet", "--help"} | {"--version"}


def test_ci_runs_the_test_command_of_the_readme() -> None:
    command = ".venv/bin/pytest -n auto"
    assert f"\n{command}\n" in README
    assert f"\n{command}\n" in (ROOT / ".ci" / "run").read_text()
