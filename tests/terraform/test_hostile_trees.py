"""No two identities ever share a role: of trees drawn at random, of expressions, and of what a hostile review found."""

from __future__ import annotations

import json
import random
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from migrator.config.config import Auth, BackendAuth, Config, ProviderAuth, RoleIn
from migrator.config.role_mapping import flag_mapping
from migrator.migrate.pipeline import migrate_repo, open_workspace
from migrator.model.findings import Refusal
from migrator.model.results import Mode, RepoResult
from migrator.terraform.expressions import scopes
from migrator.terraform.expressions.terms import Term
from migrator.terraform.residues import Residues
from tests.conftest import Terraform
from tests.system.hostile_expressions import Drawn, evaluated, write
from tests.system.hostile_trees import apart, judged, tree
from tests.system.test_callers import migrated

ARN = "arn:aws:iam::123456789012:role/r"
TREES = 30


def _mapped(*origins: str) -> dict[str, Any]:
    """A role of its own for each origin."""
    return {"roles": tuple(flag_mapping(f"{origin}={ARN}{number or ''}") for number, origin in enumerate(origins))}


MODES: dict[str, dict[str, Any]] = {
    "default": {},
    "keep variables": {"keep_variables": True},
    "portable": {"portable": True},
    "include ambient": {"include_ambient": True},
    "role": {"role_arn": ARN},
    "role in a variable": {"role_arn": ARN, "role_in": RoleIn.VARIABLE},
    "integration": {"auth": Auth.CLOUD_INTEGRATION},
    "integration with a role": {"auth": Auth.CLOUD_INTEGRATION, "role_arn": ARN},
    "integration with aliases": {"auth": Auth.CLOUD_INTEGRATION, **_mapped("alias:second", "alias:third")},
    "environment": {"backend_auth": BackendAuth.ENV},
    "environment with a role": {"backend_auth": BackendAuth.ENV, "role_arn": ARN},
    "native": {"backend_auth": BackendAuth.NATIVE},
    "hook": {"backend_auth": BackendAuth.HOOK},
    "all by a hook": {"provider_auth": ProviderAuth.HOOK},
    "all by a hook with a role": {"provider_auth": ProviderAuth.HOOK, "backend_role_arn": ARN},
    "all by a hook of --role-arn": {
        "provider_auth": ProviderAuth.HOOK,
        "backend_auth": BackendAuth.HOOK,
        "role_arn": ARN,
    },
    "alias": _mapped("alias:second"),
    "alias in a variable": {"role_in": RoleIn.VARIABLE, **_mapped("alias:second")},
    "variable": _mapped("var:main_key"),
    "variables in variables": {"role_in": RoleIn.VARIABLE, **_mapped("var:key", "var:main_key")},
}


def _migrate(root: Path, files: dict[str, str], options: dict[str, Any]) -> RepoResult:
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return migrate_repo(str(root), Config(mode=Mode.IN_PLACE, **options))


def test_no_two_identities_of_a_tree_share_a_role(dice: random.Random, tmp_path: Path) -> None:
    for number in range(TREES):
        made, mode = tree(dice), dice.choice(list(MODES))
        root = tmp_path / str(number) / "repo"
        result = _migrate(root, made.files, MODES[mode])
        text = f"{mode}: {json.dumps(made.files, indent=1)}"
        assert not result.error, f"{result.error}: {text}"
        assert judged(root, made, is_mapped="roles" in MODES[mode]) == [], text
        again = migrate_repo(str(root), Config(mode=Mode.CHECK, **MODES[mode]))
        assert (again.changed, again.error) == ((), ""), text
        shutil.rmtree(root)


