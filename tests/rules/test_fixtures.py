"""Every folder of ``fixtures/rules/<rule>/<case>``: ``before/`` becomes ``after/``, byte for byte, or stays as it is.

``case.toml`` may hold ``[options]`` for the run, and what must be told as ``refused``, ``left_alone`` or ``ignored``:
for each the beginning of a line, with the place, what was found, the code of the reason, and the reason in words. Where
it also holds what is told as ``rewritten``, or the ``notes`` of what is left to do, that is asked for, too.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from migrator.config.config import Auth, BackendAuth, Config, HookPlace, ProviderAuth, RoleIn
from migrator.config.role_mapping import flag_mapping
from migrator.migrate.pipeline import migrate_repo
from migrator.migrate.planning import Planning
from migrator.model.findings import Ignored, LeftAlone, Refusal, Rewrite
from migrator.model.fleet import RepoIdentity
from migrator.model.results import Mode, RepoResult
from migrator.rules.registry import all_rules
from migrator.syntax.source import SourceFile
from migrator.workspace.discover import kind_of, listing, walk
from migrator.workspace.workspace import Workspace
from tests.conftest import FIXTURES, Terraform

CASES = sorted(path.parent for path in FIXTURES.glob("rules/*/*/before"))
ONLY_TELLS = ("census", "key-literals", "spacelift-inventory", "spacelift-not-read")
"""What the first finds must not stand in any repository: its tests make it up. The others change nothing."""
FILES = sorted(path for path in FIXTURES.rglob("*") if path.is_file() and kind_of(path.name) is not None)


NO_STACK = re.compile("no stack definition found|: no-stack-definition:")


def case_id(case: Path) -> str:
    return case.relative_to(FIXTURES / "rules").as_posix()


def settings(case: Path) -> dict[str, Any]:
    file = case / "case.toml"
    return tomllib.loads(file.read_text()) if file.exists() else {}


def tree(folder: Path) -> dict[str, bytes | str]:
    """Every file below ``folder`` with its bytes, and every link with where it leads."""
    paths = (path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    return {
        path.relative_to(folder).as_posix(): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in paths
    }


def options(case: Path) -> dict[str, Any]:
    """The case's options as `Config` takes them."""
    given = {
        name: tuple(one) if isinstance(one, list) else one for name, one in settings(case).get("options", {}).items()
    }
    enums = {
        "auth": Auth,
        "backend_auth": BackendAuth,
        "hook_in": HookPlace,
        "provider_auth": ProviderAuth,
        "role_in": RoleIn,
    }
    converted = {
        **enums,
        "roles": lambda roles: tuple(map(flag_mapping, roles)),
        "inventory": lambda name: str(case / name),
    }
    return given | {name: converted[name](given[name]) for name in converted if name in given}


def migrate(case: Path, folder: Path) -> RepoResult:
    return migrate_repo(str(folder), Config(mode=Mode.IN_PLACE, **options(case)))


def lines(result: RepoResult, kind: type) -> list[str]:
    """Where, what was found, the code of the reason for which nothing is done, and the fate in words."""
    found = (finding for finding in result.findings if isinstance(finding.fix, kind))
    return [f"{finding.place}: {finding.message}: {told(finding.code, finding.fate)}" for finding in found]


def told(code: str, text: str) -> str:
    return f"{code}: {text}" if code else text


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_before_becomes_after(case: Path, tmp_path: Path) -> None:
    """The bytes, what is told, and that a second run has nothing left to do."""
    folder = tmp_path / "webshop"
    shutil.copytree(case / "before", folder, symlinks=True)
    result = migrate(case, folder)
    after = case / "after"
    outcome = tree(folder)
    assert result.error == ""
    assert outcome == tree(after if after.exists() else case / "before")
    assert bool(result.changed) == after.exists()
    again = migrate(case, folder)
    assert again.changed == ()
    assert tree(folder) == outcome
    assert not lines(again, Rewrite)
    assert_told(result, settings(case))
    assert_accounted(result, again, settings(case))


def assert_told(result: RepoResult, expected: dict[str, Any]) -> None:
    refused = lines(result, Refusal) + [
        f"{problem.place}: {told(problem.code, problem.reason)}" for problem in result.problems
    ]
    alone = [line for line in lines(settled(result), LeftAlone) if not NO_STACK.search(line)]
    notes = [told(note.code, note.line) for note in result.notes if note.code != "mentions-to-read"]
    every = {"refused": refused, "left_alone": alone, "ignored": lines(result, Ignored)}
    asked_for = {"rewritten": lines(result, Rewrite), "notes": notes}
    for kind, actual in (every | {kind: asked_for[kind] for kind in asked_for if kind in expected}).items():
        wanted = expected.get(kind, [])
        assert len(actual) == len(wanted), actual
        assert all(line.startswith(beginning) for line, beginning in zip(actual, wanted, strict=True)), actual
    assert result.is_whole != bool(refused)


