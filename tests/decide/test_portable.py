"""``--portable``: what the real terraform makes of a provider's sign-in, with the role's variable set and without it.

A provider needs a plugin, so its web identity is made an output: the very expressions, in the very modules.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from migrator.config.config import Config, PathRoles
from migrator.config.role_mapping import flag_mapping
from migrator.errors import UsageError
from migrator.migrate.pipeline import migrate_repo, open_workspace
from migrator.model.results import Mode, RepoResult
from migrator.syntax.terraform import Block
from migrator.trust.known import learn
from migrator.workspace.document import Document
from tests.conftest import FIXTURES, MakeRepo, Terraform

RULE = FIXTURES / "rules" / "provider-static-keys"
NAME = "assume_role_with_web_identity"
ROLE = "arn:aws:iam::123456789012:role/shop"
TOKEN = "/mnt/workspace/spacelift.oidc"
SIGNED = [{"role_arn": ROLE, "web_identity_token_file": TOKEN}]
CONFIG = Config(mode=Mode.IN_PLACE, portable=True)


def web_identity(document: Document, provider: Block) -> str:
    """A list of what the provider signs in with, as an expression."""
    if (argument := provider.attribute(NAME)) is not None:
        text = document.text[argument.value.start : argument.value.end]
        value = json.loads(text)[2:-1] if document.path.endswith(".json") else text
        return f"[for one in [{value}] : one if one != null]"
    (dynamic,) = provider.blocks("dynamic")
    (content,) = dynamic.blocks("content")
    items = ", ".join(f"{argument.name} = {document.expression(argument)}" for argument in content.attributes)
    for_each = dynamic.attribute("for_each")
    assert for_each is not None
    assert dynamic.labels == (NAME,)
    return f"[for one in {document.expression(for_each)} : {{ {items} }}]"


def signed(terraform: Terraform, migrated: Path, scratch: Path, **values: str) -> dict[str, Any]:
    """What each provider signs in with, as terraform evaluates it, by the provider and its alias."""
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(migrated, scratch, ignore=shutil.ignore_patterns(".git"))
    for module in open_workspace(str(scratch), CONFIG).modules.values():
        outputs = []
        for document in module.documents:
            blocks = [top_block for top_block in document.blocks if top_block.type == "provider"]
            for number, block in enumerate(blocks):
                name = f"{block.labels[0]}_{document.literal(block.attribute('alias')) or number}"
                outputs.append(f'output "{name}" {{\n  value = {web_identity(document, block)}\n}}\n')
            called = [top_block.labels[0] for top_block in document.blocks if top_block.type == "module"]
            outputs += [
                f'output "module_{module_name}" {{\n  value = module.{module_name}\n}}\n' for module_name in called
            ]
            kept = _without_providers(document, blocks)
            (scratch / document.path).write_text(kept)
        (scratch / module.path / "outputs.tf").write_text("".join(outputs))
    root = scratch / "live" if (scratch / "live").exists() else scratch
    (root / "terraform.tfvars.json").write_text(json.dumps(values))
    for step in (["init", "-input=false"], ["apply", "-auto-approve", "-input=false"]):
        done = terraform.run(*step, "-no-color", cwd=root)
        assert done.returncode == 0, done.stderr
    found = json.loads(terraform.run("output", "-json", cwd=root).stdout)
    return {name: one["value"] for name, one in found.items()}


def _without_providers(document: Document, blocks: list[Block]) -> str:
    if document.path.endswith(".json"):
        plain = json.loads(document.text)
        plain.pop("provider", None)
        return json.dumps(plain)
    text = document.text
    for block in reversed(blocks):
        text = text[: block.span.start] + text[block.span.end :]
    return text


def test_a_provider_signs_in_by_web_identity_where_its_variable_is_set(terraform: Terraform, tmp_path: Path) -> None:
    after = RULE / "portable" / "after"
    given = {"region": "eu-west-1", "aws_role_arn": ROLE}
    found = signed(terraform, after, tmp_path / "scratch", **given)
    assert found == {"aws_0": SIGNED, "aws_dns": [], "module_queues": {"aws_0": SIGNED}}


def test_elsewhere_nothing_is_asked_for_and_the_environment_signs(terraform: Terraform, tmp_path: Path) -> None:
    found = signed(terraform, RULE / "portable" / "after", tmp_path / "scratch", region="eu-west-1")
    assert found == {"aws_0": [], "aws_dns": [], "module_queues": {"aws_0": []}}


@pytest.mark.parametrize("is_set", [True, False])
def test_awscc_and_json_are_alike(terraform: Terraform, tmp_path: Path, is_set: bool) -> None:
    values = {"region": "eu-west-1"} | ({"aws_role_arn": ROLE} if is_set else {})
    found = signed(terraform, RULE / "portable-json" / "after", tmp_path / "json", **values)
    assert found == dict.fromkeys(("aws_0", "aws_flat", "awscc_2"), SIGNED if is_set else [])
    values.pop("region")
    found = signed(terraform, RULE / "portable" / "after" / "awscc", tmp_path / "awscc", **values)
    assert found == {"awscc_0": SIGNED if is_set else []}


def test_what_is_portable_is_known_for_what_it_is(make_repo: MakeRepo) -> None:
    repo = make_repo(source=RULE / "portable-json" / "after")
    result = migrate_repo(str(repo.root), CONFIG)
    assert result.changed == ()
    assert not result.findings
    (code,) = learn(open_workspace(str(repo.root), CONFIG), CONFIG).code
    assert code.roles == {None}


@pytest.mark.parametrize(
    "config",
    [
        {"role_arn": ROLE},
        {"roles": (flag_mapping(f"alias:dns={ROLE}"),)},
        {"paths": (PathRoles("live", ROLE),)},
    ],
)
def test_a_role_written_out_is_not_portable(config: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="--portable reads roles from variables"):
        Config(portable=True, **config)


def test_a_repositorys_settings_may_ask_for_it(make_repo: MakeRepo) -> None:
    provider = 'provider "aws" {\n  profile = "live"\n}\n'
    repo = make_repo({"main.tf": provider, "tf-oidc-migrate.toml": "portable = true\n"})
    migrate_repo(str(repo.root), Config(mode=Mode.IN_PLACE))
    assert "dynamic" in (repo.root / "main.tf").read_text()
    result = migrate_repo(str(repo.root), Config(mode=Mode.IN_PLACE, role_arn=ROLE))
    assert "--portable reads roles from variables" in result.error


def test_a_terragrunt_heredoc_is_portable_and_a_program_is_not(make_repo: MakeRepo) -> None:
    before = FIXTURES / "rules" / "cdktf-static-keys" / "stack" / "before"
    result: RepoResult = migrate_repo(str(make_repo(source=before, name="program").root), CONFIG)
    assert result.changed == ()
    assert "option-unsupported" in [finding.code for finding in result.findings]
    heredoc = (
        'terraform {\n  source = "./module"\n}\ngenerate "provider" {\n  path = "provider.tf"\n'
        '  if_exists = "overwrite"\n  contents = <<EOF\nprovider "aws" {\n  profile = "live"\n}\nEOF\n}\n'
    )
    repo = make_repo({"terragrunt.hcl": heredoc}, name="units")
    migrate_repo(str(repo.root), CONFIG)
    text = (repo.root / "terragrunt.hcl").read_text()
    assert "for_each = var.aws_role_arn[*]" in text
    assert "default     = null" in text
