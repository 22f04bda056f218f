"""The whole way: a repository is migrated, and its hook, taken out of it, lets the real terraform reach its state."""

from __future__ import annotations

import json
import os
import posixpath
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from migrator.cli.main import cli
from migrator.syntax.hcl import parse as hcl
from migrator.syntax.terraform import Block
from tests.conftest import FIXTURES, MakeRepo, Repo, Terraform, needed

WEBSHOP = FIXTURES / "repos" / "webshop"
KEYS = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
HOOK = (
    'export $(printf "AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s AWS_SESSION_TOKEN=%s" $(aws sts'
    ' assume-role-with-web-identity --web-identity-token "$(cat {token})" --role-arn {role} --role-session-name'
    " spacelift-run-${{TF_VAR_spacelift_run_id}} --query"
    ' "Credentials.[AccessKeyId,SecretAccessKey,SessionToken]" --output text))'
)
GUARD = 'test -n "$AWS_SESSION_TOKEN"'
STATE_ROLE = "arn:aws:iam::123456789012:role/terraform-state"


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "spacelift.oidc"
    file.write_text("eyJhbGciOiJub25lIn0.eyJzdWIiOiJzcGFjZTpyb290In0.")
    return file


@pytest.fixture
def webshop(make_repo: MakeRepo) -> Repo:
    return make_repo(source=WEBSHOP, name="webshop")


def migrate(repo: Repo, *options: str) -> str:
    done = CliRunner().invoke(cli, [str(repo.root), *options])
    assert done.exit_code == 0, done.output
    return done.output


def hooks_of(terraform: Terraform, repo: Repo, stack: str, folder: Path) -> list[str]:
    """``before_init`` of a stack as terraform evaluates it: the resource's body as locals, which need no provider."""
    text = (repo.root / "spacelift" / "stacks.tf").read_text()
    body = re.search(rf'resource "spacelift_stack" "{stack}" (\{{.*?\n\}})', text, re.DOTALL)
    assert body
    folder.mkdir()
    (folder / "main.tf").write_text(f"locals {body[1]}\n")
    return [str(item) for item in json.loads(json.loads(terraform.evaluate(folder, "jsonencode(local.before_init)")))]


@pytest.mark.parametrize(
    ("stack", "role", "rest"),
    [
        ("releases", STATE_ROLE, ["terraform fmt -check", 'echo "run ${TF_VAR_spacelift_run_id}"']),
        ("shop", "$TF_VAR_aws_role_arn", []),
    ],
)
def test_terraform_reads_the_documented_hook_to_the_letter(
    terraform: Terraform, webshop: Repo, tmp_path: Path, stack: str, role: str, rest: list[str]
) -> None:
    migrate(webshop)
    expected = HOOK.format(token="/mnt/workspace/spacelift.oidc", role=role)
    assert hooks_of(terraform, webshop, stack, tmp_path / "evaluated") == [expected, GUARD, *rest]


def environment(moto: str, **more: str) -> dict[str, str]:
    """What a Spacelift run has, and the way to the emulated AWS; no credentials of any kind."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "TF_CLI_CONFIG_FILE": os.environ["TF_CLI_CONFIG_FILE"],
        "TF_IN_AUTOMATION": "1",
        "TF_VAR_spacelift_run_id": "01HZZZZZZZZZZZZZZZZZZZZZZZ",
        "AWS_ENDPOINT_URL": moto,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CHECKPOINT_DISABLE": "1",
        "GOGC": "off",
        **more,
    }


def shell(program: str, script: str, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [needed(program), "-c", script], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=120
    )


INIT_AND_APPLY = "terraform init -input=false -no-color && terraform apply -auto-approve -input=false -no-color"


@pytest.fixture
def bucket(moto: str) -> str:
    """The state's bucket."""
    name = "webshop-terraform-state"
    place = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>"
    with urllib.request.urlopen(urllib.request.Request(f"{moto}/{name}", place.encode(), method="PUT")):
        return name


