"""Run the tool on clones of real checkouts, and hold every promise against other programs.

    python benchmarks/repositories.py [--jobs N] [--limit SECONDS] [--keep FOLDER] [--init] CHECKOUT... [-- OPTION...]

runs ``tf-oidc-migrate OPTION...`` on each (a folder of checkouts stands for all of them) and prints a row for it: its
files, AWS providers with static credentials and S3 backends with a role or credentials (as tree-sitter-hcl counts
them), stacks, what was migrated, refused by reason, left alone, the seconds that it took, and violations:

- an exit code that nothing explains, an internal error, more than ``--limit`` seconds;
- a changed file that ``terraform fmt``, tree-sitter-hcl or python-hcl2 accepted before and rejects now, or that was
  formatted and is not now;
- a second run that still changes something;
- a top-level block that differs though it is none that the rules change, such as a resource;
- a provider or backend that still has credentials, and was neither refused nor left alone nor in a file reported;
- a file outside of the commit that differs, and a role variable that is used and not declared in a changed module;
- a secret in the output, the reports, the order of rollout or the commit's message;
- modules that do not fit together any more: see interfaces.py;
- with ``--init``, a changed module of which ``terraform init -backend=false`` says more than before.

The clones stay in the folder that ``--keep`` names. Needs the extra ``bench`` and, for some checks, terraform.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from interfaces import misfits
from promises import Files, complaints_grown, credentials, forgotten, told_secrets, undeclared, wrong_texts

from migrator.model.findings import LeftAlone, Refusal, Rewrite
from migrator.model.results import RepoResult, exit_code
from migrator.report.serial import from_plain
from migrator.workspace.discover import Kind, kind_of

TERRAFORM = frozenset(Kind) - {Kind.SCRIPT, Kind.PYTHON}
SUFFIXES = (".json", ".sarif", ".md", ".html", ".xml")


@dataclass
class Row:
    """What one repository came to."""

    name: str
    files: int = 0
    providers: int = 0
    backends: int = 0
    stacks: int = 0
    migrated: int = 0
    left_alone: int = 0
    seconds: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Ran:
    """What one run of the command came to; ``result`` is None where it came to nothing."""

    code: int
    said: bytes
    seconds: float
    result: RepoResult | None


def main(arguments: Sequence[str]) -> int:
    split = arguments.index("--") if "--" in arguments else len(arguments)
    asked, options = _parser().parse_args(arguments[:split]), arguments[split + 1 :]
    with ThreadPoolExecutor(asked.jobs) as pool:
        rows = list(pool.map(lambda one: measure(one, options, asked), sorted(_checkouts(asked.checkouts))))
    show([*rows, total(rows)])
    for row in rows:
        for violation in row.violations:
            print(f"{row.name}: {violation}")
    return 1 if any(row.violations for row in rows) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", nargs="+", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--limit", type=float, default=600)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--init", action="store_true")
    return parser


def _checkouts(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        yield from [path] if (path / ".git").exists() else (folder.parent for folder in path.glob("*/.git"))


def show(rows: list[Row]) -> None:
    print("| repository | files | providers | backends | stacks | migrated | refused | left | seconds | violations |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        refused = f"{row.refused.total()} {dict(row.refused) or ''}"
        found = f"{row.files} | {row.providers} | {row.backends} | {row.stacks} | {row.migrated}"
        print(f"| {row.name} | {found} | {refused} | {row.left_alone} | {row.seconds:.2f} | {len(row.violations)} |")


def total(rows: list[Row]) -> Row:
    """All rows as one."""
    all_of_them = Row("total", refused=sum((row.refused for row in rows), Counter()))
    for name in ("files", "providers", "backends", "stacks", "migrated", "left_alone", "seconds", "violations"):
        parts = [getattr(row, name) for row in rows]
        setattr(all_of_them, name, sum(parts, [] if name == "violations" else 0))  # type: ignore[arg-type]
    return all_of_them


def measure(checkout: Path, options: Sequence[str], asked: argparse.Namespace) -> Row:
    row = Row(checkout.resolve().name)
    with ExitStack() as stack:
        folder = asked.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clone = clone_of(checkout, folder / row.name)
        before = files_of(clone)
        row.files = len(before)
        places = list(credentials(before))
        row.providers = sum(place.kind == "provider" for place in places)
        row.backends = sum(place.kind == "backend" for place in places)
        row.stacks = sum(data.count(b'"spacelift_stack"') for data in before.values())
        ran = run(clone, options, asked.limit)
        row.seconds = ran.seconds
        row.violations += unexplained(ran)
        if ran.result is not None:
            count(row, ran.result)
            row.violations += violations(clone, before, ran)
            again = run(clone, [*options, "--branch", "again"], asked.limit, SUFFIXES[:1]).result
            row.violations += after_another(again, files_of(clone))
            if asked.init:
                modules = {str(PurePosixPath(path).parent) for path in ran.result.changed if path.endswith(".tf")}
                row.violations += complaints_grown(clone_of(checkout, folder / f"{row.name}.before"), clone, modules)
    return row


def clone_of(checkout: Path, clone: Path) -> Path:
    """A clone of ``checkout`` that has the same origin; GitHub's, if ``checkout`` is called owner+name and has none."""
    clone.parent.mkdir(parents=True, exist_ok=True)
    git(clone.parent, "clone", "--quiet", "--shared", str(checkout.resolve()), str(clone.resolve()))
    asked = subprocess.run(["git", "config", "remote.origin.url"], cwd=checkout, capture_output=True, text=True)
    name = checkout.resolve().name
    url = asked.stdout.strip() or (f"https://github.com/{name.replace('+', '/', 1)}.git" if "+" in name else name)
    git(clone, "remote", "set-url", "origin", url)
    return clone


