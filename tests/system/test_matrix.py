"""Every strategy, syntax and kind of stack: after the migration a run signs in with its OIDC token alone."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import hcl2
import pytest
import yaml
from click.testing import CliRunner

from migrator.cli.main import cli
from tests.cdktf.test_cdktf import needs_cdktf
from tests.conftest import FIXTURES, MakeRepo, Repo, Terraform, needed
from tests.evaluated import evaluated_hooks
from tests.system.test_end_to_end import INIT_AND_APPLY, KEYS, STATE_ROLE, bucket, environment, migrate, shell, token

__all__ = ["bucket", "token"]

STRATEGIES = ("hook", "native", "env")
SYNTAXES = ("hcl", "json")
DEFINITIONS = ("stack", "context", "runtime-config", "cdktf")
VARIABLE = "spacelift_environment_variable"

BACKEND = {
    "bucket": "webshop-terraform-state",
    "key": "app.tfstate",
    "region": "eu-west-1",
    "access_key": KEYS[0],
    "secret_key": KEYS[1],
    "role_arn": STATE_ROLE,
    "session_name": "app",
}
STACK = {
    "name": "app",
    "repository": "webshop",
    "branch": "main",
    "project_root": "app",
    "manage_state": False,
    "before_init": ["echo prepared"],
}
CONFIG = 'version: "2"\nstacks:\n  app:\n    before_init:\n      - echo prepared\n'
PROGRAM = """from cdktf import App, TerraformStack

from imports.spacelift.stack import Stack


class Admin(TerraformStack):
    def __init__(self, scope, name):
        super().__init__(scope, name)
        Stack(
            self,
            "app",
            name="app",
            repository="webshop",
            branch="main",
            project_root="app",
            before_init=["echo prepared"],
        )


app = App()
Admin(app, "admin")
app.synth()
"""


def block(header: str, arguments: dict[str, Any]) -> str:
    lines = [f"  {name} = {json.dumps(value)}\n" for name, value in arguments.items()]
    return f"{header} {{\n{''.join(lines)}}}\n"


def files(syntax: str, definition: str) -> dict[str, str | bytes]:
    """A repository with a root module ``app`` and the definition of its stack."""
    output = 'output "release" {\n  value = "2024.1"\n}\n'
    if syntax == "hcl":
        backend = block('backend "s3"', BACKEND)
        made = {"app/main.tf": f"terraform {{\n{backend}}}\n"}
        stack = {"admin/stacks.tf": block('resource "spacelift_stack" "app"', STACK)}
    else:
        made = {"app/main.tf.json": json.dumps({"terraform": {"backend": {"s3": BACKEND}}}, indent=2)}
        stack = {"admin/stacks.tf.json": json.dumps({"resource": {"spacelift_stack": {"app": STACK}}}, indent=2)}
    if definition == "cdktf":
        stack = {"admin/main.py": PROGRAM}
    if definition == "runtime-config":
        stack[".spacelift/config.yml"] = CONFIG
    return {**made, **stack, "app/outputs.tf": output}


@dataclass
class Run:
    """What Spacelift gives to a run: hooks before init, in their order, and environment variables."""

    hooks: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)


def run_of(repo: Repo, definition: str, terraform: Terraform, scratch: Path) -> Run:
    """The run as it is defined now: contexts come before stacks, the runtime configuration replaces a stack's lists."""
    if definition == "cdktf":
        stack = synthesised(repo.root / "admin")
        return Run(terraform_strings(terraform, stack["before_init"]))
    hooks = evaluated_hooks(terraform, repo.root / "admin", scratch)
    contexts = [one for name, found in hooks.items() if "context" in name for one in found or ()]
    own = [one for name, found in hooks.items() if "context" not in name for one in found or ()]
    run = Run([*contexts, *own], dict(variables(repo.root / "admin")))
    if definition == "runtime-config":
        entry = yaml.safe_load((repo.root / ".spacelift/config.yml").read_text())["stacks"]["app"]
        run.hooks = entry.get("before_init", run.hooks)
        run.variables |= entry.get("environment", {})
    return run


def terraform_strings(terraform: Terraform, texts: list[str]) -> list[str]:
    """Strings of Terraform's JSON, which are templates, as terraform reads them."""
    return [terraform.evaluate_text(json.dumps(text)) for text in texts]