@pytest.mark.parametrize("program", ["bash", "dash"])
def test_a_run_reads_and_writes_its_state_with_nothing_but_the_hook(
    terraform: Terraform, webshop: Repo, tmp_path: Path, token: Path, moto: str, bucket: str, program: str
) -> None:
    needed("aws")
    migrate(webshop, "--token-file", str(token))
    hook = hooks_of(terraform, webshop, "releases", tmp_path / "evaluated")[0]
    root, env = webshop.root / "releases", environment(moto)

    assert hook == HOOK.format(token=token, role=STATE_ROLE)
    without = shell(program, INIT_AND_APPLY, root, env)
    assert without.returncode != 0
    assert "No valid credential sources found" in without.stderr

    first = shell(program, f"{{ {hook}; }} && {INIT_AND_APPLY}", root, env)
    assert first.returncode == 0, first.stdout + first.stderr
    assert 'release = "2024.1"' in first.stdout

    again = f"rm -rf .terraform && {{ {hook}; }} && {INIT_AND_APPLY} -var release=2024.2"
    second = shell(program, again, root, env)
    assert second.returncode == 0, second.stdout + second.stderr
    assert '"2024.1" -> "2024.2"' in second.stdout

    listed = shell(program, f"{{ {hook}; }} && aws s3 ls --recursive s3://{bucket}", root, env)
    assert "releases/terraform.tfstate" in listed.stdout


def test_a_backend_in_json_reads_and_writes_its_state_too(webshop: Repo, token: Path, moto: str, bucket: str) -> None:
    """The role family is a ``"//"`` comment afterwards, which terraform must not read."""
    needed("terraform")
    backend = {
        "bucket": bucket,
        "role_arn": STATE_ROLE,
        "key": "json.tfstate",
        "region": "eu-west-1",
        "session_name": "releases",
    }
    shutil.rmtree(webshop.root / "releases")
    webshop.write("releases/main.tf.json", json.dumps({"terraform": {"backend": {"s3": backend}}}, indent=2))
    webshop.write("releases/outputs.tf", 'output "release" {\n  value = "2024.3"\n}\n')
    webshop.commit()
    before = shell("bash", INIT_AND_APPLY, webshop.root / "releases", environment(moto))
    assert "Extraneous JSON object property" in before.stderr

    migrate(webshop, "--token-file", str(token))
    hook = HOOK.format(token=token, role=STATE_ROLE)
    after = shell("bash", f"{{ {hook}; }} && {INIT_AND_APPLY}", webshop.root / "releases", environment(moto))
    assert after.returncode == 0, after.stdout + after.stderr
    listed = shell("bash", f"{{ {hook}; }} && aws s3 ls s3://{bucket}", webshop.root, environment(moto))
    assert "json.tfstate" in listed.stdout


FLAT = """terraform {
  required_version = ">= 1.10"

  backend "s3" {
    bucket       = "webshop-terraform-state"
    key          = "shop.tfstate"
    region       = "eu-west-1"
    role_arn     = "arn:aws:iam::123456789012:role/terraform-state"
    session_name = "shop"
  }
}

output "release" {
  value = "2024.4"
}
"""
REMOTE = """
data "terraform_remote_state" "shop" {
  backend = "s3"

  config = {
    bucket   = "webshop-terraform-state"
    key      = "shop.tfstate"
    region   = "eu-west-1"
    role_arn = var.state_role
  }
}

variable "state_role" {
  default = "arn:aws:iam::111122223333:role/terraform-state"
}

output "of_the_shop" {
  value = data.terraform_remote_state.shop.outputs.release
}
"""


@pytest.mark.parametrize("chained", [False, True])
def test_a_backend_and_a_remote_state_sign_in_by_themselves(
    make_repo: MakeRepo, token: Path, moto: str, bucket: str, chained: bool
) -> None:
    """No hook and no credentials; the flat role is an error of the installed terraform before."""
    needed("terraform")
    reader = FLAT.replace("shop.tfstate", "reader.tfstate") + REMOTE
    repo = make_repo({"shop/main.tf": FLAT, "reader/main.tf": reader})
    env = environment(moto)
    for folder in ("shop", "reader"):
        before = shell("bash", INIT_AND_APPLY, repo.root / folder, env)
        assert before.returncode != 0
        assert "Unsupported argument" in before.stderr

    through = ["--backend-role-arn", "arn:aws:iam::123456789012:role/spacelift"] if chained else []
    migrate(repo, "--token-file", str(token), *through)
    for folder in ("shop", "reader"):
        after = shell("bash", INIT_AND_APPLY, repo.root / folder, env)
        assert after.returncode == 0, after.stdout + after.stderr
        assert ("assume_role = {" in (repo.root / folder / "main.tf").read_text()) == chained
    assert 'of_the_shop = "2024.4"' in after.stdout

    token.unlink()
    lost = shell("bash", "terraform init -reconfigure -input=false -no-color", repo.root / "shop", env)
    assert "unable to read file" in lost.stderr.replace("\n", " ")


