"""Whole files in any layout: no internal error, no change outside of an edit, nothing left for a second run."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from migrator.config.config import Config
from migrator.migrate.planning import Planning
from migrator.syntax.hcl.parse import check as has_second_opinion
from migrator.syntax.languages import language_of
from tests.conftest import Terraform
from tests.invariants import CONFIG, check_files, workspace_of
from tests.modules import hcl_files, json_files, json_roots


@settings(max_examples=150)
@given(hcl_files())
def test_a_file_of_hcl(data: bytes) -> None:
    plan = check_files({"main.tf": data})
    assert not plan.problems
    for change in plan.changes:
        text = change.after.decode("utf-8-sig")
        for item in language_of(change.path).parse(text):
            has_second_opinion(text, item.span)


@settings(max_examples=150)
@given(json_files())
def test_a_file_of_json(data: bytes) -> None:
    plan = check_files({"main.tf.json": data})
    assert not plan.problems


def members_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON that has no name twice."""
    members = dict(pairs)
    assert len(members) == len(pairs), f"twice: {[name for name, _ in pairs]}"
    return members


@settings(max_examples=60)
@given(json_roots(), st.sampled_from([CONFIG, replace(CONFIG, role_arn=None)]))
def test_json_on_one_line_is_as_over_lines(root: dict[str, Any], config: Config) -> None:
    outcomes = []
    for indent in (None, 2, "\t"):
        text = json.dumps(root, indent=indent)
        plan = check_files({"main.tf.json": text.encode()}, config)
        after = {change.path: change.after for change in plan.changes if change.path.endswith(".json")}
        values = {path: json.loads(data, object_pairs_hook=members_once) for path, data in after.items()}
        assert [b"\n" in data for data in after.values()] == [indent is not None] * len(after)
        outcomes.append((values, [(finding.message, finding.fate.partition(":")[0]) for finding in plan.findings]))
    assert outcomes[0] == outcomes[1] == outcomes[2]


@settings(max_examples=60)
@given(hcl_files(), json_files())
def test_files_beside_each_other(one: bytes, other: bytes) -> None:
    check_files({"a/main.tf": one, "a/more.tf.json": other, "stacks/main.tf": one, "override.tf": one})


@settings(max_examples=4)
@given(st.lists(hcl_files(), min_size=10, max_size=16))
def test_what_terraform_reads_and_has_formatted_stays_so(terraform: Terraform, files: list[bytes]) -> None:
    """One run of ``terraform fmt`` formats many files, one more reads what became of them."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for number, data in enumerate(files):
            (folder / f"m{number}").mkdir()
            (folder / f"m{number}" / "main.tf").write_bytes(data.removeprefix(b"\xef\xbb\xbf"))
        for _ in range(3):  # it takes the braces off ``"${"${"}"}"}"`` one pair a run
            assert terraform.run("fmt", "-recursive", str(folder)).returncode == 0
        formatted = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.tf")}
        for change in Planning(workspace_of(formatted), CONFIG).plan().changes:
            (folder / change.path).write_bytes(change.after)
        done = terraform.run("fmt", "-check", "-diff", "-recursive", str(folder))
        assert done.returncode == 0, done.stdout + done.stderr
