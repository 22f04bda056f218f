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
SEEDS = 60  # of the fixtures, which are all gone through by the test above
RUNS, RUNS_OF_PLANS = 2_000, 200  # with the seeds: a planning takes ten times what an edit takes
PLANS = [name for name in TARGETS if name.startswith("plan-")]
EDITS = [name for name in TARGETS if name not in PLANS]
GROUPS = {"plans": (PLANS, RUNS_OF_PLANS), "edits": (EDITS, RUNS)}
REPEATABLE = ("-reload=0", "-entropic=0")


def seeds_of(name: str) -> list[Path]:
    suffixes = TARGETS[name].suffixes
    return [path for path in sorted(FIXTURES.rglob("*")) if path.is_file() and path.name.endswith(suffixes)]


@pytest.mark.parametrize("name", TARGETS)
def test_every_fixture(name: str) -> None:
    different = {path.read_bytes(): path for path in seeds_of(name)}
    assert different
    for data in different:
        TARGETS[name].run(data)


@pytest.mark.parametrize(("names", "runs"), GROUPS.values(), ids=GROUPS)
def test_what_the_fuzzer_finds(names: list[str], runs: int, tmp_path: Path, dice: random.Random) -> None:
    """Many targets in a process: to instrument all modules takes longer than to fuzz one."""
    if importlib.util.find_spec("atheris") is None:
        if IN_CI:
            pytest.fail("atheris is not installed")
        pytest.skip("atheris is not installed: pip install -e '.[fuzz]'")
    command = [
        sys.executable,
        "-m",
        "tests.fuzz",
        ",".join(names),
        *REPEATABLE,
        f"-seed={dice.getrandbits(31)}",
        f"-runs={runs}",
        f"-artifact_prefix={tmp_path}/",
    ]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "FUZZ_SEEDS": str(SEEDS)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert done.stderr.count(f"Done {runs} runs") == len(names)
