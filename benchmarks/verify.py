"""How long ``verify`` takes for a repository with many root modules, beside bare ``init`` and ``validate`` of each.

    python benchmarks/verify.py [COUNT]

Prints the seconds of both and the ratio, which is to be below 2. The root modules sign in by themselves, so that no
hook is run: a hook starts the aws CLI once for each type of run, which a bare ``init`` has no part of.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BOUND = 2.0
ROLE = "arn:aws:iam::123456789012:role/terraform-state"
ROOT = """terraform {{
  required_version = ">= 1.10"

  backend "s3" {{
    bucket   = "state"
    key      = "{0}.tfstate"
    region   = "eu-west-1"
    role_arn = "{1}"
  }}
}}

variable "name" {{
  type    = string
  default = "{0}"
}}

resource "terraform_data" "this" {{
  input = var.name
}}
"""


def made(folder: Path, count: int) -> Path:
    """A repository of ``count`` root modules, migrated on a branch."""
    for number in range(count):
        file = folder / f"r{number:03}" / "main.tf"
        file.parent.mkdir(parents=True)
        file.write_text(ROOT.format(f"r{number:03}", ROLE))
    person = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*person, "commit", "-q", "-m", "import"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    environment = {**os.environ, "EMAIL": "test@example.com", "GIT_COMMITTER_NAME": "Test", "GIT_AUTHOR_NAME": "Test"}
    command = [sys.executable, "-m", "migrator", str(folder), "--quiet", "--no-switch"]
    subprocess.run(command, check=True, env=environment)
    return folder


def bare(folder: Path) -> float:
    """Seconds of ``init`` without the backend and ``validate``, one root module after the other."""
    started = time.perf_counter()
    for root in sorted(folder.glob("r*")):
        with tempfile.TemporaryDirectory() as data:
            environment = {**os.environ, "TF_DATA_DIR": data, "CHECKPOINT_DISABLE": "1"}
            for step in (["init", "-backend=false"], ["validate"]):
                command = ["terraform", *step, "-no-color"]
                subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started


def verified(folder: Path) -> float:
    """Seconds of ``verify``; nothing may fail."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "migrator", "verify", str(folder), "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 4), done.stdout + done.stderr
    assert "failed" not in done.stdout, done.stdout
    return time.perf_counter() - started


def ratio(count: int) -> tuple[float, float]:
    """The seconds of ``verify`` and of the bare commands, each the better of two."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = made(Path(scratch, "roots"), count)
        ours = min(verified(folder) for _ in range(2))
        subprocess.run(["git", "switch", "-q", "spacelift-oidc"], cwd=folder, check=True)
        return ours, min(bare(folder) for _ in range(2))


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    ours, theirs = ratio(number)
    print(f"verify of {number} root modules: {ours:.2f} s; bare init and validate: {theirs:.2f} s; {ours / theirs:.2f}")
    sys.exit(ours / theirs >= BOUND)