def run(clone: Path, options: Sequence[str], limit: float, suffixes: Sequence[str] = SUFFIXES) -> Ran:
    """The command, as its user runs it, with a report of each of the ``suffixes``; the first is ``.json``."""
    with tempfile.TemporaryDirectory() as folder:
        reports = [Path(folder, f"report{suffix}") for suffix in suffixes]
        plan = Path(folder, "plan.md")
        asked = [part for report in reports for part in ("--report", str(report))]
        command = [sys.executable, "-m", "migrator", str(clone), *asked, "--plan-file", str(plan), "-v", *options]
        start = time.perf_counter()
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=limit)
        except subprocess.TimeoutExpired:
            return Ran(-1, b"more seconds than the limit", limit, None)
        seconds = time.perf_counter() - start
        written = [written_file.read_bytes() for written_file in (*reports, plan) if written_file.exists()]
        results = json.loads(reports[0].read_bytes())["results"] if reports[0].exists() else []
        said = b"\n".join([done.stdout, done.stderr, *written, git(clone, "log", "-1", "--format=%B").encode()])
        return Ran(done.returncode, said, seconds, from_plain(results[0]) if results else None)


def after_another(again: RepoResult | None, after: Files) -> Iterator[str]:
    """What a second run does, or leaves unsaid, though nothing is left to do."""
    if again is None or again.changed or again.error:
        yield f"a second run changes {again and (again.changed, again.error)}"
    else:
        yield from forgotten(after, again)


def unexplained(ran: Ran) -> Iterator[str]:
    if ran.result is None or b"internal error" in ran.said or b"Traceback" in ran.said:
        yield f"exit code {ran.code}: {ran.said[:400].decode(errors='replace')}"
    elif ran.code != exit_code([ran.result]):
        yield f"exit code {ran.code}"


def count(row: Row, result: RepoResult) -> None:
    row.migrated = sum(isinstance(finding.fix, Rewrite) for finding in result.findings)
    row.left_alone = sum(isinstance(finding.fix, LeftAlone) for finding in result.findings)
    for finding in result.findings:
        if isinstance(finding.fix, Refusal):
            row.refused[re.sub(r"[^ ]*:\d+", "…", finding.fate)] += 1
    for problem in result.problems:
        row.refused[problem.reason] += 1
    if result.error:
        row.violations.append(result.error)


def violations(clone: Path, before: Files, ran: Ran) -> Iterator[str]:
    result = ran.result
    assert result is not None
    after = files_of(clone)
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    if not changed <= set(result.changed):
        yield f"changed files are not those told: {sorted(changed ^ set(result.changed))}"
    yield from wrong_texts(before, after, changed)
    yield from misfits(before, after, files_of(clone, {Kind.SCRIPT, Kind.PYTHON}))
    yield from undeclared(after, {str(PurePosixPath(path).parent) for path in changed})
    yield from told_secrets(before, ran.said)


def files_of(clone: Path, kinds: Collection[Kind] = TERRAFORM) -> Files:
    names = [name for name in git(clone, "ls-files", "-z").split("\0") if name and kind_of(name) in kinds]
    return {name: (clone / name).read_bytes() for name in names if not (clone / name).is_symlink()}


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
