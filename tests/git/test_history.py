"""Keys to rotate: where they stood, which they are, and since which commit."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.config.config import Config
from migrator.git import history
from migrator.migrate.pipeline import migrate_repo
from migrator.model.notes import ROTATE
from migrator.model.results import Mode
from tests.conftest import MakeRepo, Repo

KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
PROVIDER = f'provider "aws" {{\n  access_key = "{KEY_ID}"\n  secret_key = "{SECRET}"\n}}\n'


def rotations(folder: Path, mode: Mode = Mode.CHECK) -> list[str]:
    result = migrate_repo(str(folder), Config(mode=mode))
    assert KEY_ID not in repr(result)
    return [subject for note in result.notes if note.code == ROTATE.code for subject in note.subjects]


@pytest.fixture
def repo(make_repo: MakeRepo) -> Repo:
    return make_repo({"README.md": "shop\n"})


def test_the_commit_that_brought_a_key_is_named(repo: Repo) -> None:
    repo.write("live/main.tf", PROVIDER)
    first = repo.commit("keys")
    repo.write("live/main.tf", "# The shop.\n" + PROVIDER.replace("  secret", "  # the CI user's\n  secret"))
    repo.commit("comments")
    assert rotations(repo.root) == [f"live/main.tf:3 (AKIA…MPLE, since commit {first[:12]})"]
    assert rotations(repo.root / "live") == [f"live/main.tf:3 (AKIA…MPLE, since commit {first[:12]})"]


def test_formatting_brings_no_key(repo: Repo) -> None:
    repo.write("main.tf", PROVIDER.replace("  ", "\t"))
    first = repo.commit("keys")
    repo.write("main.tf", PROVIDER)
    repo.commit("terraform fmt")
    assert rotations(repo.root, Mode.BRANCH) == [f"main.tf:2 (AKIA…MPLE, since commit {first[:12]})"]


def test_a_key_that_has_no_id_is_told_by_its_place(repo: Repo) -> None:
    repo.write("main.tf", f'provider "aws" {{\n  access_key = var.key\n  secret_key = "{SECRET}"\n}}\n')
    first = repo.commit()
    assert rotations(repo.root) == [f"main.tf:3 (since commit {first[:12]})"]


def test_what_is_not_committed_has_no_commit(repo: Repo) -> None:
    repo.write("main.tf", PROVIDER)
    assert rotations(repo.root) == ["main.tf:2 (AKIA…MPLE)"]


def test_a_folder_has_no_history(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(PROVIDER)
    assert rotations(tmp_path) == ["main.tf:2 (AKIA…MPLE)"]


def test_a_shallow_clone_does_not_know(repo: Repo, tmp_path: Path) -> None:
    repo.write("main.tf", PROVIDER)
    repo.commit("keys")
    repo.git("clone", "--quiet", "--depth", "1", repo.root.as_uri(), str(tmp_path / "shallow"))
    assert rotations(tmp_path / "shallow") == ["main.tf:2 (AKIA…MPLE)"]


def test_a_partial_clone_is_not_asked(repo: Repo, tmp_path: Path) -> None:
    repo.write("main.tf", PROVIDER)
    repo.commit("keys")
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("clone", "--quiet", "--filter=blob:none", repo.root.as_uri(), str(tmp_path / "partial"))
    assert rotations(tmp_path / "partial") == ["main.tf:2 (AKIA…MPLE)"]


def test_it_takes_no_longer_than_it_may(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.write("main.tf", PROVIDER)
    repo.commit("keys")
    monkeypatch.setattr(history, "_SECONDS", 0.0)
    assert rotations(repo.root) == ["main.tf:2 (AKIA…MPLE)"]


def test_no_program_of_the_repositorys_configuration_runs(repo: Repo) -> None:
    repo.write("main.tf", PROVIDER)
    repo.write(".gitattributes", "*.tf diff=spy filter=spy\n")
    first = repo.commit("keys")
    for name in ("diff.spy.textconv", "filter.spy.clean", "filter.spy.smudge"):
        repo.git("config", name, f"touch {repo.root}/spied; cat")
    assert rotations(repo.root) == [f"main.tf:2 (AKIA…MPLE, since commit {first[:12]})"]
    assert not (repo.root / "spied").exists()


def test_a_path_may_have_any_name(repo: Repo) -> None:
    repo.write("a:1 (b)/-ü.tf", PROVIDER)
    first = repo.commit("keys")
    (subject,) = rotations(repo.root)
    assert subject in (f"a:1 (b)/-ü.tf:2 (AKIA…MPLE, since commit {first[:12]})", "a:1 (b)/-ü.tf:2 (AKIA…MPLE)")


def test_many_files_are_asked_about_at_once(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(12):
        repo.write(f"m{number:02d}/main.tf", PROVIDER)
    first = repo.commit("keys")
    repo.write("m01/main.tf", "# The shop.\n" + PROVIDER)
    repo.commit("a comment")
    repo.write(
        "m02/main.tf", PROVIDER.replace("access_key", "# new\n  access_key").replace(KEY_ID[:8], KEY_ID[:7] + "J")
    )
    second = repo.commit("another key")
    repo.git("mv", "m03", "moved")
    repo.commit("a module has another name")
    at_once = rotations(repo.root)
    assert f"m00/main.tf:2 (AKIA…MPLE, since commit {first[:12]})" in at_once
    assert f"m01/main.tf:3 (AKIA…MPLE, since commit {first[:12]})" in at_once
    assert f"m02/main.tf:3 (AKIA…MPLE, since commit {second[:12]})" in at_once
    assert f"moved/main.tf:2 (AKIA…MPLE, since commit {first[:12]})" in at_once
    monkeypatch.setattr(history, "_FEW", 1000)
    assert rotations(repo.root) == at_once


def test_a_key_that_came_with_a_merge_is_dated_by_it(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_FEW", 0)
    main = repo.git("symbolic-ref", "--short", "HEAD").strip()
    repo.write("main.tf", 'provider "aws" {\n}\n')
    repo.commit("no keys")
    repo.git("switch", "--quiet", "-c", "side")
    repo.write("side.txt", "side\n")
    repo.commit("side")
    repo.git("switch", "--quiet", main)
    repo.git("merge", "--quiet", "--no-ff", "--no-commit", "side")
    repo.write("main.tf", PROVIDER)
    merge = repo.commit("merge")
    assert rotations(repo.root) == [f"main.tf:2 (AKIA…MPLE, since commit {merge[:12]})"]
