"""One role that the user names is for one identity, be it of modules, units, programs, backends or other repositories.

Each repository is drawn with things that sign in, each in a folder of its own, so that what got the role can be seen
without knowing how it was given.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from migrator.cli.run import _results
from migrator.config.config import Auth, BackendAuth, Config, ProviderAuth
from migrator.config.role_mapping import flag_mapping
from migrator.model.findings import Refusal
from migrator.model.results import Mode, RepoResult

ARN = "arn:aws:iam::123456789012:role/r"
REPOSITORIES = 40
WHO = ("prod", "dev")
SEVERAL = "several"


@dataclass(frozen=True)
class Holder:
    """Something that signs in, in a folder of its own; ``who`` is whose its credentials are.

    It is None if nobody knows, and `SEVERAL` if the one place has the credentials of several.
    """

    files: dict[str, str]
    who: str | None
    kind: str = "provider"


def _provider(arguments: str) -> str:
    return f'provider "aws" {{\n  region = "eu-west-1"\n{arguments}}}\n'


def _variable(default: str = "") -> str:
    return f'variable "profile" {{\n  type = string\n{default}}}\n\n' + _provider("  profile = var.profile\n")


def _unit(who: str) -> str:
    return (
        'generate "p" {\n  path      = "p.tf"\n  if_exists = "overwrite"\n  contents  = <<EOF\n'
        + _provider(f'  profile = "{who}"\n')
        + "EOF\n}\n"
    )


NAMED_BY = {
    "a file of HCL": '${read_terragrunt_config(find_in_parent_folders("account.hcl")).locals.profile}',
    "a file of YAML": '${yamldecode(file(find_in_parent_folders("account.yaml"))).profile}',
    "the path": '${split("/", path_relative_to_include())[0]}',
    "the last folder": "${basename(dirname(get_terragrunt_dir()))}",
    "a table": '${lookup({ prod = "prod", dev = "dev" }, split("/", path_relative_to_include())[0], "ci")}',
    "a local": "${local.who}",
}


def _units(expression: str, *units: str) -> dict[str, str]:
    """Units that include one file, in which the ``expression`` says who each of them is."""
    files = {
        "root.hcl": 'locals {\n  path = path_relative_to_include()\n  who  = split("/", local.path)[0]\n}\n\n'
        + _unit(expression)
    }
    for who in units:
        files[f"{who}/app/terragrunt.hcl"] = 'include "root" {\n  path = find_in_parent_folders("root.hcl")\n}\n'
        files[f"{who}/app/main.tf"] = 'resource "aws_sqs_queue" "q" {}\n'
        files[f"{who}/account.hcl"] = f'locals {{\n  profile = "{who}"\n}}\n'
        files[f"{who}/account.yaml"] = f"profile: {who}\n"
    return files


def _one_unit(expression: str) -> Callable[[str], Holder]:
    return lambda who: Holder(_units(expression, who), who)


def _several_units(expression: str) -> Callable[[str], Holder]:
    return lambda _: Holder(_units(expression, *WHO), SEVERAL)


def _program(who: str) -> str:
    return (
        "from cdktf import App, TerraformStack\nfrom cdktf_cdktf_provider_aws.provider import AwsProvider\n\n\n"
        "class Shop(TerraformStack):\n    def __init__(self, scope, id):\n        super().__init__(scope, id)\n"
        f'        AwsProvider(self, "aws", region="eu-west-1", profile="{who}")\n'
    )


def _backend(arguments: str) -> str:
    return (
        'terraform {\n  required_version = ">= 1.10"\n\n  backend "s3" {\n    bucket = "state"\n    key    = "k"\n'
        f'    region = "eu-west-1"\n{arguments}  }}\n}}\n'
    )


KINDS: dict[str, Callable[[str], Holder]] = {
    "a profile": lambda who: Holder({"main.tf": _provider(f'  profile = "{who}"\n')}, who),
    "a file of OpenTofu": lambda who: Holder({"main.tofu": _provider(f'  profile = "{who}"\n')}, who),
    "a file of JSON": lambda who: Holder({"main.tf.json": json.dumps({"provider": {"aws": {"profile": who}}})}, who),
    "a default": lambda who: Holder({"main.tf": _variable(f'  default = "{who}"\n')}, who),
    "a file of values": lambda who: Holder(
        {"main.tf": _variable(), "terraform.tfvars": f'profile = "{who}"\n'},
        who,
    ),
    "a local": lambda who: Holder(
        {"main.tf": f'locals {{\n  who = "{who}"\n}}\n\n' + _provider('  profile = "${local.who}"\n')}, who
    ),
    "a variable without a value": lambda _: Holder({"main.tf": _variable()}, None),
    "the workspace": lambda _: Holder({"main.tf": _provider("  profile = terraform.workspace\n")}, None),
    "a module": lambda who: Holder(
        {"main.tf": f'module "m" {{\n  source  = "./m"\n  profile = "{who}"\n}}\n', "m/main.tf": _variable()}, who
    ),
    "a unit": lambda who: Holder({"terragrunt.hcl": _unit(who)}, who),
    "a unit that asks": lambda _: Holder({"terragrunt.hcl": _unit('${get_env("WHO")}')}, None),
    "a program": lambda who: Holder({"main.py": _program(who)}, who),
    "a program that asks": lambda _: Holder(
        {"main.py": "import os\n" + _program("x").replace('"x"', 'os.environ["WHO"]')}, None
    ),
    **{f"one unit named by {name}": _one_unit(text) for name, text in NAMED_BY.items()},
    **{f"units named by {name}": _several_units(text) for name, text in NAMED_BY.items()},
    "a backend": lambda who: Holder({"main.tf": _backend(f'    profile = "{who}"\n')}, who, "backend"),
    "a backend with a key": lambda who: Holder(
        {"main.tf": _backend(f'    access_key = "{who}"\n    secret_key = "x"\n')}, f"key {who}", "backend"
    ),
    "a backend and its file": lambda who: Holder(
        {"main.tf": _backend(""), "own.tfbackend": f'bucket  = "state"\nprofile = "{who}"\n'}, who, "backend"
    ),
}
MODES: dict[str, dict[str, Any]] = {
    "role": {"role_arn": ARN},
    "backend role": {"backend_role_arn": ARN},
    "both": {"role_arn": ARN, "backend_role_arn": ARN, "include_ambient": True},
    "native": {"role_arn": ARN, "backend_auth": BackendAuth.NATIVE},
    "hook": {"role_arn": ARN, "backend_auth": BackendAuth.HOOK},
    "all by a hook": {"role_arn": ARN, "backend_auth": BackendAuth.HOOK, "provider_auth": ProviderAuth.HOOK},
    "environment": {"role_arn": ARN, "backend_auth": BackendAuth.ENV},
    "integration": {"role_arn": ARN, "auth": Auth.CLOUD_INTEGRATION},
    "variable": {"roles": (flag_mapping(f"var:profile={ARN}"),)},
}


def _run(repos: list[Path], config: Config) -> list[RepoResult]:
    return list(_results({str(repo): [str(repo)] for repo in repos}, config))


def _stack(name: str, repo: str) -> str:
    return (
        f'resource "spacelift_stack" "{name}" {{\n  name         = "{name}"\n  repository   = "{repo}"\n'
        f'  branch       = "main"\n  project_root = "{name}"\n}}\n'
    )


def _write(root: Path, holders: dict[str, Holder]) -> None:
    files = {f"{name}/{path}": text for name, one in holders.items() for path, text in one.files.items()}
    files["admin/main.tf"] = "\n".join(_stack(name, root.name) for name in holders)
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def _having(root: Path, holders: dict[str, Holder]) -> list[Holder]:
    """The holders that the role reaches: in their own files, or through their stacks."""
    blocks = [block for block in re.split(r"(?m)^(?=resource )", (root / "admin/main.tf").read_text()) if block.strip()]
    integrations = {block.split('"')[3] for block in blocks if "spacelift_aws_integration" in block and ARN in block}
    found = []
    for name, holder in holders.items():
        own = "".join(file.read_text() for file in sorted((root / name).rglob("*")) if file.is_file())
        of_stack = [block for block in blocks if f'"{name}"' in block or f"spacelift_stack.{name}." in block]
        attached = any(
            f"spacelift_aws_integration.{integration}." in block for integration in integrations for block in of_stack
        )
        if ARN in own or attached or any(ARN in block for block in of_stack):
            found.append(holder)
    return found


def _draw(dice: random.Random, kinds: list[str]) -> dict[str, Holder]:
    return {f"r{number}": KINDS[dice.choice(kinds)](dice.choice(WHO)) for number in range(dice.randint(2, 4))}


@pytest.mark.system
def test_no_two_identities_of_a_run_share_a_role(dice: random.Random, tmp_path: Path) -> None:
    for number in range(REPOSITORIES):
        mode, kinds = dice.choice(list(MODES)), dice.sample(list(KINDS), 3)
        repos = {f"{number}/{name}": _draw(dice, kinds) for name in "ab"[: dice.choice([1, 1, 2])]}
        for name, holders in repos.items():
            _write(tmp_path / name, holders)
        config = Config(mode=Mode.IN_PLACE, **MODES[mode])
        results = _run([tmp_path / name for name in repos], config)
        assert [result.error for result in results] == [""] * len(repos)
        having = [holder for name, holders in repos.items() for holder in _having(tmp_path / name, holders)]
        for kind in ("provider", "backend"):
            who = [holder.who for holder in having if holder.kind == kind]
            if mode == "variable":  # the user said that what this variable is set to is one identity
                who = list(dict.fromkeys(who))
            text = f"{mode}: {json.dumps([tree.files for tree in having], indent=1)}"
            assert len(set(who)) <= 1, text
            assert None not in who or len(who) == 1, text
            assert SEVERAL not in who, text


@pytest.mark.system
@pytest.mark.parametrize("mode", ["role", "both", "native", "environment", "integration"])
def test_one_identity_has_its_role_wherever_it_is_held(mode: str, tmp_path: Path) -> None:
    names = ["a profile", "a file of OpenTofu", "a file of JSON", "a default", "a file of values", "a module"]
    names += [] if mode in ("environment", "integration") else ["a unit", "a program"]
    for repo in "ab":
        _write(tmp_path / repo, {f"r{number}": KINDS[name]("prod") for number, name in enumerate(names)})
    config = Config(mode=Mode.IN_PLACE, **MODES[mode])
    results = _run([tmp_path / repo for repo in "ab"], config)
    found = [finding for result in results for finding in result.findings]
    assert [finding for finding in found if isinstance(finding.fix, Refusal)] == []
    assert len(found) >= 2 * len(names)


@pytest.mark.system
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["role", "both", "native", "hook"])
def test_another_identity_beside_it_is_refused(kind: str, mode: str, tmp_path: Path) -> None:
    """Both are refused, and each says where the other stands."""
    is_backend = KINDS[kind]("dev").kind == "backend"
    holders = {"r0": KINDS["a backend" if is_backend else "a profile"]("prod"), "r1": KINDS[kind]("dev")}
    _write(tmp_path / "a", holders)
    (result,) = _run([tmp_path / "a"], Config(mode=Mode.IN_PLACE, **MODES[mode]))
    refused = {
        finding.place.path.partition("/")[0]: finding.fix
        for finding in result.findings
        if isinstance(finding.fix, Refusal)
    }
    assert _having(tmp_path / "a", holders) == []
    assert refused.keys() >= {"r0", "r1"}
    if holders["r1"].who in (None, SEVERAL):
        return
    reasons = " ".join(finding.fix.reason for finding in result.findings if isinstance(finding.fix, Refusal))
    assert "r0/" in reasons
    assert "r1/" in reasons


@pytest.mark.system
@pytest.mark.parametrize("mode", ["both", "hook"])
def test_a_backend_without_credentials_and_one_with_a_profile_share_no_role(mode: str, tmp_path: Path) -> None:
    """Neither gets the role, so that a second run finds the same."""
    for folder, arguments in (("r0", '    profile = "prod"\n'), ("r1", "")):
        (tmp_path / "a" / folder).mkdir(parents=True)
        (tmp_path / "a" / folder / "main.tf").write_text(_backend(arguments))
    config = Config(mode=Mode.IN_PLACE, **{**MODES[mode], "include_ambient": True, "backend_role_arn": ARN})
    (result,) = _run([tmp_path / "a"], config)
    assert {finding.place.path for finding in result.findings if isinstance(finding.fix, Refusal)} == {
        "r0/main.tf",
        "r1/main.tf",
    }
    assert result.changed == ()


CONSTRUCT = """from constructs import Construct
from cdktf_cdktf_provider_aws.provider import AwsProvider

from # import PROFILE


class Net(Construct):
    def __init__(self, scope, id):
        super().__init__(scope, id)
        AwsProvider(self, "aws", region="eu-west-1", profile=PROFILE)
"""


@pytest.mark.system
@pytest.mark.parametrize(("other", "variables"), [("prod", 1), ("dev", 2)])
def test_a_constant_is_that_of_the_file_it_comes_from(other: str, variables: int, tmp_path: Path) -> None:
    for name, source in (("a.py", "prod"), ("b.py", other)):
        (tmp_path / name).write_text(CONSTRUCT.replace("#", source))
    (result,) = _run([tmp_path], Config(mode=Mode.IN_PLACE))
    assert not result.error
    texts = [file.read_text() for file in sorted(tmp_path.glob("*.py"))]
    assert len({name for text in texts for name in re.findall(r"[\"'](aws_role_arn\w*)[\"']", text)}) == variables
