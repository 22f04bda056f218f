"""What ``trust`` knows of a repository's roles before its migration: every role that is named later on."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.config.config import Config
from migrator.config.settings_file import with_repository
from migrator.migrate.planning import Planning
from migrator.model.fleet import RepoIdentity
from migrator.trust.known import learn, uses_of
from migrator.workspace.discover import listing, walk
from migrator.workspace.workspace import Workspace
from tests.conftest import FIXTURES, MakeRepo
from tests.rules.test_fixtures import CASES, case_id, options


def opened(folder: Path) -> Workspace:
    return Workspace(listing(folder, walk(folder)), RepoIdentity("webshop"))


def roles(folder: Path, config: Config) -> set[str]:
    """The ARNs that the runs of the stacks sign in with."""
    return {use.role for use in uses_of([learn(opened(folder), with_repository(config, folder))]) if use.role}


@pytest.mark.case
def test_no_role_is_new_after_the_migration_or_in_its_report() -> None:
    new = {}
    named = reported = 0
    for case in CASES:
        config = Config(**options(case))
        before = roles(case / "before", config)
        after = roles(case / "after", config) if (case / "after").exists() else set()
        report = {row.role for row in Planning(opened(case / "before"), config).plan().trusts}
        named, reported = named + bool(after), reported + bool(report)
        if not before >= after | report:
            new[case_id(case)] = (after | report) - before
    assert new == {}
    assert min(named, reported) > len(CASES) / 6


@pytest.mark.parametrize(
    "name",
    [
        "cdktf-static-keys/literal-role",
        "cdktf-static-keys/native",
        "provider-static-keys/a-default-and-a-file",
        "s3-backend/native-partial",
        "spacelift-variables/env",
        "terragrunt/literal-role",
    ],
)
def test_the_report_names_all_roles_that_trust_names(name: str) -> None:
    case = FIXTURES / "rules" / name
    config = Config(**options(case))
    report = {row.role for row in Planning(opened(case / "before"), config).plan().trusts}
    assert report == roles(case / "before", config) != set()


def test_an_integration_needs_no_trust_in_a_token() -> None:
    case = FIXTURES / "rules/spacelift-aws-integration/attached"
    assert roles(case / "before", Config(**options(case))) == set()


ROLE = "arn:aws:iam::123456789012:role/"
STACK = """resource "spacelift_stack" "{0}" {{
  name         = "{0}"
  repository   = "webshop"
  branch       = "main"
  project_root = "app"
}}
"""
ARGUMENTS = """resource "spacelift_environment_variable" "{0}" {{
  stack_id = spacelift_stack.{0}.id
  name     = "TF_CLI_ARGS_init"
  value    = "-backend-config={0}.tfbackend"
}}
"""


@pytest.mark.parametrize("engine", ["< 1.6", ">= 1.10"], ids=["hook", "native"])
def test_a_stack_with_a_partial_configuration_of_its_own_has_the_role_of_that_one(
    make_repo: MakeRepo, engine: str
) -> None:
    names = ("live", "test")
    files = {f"app/{name}.tfbackend": f'role_arn = "{ROLE}{name}"\n' for name in names}
    files["app/main.tf"] = f'terraform {{\n  required_version = "{engine}"\n  backend "s3" {{}}\n}}\n'
    files["stacks/main.tf"] = "".join(text.format(name) for name in names for text in (STACK, ARGUMENTS))
    workspace = opened(make_repo(files, name="webshop").root)
    expected = {(f"{ROLE}{name}", name) for name in names}
    for state in (workspace, workspace.changed(Planning(workspace, Config()).changes)):
        uses = uses_of([learn(state, Config())])
        assert {(use.role, use.stack.slug) for use in uses if use.stack} == expected
