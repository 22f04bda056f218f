"""A sign-in comes to the same wherever it is written: in a backend, a remote state, a map of Terragrunt, a program."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from migrator.config.config import BackendAuth, Config
from migrator.migrate.pipeline import migrate_repo
from migrator.model.results import Mode
from tests.conftest import MakeRepo

OLD, NEW, OIDC = (f"arn:aws:iam::123456789012:role/{name}" for name in ("old", "new", "oidc"))
TERRAFORM = 'terraform {{\n  required_version = "{version}"\n  backend "s3" {{\n{arguments}\n  }}\n}}\n'
STATE = (
    'terraform {{\n  required_version = "{version}"\n  backend "s3" {{\n    key = "app"\n  }}\n}}\n'
    'data "terraform_remote_state" "shop" {{\n  backend = "s3"\n  config = {{\n{arguments}\n  }}\n}}\n'
)
TERRAGRUNT = 'remote_state {{\n  backend = "s3"\n  config = {{\n{arguments}\n  }}\n}}\n'
PROGRAM = (
    "from cdktf import App, S3Backend, TerraformStack\n\nstack = TerraformStack(App(), 'shop')\n"
    "S3Backend(\n    stack,\n    bucket='shop',\n{arguments}\n)\n"
)
ROOMS = {"main.tf": TERRAFORM, "terragrunt.hcl": TERRAGRUNT, "main.py": PROGRAM}


def python(arguments: str) -> str:
    """The arguments of a backend as those of a call."""
    text = re.sub(r"^( +)(\w+) = \{ (\w+) = (.*) \}$", r'\1\2 = {"\3": \4}', arguments, flags=re.M)
    return re.sub(r" = ", "=", text).replace("\n", ",\n") + ","


def migrated(make_repo: MakeRepo, path: str, text: str, config: Config) -> tuple[str, list[str | None]]:
    """The file afterwards, without blanks and quotes, and the codes of what was found."""
    repo = make_repo({path: text}, name=f"by {config.backend_role_arn or 'itself'}".replace("/", "-"))
    result = migrate_repo(str(repo.root), config)
    after = (repo.root / path).read_text()
    return re.sub(r"[\s\"',]|#.*", "", after).replace(":", "="), [finding.code for finding in result.findings]


@pytest.mark.parametrize("path", ROOMS)
@pytest.mark.parametrize(("role", "is_chained"), [(OLD, True), (NEW, False)])
def test_a_flat_role_next_to_web_identity_is_chained(
    make_repo: MakeRepo, path: str, role: str, is_chained: bool
) -> None:
    arguments = (
        f'    profile = "shop"\n    role_arn = "{role}"\n    assume_role_with_web_identity = {{ role_arn = "{NEW}" }}'
    )
    written = python(arguments) if path == "main.py" else arguments
    config = Config(mode=Mode.IN_PLACE, backend_auth=BackendAuth.HOOK, role_arn=OIDC)
    after, _ = migrated(make_repo, path, ROOMS[path].format(version=">= 1.6", arguments=written), config)
    named = role.replace(":", "=")
    assert "profile" not in after
    assert (f"assume_role={{role_arn={named}}}" in after) is is_chained
    assert f"assume_role_with_web_identity={{role_arn={NEW.replace(':', '=')}}}" in after
    assert after.count("role_arn=") == 1 + is_chained


@pytest.mark.parametrize(
    ("path", "layout", "nested"),
    [("main.tf", STATE, "local.role"), ("main.py", PROGRAM, "role()")],
)
def test_a_named_role_assumes_an_unreadable_one(make_repo: MakeRepo, path: str, layout: str, nested: str) -> None:
    arguments = f'    profile = "shop"\n    assume_role = {nested}'
    text = layout.format(version=">= 1.6", arguments=python(arguments) if path == "main.py" else arguments)
    refused = Config(mode=Mode.IN_PLACE, backend_auth=BackendAuth.NATIVE, role_arn=OIDC)
    _, codes = migrated(make_repo, path, text, refused)
    assert {"unreadable-assume-role", "backend-role-is-object"} & set(codes)
    after, _ = migrated(make_repo, path, text, replace(refused, backend_role_arn=NEW))
    assert f"assume_role={nested}" in after
    assert f"assume_role_with_web_identity={{role_arn={NEW.replace(':', '=')}" in after


def test_an_argument_that_is_none_gets_the_value(make_repo: MakeRepo) -> None:
    arguments = f"    role_arn='{OLD}',\n    assume_role_with_web_identity=None,"
    config = Config(mode=Mode.IN_PLACE, backend_auth=BackendAuth.NATIVE)
    after, _ = migrated(make_repo, "main.py", PROGRAM.format(arguments=arguments), config)
    assert after.count("assume_role_with_web_identity=") == 1
    assert f"role_arn={OLD.replace(':', '=')}" in after
