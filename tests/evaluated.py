"""The hooks of stacks and contexts as the real terraform evaluates them, without the provider that they are for.

In a copy of the module each stack becomes a ``terraform_data`` resource, which needs no plugin, that holds its hooks.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from migrator.syntax.hcl import parse as hcl
from migrator.syntax.terraform import Block
from tests.conftest import Terraform

KINDS = {"spacelift_stack": "", "spacelift_context": "context_"}
KEPT = ("variable", "locals", "module")


def evaluated_hooks(
    terraform: Terraform, module: Path, scratch: Path, name: str = "before_init"
) -> dict[str, list[str] | None]:
    """The list ``name`` of every stack of ``module`` and of the modules that it calls, by address."""
    shutil.copytree(module, scratch, ignore=shutil.ignore_patterns(".git", ".terraform"))
    for file in scratch.rglob("*.tf"):
        file.write_text(_reduced(file.read_text(), name))
    for file in scratch.rglob("*.tf.json"):
        file.write_text(json.dumps(_reduced_json(json.loads(file.read_text()), name)))
    for step in (["init", "-input=false"], ["apply", "-auto-approve", "-input=false"]):
        done = terraform.run(*step, "-no-color", cwd=scratch)
        assert done.returncode == 0, done.stderr
    shown = json.loads(terraform.run("show", "-json", cwd=scratch).stdout)
    return dict(_resources(shown.get("values", {}).get("root_module", {})))


def _reduced(text: str, name: str) -> str:
    pieces = []
    for block in (item for item in hcl.parse(text) if isinstance(item, Block)):
        if block.type in KEPT:
            pieces.append(block.span.of(text))
        elif block.type == "resource" and block.labels[0] in KINDS:
            pieces.append(_data(text, block, name))
    return "\n".join(pieces) + "\n"


def _data(text: str, block: Block, name: str) -> str:
    each, hooks = block.attribute("for_each"), block.attribute(name)
    lines = [f'resource "terraform_data" "{KINDS[block.labels[0]]}{block.labels[1]}" {{']
    if each:
        lines.append(f"  for_each = {each.value.of(text)}")
    lines.append(f"  input = {{ hooks = tolist({hooks.value.of(text) if hooks else 'null'}\n) }}\n}}")
    return "\n".join(lines)


def _reduced_json(document: dict[str, Any], name: str) -> dict[str, Any]:
    resources = document.get("resource", {})
    data = {
        f"{prefix}{label}": {"input": {"hooks": body.get(name)}}
        for kind, prefix in KINDS.items()
        for label, body in resources.get(kind, {}).items()
    }
    kept = {key: value for key, value in document.items() if key in KEPT}
    return kept | ({"resource": {"terraform_data": data}} if data else {})


def _resources(module: dict[str, Any]) -> list[tuple[str, list[str] | None]]:
    found = []
    for resource in module.get("resources", []):
        value = resource["values"].get("input", {}).get("hooks")
        found.append((resource["address"].replace("terraform_data.", ""), value))
    for child in module.get("child_modules", []):
        found += _resources(child)
    return found
