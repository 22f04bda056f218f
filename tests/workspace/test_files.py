"""Files of every kind, name, size and content, and links between them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from migrator.config.config import Config
from migrator.migrate.pipeline import migrate_repo
from migrator.model.findings import Rewrite
from migrator.model.results import Mode, RepoResult
from migrator.workspace.discover import Kind, is_excluded, kind_of
from tests.conftest import MakeRepo

PROVIDER = 'provider "aws" {\n  profile = "webshop"\n}\n'
WITH_VARIABLE = 'variable "aws_role_arn" {}\n\n' + PROVIDER


def migrate(folder: Path, **options: object) -> RepoResult:
    return migrate_repo(str(folder), Config(mode=Mode.IN_PLACE, **options))  # type: ignore[arg-type]


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("main.tf", Kind.CONFIG),
        ("a/b c/main.tofu", Kind.CONFIG),
        ("main.tf.json", Kind.CONFIG),
        ("main.tofu.json", Kind.CONFIG),
        ("tests/a.tftest.hcl", Kind.TEST),
        ("a.tofutest.json", Kind.TEST),
        ("prod.s3.tfbackend", Kind.BACKEND),
        ("config/backend.hcl", Kind.BACKEND),
        ("Makefile", Kind.SCRIPT),
        (".main.tf", None),
        ("main.tf~", None),
        ("#main.tf#", None),
        ("main.TF", None),
        ("main.tf.bak", None),
        ("terragrunt.hcl", Kind.TERRAGRUNT),
        (".terraform/modules/x/main.tf", None),
        ("a/node_modules/b/main.tf", None),
        ("cdktf.out/stacks/a/cdk.tf.json", None),
        (".git/main.tf", None),
    ],
)
def test_kinds(path: str, kind: Kind | None) -> None:
    assert kind_of(path) is kind


@pytest.mark.parametrize(
    ("path", "globs", "expected"),
    [
        ("a/b/main.tf", ["a"], True),
        ("a/b/main.tf", ["a/"], True),
        ("a/b/main.tf", ["*/main.tf"], True),
        ("a/b/main.tf", ["*.tf"], True),
        ("a/b/main.tf", ["b"], False),
        ("a/b/main.tf", ["*/b"], True),
        ("a/b/main.tf", ["main.tf"], False),
        ("a/b/main.tf", [], False),
    ],
)
def test_exclusion(path: str, globs: list[str], expected: bool) -> None:
    assert is_excluded(path, globs) is expected


def test_a_link_inside_is_edited_once_at_its_target(make_repo: MakeRepo) -> None:
    repo = make_repo({"common/provider.tf": PROVIDER, "a/main.tf": "", "b/main.tf": "", "b/variables.tf": ""})
    for root in ("a", "b"):
        (repo.root / root / "provider.tf").symlink_to("../common/provider.tf")
    repo.commit("links")
    result = migrate_repo(str(repo.root), Config())
    assert result.error == ""
    assert repo.status() == ""
    assert (repo.root / "a/provider.tf").is_symlink()
    assert set(result.changed) == {f"{folder}/variables.tf" for folder in ("a", "b", "common")} | {"common/provider.tf"}
    assert (repo.root / "common/provider.tf").read_text().count("assume_role_with_web_identity") == 1


@pytest.mark.parametrize("target", ["../../outside/main.tf", "/nowhere", "main.tf", "."])
def test_links_that_lead_elsewhere(tmp_path: Path, target: str) -> None:
    write(tmp_path, {"outside/main.tf": PROVIDER, "repo/sub/other.tf": ""})
    (tmp_path / "repo/sub/main.tf").symlink_to(target)
    result = migrate(tmp_path / "repo")
    assert (result.error, result.changed) == ("", ())
    assert (tmp_path / "outside/main.tf").read_text() == PROVIDER


def test_a_link_to_a_folder_outside_or_around_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, {"outside/main.tf": PROVIDER, "repo/other.tf": ""})
    (tmp_path / "repo/linked").symlink_to("../outside")
    (tmp_path / "repo/loop").symlink_to(".")
    assert migrate(tmp_path / "repo").changed == ()


@pytest.mark.parametrize("name", ["with space.tf", "tab\t.tf", 'quote".tf', "new\nline.tf", "ünïcode.tf", "-dash.tf"])
def test_odd_names(make_repo: MakeRepo, name: str) -> None:
    repo = make_repo({f"dir {name}/{name}": WITH_VARIABLE})
    result = migrate_repo(str(repo.root), Config())
    assert result.error == ""
    assert result.changed == (f"dir {name}/{name}",)
    assert repo.status() == ""


def test_names_that_are_no_utf8(make_repo: MakeRepo) -> None:
    repo = make_repo({"other.txt": ""})
    name = os.fsdecode(b"caf\xe9.tf")
    (repo.root / name).write_text(WITH_VARIABLE)
    repo.commit("latin-1")
    preview = migrate_repo(str(repo.root), Config(mode=Mode.PREVIEW))
    assert b'"a/caf\\351.tf"' in preview.diff
    result = migrate_repo(str(repo.root), Config())
    assert (result.error, result.changed) == ("", (name,))
    assert repo.status() == ""


def test_contents_that_are_no_utf8_survive(tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": b"# caf\xe9 \xff\n" + WITH_VARIABLE.encode() + b"# \xf0\x9f\n"})
    assert migrate(tmp_path).changed == ("main.tf",)
    data = (tmp_path / "main.tf").read_bytes()
    assert data.startswith(b"# caf\xe9 \xff\n")
    assert data.endswith(b"# \xf0\x9f\n")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"\xef\xbb\xbf",
        b"\x00" * 100 + b"provider",
        "provider".encode("utf-16"),
        b"\xff\xfe\x00provider {",
    ],
)
def test_contents_that_are_nothing(tmp_path: Path, data: bytes) -> None:
    write(tmp_path, {"main.tf": data, "sub/main.tf": WITH_VARIABLE})
    result = migrate(tmp_path)
    assert (result.error, result.changed) == ("", ("sub/main.tf",))
    assert (tmp_path / "main.tf").read_bytes() == data


def test_variables_under_another_case(tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": PROVIDER, "Variables.tf": 'variable "a" {}\n'})
    assert set(migrate(tmp_path).changed) == {"main.tf", "Variables.tf"}


def test_a_folder_called_like_a_file(tmp_path: Path) -> None:
    write(tmp_path, {"main.tf/main.tf": WITH_VARIABLE})
    assert migrate(tmp_path).changed == ("main.tf/main.tf",)


def test_a_file_of_ten_megabytes(tmp_path: Path) -> None:
    comments = "  # what the triggers are for\n" * 36
    filler = f'resource "null_resource" "x%d" {{\n{comments}  triggers = {{ a = "${{b}}" }} # c\n}}\n\n'
    text = "".join(filler % number for number in range(9_000))
    assert len(text) > 10_000_000
    write(tmp_path, {"main.tf": text + WITH_VARIABLE, "sub/main.tf": '"' * 10_000_000})
    start = time.monotonic()
    result = migrate(tmp_path)
    assert (result.error, result.changed) == ("", ("main.tf",))
    assert (tmp_path / "main.tf").read_text().startswith(text)
    assert time.monotonic() - start < 120


def test_ten_thousand_files(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"m{number}").mkdir()
        for other in range(99):
            (tmp_path / f"m{number}" / f"f{other}.tf").write_text('resource "null_resource" "x" {}\n')
        (tmp_path / f"m{number}" / "main.tf").write_text(WITH_VARIABLE)
    result = migrate(tmp_path)
    assert result.error == ""
    assert len(result.changed) == 100
    assert sum(isinstance(finding.fix, Rewrite) for finding in result.findings) == 100
