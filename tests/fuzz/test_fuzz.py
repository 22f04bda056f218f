"""The fuzzer's targets: on every fixture, and on some thousand inputs that a coverage-guided fuzzer makes of them.

The inputs are the same in every run, on whatever machine: counted, not timed, from one seed each, and the corpus is not
read again as time passes. For new ones there is the long run (CONTRIBUTING.md).
"""

from __future__ import annotations

import importlib.util
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import FIXTURES, IN_CI
from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]
RUNS, RUNS_OF_PLANS = 5_000, 250  # beside the seeds: a planning takes twenty times what an edit takes
REPEATABLE = ("-reload=0", "-entropic=0")


def seeds_of(name: str) -> list[Path]:
    suffixes = TARGETS[name].suffixes
    return [path for path in sorted(FIXTURES.rglob("*")) if path.is_file() and path.name.endswith(suffixes)]


@pytest.mark.parametrize("name", TARGETS)
def test_every_fixture(name: str) -> None:
    seeds = seeds_of(name)
    assert seeds
    for path in seeds:
        TARGETS[name].run(path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_what_the_fuzzer_finds(name: str, tmp_path: Path, dice: random.Random) -> None:
    if importlib.util.find_spec("atheris") is None:
        if IN_CI:
            pytest.fail("atheris is not installed")
        pytest.skip("atheris is not installed: pip install -e '.[fuzz]'")
    runs = len(seeds_of(name)) + (RUNS_OF_PLANS if name.startswith("plan-") else RUNS)
    command = [
        sys.executable,
        "-m",
        "tests.fuzz",
        name,
        *REPEATABLE,
        f"-seed={dice.getrandbits(31)}",
        f"-runs={runs}",
        f"-artifact_prefix={tmp_path}/",
    ]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert f"Done {runs} runs" in done.stderr
