"""The fuzzer's targets: on every fixture, and for a few seconds each on what a coverage-guided fuzzer makes of them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import FIXTURES, IN_CI
from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parent.parent
SECONDS = 5
SEED = 1


@pytest.mark.parametrize("name", TARGETS)
def test_every_fixture(name: str) -> None:
    target = TARGETS[name]
    seeds = [path for path in FIXTURES.rglob("*") if path.is_file() and path.name.endswith(target.suffixes)]
    assert seeds
    for path in seeds:
        target.run(path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_what_the_fuzzer_finds(name: str, tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        if IN_CI:
            pytest.fail("atheris is not installed")
        pytest.skip("atheris is not installed: pip install -e '.[fuzz]'")
    command = [sys.executable, "-m", "tests.fuzz", name]
    options = [f"-seed={SEED}", f"-max_total_time={SECONDS}", f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "Done" in done.stderr