def test_no_two_identities_of_several_repositories_share_a_role(dice: random.Random, tmp_path: Path) -> None:
    changed = 0
    for number in range(TREES // 2):
        made, mode = tree(dice), dice.choice(list(MODES))
        files = apart(made, dice)
        after, _ = migrated(files, Config(mode=Mode.PREVIEW, **MODES[mode]))
        root = tmp_path / str(number)
        for path, data in after.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        assert judged(root, made, is_mapped="roles" in MODES[mode]) == [], f"{mode}: {files}"
        changed += any(after[path] != data for one in files.values() for path, data in one.items())
    assert changed


def test_what_is_alike_is_the_same_to_terraform(terraform: Terraform, dice: random.Random, tmp_path: Path) -> None:
    drawn = Drawn(dice)
    expressions = [drawn.expression(dice.randint(1, 3)) for _ in range(200)]
    write(tmp_path, expressions, [drawn.call() for _ in range(6)])
    values = evaluated(tmp_path, terraform)
    workspace = open_workspace(str(tmp_path), Config())
    residues, module = Residues(workspace), workspace.modules["m"]
    calls = sorted(workspace.calls["m"], key=lambda one: one.block.labels)
    seen: dict[Term, tuple[str, str]] = {}
    known = 0
    for number, expression in enumerate(expressions):
        made = residues.value(module, f"local.e{number}")
        for call, of_call in zip(calls, values, strict=True):
            value = of_call.get(f"e{number}", "an error")
            if value == "an error":
                continue
            there = residues.seen_from(call, module, (("key", made),))
            if not there:
                assert value == "null", expression
                continue
            said = str(json.loads(value))
            before = seen.setdefault(there[0][1], (said, expression))
            known += there[0][1].op == "literal"
            assert before[0] == said, f"{expression}\nand {before[1]} are {said} and {before[0]}"
    assert known > 50


def _provider(key: str, secret: str = '"x"', alias: str = "") -> str:
    named = f'  alias = "{alias}"\n' if alias else ""
    return f'provider "aws" {{\n{named}  region = "eu-west-1"\n  access_key = {key}\n  secret_key = {secret}\n}}\n'


def _shared(file: str) -> str:
    return f'provider "aws" {{\n  profile = "p"\n  shared_credentials_files = ["{file}"]\n}}\n'


def _two(first: str, second: str) -> dict[str, str]:
    return {"r0/main.tf": first, "r1/main.tf": second}


def _stack(number: int) -> str:
    return (
        f'resource "spacelift_stack" "s{number}" {{\n  name = "s{number}"\n  repository = "repo"\n  branch = "main"\n'
        f'  project_root = "r{number}"\n}}\n'
    )


BACKEND = 'terraform {\n  backend "s3" {\n    bucket = "b"\n    role_arn = "arn:aws:iam::123456789012:role/s"\n  }\n}\n'
STACKS = {"admin/main.tf": _stack(0) + _stack(1)}
IN_FILE = 'jsondecode(file("keys.json")).id'
BESIDE = 'jsondecode(file("${path.module}/keys.json")).id'
VARIABLE = 'variable "key" {\n  default = "#"\n}\n' + _provider("var.key")
OBJECT = "try({ id = var.creds.id }, { id = var.id }).id"
CALLS = 'module "a" {\n  source = #\n  key = "A"\n}\n\nmodule "b" {\n  source = #\n  key = "B"\n}\n'
CALLED = 'variable "key" {\n  type = string\n}\n\n' + _provider("var.key")

READS_BY_ROOT = {
    "a template that reads a file": 'templatefile("${path.module}/key.tftpl", {})',
    "a template that is a value": "templatestring(local.template, {})",
    "a file by the name of the root module": 'file("${path.module}/${basename(abspath(path.root))}.txt")',
    "a file that a file names": 'file("${path.module}/${file("key.txt")}.txt")',
    "files by the name of the root module": 'one(fileset("${path.module}/keys", "${basename(abspath(path.root))}*"))',
    "the way to the module": 'split("/", path.module)[1]',
}

UNIT = (
    'generate "p" {\n  path      = "p.tf"\n  if_exists = "overwrite"\n  contents  = <<EOF\n'
    'provider "aws" {\n  region  = "eu-west-1"\n  profile = "#"\n}\nEOF\n}\n'
)
PROGRAM = """from cdktf import App, TerraformStack
from cdktf_cdktf_provider_aws.provider import AwsProvider


class Prod(TerraformStack):
    def __init__(self, scope, id):
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="eu-west-1", profile="prod")


class Dev(TerraformStack):
    def __init__(self, scope, id):
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="eu-west-1", profile="dev")
"""

REFUSED: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "a file beside each root module": (_two(_provider(IN_FILE), _provider(IN_FILE)), {"role_arn": ARN}),
    "a file of each root module": (_two(_provider(BESIDE), _provider(BESIDE)), {"role_arn": ARN}),
    "a shared file beside each": (_two(_shared("./keys"), _shared("./keys")), {"role_arn": ARN}),
    "one profile of two shared files": (_two(_shared("~/a"), _shared("~/b")), _mapped("profile:p")),
    "one profile of two shared files by environment": (
        {
            "r0/main.tf": 'variable "x" {\n  type = string\n}\n\n' + _shared("/${var.x}"),
            **{f"r0/env/{name}.tfvars": f'x = "{name}"\n' for name in ("dev", "prod")},
        },
        _mapped("profile:p"),
    ),
    "one variable of two values": (
        _two(VARIABLE.replace("#", "A"), VARIABLE.replace("#", "B")),
        _mapped("var:key"),
    ),
    "one alias of two keys": (
        _two(_provider('"A"', alias="dns"), _provider('"B"', alias="dns")),
        _mapped("alias:dns"),
    ),
    "the environment of two stacks": (
        {**_two(BACKEND + _provider('"A"'), BACKEND + _provider('"B"')), **STACKS},
        {"backend_auth": BackendAuth.ENV, "role_arn": ARN},
    ),
    "the integration of two stacks": (
        {**_two(_provider('"A"'), _provider('"B"')), **STACKS},
        {"auth": Auth.CLOUD_INTEGRATION, "role_arn": ARN},
    ),
    "the hooks of two stacks": (
        {**_two(BACKEND + _provider('"A"'), BACKEND + _provider('"B"')), **STACKS},
        {"provider_auth": ProviderAuth.HOOK, "backend_auth": BackendAuth.HOOK, "backend_role_arn": ARN},
    ),
    "one module that two root modules call": (
        {
            "m/main.tf": CALLED,
            **_two(*(f'module "m" {{\n  source = "../m"\n  key = "{key}"\n}}\n' for key in ("A", "B"))),
        },
        {"role_arn": ARN},
    ),
    "one alias in a module that two root modules call": (
        {
            "m/main.tf": CALLED.replace('provider "aws" {', 'provider "aws" {\n  alias = "dns"'),
            **_two(*(f'module "m" {{\n  source = "../m"\n  key = "{key}"\n}}\n' for key in ("A", "B"))),
        },
        {"role_in": RoleIn.VARIABLE, **_mapped("alias:dns")},
    ),
    **{
        f"{name} in a module that two root modules call": (
            {
                "m/main.tf": _provider(expression),
                "m/key.tftpl": '${file("key.txt")}',
                **_two(*['module "m" {\n  source = "../m"\n}\n'] * 2),
                **{f"r{number}/key.txt": f"m{number}" for number in range(2)},
            },
            {"role_arn": ARN},
        )
        for name, expression in READS_BY_ROOT.items()
    },
    "two units of Terragrunt": (
        {"a/terragrunt.hcl": UNIT.replace("#", "prod"), "b/terragrunt.hcl": UNIT.replace("#", "dev")},
        {"role_arn": ARN},
    ),
    "two stacks of a program": ({"main.py": PROGRAM}, {"role_arn": ARN}),
    "one variable that is an object in each": (
        _two(*('variable "aws" {}\n' + _provider(f"var.aws.{name}.id") for name in ("prod", "dev"))),
        _mapped("var:aws"),
    ),
    "a key that a resource makes in each": (
        _two(*["# one\n" + _provider("aws_iam_access_key.k.id", "aws_iam_access_key.k.secret", alias="k")] * 2),
        _mapped("alias:k"),
    ),
    "a region of another partition": (
        {"r0/main.tf": _provider('"A"').replace("eu-west-1", "cn-north-1")},
        {"role_arn": ARN},
    ),
    "a region of another partition, by a variable": (
        {
            "r0/main.tf": 'variable "region" {\n  default = "cn-north-1"\n}\n'
            + _provider('"A"').replace('"eu-west-1"', "var.region")
        },
        {"role_arn": ARN},
    ),
    "a source that is an expression": (
        {"modules/m/main.tf": CALLED, "live/main.tofu": CALLS.replace("#", '"${local.base}/m"')},
        {},
    ),
    "a source that is an expression, and a role": (
        {"modules/m/main.tf": CALLED, "live/main.tofu": CALLS.replace("#", "local.source")},
        {"role_arn": ARN},
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_role_for_two_is_refused(tmp_path: Path, name: str) -> None:
    files, options = REFUSED[name]
    root = tmp_path / "repo"
    result = _migrate(root, files, options)
    assert not result.error
    refused = {finding.place.path for finding in result.findings if isinstance(finding.fix, Refusal)}
    assert refused >= {path for path, text in files.items() if re.search(r'provider "aws"|AwsProvider\(', text)}
    assert {path: (root / path).read_text() for path in files} == files


SAME: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "a file of a module that two call": (
        {
            "m/main.tf": _provider(BESIDE),
            **_two('module "m" {\n  source = "../m"\n}\n', 'module "m" {\n  source = "../m"\n}\n'),
        },
        {"role_arn": ARN},
    ),
    "a shared file of the user's": (_two(_shared("~/keys"), _shared("~/keys")), {"role_arn": ARN}),
    "a source that leads elsewhere": (
        {"r0/main.tf": _provider('"A"'), "live/main.tofu": 'module "v" {\n  source = "${var.base}/vpc"\n}\n'},
        {"role_arn": ARN},
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_one_identity_has_its_role(tmp_path: Path, name: str) -> None:
    files, options = SAME[name]
    result = _migrate(tmp_path / "repo", files, options)
    assert not result.error
    assert not [finding for finding in result.findings if isinstance(finding.fix, Refusal)]
    assert f'"{ARN}"' in "".join(path.read_text() for path in tmp_path.rglob("*.tf"))


LOOPS = "[for x in var.l : [for x in var.l : [for y in var.l : #][0]][0]][0]"


@pytest.mark.parametrize(
    "files",
    [
        {"m/main.tf": _provider(LOOPS.replace("#", "x")) + _provider(LOOPS.replace("#", "y"), alias="b")},
        {
            "m/main.tf": 'variable "creds" {}\nvariable "id" {}\n' + _provider(OBJECT),
            "r/main.tf": 'module "a" {\n  source = "../m"\n  creds = {}\n  id = "A"\n}\n\n'
            'module "b" {\n  source = "../m"\n  creds = {}\n  id = "B"\n}\n',
        },
        {"m/main.tf": _provider('provider::x::f("A")') + _provider('provider::x::f("B")', alias="b")},
    ],
    ids=["a loop that gives a name again", "an object that is tried", "a function of a provider"],
)
def test_two_identities_have_two_variables(tmp_path: Path, files: dict[str, str]) -> None:
    result = _migrate(tmp_path / "repo", files, {})
    assert not result.error
    assert "var.aws_role_arn_b" in "".join(path.read_text() for path in tmp_path.rglob("*.tf"))


def test_an_absolute_path_is_a_call_of_a_module(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    call = f'module "#" {{\n  source = "{root}/m"\n  key = "#"\n}}\n'
    files = {"m/main.tf": CALLED, "r/main.tf": call.replace("#", "a") + "\n" + call.replace("#", "b")}
    result = _migrate(root, files, {})
    assert not result.error
    assert "var.aws_role_arn_b" in (root / "r/main.tf").read_text()


@pytest.mark.parametrize("auth", [Auth.CLOUD_INTEGRATION, Auth.OIDC])
def test_a_backend_with_two_roles_is_refused_in_any_mode(tmp_path: Path, auth: Auth) -> None:
    twice = BACKEND.replace(
        "  }\n}", '    assume_role = {\n      role_arn = "arn:aws:iam::123456789012:role/s"\n    }\n  }\n}'
    )
    result = _migrate(tmp_path / "repo", {"r0/main.tf": twice, **STACKS}, {"auth": auth, "role_arn": ARN})
    assert not result.error
    assert "r0/main.tf" in {finding.place.path for finding in result.findings if isinstance(finding.fix, Refusal)}
    assert (tmp_path / "repo/r0/main.tf").read_text() == twice


def test_no_call_of_very_many_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scopes, "_SCOPES", 3)
    calls = "".join(f'module "c{number}" {{\n  source = "../m"\n  root = "r0"\n}}\n' for number in range(4))
    files = {"m/main.tf": _stack(0).replace('"r0"', "var.root"), "admin/main.tf": calls, "r0/main.tf": BACKEND}
    result = _migrate(tmp_path / "repo", files, {})
    assert result.error == "The module m is called in more than 3 ways, so nothing was changed."


def test_a_unit_does_not_get_what_its_module_signs_in_with(tmp_path: Path) -> None:
    """As on a second run, when the module's own provider has the role already."""
    signed = (
        f'provider "aws" {{\n  alias = "x"\n\n  assume_role_with_web_identity {{\n    role_arn = "{ARN}"\n  }}\n}}\n'
    )
    unit = 'terraform {\n  source = "../m"\n}\n\n' + UNIT.replace("#", "dev")
    result = _migrate(tmp_path / "repo", {"m/main.tf": signed, "live/terragrunt.hcl": unit}, {"role_arn": ARN})
    assert not result.error
    assert (tmp_path / "repo/live/terragrunt.hcl").read_text() == unit


@pytest.mark.parametrize("head", ['resource "spacelift_stack"', 'resource "spacelift_context"', "module", "data"])
def test_a_block_that_lacks_labels_is_no_internal_error(tmp_path: Path, head: str) -> None:
    made = f'{head} {{\n  name = "s"\n  repository = "repo"\n  branch = "main"\n  source = "./m"\n}}\n'
    files = {"admin/main.tf": made, "main.tf": BACKEND + _provider('"A"')}
    for name, options in MODES.items():
        assert _migrate(tmp_path / name / "repo", files, options).error == ""