def test_in_json_too_they_sign_in_by_themselves(make_repo: MakeRepo, token: Path, moto: str, bucket: str) -> None:
    needed("terraform")
    place = {"bucket": bucket, "key": "json.tfstate", "region": "eu-west-1"}
    flat = place | {"role_arn": STATE_ROLE, "session_name": "shop", "assume_role_duration_seconds": 3600}
    remote = {"terraform_remote_state": {"own": {"backend": "s3", "config": flat | {"role_arn": "${var.role}"}}}}
    text = {
        "terraform": {"required_version": ">= 1.10", "backend": {"s3": flat}},
        "variable": {"role": {"default": STATE_ROLE}},
        "output": {"release": {"value": "2024.6"}},
    }
    repo = make_repo({"main.tf.json": json.dumps(text, indent=2), "reader/main.tf.json": json.dumps(remote)})
    reader = {"terraform": {"required_version": ">= 1.10"}, "variable": text["variable"], "data": remote}
    reader["output"] = {"seen": {"value": "${data.terraform_remote_state.own.outputs.release}"}}
    repo.write("reader/main.tf.json", json.dumps(reader, indent=2))
    repo.commit()
    before = shell("bash", INIT_AND_APPLY, repo.root, environment(moto))
    assert "Extraneous JSON object property" in before.stderr or "is not expected here" in before.stderr

    migrate(repo, "--token-file", str(token))
    for folder in (repo.root, repo.root / "reader"):
        after = shell("bash", INIT_AND_APPLY, folder, environment(moto))
        assert after.returncode == 0, after.stdout + after.stderr
    assert 'seen = "2024.6"' in after.stdout


STACK = """resource "spacelift_stack" "{0}" {{
  name         = "{0}"
  repository   = "shop"
  branch       = "main"
  project_root = "{0}"
}}
"""


def variables_of(repo: Repo, stack: str) -> dict[str, str]:
    """What the resources beside a stack set for its runs."""
    text = (repo.root / "stacks.tf").read_text()
    beside = re.findall(rf"spacelift_stack\.{stack}\.id\n(.*?)\n}}", text, re.DOTALL)
    return dict(re.findall(r'name += "(.*?)"\n +value += "(.*?)"', "\n".join(beside)))


@pytest.mark.parametrize("chained", [False, True])
def test_a_backend_and_a_remote_state_sign_in_by_two_variables_of_the_stack(
    make_repo: MakeRepo, token: Path, moto: str, bucket: str, chained: bool
) -> None:
    """No hook, no credentials, no argument: what the resources beside the stack set, and nothing else."""
    needed("terraform")
    reader = FLAT.replace("shop.tfstate", "reader.tfstate") + REMOTE
    stacks = "\n".join(map(STACK.format, ("shop", "reader")))
    repo = make_repo({"shop/main.tf": FLAT, "reader/main.tf": reader, "stacks.tf": stacks}, name="shop")
    role = "arn:aws:iam::123456789012:role/spacelift" if chained else STATE_ROLE
    through = ["--backend-role-arn", role] if chained else []
    migrate(repo, "--token-file", str(token), "--backend-auth", "env", *through)
    given = {"AWS_ROLE_ARN": role, "AWS_WEB_IDENTITY_TOKEN_FILE": str(token)}
    nobody = environment(moto, AWS_ENDPOINT_URL_STS=moto)
    for folder in ("shop", "reader"):
        assert variables_of(repo, folder) == given
        text = (repo.root / folder / "main.tf").read_text()
        assert "web_identity" not in text
        assert ("assume_role = {" in text) == (chained or folder == "reader")
        without = shell("bash", INIT_AND_APPLY, repo.root / folder, nobody)
        assert "No valid credential sources found" in without.stderr
        after = shell("bash", INIT_AND_APPLY, repo.root / folder, nobody | variables_of(repo, folder))
        assert after.returncode == 0, after.stdout + after.stderr
    assert 'of_the_shop = "2024.4"' in after.stdout

    init = "terraform init -reconfigure -input=false -no-color"
    lost = nobody | given | {"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere"}
    assert shell("bash", init, repo.root / "shop", lost).returncode != 0
    static = lost | {"AWS_ACCESS_KEY_ID": "static", "AWS_SECRET_ACCESS_KEY": "static"}
    assert shell("bash", init, repo.root / "shop", static).returncode == 0, "they win: the token is not even read"


