"""What is said of settings that cannot be removed, and of stacks of another owner's repository."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from migrator.config.config import Config, HookPlace
from migrator.migrate.pipeline import migrate_repo
from migrator.model.findings import Refusal
from migrator.model.results import Mode
from migrator.terraform.credential_names import assigned, exported
from tests.conftest import FIXTURES

STACK = """resource "spacelift_stack" "shop" {
  name       = "shop"
  repository = "%s"
  branch     = "main"
}
"""
PROVIDER = 'provider "aws" {\n  profile = "production"\n}\n'


def test_a_refused_setting_that_breaks_the_hook_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "webshop"
    shutil.copytree(FIXTURES / "rules/spacelift-credentials/profile-by-an-anchor/before", folder)
    result = migrate_repo(str(folder), Config(mode=Mode.PREVIEW))
    (refusal,) = (finding.fix for finding in result.findings if isinstance(finding.fix, Refusal))
    assert "Remove AWS_PROFILE (.spacelift/config.yml:3) from the runs of these stacks" in refusal.help


@pytest.mark.parametrize(("repository", "is_other"), [("acme/shop", False), ("other/shop", True), ("shop", False)])
def test_a_stack_of_another_owner_is_told(tmp_path: Path, repository: str, is_other: bool) -> None:
    folder = tmp_path / "shop"
    (folder / "admin").mkdir(parents=True)
    (folder / "admin/main.tf").write_text(STACK % repository)
    (folder / "main.tf").write_text(PROVIDER)
    result = migrate_repo(str(folder), Config(mode=Mode.PREVIEW, repository="acme/shop"))
    notes = [note.task for note in result.notes if note.code == "stacks-of-another-repository"]
    assert notes == (["This checkout is called `shop`. 1 stack is for repository `other/shop`."] if is_other else [])


def test_a_context_that_is_attached_to_unknown_stacks_is_told_at_each_stack(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    attachment = """resource "spacelift_context_attachment" "all" {
  for_each   = { for stack in data.spacelift_stacks.all.stacks : stack.stack_id => stack }
  stack_id   = each.key
  context_id = spacelift_context.all.id
}
"""
    (folder / "stacks.tf").write_text(STACK % "shop" + 'resource "spacelift_context" "all" {}\n' + attachment)
    (stack,) = migrate_repo(str(folder), Config(mode=Mode.PREVIEW)).stacks
    assert "The stack to which stacks.tf:7 attaches a context cannot be determined." in stack.remarks


def test_contexts_of_several_root_modules_have_names_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    backend = 'terraform {\n  backend "s3" {\n    role_arn = "arn:aws:iam::123456789012:role/state"\n  }\n}\n'
    for name in ("a", "b"):
        stack = STACK.replace('"shop"', f'"{name}"') % "shop" + f"# {name}\n"
        for path, text in (
            (name, backend),
            (f"admin-{name}", stack.replace("\n  branch", f'\n  project_root = "{name}"\n  branch')),
        ):
            (folder / path).mkdir(parents=True)
            (folder / path / "main.tf").write_text(text)
    migrate_repo(str(folder), Config(mode=Mode.IN_PLACE, hook_in=HookPlace.CONTEXT))
    for name in ("a", "b"):
        assert f'"aws-oidc-shop-admin-{name}"' in (folder / f"admin-{name}/main.tf").read_text()


@pytest.mark.parametrize(
    ("command", "variable"),
    [
        ("export AWS_PROFILE=x", "AWS_PROFILE"),
        ("AWS_PROFILE=x aws s3 ls", ""),
        ("eval $(aws configure export-credentials --format env)", "AWS_ACCESS_KEY_ID"),
        ("source <(aws-vault export prod)", "AWS_ACCESS_KEY_ID"),
        ('eval "$(aws sts assume-role --role-arn x | ./to-env)"', "AWS_ACCESS_KEY_ID"),
        ('eval "$(./to-env AWS_SECRET_ACCESS_KEY=)"', "AWS_SECRET_ACCESS_KEY"),
        (". assume production", "AWS_ACCESS_KEY_ID"),
        (". ./assume.sh", ""),
        ("eval $(ssh-agent)", ""),
        ("aws sts assume-role --role-arn x > role.json", ""),
    ],
)
def test_a_command_exports_a_variable(command: str, variable: str) -> None:
    assert exported(command) == variable


@pytest.mark.parametrize(
    ("line", "variable"),
    [
        ("AWS_PROFILE=x", "AWS_PROFILE"),
        ('AWS_SECRET_ACCESS_KEY="$CI_SECRET"  # of CI', "AWS_SECRET_ACCESS_KEY"),
        ("AWS_ACCESS_KEY_ID=$(cat id)", "AWS_ACCESS_KEY_ID"),
        ("AWS_PROFILE=x aws s3 ls", ""),
        ("export AWS_PROFILE=x", "AWS_PROFILE"),
        ("echo AWS_PROFILE=x", ""),
    ],
)
def test_a_line_of_a_sourced_script_assigns_a_variable(line: str, variable: str) -> None:
    assert assigned(line) == variable
