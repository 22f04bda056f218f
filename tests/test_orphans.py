"""What served only the credentials that go: notes, what outputs show, folders and checkouts that are not whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import git
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.config import Config
from migrator.model import LeftAlone, Mode, RepoResult
from migrator.pipeline import migrate_repo
from migrator.syntax import tfjson, tfjson_edit
from migrator.syntax.terraform import Block
from tests.conftest import FIXTURES

CASES = FIXTURES / "rules" / "orphaned-credentials"
KEYS = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
RULE = "orphaned-credentials"
Copy = Callable[[str], Path]


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """Copies the files of a case out of the repository that they are part of."""
    return lambda case: shutil.copytree(CASES / case / "before", tmp_path / "webshop", symlinks=True)


def preview(folder: Path, **options: object) -> RepoResult:
    return migrate_repo(str(folder), Config(mode=Mode.PREVIEW, **options))  # type: ignore[arg-type]


def subjects(result: RepoResult, beginning: str) -> set[str]:
    return {one for note in result.notes if note.task.startswith(beginning) for one in note.subjects}


def fates(result: RepoResult, kind: type) -> set[str]:
    return {f"{one.place}: {one.fate}" for one in result.findings if one.rule == RULE and isinstance(one.fix, kind)}


def test_keys_in_values_are_to_be_rotated(copy: Copy) -> None:
    places = subjects(preview(copy("variables")), "rotate")
    ids = {"prod.auto.tfvars.json:3 (AKIA…MPLE)", "terraform.tfvars:2 (AKIA…MPLE)"}
    assert places == ids | {"prod.auto.tfvars.json:4", "staging.tfvars:2", "variables.tf:20"}


def test_keys_in_values_that_stay_are_to_be_rotated(copy: Copy) -> None:
    assert subjects(preview(copy("also-used")), "rotate") == {"terraform.tfvars:1", "variables.tf:2 (AKIA…MPLE)"}


def test_an_index_is_no_key(copy: Copy) -> None:
    assert subjects(preview(copy("data")), "rotate") == set()


def test_what_the_environment_sets_is_told(copy: Copy) -> None:
    assert subjects(preview(copy("command-line")), "take out") == {"deploy.sh:3"}


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_no_key_is_shown(case: Path, copy: Copy) -> None:
    result = preview(copy(case.name))
    shown = repr(result) + result.diff.decode()
    assert not [key for key in KEYS if key in shown]


def test_what_lies_outside_of_the_given_folder_stays(copy: Copy) -> None:
    folder = copy("through-modules")
    repository = git.Repo.init(folder)
    repository.git.add("--all")
    result = preview(folder / "modules" / "dns", role_arn="arn:aws:iam::123456789012:role/dns")
    reason = "modules/network/main.tf would have to change, and is outside of the given folder"
    assert fates(result, LeftAlone) >= {f"modules/dns/main.tf:{line}: {reason}" for line in (5, 9)}
    assert result.changed == ("modules/dns/main.tf",)


def test_an_excluded_file_keeps_what_it_gives_a_value_to(copy: Copy) -> None:
    result = preview(copy("variables"), exclude=("staging.tfvars",))
    assert "staging.tfvars:2: another module may read it, or an option keeps it" in fates(result, LeftAlone)
    assert "staging.tfvars" not in result.changed


def test_values_that_cannot_be_read(copy: Copy) -> None:
    """A file of values that cannot be read is named, and costs nothing else."""
    folder = copy("variables")
    (folder / "bad.tfvars").write_text("access_key = \n")
    result = preview(folder)
    assert [problem.place.path for problem in result.problems] == ["bad.tfvars"]
    assert {path for path in result.changed if path.endswith(".tfvars")} == {"staging.tfvars", "terraform.tfvars"}


@settings(max_examples=60)
@given(st.sets(st.sampled_from("abcd"), min_size=1), st.booleans(), st.booleans())
def test_labels_without_blocks_go(gone: set[str], in_list: bool, is_flat: bool) -> None:
    one, two = '{"a": {"x": 1}, "b": {"type": "string"}}', '{"c": {"x": 1}, "d": {"x": 1}}'
    gap = " " if is_flat else "\n  "
    text = f'{{{gap}"variable": {f"[{one}, {two}]" if in_list else one},{gap}"data": {{"t": {two}}}}}\n'
    items = tfjson.parse(text)
    removed = [item for item in items if isinstance(item, Block) and item.labels[-1] in gone]
    edits = tfjson_edit.remove_blocks("x.tf.json", text, items, removed)
    after = tfjson_edit.finish(text, items, edits)
    left = [item.labels for item in tfjson.parse(after) if isinstance(item, Block)]
    assert left == [item.labels for item in items if isinstance(item, Block) and item.labels[-1] not in gone]
    assert "{}" not in after.strip()[1:-1]