def test_partial_configuration_in_json_and_hcl_signs_in_by_itself(
    make_repo: MakeRepo, token: Path, moto: str, bucket: str
) -> None:
    needed("terraform")
    root = json.dumps({"terraform": {"required_version": ">= 1.10", "backend": {"s3": {"bucket": bucket}}}}, indent=2)
    partial = f'key      = "partial.tfstate"\nregion   = "eu-west-1"\nrole_arn = "{STATE_ROLE}"\n'
    outputs = 'output "release" {\n  value = "2024.5"\n}\n'
    repo = make_repo({"main.tf.json": root, "prod.s3.tfbackend": partial, "outputs.tf": outputs})
    script = INIT_AND_APPLY.replace("init ", "init -backend-config=prod.s3.tfbackend ")
    before = shell("bash", script, repo.root, environment(moto))
    assert 'argument named "role_arn" is not expected' in before.stderr

    migrate(repo, "--token-file", str(token))
    after = shell("bash", script, repo.root, environment(moto))
    assert after.returncode == 0, after.stdout + after.stderr


def test_before_the_migration_a_run_fails_as_users_see_it_fail(webshop: Repo, moto: str, bucket: str) -> None:
    needed("terraform")
    flat_role = shell("bash", INIT_AND_APPLY, webshop.root / "releases", environment(moto))
    assert flat_role.returncode != 0
    assert "Unsupported argument" in flat_role.stderr
    assert "role_arn" in flat_role.stderr

    lost_profile = shell("bash", INIT_AND_APPLY, webshop.root / "shop", environment(moto))
    assert lost_profile.returncode != 0
    assert "failed to get shared config profile, webshop-state" in lost_profile.stderr


def test_no_output_and_no_commit_holds_a_key(webshop: Repo) -> None:
    outputs = [migrate(webshop, "--preview"), migrate(webshop, "-v"), webshop.git("log", "-1", "--format=%B")]
    outputs.append(CliRunner().invoke(cli, [str(webshop.root), "--check"]).output)
    for key in KEYS:
        assert not any(key in output for output in outputs)
        assert not any(key in file.read_text() for file in webshop.root.rglob("*.tf"))


def test_the_preview_with_secrets_is_what_the_migration_does(webshop: Repo) -> None:
    diff = CliRunner().invoke(cli, [str(webshop.root), "--preview", "--show-secrets"]).stdout
    migrate(webshop)
    migrated = webshop.git("rev-parse", "HEAD^{tree}")
    webshop.git("switch", "--quiet", "main")
    patch = webshop.root.parent / "preview.patch"
    patch.write_text(diff)
    webshop.git("apply", "--index", str(patch))
    assert webshop.git("write-tree") == migrated


# --- two accounts, three nested modules, five aliases ---------------------------------------------------------------

TWO_ACCOUNTS = FIXTURES / "repos" / "two-accounts"
NO_PLUGIN = ("terraform", "variable", "locals", "module", "output")
LEFT = {
    "live": {"domain", "dns_profile", "aws_role_arn", "aws_role_arn_platform", "aws_role_arn_dns"},
    "platform": {"domain", "dns_profile", "aws_role_arn", "aws_role_arn_dns"},
    "platform/network": {"domain", "profile", "aws_role_arn", "aws_role_arn_dns"},
    "platform/network/dns": {"domain", "profile", "aws_role_arn"},
    "spacelift": set(),
}
"""The variables of each module after the migration: those for a provisioner stay, all that fed but keys are gone."""


@pytest.fixture
def two_accounts(make_repo: MakeRepo) -> Repo:
    return make_repo(source=TWO_ACCOUNTS, name="two-accounts")


