"""How fast a run on one repository is, beside other programs: ``python benchmarks/speed.py``.

Makes the trees, installs the other programs in ``.venv-peers`` (the first time), and prints a table for each of

- ``edits``: a preview of 400 modules with some 2,000 edits, beside ast-grep, semgrep's dry run and checkov;
- ``nothing``: a tree of 10,000 files in which nothing is to be done, beside ``git grep`` for the same words, and one in
  which everything is done already;
- ``growth``: what a file costs in trees of 1,000 to 20,000 files, the start of the program taken off;
- ``large``: one file of 1 and of 5 MB, beside python-hcl2's own parse;
- ``start``: ``--version``, beside an interpreter that imports click.

Name some of them to have those alone. Programs take turns; the figures are medians of ``--rounds`` turns. The ratio is
the tool's time to that of the other program; that of CPU time sees through what else the machine does, but counts both
processors of a program that uses two.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import peers
import trees
from measure import Program, compare, table

TOOL = (sys.executable, "-m", "migrator")
_PARSE = "import sys, hcl2.api; hcl2.api.parses_to_tree(open(sys.argv[1]).read())"
_COUNT = """\
import sys
from migrator.config.config import Config
from migrator.model.findings import Rewrite
from migrator.model.results import Mode
from migrator.migrate.pipeline import migrate_repo
found = migrate_repo(sys.argv[1], Config(mode=Mode.CHECK)).findings
print(sum(len(finding.fix.edits) for finding in found if isinstance(finding.fix, Rewrite)))
"""
SIZES = (1_000, 5_000, 20_000)


def preview(tree: Path) -> Program:
    return Program((*TOOL, "--preview", "."), tree)


def edits(folder: Path, rounds: int) -> Iterator[str]:
    tree = trees.keyed(folder / "keyed", 400)
    made = subprocess.run([sys.executable, "-c", _COUNT, str(tree)], capture_output=True, text=True, check=True)
    programs = {
        "tf-oidc-migrate --preview": preview(tree),
        "ast-grep scan": peers.ast_grep(tree, folder),
        "semgrep --autofix --dryrun": peers.semgrep(tree, folder),
        "checkov --check CKV_AWS_41": peers.checkov(tree),
    }
    once = frozenset({"semgrep --autofix --dryrun", "checkov --check CKV_AWS_41"})
    yield table(f"400 modules, {_size(tree)}, {int(made.stdout):,} edits", compare(programs, rounds, once))


def nothing(folder: Path, rounds: int) -> Iterator[str]:
    tree = trees.library(folder / "library", 10_000 // trees.FILES_OF_A_MODULE + 1)
    programs = {
        "tf-oidc-migrate --preview": preview(tree),
        "git grep, the same words": Program(("git", "grep", "-lwE", r"provider|backend|spacelift_\w*"), tree, (0, 1)),
        "git grep, parts of words": Program(
            ("git", "grep", "-lF", "-e", "provider", "-e", "backend", "-e", "spacelift"), tree, (0, 1)
        ),
    }
    yield table(f"nothing to do in {_size(tree)}", compare(programs, rounds))
    tree = trees.signed_in(folder / "signed-in", 10_000 // trees.FILES_OF_A_MODULE + 1)
    yield table(f"all done in {_size(tree)}", compare({"tf-oidc-migrate --preview": preview(tree)}, rounds))


def growth(folder: Path, rounds: int) -> Iterator[str]:
    for kind in (trees.library, trees.keyed):
        small = kind(folder / f"{kind.__name__}-small", 2)
        sizes = {files: kind(folder / f"{kind.__name__}{files}", files // trees.FILES_OF_A_MODULE) for files in SIZES}
        programs = {"start": preview(small)} | {f"{files:,} files": preview(tree) for files, tree in sizes.items()}
        costs = compare(programs, rounds)
        start = costs.pop("start").cpu
        each = [(costs[f"{files:,} files"].cpu - start) / files * 1000 for files in SIZES]
        rows = [f"| {kind.__name__} | CPU ms a file | of that at {SIZES[0]:,} | MiB a process |", "|---|---|---|---|"]
        for (name, cost), one in zip(costs.items(), each, strict=True):
            rows.append(f"| {name} | {one:.3f} | {one / each[0]:.2f} | {cost.memory:.0f} |")
        yield "\n".join(rows) + "\n"


def large(folder: Path, rounds: int) -> Iterator[str]:
    for megabytes in (1, 5):
        tree = trees.large_file(folder / f"large{megabytes}", megabytes * 1_000_000)
        programs = {
            "tf-oidc-migrate --preview": preview(tree),
            "python-hcl2": Program((sys.executable, "-c", _PARSE, "main.tf"), tree),
        }
        yield table(f"one file of {megabytes} MB", compare(programs, rounds, frozenset({"python-hcl2"})))


def start(folder: Path, rounds: int) -> Iterator[str]:
    programs = {
        "tf-oidc-migrate --version": Program((*TOOL, "--version"), folder),
        "python -c 'import click'": Program((sys.executable, "-c", "import click"), folder),
    }
    yield table("start", compare(programs, rounds * 5))


MEASURES = {measure.__name__: measure for measure in (edits, nothing, growth, large, start)}


def _size(tree: Path) -> str:
    files, lines = trees.count(tree)
    return f"{files:,} files, {lines:,} lines"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=", ".join(MEASURES))
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if unknown := set(options.measures) - set(MEASURES):
        parser.error(f"there is no measure {', '.join(sorted(unknown))}")
    wanted = options.measures or list(MEASURES)
    if "edits" in wanted:
        peers.install()
    for name in wanted:
        with tempfile.TemporaryDirectory() as folder:
            for found in MEASURES[name](Path(folder), options.rounds):
                print(found, flush=True)


if __name__ == "__main__":
    main()
