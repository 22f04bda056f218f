"""Every provider signs in as the table of who signs says: the real terraform plans fixtures and trees drawn at random.

The provider is a stand-in that signs in to an emulated STS as hashicorp/aws documents it. What the table says of a
provider is put into the module as an expression, so that terraform itself works out which role a variable means there.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from migrator.config.config import BackendAuth, Config, ProviderAuth, RoleIn
from migrator.config.role_mapping import flag_mapping
from migrator.migrate.pipeline import migrate_repo
from migrator.model.results import Mode, RepoResult
from migrator.syntax.hcl import parse as hcl
from migrator.syntax.terraform import Block
from tests.conftest import FIXTURES, Terraform
from tests.system.hostile_trees import Tree, given_by_stacks, tree
from tests.verify.aws_provider import AwsProvider, serving

pytestmark = pytest.mark.system
TREES, SHARES = 64, 8
ACCOUNT = "123456789012"
ARN = f"arn:aws:iam::{ACCOUNT}:role/r"
VARIABLE = f"arn:aws:iam::{ACCOUNT}:role/aws_role_arn"
"""The value of ``var.aws_role_arn``, and so of the shell's variable that the hook names."""

CHAINED = f"arn:aws:iam::{ACCOUNT}:role/chained"
KEPT = frozenset({"variable", "locals", "module", "provider"})
PROFILES = ("platform", "prod", "dns", "corporate-dns", "webshop-state", "state")


@dataclass(frozen=True)
class Plans:
    """Terraform with the stand-in for the AWS provider."""

    terraform: Terraform
    provider: AwsProvider
    reattach: str
    folder: Path

    def run(self, root: Path, variables: dict[str, str]) -> list[dict[str, Any]]:
        """What the data sources of a plan tell, each with its address."""
        environment = {**os.environ, "TF_REATTACH_PROVIDERS": self.reattach, "TF_DATA_DIR": str(root / ".data")}
        environment |= {f"TF_VAR_{name}": value for name, value in variables.items()}
        for step in (["init"], ["plan", "-out=made.plan", "-lock=false"]):
            command = [self.terraform.path, step[0], "-input=false", "-no-color", *step[1:]]
            done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, f"{step[0]}: {done.stderr}"
        state = json.loads(zipfile.ZipFile(root / "made.plan").read("tfstate"))
        found = []
        for resource in state["resources"]:
            for instance in resource["instances"]:
                if resource["type"] == "aws_caller_identity":
                    where = f"{resource.get('module', '')} {resource['name']} {instance.get('index_key', '')}".strip()
                    found.append({**instance["attributes"], "address": where})
        return found


@pytest.fixture(scope="module")
def plans(terraform: Terraform, moto_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plans]:
    folder = tmp_path_factory.mktemp("providers")
    keys = "".join(f"[{name}]\naws_access_key_id = PROFILE-{name}\naws_secret_access_key = x\n" for name in PROFILES)
    (folder / "credentials").write_text(keys)
    (folder / "token").write_text("eyJhbGciOiJub25lIn0.eyJzdWIiOiJzcGFjZTpyb290In0.")
    with serving(moto_server) as (provider, reattach):
        yield Plans(terraform, provider, reattach, folder)


def reduced(text: str, rows: dict[str, str], module: str, root: str) -> tuple[str, list[tuple[str, str]]]:
    """A file without what needs other providers, and its AWS providers: alias, and what the table says of them."""
    pieces, providers = [], []
    for block in (item for item in hcl.parse(text) if isinstance(item, Block)):
        is_vault = block.type == "data" and block.labels[0].startswith("vault_")
        if block.type in KEPT or is_vault:
            pieces.append(block.span.of(text))
        if block.type == "provider" and block.labels == ("aws",):
            alias = block.attribute("alias")
            name = alias.value.of(text).strip('"') if alias else ""
            title = (
                f'provider "aws"{f" ({name})" if name else ""}{f" in {module or chr(46)}" if module != root else ""}'
            )
            providers.append((name, rows.get(title, "")))
    return "\n".join(pieces) + "\n", providers


def expression(said: str) -> str:
    """What the table says, as an expression of the module that the provider is in; ``null`` if it names no role."""
    parts = said.replace(", by the hook", "").split(", then ")
    if not parts[0].startswith(("web identity ", "profile ")):
        return "null"
    made = []
    for part in parts:
        kind, _, what = part.rpartition(" ")
        made.append(f"{kind} " + (what if not what.startswith(("var.", "local.")) else f"${{{what}}}"))
    return json.dumps(", then ".join(made)).replace("$TF_VAR_aws_role_arn", VARIABLE)


