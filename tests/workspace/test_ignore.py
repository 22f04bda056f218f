"""``# tf-oidc-migrate:ignore`` on any block or line: it keeps its bytes, and what needs it stays sound."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from migrator.config.config import BackendAuth, Config
from migrator.migrate.planning import Planning
from migrator.model.findings import Ignored, Refusal
from migrator.model.results import Mode, Plan
from migrator.workspace.diagnostics import IGNORED_BY_COMMENT
from tests.invariants import workspace_of

IGNORE = "# tf-oidc-migrate:ignore"
ROLE = "arn:aws:iam::123456789012:role/deploy"
CONFIG = Config(mode=Mode.PREVIEW)
CONFIGS = (
    CONFIG,
    replace(CONFIG, role_arn=ROLE),
    replace(CONFIG, portable=True),
    replace(CONFIG, backend_role_arn=ROLE, backend_auth=BackendAuth.NATIVE),
)
ROOT = (
    'terraform {\n  required_providers {\n    aws = {\n      source  = "hashicorp/aws"\n      version = "~> 3.0"\n'
    '    }\n  }\n  backend "s3" {\n    bucket  = "state"\n    profile = "state"\n  }\n}\n',
    'variable "access_key" {}\n',
    'variable "secret_key" {\n  type = string\n}\n',
    'variable "inner_key" {}\n',
    "locals {\n  key    = var.inner_key\n  secret = var.secret_key\n}\n",
    'provider "aws" {\n  region     = "eu-west-1"\n  access_key = var.access_key\n  secret_key = var.secret_key\n}\n',
    'provider "aws" {\n  alias      = "dns"\n  access_key = data.aws_ssm_parameter.dns.value\n'
    "  secret_key = local.secret\n}\n",
    'data "aws_ssm_parameter" "dns" {\n  name = "dns"\n}\n',
    'module "x" {\n  source     = "./x"\n  access_key = local.key\n  secret_key = local.secret\n}\n',
    'module "y" {\n  source = "./x"\n  access_key = local.key\n  secret_key = local.secret\n}\n',
    'output "secret" {\n  value = module.x.secret\n}\n',
    'resource "null_resource" "x" {\n  triggers = { key = var.inner_key }\n}\n',
)
INNER = (
    'variable "access_key" {}\n',
    'variable "secret_key" {}\n',
    'output "secret" {\n  value = var.secret_key\n}\n',
    "locals {\n  own = var.access_key\n}\n",
    'provider "aws" {\n  access_key = local.own\n  secret_key = var.secret_key\n}\n',
)
VALUES = ('access_key = "AKIAIOSFODNN7EXAMPLE"\n', 'secret_key = "x"\n', 'inner_key = "y"\n')


def _with_comment(block: str, line: int) -> str:
    """``block`` with a comment at the end of one of its lines, or above it."""
    lines = block.splitlines()
    if line >= len(lines):
        return f"{IGNORE}\n{block}"
    lines[line] += f" {IGNORE}"
    return "\n".join(lines) + "\n"


@st.composite
def repositories(draw: st.DrawFn) -> tuple[dict[str, bytes], str, str]:
    """The files of a repository, in one of which a comment is on a block: that file, and the block's text."""
    parts = {"main.tf": list(ROOT), "x/main.tf": list(INNER), "terraform.tfvars": list(VALUES)}
    if draw(st.booleans()):
        parts["main.tf"] = [text for text in ROOT if "module.x" not in text and 'resource "' not in text]
    parts["main.tf"] = draw(st.permutations(parts["main.tf"]))
    path = draw(st.sampled_from(sorted(parts)))
    number = draw(st.integers(0, len(parts[path]) - 1))
    header = draw(st.sampled_from([0, 99]))
    parts[path][number] = _with_comment(parts[path][number], header)
    blocks = parts[path][number]
    gap = draw(st.sampled_from(["", "\n"]))
    return {name: gap.join(found).encode() for name, found in parts.items()}, path, blocks


def _blocks(text: str, type_: str) -> dict[str, str]:
    found = re.findall(rf'(?ms)^{type_}(?: "\w+")*?(?: "(\w+)")? \{{(.*?)(?:^\}}|\}}$)', text)
    return dict(found)


def _judge(files: dict[str, str]) -> None:
    """What ``terraform validate`` would say of the outcome, and more: a value that no variable takes is an error."""
    declared = {}
    for path in ("main.tf", "x/main.tf"):
        text = re.sub(r" *#.*", "", files.get(path, "") + files.get(path.replace("main", "variables"), ""))
        variables = _blocks(text, "variable")
        declared[path] = variables
        for name in re.findall(r"\bvar\.(\w+)", text):
            assert name in variables, f"{path}: var.{name} is not declared\n{text}"
        held = " ".join(_blocks(text, "locals").values())
        for name in re.findall(r"\blocal\.(\w+)", text):
            assert re.search(rf"\b{name}\s*=", held), f"{path}: local.{name} is not declared\n{text}"
        for type_, name in re.findall(r"\bdata\.(\w+)\.(\w+)", text):
            assert f'data "{type_}" "{name}"' in text
        for name in re.findall(r"\bmodule\.x\.(\w+)", text):
            assert name in _blocks(files["x/main.tf"], "output"), f"{path}: module.x.{name} is not declared\n{text}"
    for call, body in _blocks(files["main.tf"], "module").items():
        passed = set(re.findall(r"(?m)^\s*(\w+)\s*=", body)) - {"source"}
        needed = {name for name, inside in declared["x/main.tf"].items() if "default" not in inside}
        assert passed <= declared["x/main.tf"].keys(), f"module.{call} is given what it does not take"
        assert needed <= passed, f"module.{call} lacks {needed - passed}"
    for name in re.findall(r"(?m)^(\w+)\s*=", files["terraform.tfvars"]):
        assert name in declared["main.tf"], f"{name} has a value and is not declared"


