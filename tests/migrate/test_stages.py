"""``--stages``: a branch for what stacks need, for the code, and for the removal of keys, each on the one before."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from migrator.cli.main import cli
from migrator.config.config import Config
from migrator.migrate.pipeline import migrate_repo
from migrator.model.results import CODE, KEYS, STACKS, Mode, RepoResult
from migrator.report.serial import from_plain, to_plain
from migrator.report.text import summary
from tests.conftest import MakeRepo, Repo, Terraform

pytestmark = pytest.mark.system

CODE_AND_STACK = {
    "stacks/main.tf": """resource "spacelift_stack" "shop" {
  name         = "shop"
  repository   = "shop"
  branch       = "main"
  project_root = "app"
}

resource "spacelift_environment_variable" "key" {
  stack_id = spacelift_stack.shop.id
  name     = "AWS_ACCESS_KEY_ID"
  value    = var.key
}

variable "key" {
  type = string
}
""",
    "app/main.tf": """terraform {
  backend "s3" {
    bucket   = "state"
    key      = "app"
    region   = "eu-west-1"
    role_arn = "arn:aws:iam::123456789012:role/state"
  }
}

provider "aws" {
  region     = "eu-west-1"
  access_key = var.access_key
}

variable "access_key" {
  type = string
}
""",
}
BRANCHES = ("spacelift-oidc-1-stacks", "spacelift-oidc-2-code", "spacelift-oidc-3-keys")


@pytest.fixture
def repo(make_repo: MakeRepo) -> Repo:
    return make_repo(CODE_AND_STACK, name="shop")


def migrate(folder: Path, mode: Mode = Mode.BRANCH, *, stages: bool = True) -> RepoResult:
    return migrate_repo(str(folder), Config(mode=mode, stages=stages))


def tree_of(repo: Repo, branch: str) -> str:
    return repo.git("rev-parse", f"{branch}^{{tree}}").strip()


def test_each_stage_is_one_commit_on_the_one_before(repo: Repo) -> None:
    start = repo.git("rev-parse", "HEAD").strip()
    result = migrate(repo.root)
    assert result.error == ""
    assert [(stage.name, stage.branch) for stage in result.stages] == list(
        zip((STACKS, CODE, KEYS), BRANCHES, strict=True)
    )
    parents = [start, *(stage.commit for stage in result.stages)]
    for before, stage in zip(parents, result.stages, strict=False):
        assert repo.git("rev-parse", f"{stage.branch}^").strip() == before
        assert repo.git("rev-parse", stage.branch).strip() == stage.commit
    assert repo.git("symbolic-ref", "--short", "HEAD").strip() == BRANCHES[2]
    assert repo.git("status", "--porcelain") == ""
    changed = [repo.git("diff", "--name-only", f"{branch}^", branch).split() for branch in BRANCHES]
    assert changed[0] == ["stacks/main.tf"]
    assert "app/main.tf" in changed[1]
    assert "stacks/main.tf" not in changed[1]
    assert changed[2] == ["stacks/main.tf"]
    first, last = (repo.git("show", f"{branch}:stacks/main.tf") for branch in (BRANCHES[0], BRANCHES[2]))
    assert "before_init" in first
    assert 'AWS_ACCESS_KEY_ID"\n' in first
    assert 'AWS_ACCESS_KEY_ID"\n' not in last
    assert 'variable "key"' in first
    assert 'variable "key"' not in last


def test_the_last_stage_is_what_one_commit_would_be(repo: Repo) -> None:
    result = migrate(repo.root)
    repo.git("switch", "-q", "main")
    whole = migrate(repo.root, stages=False)
    assert whole.error == ""
    assert tree_of(repo, whole.branch) == tree_of(repo, result.branch)


def test_a_run_on_each_stage_comes_to_the_last_one(repo: Repo) -> None:
    migrate(repo.root)
    last = None
    for branch in reversed(BRANCHES):
        repo.git("switch", "-q", branch)
        assert migrate(repo.root, Mode.IN_PLACE, stages=False).error == ""
        files = {path: (repo.root / path).read_text() for path in CODE_AND_STACK}
        repo.git("checkout", "-q", ".")
        last = last or files
        assert files == last, branch


def test_terraform_accepts_each_stage(repo: Repo, terraform: Terraform, tmp_path: Path) -> None:
    migrate(repo.root)
    for branch in BRANCHES:
        folder = tmp_path / branch
        repo.git("worktree", "add", "-q", "--detach", str(folder), branch)
        for module in ("app", "stacks"):
            known = terraform.complaints(repo.root / module)
            assert terraform.complaints(folder / module) <= known | {"Failed to query available provider packages"}
        unformatted, broken = terraform.unformatted(folder)
        assert (set(unformatted), set(broken)) == (set(), set())


def test_the_summary_says_what_to_wait_for(repo: Repo) -> None:
    told = summary(migrate(repo.root, Mode.PREVIEW, stages=False))
    assert "To merge these one by one, run again with --stages" in told
    told = summary(migrate(repo.root))
    for number, branch in enumerate(BRANCHES, 1):
        assert f"{number}. {branch}" in told
    assert "run again with --stages" not in told


def test_a_preview_names_the_branches_and_makes_none(repo: Repo) -> None:
    result = migrate(repo.root, Mode.PREVIEW)
    assert tuple(stage.branch for stage in result.stages) == BRANCHES
    assert repo.git("branch", "--format=%(refname:short)").split() == ["main"]
    assert from_plain(RepoResult, to_plain(result)).stages == result.stages


def test_one_stage_is_one_branch(make_repo: MakeRepo) -> None:
    repo = make_repo({"main.tf": 'provider "aws" {\n  profile = "shop"\n}\n'}, name="shop")
    result = migrate(repo.root)
    assert (result.stages, result.branch) == ((), "spacelift-oidc")


def test_a_branch_that_is_there_leaves_all_as_it_was(repo: Repo) -> None:
    repo.git("branch", BRANCHES[2])
    result = migrate(repo.root)
    assert BRANCHES[2] in result.error
    assert sorted(repo.git("branch", "--format=%(refname:short)").split()) == ["main", BRANCHES[2]]


def test_a_failure_half_way_leaves_no_branch(repo: Repo) -> None:
    (repo.root / "app/main.tf").write_text(CODE_AND_STACK["app/main.tf"] + "# not committed\n")
    result = migrate(repo.root)
    assert "uncommitted" in result.error
    assert repo.git("branch", "--format=%(refname:short)").split() == ["main"]


@pytest.mark.parametrize("mode", ["--in-place", "--check"])
def test_stages_need_branches(repo: Repo, mode: str) -> None:
    done = CliRunner().invoke(cli, [str(repo.root), "--stages", mode])
    assert done.exit_code == 2
    assert "--stages" in done.output
