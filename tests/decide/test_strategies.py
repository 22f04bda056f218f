"""Which way a backend comes to sign in, by the engine that runs it, and what is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from migrator.cli.main import cli
from migrator.config.config import BackendAuth, Config
from migrator.decide.diagnostics import ENGINE_TOO_OLD
from migrator.migrate.pipeline import migrate_repo
from migrator.model.results import Mode, RepoResult

ROLE = "arn:aws:iam::123456789012:role/terraform-state"
NATIVE, HOOK = "assume_role_with_web_identity = {", f'# role_arn = "{ROLE}"'


def migrated(folder: Path, *, required: str = "", stack: str = "", auth: BackendAuth = BackendAuth.AUTO) -> RepoResult:
    constraint = f'  required_version = "{required}"\n' if required else ""
    text = f'terraform {{\n{constraint}  backend "s3" {{\n    bucket = "b"\n    role_arn = "{ROLE}"\n  }}\n}}\n'
    (folder / "main.tf").write_text(text)
    if stack:
        text = f'resource "spacelift_stack" "it" {{\n  name = "it"\n  repository = "{folder.name}"\n  {stack}\n}}\n'
        (folder / "stacks.tf").write_text(text)
    return migrate_repo(str(folder), Config(mode=Mode.IN_PLACE, backend_auth=auth))


FOSS_ONLY = (
    "the stack runs TERRAFORM_FOSS, and the last version, 1.5.7, does not support OIDC in the backend (stacks.tf:1)"
)


def told(result: RepoResult) -> list[str]:
    return [f"{finding.message} -> {finding.fate}" for finding in result.findings if finding.rule == "s3-backend"]


@pytest.mark.parametrize(
    ("required", "stack", "expected"),
    [
        ("~> 1.5.0", "", HOOK),
        ("< 1.6", "", HOOK),
        ("", 'terraform_version = "1.5.7"', HOOK),
        ("", 'terraform_workflow_tool = "TERRAFORM_FOSS"', HOOK),
        ("~> 1.6.0", "", NATIVE),
        ("", 'terraform_version = "1.9.8"', NATIVE),
        (">= 1.10", "", NATIVE),
        ("", 'terraform_version = "~> 1.11"', NATIVE),
        ("", 'terraform_workflow_tool = "OPEN_TOFU"', NATIVE),
        ("", 'opentofu {\n    version = "1.6.0"\n  }', NATIVE),
        ("", 'terragrunt {\n    tool = "OPEN_TOFU"\n  }', NATIVE),
        ("", 'terragrunt {\n    terraform_version = "1.9.8"\n  }', NATIVE),
        ("", 'terragrunt {\n    tool = "MANUALLY_PROVISIONED"\n  }', HOOK),
        (">= 1.5.7", "", HOOK),
        ("", "", HOOK),
        ("", 'terraform_workflow_tool = "CUSTOM"', HOOK),
    ],
)
def test_each_engine_gets_what_it_knows(tmp_path: Path, required: str, stack: str, expected: str) -> None:
    result = migrated(tmp_path, required=required, stack=stack)
    text = (tmp_path / "main.tf").read_text()
    assert expected in text
    assert (HOOK in text) != (NATIVE in text)
    assert ("before_init" in (tmp_path / "stacks.tf").read_text() if stack else True) == (expected == HOOK or not stack)
    assert result.is_whole


@pytest.mark.parametrize(
    ("stack", "is_told"),
    [
        ("", True),
        ("manage_state = false", False),
        ("terragrunt {}", False),
        ("terragrunt {\n    use_state_management = true\n  }", True),
        ("manage_state = false\n  terragrunt {\n    use_state_management = true\n  }", True),
    ],
)
def test_a_stack_with_a_state_in_spacelift_is_told(tmp_path: Path, stack: str, is_told: bool) -> None:
    result = migrated(tmp_path, stack=f'branch = "main"\n  {stack}')
    (seen,) = result.stacks
    assert any("Spacelift manages the state" in remark for remark in seen.remarks) == is_told


def test_a_flat_role_that_terraform_rejects_is_told_as_the_error_that_it_is(tmp_path: Path) -> None:
    (line,) = told(migrated(tmp_path, required=">= 1.10"))
    assert "role_arn. Terraform from 1.10 on rejects the role here, and required_version is >= 1.10 (main.tf:2)" in line
    assert line.endswith(f"-> Web identity signs in with {ROLE}. Reason: required_version is >= 1.10 (main.tf:2).")


def test_open_tofu_rejects_no_flat_role(tmp_path: Path) -> None:
    (line,) = told(migrated(tmp_path, required=">= 1.10", stack='terraform_workflow_tool = "OPEN_TOFU"'))
    assert "rejects" not in line


@pytest.mark.parametrize(
    ("required", "stack", "because"),
    [
        (">= 1.3", "", "required_version is >= 1.3 (main.tf:2), which allows versions before 1.6"),
        ("", "", ""),
        ("< 1.6", "", "required_version is < 1.6 (main.tf:2)"),
        ("", "autodeploy = true", FOSS_ONLY),
        ("", 'dynamic "opentofu" {\n    for_each = var.tofu\n    content {}\n  }', ""),
        (
            ">= 1.9",
            'terraform_version = "1.5.7"',
            "required_version is >= 1.9 (main.tf:2), but terraform_version is 1.5.7 (stacks.tf:1)",
        ),
    ],
)
def test_it_is_told_why_a_hook_is_taken(tmp_path: Path, required: str, stack: str, because: str) -> None:
    (line,) = told(migrated(tmp_path, required=required, stack=stack))
    reason = f"The role is commented out. A hook signs in. Reason: {because}."
    assert line.endswith(reason if because else "The role is commented out.")


def test_what_is_asked_for_needs_no_evidence(tmp_path: Path) -> None:
    result = migrated(tmp_path, stack="autodeploy = true", auth=BackendAuth.NATIVE)
    assert told(result) == [f'backend "s3": role_arn -> Web identity signs in with {ROLE}.']
    assert ENGINE_TOO_OLD.code in [note.code for note in result.notes]
    (tmp_path / "other").mkdir()
    (line,) = told(migrated(tmp_path / "other", required=">= 1.10", auth=BackendAuth.HOOK))
    assert line.endswith("The role is commented out.")


def test_the_stack_of_a_backend_that_signs_in_by_itself_needs_no_hook(tmp_path: Path) -> None:
    (row,) = migrated(tmp_path, stack='terraform_version = "1.9.8"').stacks
    assert row.hook == "No hook is needed: the backend signs in by itself."


@pytest.mark.parametrize(
    ("options", "settings", "expected"),
    [
        ((), "", HOOK),
        (("--backend-auth", "native"), "", NATIVE),
        ((), 'backend-auth = "native"\n', NATIVE),
        (("--backend-auth", "auto"), 'backend-auth = "native"\n', HOOK),
    ],
)
def test_the_option_counts_more_than_the_setting(
    tmp_path: Path, options: tuple[str, ...], settings: str, expected: str
) -> None:
    main = tmp_path / "main.tf"
    main.write_text(f'terraform {{\n  backend "s3" {{\n    bucket = "b"\n    role_arn = "{ROLE}"\n  }}\n}}\n')
    (tmp_path / "tf-oidc-migrate.toml").write_text(settings)
    done = CliRunner().invoke(cli, ["--in-place", *options, str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert expected in main.read_text()
