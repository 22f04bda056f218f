"""What reports cost: ``python benchmarks/reports.py [CHECKOUT...]``.

Previews 30 repositories that it makes (or the checkouts that are named) without a report, with each kind of report, and
with all five of them. The last column is to be at most 1.3 for five reports. Figures are medians of ``--rounds`` turns.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import trees
from measure import Program, compare

FIXTURES = Path(__file__).parents[1] / "fixtures"
ENDINGS = (".html", ".json", ".md", ".sarif", ".xml")
_MODULES = (5, 10, 20, 30, 40, 50, 60, 20, 10, 5)
_MIXED = 15
_COMMIT = "git init -q -b main && git add -A && git -c user.name=a -c user.email=a@example.com commit -q -m all"


def made(folder: Path) -> list[Path]:
    """Ten trees of modules, the repositories of the fixtures, and fifteen with the cases of all rules between them."""
    for number, modules in enumerate(_MODULES):
        trees.keyed(folder / f"keyed-{number}", modules)
    for source in sorted((FIXTURES / "repos").iterdir()):
        shutil.copytree(source, folder / source.name)
    rules = sorted((FIXTURES / "rules").iterdir())
    for number in range(_MIXED):
        for case in (case for rule in rules[number::_MIXED] for case in sorted(rule.iterdir())):
            if (case / "before").is_dir():
                shutil.copytree(case / "before", folder / f"mixed-{number}" / case.parent.name / case.name)
    found = sorted(folder.iterdir())
    for repo in found:
        if not (repo / ".git").exists():
            subprocess.run(_COMMIT, shell=True, cwd=repo, check=True)
    return found


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "repos").mkdir()
        repos = [path.absolute() for path in options.checkouts] or made(folder / "repos")
        base = [sys.executable, "-m", "migrator", "--preview", *repos]

        def program(*endings: str) -> Program:
            reports = (part for ending in endings for part in ("--report", folder / f"report{ending}"))
            return Program([*base, *reports], folder, codes=(0, 3, 4))

        programs = {"none": program(), **{ending: program(ending) for ending in ENDINGS}, "all five": program(*ENDINGS)}
        costs = compare(programs, options.rounds)
    print(f"| reports on {len(repos)} repositories | seconds | CPU seconds | MiB | CPU, times that of none |")
    print("|---|---|---|---|---|")
    for name, cost in costs.items():
        ratio = cost.cpu / costs["none"].cpu
        print(f"| {name} | {cost.seconds:.1f} | {cost.cpu:.1f} | {cost.memory:.0f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
