"""Run the tool on clones of real checkouts, and hold every promise against other programs.

    python benchmarks/repositories.py CHECKOUT...

prints a row for each: its files, AWS providers with static credentials and S3 backends with a role or credentials (as
tree-sitter-hcl counts them), what was migrated, refused by reason, left alone, the time that it took, and violations:

- a changed file that ``terraform fmt`` parsed before and does not parse now, or that was formatted and is not now;
- a second run that still changes something;
- a top-level block that differs though it is none that the rules change, such as a resource;
- a provider or backend that still has credentials, and was neither refused nor left alone nor in a file reported;
- a file outside of the commit that differs, and a role variable that is used and not declared in a changed module;
- modules that do not fit together any more: see interfaces.py.

Needs the extra ``bench`` and, for the first check, terraform.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from interfaces import PARSER, body_of, header, misfits
from interfaces import attributes as attributes_in
from interfaces import blocks as blocks_in
from tree_sitter import Node

from migrator.analysis.providers import CREDENTIALS as CREDENTIAL_NAMES
from migrator.config import Config
from migrator.discover import Kind, kind_of
from migrator.model import LeftAlone, Refusal, RepoResult, Rewrite
from migrator.pipeline import migrate_repo

CREDENTIALS = frozenset(CREDENTIAL_NAMES)
ROLE_FAMILY = frozenset({"role_arn", "session_name", "external_id"})
TERRAFORM = frozenset(Kind) - {Kind.SCRIPT, Kind.PYTHON}
ONE_OF_OURS = re.compile(
    rb'(?:provider|terraform|module|variable|locals|data|ephemeral|output)\b|resource\s+"?spacelift_'
)


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
class Place:
    """A provider or backend that names credentials, as tree-sitter sees it."""

    kind: str
    path: str
    line: int


def main(checkouts: list[str]) -> int:
    rows = [measure(Path(checkout)) for checkout in checkouts]
    print("| repository | files | providers | backends | stacks | migrated | refused | left | seconds | violations |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        refused = f"{row.refused.total()} {dict(row.refused) or ''}"
        found = f"{row.files} | {row.providers} | {row.backends} | {row.stacks} | {row.migrated}"
        print(f"| {row.name} | {found} | {refused} | {row.left_alone} | {row.seconds:.2f} | {len(row.violations)} |")
    for row in rows:
        for violation in row.violations:
            print(f"{row.name}: {violation}")
    return 1 if any(row.violations for row in rows) else 0


def measure(checkout: Path) -> Row:
    row = Row(checkout.resolve().name)
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, row.name)
        git(Path(folder), "clone", "--quiet", "--shared", str(checkout.resolve()), str(clone))
        url = subprocess.run(
            ["git", "config", "remote.origin.url"], cwd=checkout, capture_output=True, text=True
        ).stdout
        git(clone, "remote", "set-url", "origin", url.strip() or row.name)
        before = files_of(clone)
        row.files = len(before)
        places = list(credentials(before))
        row.providers = sum(place.kind == "provider" for place in places)
        row.backends = sum(place.kind == "backend" for place in places)
        row.stacks = sum(data.count(b'"spacelift_stack"') for data in before.values())
        start = time.perf_counter()
        result = migrate_repo(str(clone), Config())
        row.seconds = time.perf_counter() - start
        count(row, result)
        row.violations += violations(clone, before, result)
    return row


def count(row: Row, result: RepoResult) -> None:
    row.migrated = sum(isinstance(finding.fix, Rewrite) for finding in result.findings)
    row.left_alone = sum(isinstance(finding.fix, LeftAlone) for finding in result.findings)
    for finding in result.findings:
        if isinstance(finding.fix, Refusal):
            row.refused[re.sub(r" [^ ]*:\d+,?", "", finding.fate)] += 1
    for problem in result.problems:
        row.refused[problem.reason] += 1
    if result.error:
        row.violations.append(result.error)


def violations(clone: Path, before: dict[str, bytes], result: RepoResult) -> Iterator[str]:
    after = files_of(clone)
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    if changed != set(result.changed):
        yield f"changed files are not those told: {sorted(changed ^ set(result.changed))}"
    for path in sorted(changed):
        yield from wrong_format(path, before.get(path), after[path])
        yield from foreign_blocks(path, before.get(path, b""), after[path])
    told = {(finding.place.path, finding.place.line) for finding in result.findings}
    reported = {problem.place.path for problem in result.problems}
    for place in credentials(after):
        if (place.path, place.line) not in told and place.path not in reported:
            yield f"{place.path}:{place.line}: {place.kind} still has credentials, and nothing was said of it"
    scripts = files_of(clone, {Kind.SCRIPT, Kind.PYTHON})
    yield from misfits(before, after, scripts)
    yield from undeclared(after, {str(PurePosixPath(path).parent) for path in changed})
    again = migrate_repo(str(clone), Config(branch="again"))
    if again.changed or again.error:
        yield f"a second run changes {again.changed} {again.error}"


def wrong_format(path: str, before: bytes | None, after: bytes) -> Iterator[str]:
    if shutil.which("terraform") is None or not path.endswith((".tf", ".tofu")):
        return
    if (before is None or formats(before, "fmt", "-")) and not formats(after, "fmt", "-"):
        yield f"{path}: terraform cannot parse it any more"
    elif (before is None or formats(before, "fmt", "-check", "-")) and not formats(after, "fmt", "-check", "-"):
        yield f"{path}: terraform fmt -check was content before, and is not now"


def formats(data: bytes, *arguments: str) -> bool:
    return subprocess.run(["terraform", *arguments], input=data, capture_output=True, check=False).returncode == 0


def foreign_blocks(path: str, before: bytes, after: bytes) -> Iterator[str]:
    if path.endswith((".json", ".tfvars")):
        return
    old, new = (Counter(node.text for node in blocks(data)) for data in (before, after))
    for text in (old - new) + (new - old):
        if not ONE_OF_OURS.match(text or b""):
            yield f"{path}: a block that is none of ours has changed"


def credentials(files: dict[str, bytes]) -> Iterator[Place]:
    """Every provider that is called aws and every S3 backend that names credentials or a role."""
    for path, data in files.items():
        if path.endswith(".json"):
            continue
        for block in blocks(data):
            if header(block)[:2] == ["provider", "aws"] and CREDENTIALS & attributes(block):
                yield Place("provider", path, block.start_point.row + 1)
            for nested in inner(block) if header(block) == ["terraform"] else ():
                if header(nested) == ["backend", "s3"] and (CREDENTIALS | ROLE_FAMILY) & attributes(nested):
                    yield Place("backend", path, nested.start_point.row + 1)


def undeclared(files: dict[str, bytes], modules: set[str]) -> Iterator[str]:
    for module in sorted(modules):
        mine = {path: data for path, data in files.items() if str(PurePosixPath(path).parent) == module}
        if any(path.endswith(".json") for path in mine):
            continue
        headers = [header(block) for data in mine.values() for block in blocks(data)]
        declared = {parts[1] for parts in headers if parts[0] == "variable"}
        for path, data in mine.items():
            for block in blocks(data):
                text = (block.text or b"").decode(errors="replace")
                if re.search(r"\bvar\.aws_role_arn", text):
                    for name in set(re.findall(r"\bvar\.(aws_role_arn[\w-]*)", text)) - declared:
                        yield f"{path}:{block.start_point.row + 1}: var.{name} is not declared in its module"


def blocks(data: bytes) -> list[Node]:
    return blocks_in(PARSER.parse(data.removeprefix(b"\xef\xbb\xbf")).root_node)


def inner(block: Node) -> list[Node]:
    return blocks_in(block)


def attributes(block: Node) -> set[str]:
    return attributes_in(body_of(block))


def files_of(clone: Path, kinds: Collection[Kind] = TERRAFORM) -> dict[str, bytes]:
    names = [name for name in git(clone, "ls-files", "-z").split("\0") if name and kind_of(name) in kinds]
    return {name: (clone / name).read_bytes() for name in names if not (clone / name).is_symlink()}


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