def variables(folder: Path) -> list[tuple[str, str]]:
    """The environment variables that the resources of a module set."""
    found: list[dict[str, Any]] = []
    for file in folder.glob("*.tf"):
        resources = hcl2.loads(file.read_text()).get("resource", [])
        found += [
            body
            for resource in resources
            for kind, named in resource.items()
            if VARIABLE in kind
            for body in named.values()
        ]
    for file in folder.glob("*.tf.json"):
        found += json.loads(file.read_text()).get("resource", {}).get(VARIABLE, {}).values()
    return [(setting["name"].strip('"'), setting["value"].strip('"')) for setting in found]


def synthesised(folder: Path) -> dict[str, Any]:
    """The stack that a CDKTF program makes, by the real cdktf."""
    needs_cdktf()
    shutil.copytree(FIXTURES / "repos/cdktf-app/imports", folder / "imports", dirs_exist_ok=True)
    done = subprocess.run([sys.executable, "main.py"], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    made = json.loads((folder / "cdktf.out/stacks/admin/cdk.tf.json").read_text())
    (stack,) = made["resource"]["spacelift_stack"].values()
    return dict(stack)


def record(moto: str, what: str) -> bytes:
    method = "GET" if what == "download-recording" else "POST"
    with urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/recorder/{what}", method=method)) as answer:
        return bytes(answer.read())


def calls(moto: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in record(moto, "download-recording").decode().splitlines() if line.strip()]


def exchanged(call: dict[str, Any]) -> str:
    """The role for which a token is exchanged in a call; ``""`` if it is another one."""
    body = base64.b64decode(call["body"]).decode() if call["body_encoded"] else call["body"] or ""
    asked = parse_qs(body)
    return asked["RoleArn"][0] if asked.get("Action") == ["AssumeRoleWithWebIdentity"] else ""


def require_refused(repo: Repo, *options: str) -> None:
    """A program would have to make the variables, which is not done: all stays as it is, and it is said why."""
    done = CliRunner().invoke(cli, [str(repo.root), *options])
    assert done.exit_code == 4
    assert "AWS_ROLE_ARN: The stack is not defined in Terraform" in done.output
    assert repo.branch() == "main"
    assert repo.status() == ""


@pytest.mark.parametrize("definition", DEFINITIONS)
@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_run_signs_in_with_its_token_alone(
    strategy: str,
    syntax: str,
    definition: str,
    make_repo: MakeRepo,
    terraform: Terraform,
    token: Path,
    moto: str,
    bucket: str,
    tmp_path: Path,
) -> None:
    needed("aws")
    repo = make_repo(files(syntax, definition), name="webshop")
    place = definition if definition in ("context", "runtime-config") else "stack"
    options = ("--token-file", str(token), "--backend-auth", strategy, "--hook-in", place)
    if (strategy, definition) == ("env", "cdktf"):
        require_refused(repo, *options)
        return
    migrate(repo, *options)
    held = [file.read_bytes() for folder in ("app", "admin") for file in (repo.root / folder).rglob("*.*")]
    assert not any(key.encode() in text for key in KEYS for text in held)

    run = run_of(repo, definition, terraform, tmp_path / "evaluated")
    assert run.hooks[-1] == "echo prepared"
    script = " && ".join(f"{{ {hook}; }}" for hook in run.hooks) + f" && {INIT_AND_APPLY}"
    record(moto, "reset-recording")
    record(moto, "start-recording")
    given = environment(moto, AWS_ENDPOINT_URL_STS=moto, **run.variables)
    done = shell("dash" if syntax == "json" else "bash", script, repo.root / "app", given)
    record(moto, "stop-recording")
    assert done.returncode == 0, done.stdout + done.stderr

    made = calls(moto)
    roles = [role for call in made if (role := exchanged(call))]
    state = [call for call in made if f"/{bucket}" in call["url"] or bucket in call["headers"].get("Host", "")]
    assert set(roles) == {STATE_ROLE}
    assert state
    assert made.index(state[0]) > next(number for number, call in enumerate(made) if exchanged(call))
    signers = {call["headers"].get("Authorization", "").partition("Credential=")[2].partition("/")[0] for call in state}
    assert signers
    assert all(signer.startswith("ASIA") for signer in signers)
    assert not signers & set(KEYS)
