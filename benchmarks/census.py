"""What part of a preview's CPU time the census takes: ``python benchmarks/census.py [FOLDER...]``.

Without folders, on a tree of 400 modules with keys, a tree that is mostly YAML, Go and Markdown, and a small tree.
It may be 10 %. The search for text files that mention credentials serves the rule ``key-literals`` too, and is printed
on its own. CPU time includes that of git.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import trees

import migrator.rules.census as rule
from migrator.census import accounts
from migrator.config.config import Config
from migrator.migrate.pipeline import migrate_repo
from migrator.model.findings import Finding
from migrator.model.results import Mode
from migrator.terraform import credential_texts


def main() -> None:
    spent = {"census": 0.0, "search": 0.0}
    findings, search = accounts.findings, credential_texts._search

    def timed(name: str, call: Callable[[], object]) -> object:
        start, other = _cpu(), spent["search"]
        found = call()
        spent[name] += _cpu() - start - (spent["search"] - other)
        return found

    def timed_findings(*given: object) -> Iterator[Finding]:
        return iter(timed("census", lambda: list(findings(*given))))  # type: ignore[call-overload, arg-type]

    accounts.findings = rule.findings = timed_findings  # type: ignore[assignment]
    credential_texts._search = lambda workspace: timed("search", lambda: search(workspace))  # type: ignore[assignment, return-value]
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        for tree in sys.argv[1:] or [
            str(trees.keyed(made / "keyed", 400)),
            str(trees.mostly_text(made / "text", 4000)),
            str(trees.keyed(made / "small", 2)),
        ]:
            spent.update(census=0.0, search=0.0)
            start = _cpu()
            migrate_repo(tree, Config(mode=Mode.PREVIEW))
            whole = _cpu() - start
            share = spent["census"] / whole
            parts = f"the census {spent['census']:.2f} s: {share:.1%}; the search {spent['search']:.2f} s"
            print(f"{tree}: {whole:.2f} s, {parts}")


def _cpu() -> float:
    return sum(os.times()[:4])


if __name__ == "__main__":
    main()
