"""What terraform makes of every ``before_init`` that was written: the hook to the letter, then what was there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from migrator.config import Config
from migrator.model import Mode
from migrator.pipeline import migrate_repo
from migrator.syntax import hcl
from migrator.syntax.terraform import Block
from tests.conftest import FIXTURES, Terraform
from tests.test_end_to_end import HOOK, STATE_ROLE

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
        (folder / "greeting.tf").write_text('variable "greeting" {\n  default = "hello"\n}\n')
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
    ],
)
def test_the_hook_comes_first(terraform: Terraform, tmp_path: Path, case: str, file: str, role: str) -> None:
    shutil.copytree(CASES / case / "before", tmp_path / "webshop")
    options = {"backend_role_arn": STATE_ROLE} if case == "null" else {}
    old = evaluated(terraform, tmp_path / "old", tmp_path / "webshop" / file)
    assert migrate_repo(str(tmp_path / "webshop"), Config(mode=Mode.IN_PLACE, **options)).error == ""
    new = evaluated(terraform, tmp_path / "new", tmp_path / "webshop" / file)
    assert new == [HOOK.format(token=TOKEN, role=role), *(old or [])]
