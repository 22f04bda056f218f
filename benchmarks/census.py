"""What part of a preview's CPU time the census takes: ``python benchmarks/census.py [FOLDER...]``.

Without folders, on a tree of 400 modules with keys. It may be 10 %.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import trees

import migrator.rules.census as rule
from migrator.census import accounts
from migrator.config.config import Config
from migrator.migrate.pipeline import migrate_repo
from migrator.model.findings import Finding
from migrator.model.results import Mode


def main() -> None:
    spent = 0.0
    findings = accounts.findings

    def timed(*given: object) -> Iterator[Finding]:
        nonlocal spent
        start = time.process_time()
        found = list(findings(*given))  # type: ignore[arg-type]
        spent += time.process_time() - start
        return iter(found)

    accounts.findings = rule.findings = timed  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder:
        for tree in sys.argv[1:] or [str(trees.keyed(Path(folder) / "keyed", 400))]:
            spent, start = 0.0, time.process_time()
            migrate_repo(tree, Config(mode=Mode.PREVIEW))
            whole = time.process_time() - start
            print(f"{tree}: {whole:.2f} s, the census {spent:.2f} s: {spent / whole:.1%}")


if __name__ == "__main__":
    main()
