"""What terraform makes of every ``before_init`` that was written: the hook to the letter, then what was there."""

from __future__ import annotations

import json
import os
import shutil
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from migrator.config.config import Config
from migrator.migrate.pipeline import migrate_repo
from migrator.model.partitions import region_to_name
from migrator.model.results import Mode
from migrator.spacelift.hooks.command import hook
from migrator.syntax.hcl import parse as hcl
from migrator.syntax.terraform import Block
from tests.conftest import FIXTURES, Terraform
from tests.evaluated import evaluated_hooks
from tests.system.test_end_to_end import GUARD, HOOK, STATE_ROLE, shell

CASES = FIXTURES / "rules" / "spacelift-hook-hcl"
TOKEN = "/mnt/workspace/spacelift.oidc"
SHELL_ROLE = "$TF_VAR_aws_role_arn"


def expression(file: Path) -> str:
    """``before_init`` of the first stack in an HCL file; ``null`` where there is none."""
    text = file.read_text()
    for item in hcl.parse(text):
        if isinstance(item, Block) and item.labels[:1] == ("spacelift_stack",):
            hooks = item.attribute("before_init")
            return hooks.value.of(text) if hooks else "null"
    raise AssertionError(f"no stack in {file}")


def evaluated(terraform: Terraform, folder: Path, file: Path) -> list[str] | None:
    folder.mkdir()
    (folder / "variables.tf").write_text('variable "setup" {\n  default = "set up"\n}\n')
    if file.name.endswith(".json"):
        stack = stack_in(json.loads(file.read_text()))
        (folder / "main.tf.json").write_text(json.dumps({"locals": {"hooks": stack.get("before_init")}}))
        (folder / "greeting.tf").write_text(
            'variable "greeting" {\n  default = "hello"\n}\nvariable "a" {\n  default = ["a"]\n}\n'
        )
    else:
        (folder / "main.tf").write_text(f"locals {{\n  hooks = {expression(file)}\n}}\n")
    value: list[str] | None = json.loads(json.loads(terraform.evaluate(folder, "jsonencode(local.hooks)")))
    return value


def stack_in(document: Any) -> dict[str, Any]:
    """The one stack of a JSON file, whether its parents are objects or arrays of one."""
    for step in ("resource", "spacelift_stack", "this"):
        document = document[0][step] if isinstance(document, list) else document[step]
    stack: dict[str, Any] = document[0] if isinstance(document, list) else document
    return stack


VARIABLES = """\
variable "unset" {
  default = null
}
variable "list" {
  type    = list(string)
  default = ["a", "b"]
}
variable "none" {
  type    = list(string)
  default = null
}
variable "empty" {
  type    = list(string)
  default = []
}
variable "set" {
  type    = set(string)
  default = ["b", "a"]
}
variable "map" {
  default = { one = ["a"], two = [], three = null }
}
locals {
  tuple = ["a", 1]
  each  = { value = { hooks = ["a"], null = null } }
}
"""
FORMS = [
    "var.unset",
    "var.list",
    "var.none",
    "var.empty",
    "var.set",
    "local.tuple",
    "local.each.value.hooks",
    "local.each.value.null",
    'local.each.value["hooks"]',
    'concat(["a"], var.list)',
    "concat( var.list )",
    'concat(\n    ["a"], # first\n    var.list,\n  )',
    "concat( # why\n    var.list\n  )",
    "concat(var.list, var.list)[*]",
    "true ? [] : var.list",
    'false ? null : ["a"]',
    "true ? null : var.list",
    '[for one in var.list : "${one}]"]',
    "[ for one in var.set : one ]",
    "[for key, one in var.map : key if one != null]",
    "var.list[*]",
    'lookup(var.map, "one", [])',
    'lookup(var.map, "three", null)',
    'try(var.map.three, ["a"])',
    "try(var.map.four, null)",
    'toset(["a"])',
    "tolist(var.set)",
    'compact(["", "a"])',
    'split(",", "a,b")',
    "merge(var.map, {}).one",
    'jsondecode("[\\"a\\"]")',
    "flatten([var.list, [var.list]])",
    '"${concat(["a"], var.list)}"',
    '"${var.list}"',
    '"${ var.none }"',
    "(\n    var.list\n  )",
    '[ /* m\n */\n "a"]',
    '[ /* m\n */ "a",\n "b"]',
    '[ // m\n "a"]',
    "var.list # as before\n",
]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_list(terraform: Terraform, tmp_path: Path, form: str) -> None:
    """As the real terraform evaluates it before and after, converted to the list of strings that the provider takes."""
    stack = 'resource "spacelift_stack" "this" {{\n  repository  = "webshop"\n  before_init = {}\n}}\n'
    (tmp_path / "webshop").mkdir()
    (tmp_path / "webshop" / "backend.tf").write_text('terraform {\n  backend "s3" {\n    profile = "x"\n  }\n}\n')
    file = tmp_path / "webshop" / "stack.tf"
    file.write_text(VARIABLES + stack.format(form))
    old = in_terraform(terraform, tmp_path / "old", form)
    assert migrate_repo(str(tmp_path / "webshop"), Config(mode=Mode.IN_PLACE)).is_whole
    new = evaluated_hooks(terraform, tmp_path / "webshop", tmp_path / "new")
    assert new == {"this": [HOOK.format(token=TOKEN, role=SHELL_ROLE), GUARD, *(old or [])]}
    assert migrate_repo(str(tmp_path / "webshop"), Config(mode=Mode.IN_PLACE)).changed == ()


