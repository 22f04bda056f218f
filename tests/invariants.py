"""What must hold of whatever is planned for any files, checked in memory: nothing is read from a disk or written."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from migrator.config.config import Config, HookPlace
from migrator.errors import SyntaxProblem
from migrator.migrate.planning import Planning
from migrator.model.findings import Change, Rewrite
from migrator.model.fleet import RepoIdentity
from migrator.model.results import Mode, Plan
from migrator.span import Edit, apply_edits
from migrator.syntax.hcl.scanner import tokens
from migrator.syntax.languages import HCL, language_of
from migrator.syntax.source import SourceFile
from migrator.workspace.discover import Listing, kind_of
from migrator.workspace.document import Document
from migrator.workspace.workspace import Workspace

NOWHERE = Path("/no/such/folder")
CONFIG = Config(mode=Mode.PREVIEW, role_arn="arn:aws:iam::123456789012:role/deploy")
RUNTIME = replace(CONFIG, hook_in=HookPlace.RUNTIME_CONFIG)
STACK = b"""resource "spacelift_stack" "app" {
  name       = "app"
  repository = "webshop"
  branch     = "main"
}
"""
BACKEND = b"""terraform {
  backend "s3" {
    bucket   = "state"
    role_arn = "arn:aws:iam::123456789012:role/state"
  }
}
"""
COMPONENTS = {f"{folder}/backend.tf": BACKEND for folder in (".", "components/terraform/shop", "root-modules/shop")}


def beside(kind: str, data: bytes) -> tuple[dict[str, bytes], Config]:
    """Files in which a file of a ``kind`` is read by all that may read one, and the options of a run on them."""
    paths = {
        "hcl": ("main.tf",),
        "json": ("main.tf.json",),
        "tests": ("main.tftest.hcl", "terraform.tfvars"),
        "terragrunt": ("terragrunt.hcl",),
        "python": ("main.py",),
        "yaml": ("stacks/live.yaml", "blueprint.yaml", "root-modules/shop/stacks/live.yaml"),
        "runtime": (".spacelift/config.yml",),
    }[kind]
    others = {
        "tests": {"backend.tf": BACKEND, "stacks/main.tf": STACK},
        "terragrunt": {"app/terragrunt.hcl": b'include {\n  path = "../terragrunt.hcl"\n}\n'},
        "yaml": {path.removeprefix("./"): text for path, text in COMPONENTS.items()},
        "runtime": {"backend.tf": BACKEND, "stacks.tf": STACK},
    }.get(kind, {})
    return others | dict.fromkeys(paths, data), RUNTIME if kind == "runtime" else CONFIG


def workspace_of(files: dict[str, bytes]) -> Workspace:
    """A workspace of files that are nowhere but here."""
    named = {path: path for path in files if kind_of(path) is not None}
    workspace = Workspace(Listing(NOWHERE, named, frozenset(files) - named.keys()), RepoIdentity("webshop"))
    values = (document for module in workspace.modules.values() for document in module.values)
    for document in (*workspace.documents.values(), *values):
        give(document, files[document.path])
    return workspace


def give(document: Document, data: bytes) -> None:
    """Let ``document`` have ``data`` in place of what it would read."""
    document.source = SourceFile(document.path, data)


def check_files(files: dict[str, bytes], config: Config = CONFIG) -> Plan:
    """Plan ``files`` and the outcome; what does not hold is an `AssertionError`, as is any other exception."""
    workspace = workspace_of(files)
    plan = Planning(workspace, config).plan()
    for change in plan.changes:
        edits = [edit for edit in edits_of(plan) if edit.path == change.path]
        check_change(change, edits)
    outcome = files | {change.path: change.after for change in plan.changes}
    if plan.changes:
        again = Planning(workspace_of(outcome), config).plan()
        assert not again.changes, f"a second run changes {[change.path for change in again.changes]}"
        known = {problem.place.path for problem in plan.problems}
        assert {problem.place.path for problem in again.problems} <= known, "what came out cannot be read"
    return plan


def edits_of(plan: Plan) -> list[Edit]:
    """The edits of all that is rewritten."""
    return [edit for finding in plan.findings if isinstance(finding.fix, Rewrite) for edit in finding.fix.edits]


def check_change(change: Change, edits: list[Edit]) -> None:
    """Every byte that is not as it was lies in an edit, or is a blank that ``terraform fmt`` would have moved too."""
    source = SourceFile(change.path, change.before or b"")
    assert change.before is None or source.encode(source.text) == change.before
    after = SourceFile(change.path, change.after)
    assert after.has_bom == source.has_bom, "the byte-order mark"
    wanted = apply_edits(source.text, edits)
    if language_of(change.path) is not HCL:
        filled = re.sub(r"(?<=[{\[])(\s*),\s*", r"\1", apply_edits(source.text or "{}\n", edits))
        assert after.text in (wanted, filled) or is_emptied(after.text, filled), "a change outside of the edits"
        return
    if after.text != wanted:
        assert solid(after.text.rstrip()) == solid(wanted.rstrip()), "a change outside of the edits"
    check_neighbours(source.text, after.text, edits)


def is_emptied(after: str, wanted: str) -> bool:
    """Whether all that a JSON text lacks of ``wanted`` are labels that hold nothing any more, or stand there twice."""
    rest = iter("".join(wanted.split()))
    with suppress(ValueError):
        is_part = all(character in rest for character in "".join(after.split()))
        before, now = (json.loads(text, object_pairs_hook=_merged) for text in (wanted, after))
        return is_part and bool(_filled(before) == _filled(now))
    return False


def _merged(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for name, value in pairs:
        both = members.get(name), value
        is_twice = all(isinstance(member, dict) for member in both)
        members[name] = _merged([pair for member in both for pair in member.items()]) if is_twice else value
    return members


def _filled(value: object) -> object:
    if isinstance(value, list):
        return [element for element in map(_filled, value) if element not in ({}, [])]
    if not isinstance(value, dict):
        return value
    members = {name: _filled(one) for name, one in value.items()}
    return {name: one for name, one in members.items() if one not in ({}, [])}


def check_neighbours(before: str, after: str, edits: list[Edit]) -> None:
    """Blocks that no edit touches, nor adjoins, are the same, and so are the bytes between them and their ends."""
    first, last = min(edit.span.start for edit in edits), max(edit.span.end for edit in edits)
    items = language_of("x.tf").parse(before)
    head = max((item.span.end for item in items if item.span.end < before.rfind("\n\n", 0, first)), default=0)
    foot = before.find("\n\n", last)
    tail = min((item.span.start for item in items if foot >= 0 and item.span.start > foot), default=len(before))
    assert after.startswith(before[:head]), "a change before the first edit"
    assert after.endswith(before[tail:]), "a change after the last edit"


def solid(text: str) -> list[str]:
    """The tokens of a text of HCL but for the blanks between them and blank lines."""
    found = [text[token.start : token.end] for token in tokens(text) if token.kind != "space"]
    newlines = ("\n", "\r\n")
    pairs = zip(found, ["\n", *found], strict=False)
    return [one for one, before in pairs if one not in newlines or before not in newlines]


def parses(path: str, text: str) -> bool:
    """Whether the file at ``path`` can be read."""
    with suppress(SyntaxProblem):
        language_of(path).parse(text)
        return True
    return False