@settings(max_examples=75)
@given(repositories(), st.sampled_from(CONFIGS))
def test_an_ignored_block_keeps_its_bytes_and_the_rest_is_sound(
    repository: tuple[dict[str, bytes], str, str], config: Config
) -> None:
    files, path, block = repository
    plan = Planning(workspace_of(files), config).plan()
    outcome = {name: data.decode() for name, data in files.items()}
    outcome |= {change.path: change.after.decode() for change in plan.changes}
    assert block in outcome[path]
    _judge(outcome)


def plan_of(files: dict[str, str], config: Config = CONFIG) -> Plan:
    return Planning(workspace_of({path: text.encode() for path, text in files.items()}), config).plan()


def fates(plan: Plan, kind: type) -> list[str]:
    return [f"{finding.place}: {finding.fate}" for finding in plan.findings if isinstance(finding.fix, kind)]


KEYS = 'provider "aws" {\n  access_key = var.access_key\n  secret_key = var.secret_key\n}\n'
VARIABLES = 'variable "access_key" {}\nvariable "secret_key" {}\n'
CALL = 'module "x" {\n  source     = "./x"\n  access_key = "x"\n  secret_key = "y"\n}\n'


@pytest.mark.parametrize(
    "call",
    [
        f"{IGNORE}\n{CALL}",
        f"// tf-oidc-migrate:ignore\n{CALL}",
        f"/* tf-oidc-migrate:ignore */\n{CALL}",
        f"# why\n{IGNORE}: and why not\n{CALL}",
        CALL.replace("{\n", f"{{ {IGNORE}\n", 1),
        CALL.replace("\n}\n", f"\n}} {IGNORE}\n"),
        f"{IGNORE}\n{CALL}".replace("\n", "\r\n"),
    ],
)
def test_a_call_that_is_to_be_left_alone_keeps_the_module_that_it_calls(call: str) -> None:
    plan = plan_of({"main.tf": call, "x/main.tf": VARIABLES + KEYS})
    assert plan.changes == ()
    assert len(fates(plan, Refusal)) == 1
    assert "main.tf:" in fates(plan, Refusal)[0]
    assert "comment covers" in fates(plan, Refusal)[0]


def test_a_call_in_json_that_is_to_be_left_alone_keeps_the_module_that_it_calls() -> None:
    call = {"//": IGNORE, "source": "./x", "access_key": "x", "secret_key": "y"}
    files = {"main.tf.json": json.dumps({"module": {"x": call}}), "x/main.tf": VARIABLES + KEYS}
    assert plan_of(files).changes == ()
    plan = plan_of(files, replace(CONFIG, role_arn=ROLE))
    assert [change.path for change in plan.changes] == ["x/main.tf"]
    assert VARIABLES in plan.changes[0].after.decode()


@pytest.mark.parametrize(
    "terraform",
    [
        f'{IGNORE}\nterraform {{\n  backend "s3" {{\n    profile = "x"\n  }}\n}}\n',
        f'terraform {{ {IGNORE}\n  backend "s3" {{\n    profile = "x"\n  }}\n}}\n',
        f'terraform {{\n  {IGNORE}\n  backend "s3" {{\n    profile = "x"\n  }}\n}}\n',
    ],
)
def test_a_backend_in_settings_that_are_to_be_left_alone_stays(terraform: str) -> None:
    files = {"main.tf": terraform, "backend.hcl": 'profile = "x"\n'}
    plan = plan_of(files)
    assert plan.changes == ()
    assert len(fates(plan, Ignored)) == 2


@pytest.mark.parametrize(
    "settings_",
    [
        f'{IGNORE}\nterraform {{\n  required_providers {{\n    aws = "~> 3.0"\n  }}\n}}\n',
        f'terraform {{\n  {IGNORE}\n  required_providers {{\n    aws = "~> 3.0"\n  }}\n}}\n',
        f'terraform {{\n  required_providers {{\n    aws = "~> 3.0" {IGNORE}\n  }}\n}}\n',
        f'terraform {{\n  required_providers {{\n    aws = {{\n      version = "~> 3.0" {IGNORE}\n    }}\n  }}\n}}\n',
    ],
)
def test_a_constraint_that_is_to_be_left_alone_is_not_raised(settings_: str) -> None:
    plan = plan_of({"main.tf": settings_ + 'provider "aws" {\n  profile = "x"\n}\n'})
    assert plan.changes == ()
    assert len(fates(plan, Refusal)) == 1