def in_terraform(terraform: Terraform, folder: Path, form: str) -> list[str] | None:
    folder.mkdir()
    output = f'output "hooks" {{\n  value = tolist({form}\n)\n}}\n'
    (folder / "main.tf").write_text(VARIABLES + output)
    done = terraform.run("apply", "-auto-approve", "-no-color", cwd=folder)
    assert done.returncode == 0, done.stderr
    outputs = json.loads(terraform.run("output", "-json", cwd=folder).stdout)
    value: list[object] | None = outputs.get("hooks", {}).get("value")
    return None if value is None else [str(command) for command in value]


@pytest.mark.parametrize(
    ("case", "file", "role"),
    [
        ("absent", "stacks/main.tf", STATE_ROLE),
        ("null", "main.tf", STATE_ROLE),
        ("empty-list", "main.tf", SHELL_ROLE),
        ("one-line", "main.tf", SHELL_ROLE),
        ("many-lines", "main.tf", SHELL_ROLE),
        ("only-a-comment", "main.tf", SHELL_ROLE),
        ("first-on-the-line", "main.tf", SHELL_ROLE),
        ("json", "stack.tf.json", SHELL_ROLE),
        ("json-absent", "stack.tf.json", SHELL_ROLE),
        ("json-null", "stack.tf.json", SHELL_ROLE),
        ("json-other-forms", "stack.tf.json", SHELL_ROLE),
    ],
)
def test_the_hook_comes_first(terraform: Terraform, tmp_path: Path, case: str, file: str, role: str) -> None:
    shutil.copytree(CASES / case / "before", tmp_path / "webshop")
    options = {"backend_role_arn": STATE_ROLE} if case == "null" else {}
    old = evaluated(terraform, tmp_path / "old", tmp_path / "webshop" / file)
    assert migrate_repo(str(tmp_path / "webshop"), Config(mode=Mode.IN_PLACE, **options)).error == ""
    new = evaluated(terraform, tmp_path / "new", tmp_path / "webshop" / file)
    assert new == [HOOK.format(token=TOKEN, role=role), GUARD, *(old or [])]


