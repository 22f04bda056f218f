"""Version constraints, held against the real terraform and a mirror of releases that are there in name alone."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from migrator.config.config import Config
from migrator.migrate.pipeline import migrate_repo
from migrator.model.findings import Rewrite
from migrator.model.results import Mode
from migrator.model.version_constraints import admits_before, excludes, major_of, raised
from migrator.terraform.diagnostics import LOCKED_RELEASE, MAJOR_RELEASE
from migrator.workspace.diagnostics import OUTSIDE_FOLDER
from tests.conftest import FIXTURES, MakeRepo, Repo, Terraform

FIRST = (4, 12, 0)
RELEASES = (
    *("2.70.4", "3.5.0", "3.74.0", "3.76.1", "4.0.0", "4.5.0", "4.11.0", "4.12.0", "4.12.1"),
    *("4.13.0", "4.67.0", "5.0.0", "5.66.0", "5.67.0", "6.1.0"),
)
TREE = FIXTURES / "rules" / "provider-static-keys" / "raised-in-the-tree"
CONSTRAINTS = {
    "~> 3.0": "~> 4.12",
    "~> 3": "~> 4.12",
    "~>3.74.0": "~>4.12.0",
    "~> 4.0": "~> 4.12",
    "~> 4.11.0": "~> 4.12.0",
    "~> 4.12": "~> 4.12",
    "~> 5.0": "~> 5.0",
    "3.76.1": "4.12.0",
    "= 4.11": "= 4.12",
    "4.12.1": "4.12.1",
    ">= 3.0": ">= 4.12",
    ">= 2.70.4": ">= 4.12.0",
    "> 3": ">= 4.12",
    "> 4.12": "> 4.12",
    ">= 5.0": ">= 5.0",
    "< 5.0": ">= 4.12, < 5.0",
    "< 4": ">= 4.12, < 5",
    "<= 3.76.1": ">= 4.12, < 5.0.0",
    "!= 4.5.0": ">= 4.12, != 4.5.0",
    ">= 3.0, < 4.12": ">= 4.12, < 5.0",
    ">=3.0,<6": ">=4.12,<6",
    ">= 3.0, >= 4.67": ">= 4.12, >= 4.67",
    "": "",
    "3.76.1, != 4.12.0": "4.13.0, != 4.12.0",
    "~> 4.11.0, != 4.12.0": "~> 4.13.0, != 4.12.0",
    "~> 3.0, != 4.12.0": "~> 4.12, != 4.12.0",
    "<= 4.12.0, != 4.12.0": ">= 4.13, < 5.0.0, != 4.12.0",
    ">= 4.0, < 4.12.1, != 4.12": ">= 4.13, < 5.0.0, != 4.12",
    "~> 4.0, != 4.12.0, != 4.12.1": "~> 4.12, != 4.12.0, != 4.12.1",
    "~> 4.12.0, != 4.12.0": "~> 4.12.0, != 4.12.0",
    "= 3.76.1-beta1": "= 4.12.0",
    "= 4.12.0-beta1": "= 4.12.0",
    "~> 4.0.0-rc.1, != 4.12.0-beta1": "~> 4.12.0, != 4.12.0-beta1",
}


@pytest.fixture(autouse=True)
def mirror(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, _own_home: None) -> None:
    """Releases of hashicorp/aws that ``terraform init`` can choose among; none of them can run."""
    folder = tmp_path_factory.mktemp("mirror")
    for release in RELEASES:
        for platform in ("linux_amd64", "linux_arm64", "darwin_arm64", "darwin_amd64"):
            program = folder / "registry.terraform.io/hashicorp/aws" / release / platform / "terraform-provider-aws"
            program.parent.mkdir(parents=True)
            program.write_text(f"#!/bin/sh\n# {release}\nexit 1\n")
            program.chmod(0o755)
    settings = folder / "terraformrc"
    settings.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{folder}"\n  }}\n}}\n')
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(settings))


def chosen(terraform: Terraform, folder: Path, *options: str) -> str:
    """The release that ``terraform init`` writes into the lock file; what it complains of, if it does."""
    done = terraform.run("init", "-backend=false", "-input=false", "-no-color", *options, cwd=folder)
    if done.returncode:
        return " ".join(done.stderr.split())
    found = re.search(r'version\s*= "([\d.]+)"', (folder / ".terraform.lock.hcl").read_text())
    assert found
    return found[1]


def numbers(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split(".")))


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_terraform_finds_what_is_needed_after_and_what_was_said_before(
    terraform: Terraform, tmp_path: Path, constraint: str
) -> None:
    newest = []
    for number, text in enumerate((constraint, raised(constraint, FIRST))):
        folder = tmp_path / str(number)
        folder.mkdir()
        version = f'version = "{text}"' if text else ""
        aws = f'aws = {{\n source = "hashicorp/aws"\n {version}\n }}'
        (folder / "main.tf").write_text(f"terraform {{\n required_providers {{\n {aws}\n }}\n}}\n")
        newest.append(chosen(terraform, folder))
    before, after = newest
    assert raised(constraint, FIRST) == CONSTRAINTS[constraint]
    assert (numbers(before) < FIRST if before[0].isdigit() else True) == excludes(constraint, FIRST), before
    assert numbers(after) >= FIRST
    assert excludes(constraint, FIRST) or after == before


@pytest.mark.parametrize(
    ("constraint", "major"), [("~> 3.0", 3), (">= 2.0, < 4.0", 3), ("< 4.12", 4), ("<= 3", 3), ("!= 3", 0), ("", 0)]
)
def test_the_major_release_that_is_left(constraint: str, major: int) -> None:
    assert major_of(constraint) == major


VERSIONS = st.lists(st.integers(0, 7), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))
CLAUSES = st.tuples(st.sampled_from(["", "=", "!=", ">", ">=", "<", "<=", "~>"]), VERSIONS).map(" ".join)


@given(st.lists(CLAUSES, min_size=1, max_size=3).map(", ".join))
def test_what_is_raised_is_raised_for_good(constraint: str) -> None:
    once = raised(constraint, FIRST)
    assert raised(once, FIRST) == once
    assert not excludes(once, FIRST)
    assert not admits_before(once, FIRST)
    before, after = (SpecifierSet(specifiers(text)) for text in (constraint, once))
    assert excludes(constraint, FIRST) == (any(map(before.contains, OLD)) and not any(map(before.contains, NEW)))
    assert any(map(after.contains, NEW)) or not any(map(before.contains, (*OLD, *NEW)))
    assert not any(map(after.contains, OLD))


GRID = [(major, minor, patch) for major in range(9) for minor in (*range(9), 12, 13) for patch in range(9)]
OLD = [Version("{}.{}.{}".format(*parts)) for parts in GRID if parts < FIRST]
NEW = [Version("{}.{}.{}".format(*parts)) for parts in GRID if parts >= FIRST]


def specifiers(constraint: str) -> str:
    """A constraint of Terraform's in Python's terms."""
    found = []
    for clause in constraint.split(","):
        operator, _, version = clause.strip().rpartition(" ")
        if operator == "~>" and "." not in version:
            found.append(f">={version},<{int(version) + 1}")
        else:
            found.append({"~>": "~=", "=": "==", "": "=="}.get(operator, operator) + version)
    return ",".join(found)


@pytest.mark.parametrize("constraint", ["latest", ">= 3.x", "~> 3.0, nonsense"])
def test_what_is_not_understood_stays(constraint: str) -> None:
    assert raised(constraint, FIRST) == constraint


def test_all_modules_of_a_root_admit_the_same_release(terraform: Terraform, tmp_path: Path) -> None:
    for state in ("before", "after"):
        shutil.copytree(TREE / state, tmp_path / state)
    assert chosen(terraform, tmp_path / "before" / "live") == "3.76.1"
    assert chosen(terraform, tmp_path / "before" / "staging") == "3.76.1"
    assert chosen(terraform, tmp_path / "after" / "live") == "4.67.0"
    assert chosen(terraform, tmp_path / "after" / "staging") == "4.12.0"
    assert chosen(terraform, tmp_path / "after" / "legacy") == "3.76.1"


@pytest.fixture
def locked(make_repo: MakeRepo, terraform: Terraform) -> Repo:
    """A repository whose root modules pin releases, as ``terraform init`` has it."""
    repo = make_repo(source=TREE / "before")
    for root in ("live", "staging", "legacy"):
        assert chosen(terraform, repo.root / root) == "3.76.1"
        shutil.rmtree(repo.root / root / ".terraform")
    repo.commit("Pin releases")
    return repo


def test_a_lock_file_that_pins_less_is_told_with_a_command_that_helps(locked: Repo, terraform: Terraform) -> None:
    before = (locked.root / "live/.terraform.lock.hcl").read_bytes()
    result = migrate_repo(str(locked.root), Config(mode=Mode.IN_PLACE))
    (note,) = (told for told in result.notes if told.code == LOCKED_RELEASE.code)
    assert "pins hashicorp/aws 3.76.1, and web identity needs 4.12." in note.help
    assert note.subjects == ("live", "staging")
    assert (locked.root / "live/.terraform.lock.hcl").read_bytes() == before
    for root in note.subjects:
        assert "must use terraform init -upgrade" in chosen(terraform, locked.root / root)
        command = re.search(r"terraform init( [\w= -]+?)` and", note.task)
        assert command
        assert numbers(chosen(terraform, locked.root / root, *shlex.split(command[1]))) >= FIRST


def test_a_lock_file_that_pins_enough_is_not_told(make_repo: MakeRepo, terraform: Terraform) -> None:
    aws = 'terraform {\n  required_providers {\n    aws = ">= 3.0"\n  }\n}\n'
    repo = make_repo({"main.tf": aws + 'provider "aws" {\n  profile = "live"\n}\n'})
    assert chosen(terraform, repo.root) == "6.1.0"
    result = migrate_repo(str(repo.root), Config(mode=Mode.IN_PLACE))
    assert not [note for note in result.notes if note.code == LOCKED_RELEASE.code]
    assert chosen(terraform, repo.root) == "6.1.0"


@pytest.mark.parametrize("content", ["", "nonsense {", "\0", 'provider "registry.terraform.io/hashicorp/aws" {}\n'])
def test_a_lock_file_of_any_kind_is_no_trouble(make_repo: MakeRepo, content: str) -> None:
    files = {"main.tf": 'provider "aws" {\n  profile = "live"\n}\n', ".terraform.lock.hcl": content}
    result = migrate_repo(str(make_repo(files).root), Config(mode=Mode.IN_PLACE))
    assert result.error == ""
    assert not result.problems
    assert [type(finding.fix) for finding in result.findings] == [Rewrite]


def test_what_is_raised_is_told_with_the_guides_to_read(make_repo: MakeRepo) -> None:
    aws = 'terraform {\n  required_providers {\n    aws = "~> 2.70"\n  }\n}\n'
    repo = make_repo({"main.tf": aws + 'provider "aws" {\n  profile = "live"\n}\n'})
    result = migrate_repo(str(repo.root), Config(mode=Mode.IN_PLACE))
    (note,) = (told for told in result.notes if told.code == MAJOR_RELEASE.code)
    assert [f"version-{major}-upgrade" in note.task for major in (2, 3, 4, 5)] == [False, True, True, False]
    assert note.subjects == ("main.tf:3 (~> 2.70 -> ~> 4.12)",)
    assert result.findings[0].fate == (
        "The provider signs in with web identity: var.aws_role_arn."
        " The constraint on hashicorp/aws changes: ~> 2.70 becomes ~> 4.12."
    )


def test_a_constraint_outside_of_the_given_folder_stays(make_repo: MakeRepo) -> None:
    aws = 'terraform {\n  required_providers {\n    aws = "VERSION"\n  }\n}\n'
    call = 'module "net" {\n  source = "../net"\n}\nprovider "aws" {\n  profile = "live"\n}\n'
    files = {"live/main.tf": aws.replace("VERSION", "~> 3.0") + call, "net/main.tf": aws.replace("VERSION", "~> 3.70")}
    result = migrate_repo(str(make_repo(files).root / "live"), Config(mode=Mode.IN_PLACE))
    assert result.changed == ()
    assert result.findings[0].fate == OUTSIDE_FOLDER.refusal(path="net/main.tf").reason