def test_a_line_of_values_that_is_to_be_left_alone_keeps_its_variable() -> None:
    values = f'access_key = "x" {IGNORE}\nsecret_key = "y"\n'
    plan = plan_of({"main.tf": VARIABLES + KEYS, "terraform.tfvars": values})
    after = {change.path: change.after.decode() for change in plan.changes}
    assert 'variable "access_key"' in after["main.tf"]
    assert 'variable "secret_key"' not in after["main.tf"]
    assert after["terraform.tfvars"] == f'access_key = "x" {IGNORE}\n'


ENTRIES = "    AWS_ACCESS_KEY_ID: x\n    AWS_SECRET_ACCESS_KEY: y\n"
BACKEND = 'terraform {\n  backend "s3" {\n    role_arn = "arn:aws:iam::123456789012:role/state"\n  }\n}\n'
STACK = 'resource "spacelift_stack" "app" {\n  name       = "app"\n  repository = "webshop"\n  branch     = "main"\n}\n'


@pytest.mark.parametrize(
    ("entries", "left"),
    [
        (ENTRIES.replace("x\n", f"x {IGNORE}\n"), f"    AWS_ACCESS_KEY_ID: x {IGNORE}\n"),
        (f"    {IGNORE}\n{ENTRIES}", f"    {IGNORE}\n    AWS_ACCESS_KEY_ID: x\n"),
    ],
)
def test_an_entry_of_the_runtime_configuration_that_is_to_be_left_alone(entries: str, left: str) -> None:
    runtime = 'version: "1"\nstack_defaults:\n  terraform_version: "1.5.7"\n  environment:\n'
    plan = plan_of({"main.tf": BACKEND, "stack.tf": STACK, ".spacelift/config.yml": runtime + entries})
    after = {change.path: change.after.decode() for change in plan.changes}
    assert after[".spacelift/config.yml"] == runtime + left


@pytest.mark.parametrize("key", ["environment", "stack_defaults"])
def test_what_is_nested_in_an_entry_that_is_to_be_left_alone(key: str) -> None:
    runtime = f'version: "1"\nstack_defaults:\n  environment:\n{ENTRIES}'.replace(f"{key}:", f"{key}: {IGNORE}")
    plan = plan_of({"main.tf": BACKEND, "stack.tf": STACK, ".spacelift/config.yml": runtime})
    assert ".spacelift/config.yml" not in [change.path for change in plan.changes]
    assert f".spacelift/config.yml:4: {IGNORED_BY_COMMENT.ignored().reason}" in fates(plan, Ignored)


PROGRAM = """from constructs import Construct
from cdktf import App, S3Backend, TerraformStack
from cdktf_cdktf_provider_aws.provider import AwsProvider


class Shop(TerraformStack):{on_class}
    def __init__(self, scope: Construct, name: str):
        super().__init__(scope, name)
        AwsProvider(self, "aws", profile="shop"){on_call}


app = App()
Shop(app, "shop")
app.synth()
"""


@pytest.mark.parametrize("place", ["on_class", "on_call"])
def test_a_statement_of_a_program_that_is_to_be_left_alone(place: str) -> None:
    text = PROGRAM.format(**{"on_class": "", "on_call": "", place: f"  {IGNORE}"})
    assert plan_of({"main.py": PROGRAM.format(on_class="", on_call="")}).changes
    assert plan_of({"main.py": text}).changes == ()


@pytest.mark.parametrize(
    "text",
    [
        f'{IGNORE}\nremote_state {{\n  backend = "s3"\n  config = {{\n    profile = "x"\n  }}\n}}\n',
        f'remote_state {{ {IGNORE}\n  backend = "s3"\n  config = {{\n    profile = "x"\n  }}\n}}\n',
        f'remote_state {{\n  backend = "s3"\n  config = {{ {IGNORE}\n    profile = "x"\n  }}\n}}\n',
        f'{IGNORE}\nlocals {{\n  state = {{\n    profile = "x"\n  }}\n}}\n'
        'remote_state {\n  backend = "s3"\n  config = local.state\n}\n',
        f'terraform {{ {IGNORE}\n  extra_arguments "x" {{\n    commands = ["plan"]\n    env_vars = {{\n'
        '      AWS_PROFILE = "x"\n    }\n  }\n}\n',
        f'{IGNORE}\ngenerate "provider" {{\n  path      = "provider.tf"\n  if_exists = "overwrite"\n'
        '  contents  = <<EOF\nprovider "aws" {\n  profile = "x"\n}\nEOF\n}\n',
    ],
)
def test_what_terragrunt_reads_that_is_to_be_left_alone(text: str) -> None:
    assert plan_of({"terragrunt.hcl": text.replace(IGNORE, "#")}).changes or "AWS_PROFILE" in text
    assert plan_of({"terragrunt.hcl": text}).changes == ()