def without_plugins(text: str) -> str:
    """A file's blocks that need no provider; in place of each AWS provider the role that it signs in with."""
    pieces = []
    for block in (item for item in hcl.parse(text) if isinstance(item, Block)):
        if block.type in NO_PLUGIN or block.labels[:1] == ("terraform_data",):
            pieces.append(block.span.of(text))
        for web_identity in block.blocks("assume_role_with_web_identity") if block.type == "provider" else ():
            alias, role = block.attribute("alias"), web_identity.attribute("role_arn")
            name = alias.value.of(text) if alias else '"default"'
            assert role
            pieces.append(f'resource "terraform_data" {name} {{\n  input = {role.value.of(text)}\n}}')
    return "\n".join(pieces) + "\n"


def roles_of(module: dict[str, Any]) -> dict[str, str]:
    """What ``terraform show -json`` says of the resources that stand for providers, by address."""
    found = {
        resource["address"].replace("terraform_data.", ""): resource["values"]["input"]
        for resource in module.get("resources", ())
    }
    for child in module.get("child_modules", ()):
        found |= roles_of(child)
    return found


def test_nothing_of_the_keys_is_left_in_any_module(two_accounts: Repo) -> None:
    output = migrate(two_accounts, "-v")
    files = {
        path.relative_to(two_accounts.root).as_posix(): path.read_text() for path in two_accounts.root.rglob("*.tf*")
    }
    for folder, names in LEFT.items():
        texts = [text for path, text in files.items() if posixpath.dirname(path) == folder]
        assert {name for text in texts for name in re.findall(r'(?m)^variable "(\w+)"', text)} == names
    assert files["live/terraform.tfvars"] == 'domain = "webshop.example"\n'
    assert files["live/audit.auto.tfvars"] == ""
    assert not [path for path, text in files.items() for key in (*KEYS, "vault_") if key in text]
    assert not [key for key in KEYS if key in output or key in two_accounts.git("show", "--stat", "--format=%B")]
    rotated = re.findall(r"live/[\w.]+:\d+ \((?:AKIA…MPLE, )?since commit \w+\)", output)
    assert [line.partition(" ")[0] for line in rotated] == [
        *("live/terraform.tfvars:2", "live/terraform.tfvars:3", "live/audit.auto.tfvars:3"),
        *("live/variables.tf:20", "live/variables.tf:24"),
    ]
    assert "dns_profile: credentials came from here. Another place still uses this value" in output
    again = migrate(two_accounts, "--branch", "again")
    assert "nothing to migrate" in again


def test_every_provider_of_two_accounts_has_its_role_and_the_state_is_reached(
    terraform: Terraform, two_accounts: Repo, tmp_path: Path, token: Path, moto: str, bucket: str
) -> None:
    migrate(two_accounts, "--token-file", str(token))
    hook = hooks_of(terraform, two_accounts, "platform", tmp_path / "evaluated")[0]
    for file in two_accounts.root.rglob("*.tf"):
        file.write_text(without_plugins(file.read_text()))
    given = {"aws_role_arn": "vaulted", "aws_role_arn_platform": "peer", "aws_role_arn_dns": "dns"}
    roles = {f"TF_VAR_{name}": f"arn:aws:iam::123456789012:role/{role}" for name, role in given.items()}
    script = f"{{ {hook}; }} && terraform init -input=false >&2 && terraform validate >&2 && "
    script += "terraform apply -auto-approve -input=false >&2 && terraform show -json"
    done = shell("bash", script, two_accounts.root / "live", environment(moto, **roles))
    assert done.returncode == 0, done.stderr
    network = "module.platform.module.network"
    assert roles_of(json.loads(done.stdout)["values"]["root_module"]) == {
        "default": "arn:aws:iam::123456789012:role/spacelift",
        "audit": "arn:aws:iam::111122223333:role/spacelift-audit",
        "prod": "arn:aws:iam::111122223333:role/spacelift",
        "vaulted": "arn:aws:iam::123456789012:role/vaulted",
        f"{network}.peer": "arn:aws:iam::123456789012:role/peer",
        f"{network}.module.dns.dns": "arn:aws:iam::123456789012:role/dns",
        f"{network}.module.dns.zone": "webshop.example",
    }
