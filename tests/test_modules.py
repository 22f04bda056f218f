"""Whole files in any layout: no internal error, no change outside of an edit, nothing left for a second run."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.planner import Planning
from migrator.syntax.hcl import check as has_second_opinion
from migrator.syntax.languages import language_of
from tests.conftest import Terraform
from tests.invariants import CONFIG, check_files, workspace_of
from tests.modules import hcl_files, json_files


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


@settings(max_examples=150)
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