def assert_accounted(result: RepoResult, again: RepoResult, expected: dict[str, Any]) -> None:
    """Every mention of credentials has an account, before and after, but for those that the case lists."""
    remainder = expected.get("not_understood", [])
    assert list(result.not_understood) == remainder
    assert list(again.not_understood) == expected.get("not_understood_after", remainder)
    of_census = (finding for finding in result.findings if finding.rule == "census")
    found = [
        f"{finding.place}: {finding.fix.code}: {finding.message}"
        for finding in of_census
        if isinstance(finding.fix, LeftAlone)
    ]
    assert "accounts" not in expected or found == expected["accounts"]


def settled(result: RepoResult) -> RepoResult:
    """``result`` without what the census tells of, which has a test of its own."""
    return replace(result, findings=tuple(finding for finding in result.findings if finding.rule != "census"))


def changed_files() -> list[tuple[Path, Path]]:
    """Every file of an ``after/`` that the migration makes or changes, and the one that it was before."""
    pairs = [(case / "before" / path, case / "after" / path) for case in CASES for path in tree(case / "after")]
    return [(old, new) for old, new in pairs if not old.is_file() or old.read_bytes() != new.read_bytes()]


def test_terraform_accepts_what_comes_out(terraform: Terraform, tmp_path: Path) -> None:
    """`terraform fmt` parses every outcome in HCL, and what was formatted before is so afterwards."""
    in_hcl = (".tf", ".tofu", ".hcl", ".tfbackend")
    pairs = {f"{number}.tf": pair for number, pair in enumerate(changed_files()) if pair[1].name.endswith(in_hcl)}
    (tmp_path / "before").mkdir()
    (tmp_path / "after").mkdir()
    for name, (old, new) in pairs.items():
        (tmp_path / "after" / name).write_bytes(new.read_bytes())
        if old.is_file():
            (tmp_path / "before" / name).write_bytes(old.read_bytes())
    unformatted, broken = terraform.unformatted(tmp_path / "after")
    was_unformatted, was_broken = terraform.unformatted(tmp_path / "before")
    assert len(pairs) > len(CASES) / 2
    assert was_unformatted, "no file is one that is not formatted before"
    assert [pairs[name] for name in sorted(broken)] == []
    assert [pairs[name] for name in sorted(unformatted - was_unformatted - was_broken)] == []


@pytest.mark.parametrize("case", [case for case in CASES if (case / "after").exists()], ids=case_id)
def test_terraform_has_no_more_to_complain_of(case: Path, terraform: Terraform, tmp_path: Path) -> None:
    """``terraform init`` reads each module, and as it was before if it complains; providers are not to be had."""
    shutil.copytree(case, tmp_path / "case", symlinks=True)
    before, after = tmp_path / "case" / "before", tmp_path / "case" / "after"
    changed = {path for path, data in tree(after).items() if tree(before).get(path) != data}
    for module in {(after / path).parent for path in changed if ".tf" in path or ".tofu" in path}:
        complaints = terraform.complaints(module) - {"Failed to query available provider packages"}
        assert not complaints or complaints <= terraform.complaints(before / module.relative_to(after))


def test_a_file_without_edits_keeps_its_bytes() -> None:
    for file in FILES:
        source = SourceFile(file.name, file.read_bytes())
        assert source.encode(source.text) == source.data, file


def test_each_rule_has_something_to_do_and_something_to_leave_alone() -> None:
    rules = {rule.id for rule in all_rules()}
    assert {case.parent.name for case in CASES} == rules
    for rule in rules:
        cases = [case for case in CASES if case.parent.name == rule]
        assert rule in ONLY_TELLS or any(
            (case / "after").exists() or settings(case).get("refused") for case in cases
        ), rule
        assert any(not (case / "after").exists() for case in cases), rule


def test_what_is_of_no_interest_by_its_bytes_is_of_none_to_the_rules() -> None:
    dull: list[Path] = []
    for folder in (case / "before" for case in CASES):
        workspace = Workspace(listing(folder, walk(folder)), RepoIdentity("webshop"))
        if not workspace.is_interesting:
            dull.append(folder)
            found = Planning(workspace, Config()).plan().findings
            assert {finding.rule for finding in found} <= {"census"}
    assert len(dull) < len(CASES) / 20, "what the rules look for is not seen any more"