def folders_of(source: Path, root: str) -> set[str]:
    """The module at ``root``, and those that it calls, as paths."""
    found, queue = set(), [root]
    while queue:
        path = queue.pop()
        if path in found:
            continue
        found.add(path)
        for file in (source / path).glob("*.tf"):
            for called in re.findall(r'source\s*=\s*"(\.[^"]+)"', file.read_text()):
                queue.append(os.path.normpath(os.path.join(path, called)))
    return found


def prepared(plans: Plans, source: Path, target: Path, root: str, rows: dict[str, str], *, has_echo: bool) -> Path:
    """A copy of a root module and what it calls, with a data source for each provider that tells who signs."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(".git", ".data", "*.plan"), dirs_exist_ok=True)
    for path in folders_of(source, root):
        providers: list[tuple[str, str]] = []
        for file in sorted((target / path).glob("*.tf")):
            text, found = reduced(file.read_text(), rows, path, root)
            file.write_text(text.replace("/mnt/workspace/spacelift.oidc", str(plans.folder / "token")))
            providers += found
        echoes = ""
        for alias, said in providers:
            provider = f"aws.{alias}" if alias else "aws"
            echoes += f'data "aws_caller_identity" "of_{alias}" {{\n  provider = {provider}\n'
            echoes += f"  expected = {expression(said)}\n}}\n"
        if path == root and providers and has_echo:
            alias, said = providers[-1]
            echoes += f'module "echo" {{\n  source = "{os.path.relpath(target / "echo", target / root)}"\n'
            echoes += f'  for_each = toset(["a", "b"])\n  expected = {expression(said)}\n'
            echoes += f"  providers = {{ aws = {f'aws.{alias}' if alias else 'aws'} }}\n}}\n"
        (target / path / "zz_echo.tf").write_text(echoes)
    (target / root / "zz_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
    (target / "echo").mkdir(exist_ok=True)
    (target / "echo" / "main.tf").write_text(
        'terraform {\n  required_providers {\n    aws = {\n      source = "hashicorp/aws"\n    }\n  }\n}\n'
        'variable "expected" {\n  type = string\n}\n'
        'data "aws_caller_identity" "echo" {\n  expected = var.expected\n}\n'
    )
    return target / root


def compare(plans: Plans, source: Path, after: Path, result: RepoResult, variables: dict[str, str], tmp: Path) -> int:
    """Plan each root module of a repository before and after its migration; how many providers were compared."""
    admin = after / "admin" / "main.tf"
    given = given_by_stacks(admin.read_text()) if admin.is_file() else {}
    plans.provider.environment = {"AWS_SHARED_CREDENTIALS_FILE": str(plans.folder / "credentials")}
    roots = {row.root for row in result.signers if row.who.startswith("provider")} & roots_below(source)
    count = 0
    for number, name in enumerate(sorted(roots)):
        root = "" if name == "." else name
        before_rows = {row.who: row.before for row in result.signers if row.root == name}
        after_rows = {row.who: row.after for row in result.signers if row.root == name}
        plans.provider.environment = {"AWS_SHARED_CREDENTIALS_FILE": str(plans.folder / "credentials")}
        folder = prepared(plans, source, tmp / f"before-{number}", root, before_rows, has_echo=True)
        before = {told["address"]: told for told in plans.run(folder, variables)}
        role = given.get((root, ""), "").strip('"')
        if any(said.endswith("by the hook") or ", by the hook" in said for said in after_rows.values()):
            plans.provider.environment |= plans.provider.hook(role or VARIABLE)
        elif role:
            token = str(plans.folder / "token")
            plans.provider.environment |= {"AWS_ROLE_ARN": role, "AWS_WEB_IDENTITY_TOKEN_FILE": token}
        folder = prepared(plans, after, tmp / f"after-{number}", root, after_rows, has_echo=True)
        values = variables | roles_for(after, root, given)
        found = plans.run(folder, values)
        assert {told["address"] for told in found} == set(before), "no provider is lost, and none comes"
        for told in found:
            old = before[told["address"]]
            assert is_as_told(old), old
            assert is_as_told(told), told
            said = after_rows_of(after_rows, told, root)
            assert told["expected"] or not said.startswith("web identity "), (told, said)
            assert told["account_id"] == (account_of(told["signs"]) or told["account_id"])
        no_account_changes(before, found)
        count += len(found)
    return count


def roots_below(source: Path) -> set[str]:
    """The folders with a backend, which alone are run for themselves."""
    files = [file for file in source.rglob("*.tf") if re.search(r'(?m)^  backend "s3"', file.read_text())]
    return {file.parent.relative_to(source).as_posix() for file in files}


def is_as_told(told: dict[str, Any]) -> bool:
    """Whether a provider signs as the table says; of a role in a dynamic section the table says that it is one."""
    if told["expected"] is None:
        return True
    pattern = re.escape(told["expected"]).replace(re.escape(", then a role"), r", then role arn:[\w:/-]+")
    return re.fullmatch(pattern, told["signs"]) is not None


def after_rows_of(rows: dict[str, str], told: dict[str, Any], root: str) -> str:
    """What the table says of a provider of the root module itself; ``""`` of those in other modules."""
    if told["address"].startswith("module."):
        return ""
    alias = told["address"].removeprefix("of_")
    return rows.get(f'provider "aws" ({alias})' if alias else 'provider "aws"', "")


def account_of(signs: str) -> str:
    return next(iter(re.findall(r"arn:aws:iam::(\d+):", signs.rpartition(", then ")[2])), "")


def roles_for(after: Path, root: str, given: dict[tuple[str, str], str]) -> dict[str, str]:
    """The values of the role variables of a migrated root module, each another role."""
    text = "\n".join(file.read_text() for file in sorted((after / root).glob("*.tf")))
    names = re.findall(r'(?m)^variable "(aws_role_arn\w*)"', text)
    own = {name: f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in names}
    return own | {name: role.strip('"') for (path, name), role in given.items() if path == root and name}


def no_account_changes(before: dict[str, dict[str, Any]], after: list[dict[str, Any]]) -> None:
    """Providers that have one role now had one identity before, and roles that were assumed still are."""
    whose: dict[str, set[str]] = {}
    for told in after:
        old = before[told["address"]]
        if told["signs"].startswith("web identity "):
            whose.setdefault(told["base"], set()).add(old["base"])
            assert told["signs"].partition(", then ")[2] == old["signs"].partition(", then ")[2], (old, told)
        else:
            assert told["signs"] == old["signs"], (old, told)
    assert {role: keys for role, keys in whose.items() if len(keys) > 1} == {}


MODES: dict[str, dict[str, Any]] = {
    "default": {},
    "keep variables": {"keep_variables": True},
    "portable": {"portable": True},
    "role": {"role_arn": ARN},
    "role in a variable": {"role_arn": ARN, "role_in": RoleIn.VARIABLE},
    "environment": {"backend_auth": BackendAuth.ENV},
    "native": {"backend_auth": BackendAuth.NATIVE},
    "hook": {"backend_auth": BackendAuth.HOOK},
    "all by a hook": {"provider_auth": ProviderAuth.HOOK},
    "alias": {"roles": (flag_mapping(f"alias:second={ARN}"),)},
}
UNSET = {
    f"{name}_{part}": f"{prefix}-unset-{name}"
    for name in ("main", "other")
    for part, prefix in (("key", "ID"), ("secret", "KEY"))
}
ASSUMED = f'  assume_role {{\n    role_arn = "{CHAINED}"\n  }}\n'
DYNAMIC = (
    f'  dynamic "assume_role" {{\n    for_each = ["{CHAINED}"]\n'
    "    content {\n      role_arn = assume_role.value\n    }\n  }\n"
)


def written(made: Tree, folder: Path, dice: random.Random) -> None:
    """A tree as files; some providers assume a role with their keys, some by a dynamic section."""
    for path, text in made.files.items():
        if dice.random() < 0.3:
            more = dice.choice([ASSUMED, DYNAMIC])
            text = re.sub(r'(provider "aws" \{\n(?:.+\n)*?  secret_key = .+\n)', r"\1" + more, text)
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.mark.parametrize("share", range(SHARES))
def test_generated_trees_sign_in_as_told(plans: Plans, dice: random.Random, tmp_path: Path, share: int) -> None:
    count = 0
    for number in range(TREES // SHARES):
        mode = dice.choice(list(MODES))
        source, after = tmp_path / f"{number}" / "repo", tmp_path / f"{number}-after" / "repo"
        written(tree(dice, has_loops=False), source, dice)
        shutil.copytree(source, after)
        result = migrate_repo(str(after), Config(mode=Mode.IN_PLACE, **MODES[mode]))
        assert not result.error, result.error
        try:
            count += compare(plans, source, after, result, UNSET, tmp_path / f"{number}-plans")
        except AssertionError as error:
            files = {str(file.relative_to(source)): file.read_text() for file in sorted(source.rglob("*.*"))}
            raise AssertionError(f"{mode}: {error}\n{json.dumps(files, indent=1)}") from None
    assert count > TREES // SHARES, "most trees have several providers"


@pytest.mark.parametrize(
    ("name", "options", "providers"),
    [
        ("webshop", {}, 5),
        ("webshop", {"role_in": RoleIn.VARIABLE}, 5),
        ("webshop", {"portable": True}, 5),
        ("two-accounts", {}, 8),
        ("two-accounts", {"keep_variables": True}, 8),
        ("platform-code", {}, 0),
    ],
)
def test_the_providers_of_the_fixtures_sign_in_as_told(
    plans: Plans, tmp_path: Path, name: str, options: dict[str, Any], providers: int
) -> None:
    source, after = FIXTURES / "repos" / name, tmp_path / name
    shutil.copytree(source, after)
    result = migrate_repo(str(after), Config(mode=Mode.IN_PLACE, **options))
    assert not result.error
    values = {"domain": "shop.example", "peer_secret_key": "x"}
    assert compare(plans, source, after, result, values, tmp_path / "plans") >= providers


PROFILE = f'  profile = "prod"\n{ASSUMED}'
STATIC = '  access_key = "ID-ci"\n  secret_key = "x"\n'
WEB = (
    f'  assume_role_with_web_identity {{\n    role_arn                = "{ARN}"\n'
    '    web_identity_token_file = "/mnt/workspace/spacelift.oidc"\n  }\n'
)
AGAIN = CHAINED.replace("chained", "again")


@pytest.mark.parametrize(
    ("body", "environment", "signs"),
    [
        (STATIC, {}, "static key"),
        (STATIC + WEB, {}, "static key"),
        (STATIC + ASSUMED, {}, f"static key, then role {CHAINED}"),
        (WEB, {"AWS_ACCESS_KEY_ID": "ID-env", "AWS_SECRET_ACCESS_KEY": "x"}, f"web identity {ARN}"),
        (WEB + ASSUMED, {}, f"web identity {ARN}, then role {CHAINED}"),
        (
            WEB + ASSUMED + ASSUMED.replace(CHAINED, AGAIN),
            {},
            f"web identity {ARN}, then role {CHAINED}, then role {AGAIN}",
        ),
        (PROFILE, {}, f"profile prod, then role {CHAINED}"),
        ("", {"AWS_ACCESS_KEY_ID": "ID-env", "AWS_SECRET_ACCESS_KEY": "x"}, "keys in the environment"),
        ("", {"AWS_ROLE_ARN": ARN, "AWS_WEB_IDENTITY_TOKEN_FILE": "token"}, f"web identity {ARN}"),
        ("", {}, "the environment"),
        ('  access_key = "ID-ci"\n' + WEB, {}, "fails: static credentials are empty"),
        ('  profile = "nobody"\n' + WEB, {}, "fails: failed to get shared config profile, nobody"),
    ],
)
def test_the_stand_in_signs_in_as_the_provider_documents(
    plans: Plans, tmp_path: Path, body: str, environment: dict[str, str], signs: str
) -> None:
    """The table of https://github.com/hashicorp/aws-sdk-go-base that the backend, which is real, is held to as well."""
    text = f'provider "aws" {{\n{body}}}\n\ndata "aws_caller_identity" "of_" {{\n}}\n'
    (tmp_path / "main.tf").write_text(text.replace("/mnt/workspace/spacelift.oidc", str(plans.folder / "token")))
    given = {name: value if value != "token" else str(plans.folder / "token") for name, value in environment.items()}
    plans.provider.environment = {"AWS_SHARED_CREDENTIALS_FILE": str(plans.folder / "credentials"), **given}
    if signs.startswith("fails: "):
        with pytest.raises(AssertionError, match=signs.removeprefix("fails: ")):
            plans.run(tmp_path, {})
        return
    (told,) = plans.run(tmp_path, {})
    assert told["signs"] == signs


def test_a_table_that_is_wrong_is_noticed(plans: Plans, tmp_path: Path) -> None:
    """The oracle can say no: of a role that is another, of keys that are kept, and of two identities with one role."""
    source, after = FIXTURES / "repos" / "webshop", tmp_path / "webshop"
    shutil.copytree(source, after)
    result = migrate_repo(str(after), Config(mode=Mode.IN_PLACE, role_in=RoleIn.VARIABLE))
    wrong = tuple(replace(row, after=row.after.replace("var.aws_role_arn", "var.domain")) for row in result.signers)
    with pytest.raises(AssertionError, match="expected"):
        compare(plans, source, after, replace(result, signers=wrong), {}, tmp_path / "another")
    providers = after / "shop" / "providers.tf"
    text = providers.read_text()
    providers.write_text(text.replace("var.aws_role_arn_dns", "var.aws_role_arn"))
    with pytest.raises(AssertionError):
        compare(plans, source, after, result, {}, tmp_path / "shared")
    providers.write_text(text.replace("  region = ", f"{STATIC}  region = ", 1))
    with pytest.raises(AssertionError):
        compare(plans, source, after, result, {}, tmp_path / "kept")
