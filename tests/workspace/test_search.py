"""git finds the files without any word of a rule in a large checkout: the outcome is that of reading every file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from migrator.config.config import Config
from migrator.git.checkout import GitRepo
from migrator.migrate.pipeline import migrate_repo
from migrator.model.results import Mode, RepoResult
from migrator.terraform import git_search
from migrator.workspace.document import Document
from tests.conftest import MakeRepo

PROVIDER = 'provider "aws" {\n  profile = "webshop"\n}\n'
PLAIN = 'output "plain" {\n  value = 1\n}\n'
ODD = {
    "utf-16.tf": PROVIDER.encode("utf-16"),
    "nul.tf": PLAIN + "\0",
    "latin.tf": b"# caf\xe9\n" + PROVIDER.encode(),
    "escaped.tf.json": '{"\\u0070rovider": {"aws": {"profile": "webshop"}}}',
    "with space.tofu": PROVIDER,
    "t.tftest.hcl": 'provider "aws" {\n  profile = "webshop"\n}\nrun "plan" {\n}\n',
    "a.tfvars": 'access_key_id = "AKIAIOSFODNN7EXAMPLE"\n',
    "Makefile": "all:\n\tterraform init -backend-config=live.hcl\n",
    "stacks.py": "from cdktf_cdktf_provider_aws.provider import AwsProvider\n",
    "notes.txt": 'profile = "webshop"\n',
}


def preview(folder: Path) -> RepoResult:
    return migrate_repo(str(folder), Config(mode=Mode.PREVIEW))


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(git_search, "_MANY_FILES", 1)
    return monkeypatch


@pytest.mark.parametrize("name", sorted(ODD))
@pytest.mark.parametrize("is_tracked", [True, False])
def test_one_odd_file(name: str, is_tracked: bool, make_repo: MakeRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = make_repo({"main.tf": PLAIN})
    repo.write(f"app/{name}", ODD[name])
    if is_tracked:
        repo.commit()
    read = preview(repo.root)
    monkeypatch.setattr(git_search, "_MANY_FILES", 1)
    assert preview(repo.root) == read


@pytest.mark.parametrize("option", ["--assume-unchanged", "--skip-worktree"])
def test_a_file_that_git_does_not_look_at(option: str, make_repo: MakeRepo, searched: object) -> None:
    repo = make_repo({"main.tf": PLAIN})
    repo.git("update-index", option, "main.tf")
    repo.write("main.tf", PROVIDER)
    assert preview(repo.root).changed == ("main.tf", "variables.tf")


def test_a_link_to_a_file_of_another_name(make_repo: MakeRepo, searched: object) -> None:
    repo = make_repo({"shared/aws.txt": PROVIDER, "app/main.tf": PLAIN})
    os.symlink("../shared/aws.txt", repo.root / "app" / "aws.tf")
    repo.commit()
    assert preview(repo.root).changed == ("app/variables.tf", "shared/aws.txt")


def test_files_without_words_are_not_read(make_repo: MakeRepo, searched: pytest.MonkeyPatch) -> None:
    repo = make_repo({"app/main.tf": PLAIN, "live/main.tf": "# required_providers\n" + PLAIN})
    read: list[str] = []
    source = Document.source.func
    searched.setattr(Document.source, "func", lambda document: (read.append(document.path), source(document))[1])
    preview(repo.root)
    assert read == []


def test_if_git_complains_every_file_is_read(make_repo: MakeRepo) -> None:
    repo = make_repo({"main.tf": PROVIDER})
    checkout = GitRepo.open(repo.root)
    assert checkout is not None
    assert checkout.files_matching("provider", ("*.tf",)) == {"main.tf"}
    assert checkout.files_matching("(", ("*.tf",)) is None
    os.symlink("other", repo.root / ".gitignore")  # git warns that it follows no such link
    assert checkout.files_matching("provider", ("*.tf",)) is None
