"""Search with fresh seeds: ``python -m tests.search --minutes 60 [--only NAME] [PYTEST-OPTION]...``.

Runs every test that draws its examples again and again, each round with a seed of its own, and tells what fails with
the least example that was found and the command that has it again. What has failed is left out of the rounds that
follow. The exit code is 1 if anything was found.
"""

from __future__ import annotations

import argparse
import re
import secrets
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?\.py|\S*?::.+?)(?: - .*)?$", re.MULTILINE)
NOTHING_RAN, ALL_PASSED = 5, 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.search", allow_abbrev=False)
    parser.add_argument("--minutes", type=float, default=60, help="no round begins after this time")
    parser.add_argument("--only", metavar="NAME", help="as pytest's -k: tests whose names match")
    parser.add_argument("--seed", type=int, help="of the first round, to have it again")
    given, options = parser.parse_known_args()
    options = [*(("-k", given.only) if given.only else ()), *options]
    until, rounds, found = time.monotonic() + given.minutes * 60, 0, list[str]()
    while rounds == 0 or time.monotonic() < until:
        seed = secrets.randbits(32) if given.seed is None or rounds else given.seed
        drawn = ["--hypothesis-profile=search", f"--hypothesis-seed={seed}"]
        left_out = [f"--deselect={test}" for test in found]
        command = [sys.executable, "-m", "pytest", "-q", "-m", "drawn", "-n", "auto", *drawn, *left_out, *options]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode == NOTHING_RAN and found:
            break
        rounds += 1
        print(f"round {rounds}, seed {seed}: {done.stdout.strip().rpartition(chr(10))[2]}", flush=True)
        if done.returncode != ALL_PASSED:
            print(done.stdout)
            failed = FAILED.findall(done.stdout)
            for test in failed:
                print(f"again: {sys.executable} -m pytest {' '.join(drawn)} '{test}'", flush=True)
            found += failed
            if not failed:  # pytest itself could not run
                return 1
    print(f"{rounds} rounds, {len(found)} found", *found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
