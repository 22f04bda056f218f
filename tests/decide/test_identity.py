"""No two origins of credentials share a role: in any mode, and however a tree of modules hands them down.

`IDENTITY_EXAMPLES` and `IDENTITY_SEED` in the environment ask for more trees, and for others.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from migrator.config.config import Auth, BackendAuth, Config, ProviderAuth, RoleIn
from migrator.config.role_mapping import flag_mapping
from migrator.migrate.planning import Planning
from migrator.model.findings import Refusal
from migrator.model.results import Plan
from migrator.syntax.hcl import parse as hcl
from migrator.syntax.terraform import Block
from tests.conftest import Terraform
from tests.invariants import STACK, workspace_of
from tests.module_trees import Maker, Tree, roles

EXAMPLES = int(os.environ.get("IDENTITY_EXAMPLES", "4"))
SEED = int(os.environ.get("IDENTITY_SEED", "0"))
ONE, TWO = "arn:aws:iam::111111111111:role/one", "arn:aws:iam::222222222222:role/two"
BACKEND = b'terraform {\n  backend "s3" {\n    bucket  = "state"\n    profile = "state"\n  }\n}\n'


def _mapped(*roles: str) -> Config:
    return Config(roles=tuple(map(flag_mapping, roles)))


MODES = {
    "default": Config(),
    "role-arn": Config(role_arn=ONE),
    "portable": Config(portable=True),
    "ambient": Config(include_ambient=True, role_arn=ONE),
    "profiles": _mapped(f"profile:lit0={ONE}", f"profile:lit1={TWO}"),
    "variables": _mapped(f"var:prod={ONE}", f"var:dev={TWO}"),
    "both": _mapped(f"var:both={ONE}", f"var:deep={TWO}", f"alias:other={TWO}"),
    "role-in-variable": Config(role_in=RoleIn.VARIABLE, role_arn=ONE),
    "variables-in-variables": replace(
        _mapped(f"var:prod={ONE}", f"var:dev={TWO}", f"profile:lit0={TWO}"), role_in=RoleIn.VARIABLE
    ),
    "hook": Config(provider_auth=ProviderAuth.HOOK, backend_auth=BackendAuth.HOOK),
    "hook-role-arn": Config(provider_auth=ProviderAuth.HOOK, backend_auth=BackendAuth.HOOK, role_arn=ONE),
    "integration": Config(auth=Auth.CLOUD_INTEGRATION, role_arn=ONE),
    "environment": Config(backend_auth=BackendAuth.ENV, role_arn=ONE),
}
_SET = re.compile(r'name\s+= "TF_VAR_(\w+)"\s+value\s+= "(arn:[^"]+)"')
SEEDS = range(SEED, SEED + EXAMPLES)


def planned(tree: Tree, config: Config, *, environments: bool = False) -> tuple[Plan, dict[str, bytes]]:
    """What is planned for a tree with a backend and a stack, and the files that it leaves."""
    files = tree.files() | {"backend.tf": BACKEND, "stacks/main.tf": STACK}
    if environments:
        files |= {f"env/{number}.tfvars": _values(values) for number, values in enumerate(tree.values)}
    plan = Planning(workspace_of(files), config).plan()
    return plan, files | {change.path: change.after for change in plan.changes}


def _values(values: dict[str, object]) -> bytes:
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()).encode()


def shared(tree: Tree, files: dict[str, bytes], *, environments: bool = False) -> Iterator[str]:
    """The roles that several origins have: within one environment, or where they are literals, in all of them."""
    set_by_stack = {f"var.{name}": arn for name, arn in _SET.findall(files["stacks/main.tf"].decode())}
    given = {key: set_by_stack.get(role, role) for key, role in roles(files, tree).items()}
    found: dict[tuple[object, str], set[object]] = {}
    for number, values in enumerate(tree.values):
        for at, place, credentials in tree.signers(values):
            role = given.get((at, place))
            if role is not None:
                is_literal = environments and not role.startswith("var.")
                found.setdefault((None if is_literal else number, role), set()).add(credentials)
    yield from (f"{role or 'the one of the environment'}" for (_, role), origins in found.items() if len(origins) > 1)


@pytest.mark.parametrize("mode", MODES)
def test_no_two_origins_share_a_role(mode: str) -> None:
    for seed in SEEDS:
        maker = Maker(seed, repeats=seed % 4 == 0)
        tree = maker.tree()
        trees = [tree, *([maker.other(tree)] if seed % 3 == 0 else [])]
        _, files = planned(tree, MODES[mode])
        for module_tree in trees:
            assert not list(shared(module_tree, files)), (mode, seed)


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode not in ("default", "portable", "hook")])
def test_no_literal_is_for_two_environments(mode: str) -> None:
    for seed in SEEDS:
        tree = Maker(seed).tree()
        _, files = planned(tree, MODES[mode], environments=True)
        assert not list(shared(tree, files, environments=True)), (mode, seed)


@pytest.mark.parametrize("mode", ["default", "role-arn", "portable", "role-in-variable", "integration", "environment"])
def test_one_origin_is_migrated_with_one_role(mode: str) -> None:
    for seed in SEEDS:
        tree = Maker(seed, single=True).tree()
        plan, files = planned(tree, MODES[mode])
        assert not [finding for finding in plan.findings if isinstance(finding.fix, Refusal)], (mode, seed)
        given = roles(files, tree)
        assert {(at, place) for at, place, _ in tree.signers(tree.values[0])} == given.keys(), (mode, seed)
        assert len(set(given.values())) <= 1, (mode, seed)


def test_every_tree_is_migrated_by_variables() -> None:
    for seed in SEEDS:
        tree = Maker(seed).tree()
        plan, _ = planned(tree, Config())
        assert not [finding for finding in plan.findings if isinstance(finding.fix, Refusal)], seed


def test_a_second_run_finds_nothing_left() -> None:
    for seed in SEEDS:
        tree = Maker(seed).tree()
        _, files = planned(tree, Config())
        assert not Planning(workspace_of(files), Config()).plan().changes, seed


def test_terraform_agrees(terraform: Terraform, tmp_path: Path) -> None:
    """What the trees say of themselves, and of the roles in what came out, is what the real terraform makes of them."""
    trees = [Maker(seed).tree() for seed in range(SEED, SEED + max(6, EXAMPLES // 3))]
    told = _told(terraform, tmp_path / "before", [(tree, tree.files()) for tree in trees])
    for tree, found in zip(trees, told, strict=True):
        expected = {(at, place): dict(credentials) for at, place, credentials in tree.signers(tree.values[0])}
        assert found == expected
    migrated = [(tree, planned(tree, Config())[1]) for tree in trees]
    told = _told(terraform, tmp_path / "after", migrated)
    for (tree, files), found in zip(migrated, told, strict=True):
        assert {key: one["role_arn"] for key, one in found.items()} == {
            key: repr(role) for key, role in roles(files, tree).items()
        }


Told = dict[tuple[tuple[str, ...], str], dict[str, str]]


def _told(terraform: Terraform, folder: Path, trees: list[tuple[Tree, dict[str, bytes]]]) -> list[Told]:
    """What each instance of a provider says, by a resource that is put in its place; one plan for all trees."""
    calls = ""
    for number, (tree, files) in enumerate(trees):
        root = {
            name
            for path, data in files.items()
            if re.fullmatch(r"[^/]+\.tf", path)
            for name in _variables_of(data.decode())
        }
        for path, data in files.items():
            if path != "backend.tf" and not path.startswith("stacks/"):
                file = folder / f"t{number}" / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(_without_providers(data.decode()) if path.endswith(".tf") else data.decode())
        values = {name: tree.values[0].get(name, f"var.{name}") for name in sorted(root)}
        arguments = "".join(f"  {name} = {json.dumps(value)}\n" for name, value in values.items())
        calls += f'module "t{number}" {{\n  source = "./t{number}"\n{arguments}}}\n'
    (folder / "main.tf").write_text(calls)
    for step in (["init", "-input=false"], ["plan", "-input=false", "-out=plan"]):
        done = terraform.run(*step, "-no-color", cwd=folder)
        assert done.returncode == 0, done.stderr
    shown = json.loads(terraform.run("show", "-json", "plan", cwd=folder).stdout)["planned_values"]["root_module"]
    shutil.rmtree(folder)
    children = {child["address"]: child for child in shown["child_modules"]}
    return [
        dict(_resources(children.get(f"module.t{number}", {}), (), tree.folders()))
        for number, (tree, _) in enumerate(trees)
    ]


def _without_providers(text: str) -> str:
    """A file in which a resource that needs no plugin says what each provider would sign in with."""
    pieces = []
    for block in (item for item in hcl.parse(text) if isinstance(item, Block)):
        if block.type != "provider":
            pieces.append(block.span.of(text))
            continue
        nested = [inner for web in block.blocks() for inner in (web, *web.blocks())]
        told = [*block.attributes, *(attribute for web in nested for attribute in web.attributes)]
        alias = next((argument.value.of(text).strip('"') for argument in told if argument.name == "alias"), "")
        kept = [argument for argument in told if argument.name not in ("alias", "web_identity_token_file")]
        said = ", ".join(f"{argument.name} = {argument.value.of(text)}" for argument in kept)
        pieces.append(f'resource "terraform_data" "p_{alias}" {{\n  input = {{ {said} }}\n}}')
    return "\n".join(pieces) + "\n"


def _variables_of(text: str) -> set[str]:
    return {block.labels[0] for block in hcl.parse(text) if isinstance(block, Block) and block.type == "variable"}


def _resources(shown: dict[str, Any], at: tuple[str, ...], folders: dict[tuple[str, ...], str]) -> Iterator[Any]:
    for resource in shown.get("resources", []):
        alias = resource["name"].removeprefix("p_")
        said = resource["values"].get("input") or {}
        yield (at, f"{folders[at]}:{alias}"), {name: repr(value) for name, value in said.items()}
    for child in shown.get("child_modules", []):
        step = child["address"].rpartition(".module.")[2].replace('"', "").removeprefix("module.")
        yield from _resources(child, (*at, step), folders)


SAYS_OTHERWISE = {
    "a file": {"env/dev.tfvars": 'profile = "dev"\n'},
    "a file in JSON": {"env/dev.tfvars.json": '{"profile": "dev"}\n'},
    "two files": {"env/dev.tfvars": 'profile = "dev"\n', "env/prod.tfvars": 'profile = "prod"\n'},
    "a script": {"plan.sh": "terraform plan -var profile=dev\n"},
    "the environment of a script": {"plan.sh": "export TF_VAR_profile=dev\n"},
    "runtime configuration": {
        ".spacelift/config.yml": 'version: "1"\nstacks:\n  app:\n    environment:\n      TF_VAR_profile: dev\n'
    },
    "a stack": {
        "stacks/more.tf": 'resource "spacelift_environment_variable" "profile" {\n'
        '  stack_id = spacelift_stack.app.id\n  name     = "TF_VAR_profile"\n  value    = "dev"\n}\n'
    },
    "a context": {
        "stacks/more.tf": 'resource "spacelift_context" "all" {\n  name = "all"\n}\n\n'
        'resource "spacelift_environment_variable" "profile" {\n'
        '  context_id = spacelift_context.all.id\n  name     = "TF_VAR_profile"\n  value    = var.profile\n}\n\n'
        'resource "spacelift_context_attachment" "all" {\n'
        "  context_id = spacelift_context.all.id\n  stack_id   = spacelift_stack.app.id\n}\n"
    },
    "a mounted file": {
        "stacks/more.tf": 'resource "spacelift_mounted_file" "values" {\n  stack_id      = spacelift_stack.app.id\n'
        '  relative_path = "source/dev.auto.tfvars"\n  content       = var.values\n}\n'
    },
    "a unit of Terragrunt": {
        "live/dev/terragrunt.hcl": 'terraform {\n  source = "../.."\n}\n\ninputs = {\n  profile = "dev"\n}\n'
    },
}
ROOT = 'variable "profile" {\n  default = "prod"\n}\n\nprovider "aws" {\n  profile = var.profile\n}\n'
BY_WORKSPACE = 'provider "aws" {\n  profile = { prod = "prod", dev = "dev" }[terraform.workspace]\n}\n'
LITERAL = {
    "role-arn": Config(role_arn=ONE),
    "one profile": _mapped(f"profile:prod={ONE}"),
    "both profiles": _mapped(f"profile:prod={ONE}", f"profile:dev={TWO}"),
    "the variable": _mapped(f"var:profile={ONE}"),
    "integration": Config(auth=Auth.CLOUD_INTEGRATION, role_arn=ONE),
    "environment": Config(backend_auth=BackendAuth.ENV, role_arn=ONE),
    "role-in-variable": Config(role_in=RoleIn.VARIABLE, role_arn=ONE),
}


@pytest.mark.parametrize("mode", LITERAL)
@pytest.mark.parametrize("says", [*SAYS_OTHERWISE, "a workspace"])
def test_a_default_is_not_the_value(says: str, mode: str) -> None:
    """Where something says otherwise, no role that is written out speaks for all: a variable does, or nothing."""
    root = ROOT if says in SAYS_OTHERWISE else BY_WORKSPACE
    files = {"main.tf": root, "stacks/main.tf": STACK.decode(), **SAYS_OTHERWISE.get(says, {})}
    if mode in ("integration", "environment"):
        files["backend.tf"] = BACKEND.decode()
    encoded = {path: text.encode() for path, text in files.items()}
    plan = Planning(workspace_of(encoded), LITERAL[mode]).plan()
    after = encoded | {change.path: change.after for change in plan.changes}
    assert not any(ONE.encode() in text or TWO.encode() in text for text in after.values())
    is_refused = any(isinstance(finding.fix, Refusal) for finding in plan.findings)
    assert is_refused or b"var.aws_role_arn" in after["main.tf"]
    if not is_refused:
        assert any(note.code.startswith("role-") for note in plan.notes)


def test_a_default_is_the_value_where_nothing_says_otherwise() -> None:
    for mode in ("role-arn", "one profile", "the variable"):
        plan = Planning(workspace_of({"main.tf": ROOT.encode()}), LITERAL[mode]).plan()
        assert ONE.encode() in {change.path: change.after for change in plan.changes}["main.tf"], mode