@pytest.mark.parametrize(
    ("case", "name", "hooked"),
    [
        ("of-an-object", "before_init", {'each["live"]'}),
        ("by-key", "before_init", {'without["webshop"]', 'with["webshop"]', 'null["webshop"]'}),
        ("module-input", "before_init", {"module.live.this", "module.silent.this"}),
        ("local-of-stacks", "before_init", {"one", "two"}),
        ("local-of-others", "before_init", {"one"}),
        ("missing-and-null", "before_init", {'app["missing"]', 'app["null"]', 'app["some"]'}),
        ("values-of-variables", "before_init", {'app["real"]'}),
        ("optional-attributes", "before_init", {'app["silent"]', 'app["null"]'}),
        ("override-values", "before_init", {"app"}),
        ("loop-with-condition", "before_init", {'app["live"]', 'list["app"]'}),
        ("passed-on", "before_init", {'module.stacks["app"].module.stack.this'}),
        ("phases", "before_apply", {"one"}),
        ("phases", "before_destroy", {"one"}),
    ],
)
def test_a_stack_among_others_gets_the_hook_alone(
    terraform: Terraform, tmp_path: Path, case: str, name: str, hooked: set[str]
) -> None:
    before = evaluated_hooks(terraform, CASES / case / "before", tmp_path / "before", name)
    after = evaluated_hooks(terraform, CASES / case / "after", tmp_path / "after", name)
    entries = [HOOK.format(token=TOKEN, role="arn:aws:iam::123456789012:role/state"), GUARD]
    if case == "phases":
        entries = [entries[0].replace("_id} ", "_id} --duration-seconds 7200 ")]
    assert set(before) == set(after) >= hooked
    for stack, old in before.items():
        assert (after[stack] or []) == [*(entries if stack in hooked else []), *(old or [])], stack


@pytest.mark.system
@pytest.mark.parametrize("program", ["bash", "dash"])
def test_the_guard_stops_a_run_whose_exchange_was_denied(tmp_path: Path, program: str) -> None:
    """The hook alone goes on with three empty variables: https://docs.spacelift.io/concepts/stack/stack-settings."""
    denied = tmp_path / "bin" / "aws"
    denied.parent.mkdir()
    denied.write_text("#!/bin/sh\necho 'An error occurred (AccessDenied)' >&2\nexit 254\n")
    denied.chmod(0o755)
    env = {"PATH": f"{denied.parent}:{os.environ['PATH']}", "TF_VAR_aws_role_arn": STATE_ROLE}
    hook = HOOK.format(token=tmp_path / "spacelift.oidc", role=SHELL_ROLE)
    alone = shell(program, f"{{ {hook}; }} && echo initialised", tmp_path, env)
    assert alone.returncode == 0
    assert "initialised" in alone.stdout
    guarded = shell(program, f"{{ {hook}; }} && {{ {GUARD}; }} && echo initialised", tmp_path, env)
    assert guarded.returncode != 0
    assert "initialised" not in guarded.stdout


@pytest.mark.system
@pytest.mark.parametrize(
    ("role", "region", "host"),
    [
        ("arn:aws-us-gov:iam::111122223333:role/state", "us-gov-east-1", "sts.us-gov-east-1.amazonaws.com"),
        ("arn:aws-cn:iam::111122223333:role/state", "", "sts.cn-north-1.amazonaws.com.cn"),
        ("arn:aws-iso-b:iam::111122223333:role/state", "", "sts.us-isob-east-1.sc2s.sgov.gov"),
        ("arn:aws:iam::111122223333:role/state", "eu-west-1", "sts.amazonaws.com"),
    ],
)
def test_the_hook_asks_the_partition_of_its_role(tmp_path: Path, role: str, region: str, host: str) -> None:
    """What the aws CLI connects to, by way of a proxy that lets nothing through."""
    asked: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked.append(self.path)
            self.send_error(502)

        def log_message(self, *_: object) -> None:
            pass

    token = tmp_path / "spacelift.oidc"
    token.write_text("token")
    command = hook(role, Config(token_file=str(token)), region_to_name(role, region))
    with HTTPServer(("127.0.0.1", 0), Proxy) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        proxy = f"http://127.0.0.1:{server.server_port}"
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "HTTPS_PROXY": proxy, "AWS_MAX_ATTEMPTS": "1"}
        shell("bash", command, tmp_path, env)
        server.shutdown()
    assert set(asked) == {f"{host}:443"}
