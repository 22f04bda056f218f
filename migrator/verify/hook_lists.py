"""The lists of hooks in the Terraform code of stacks and contexts, as the engine evaluates the lists.

In a copy, each stack and each context becomes a ``terraform_data`` resource with the list, which needs no provider. The
needed variables, locals and module calls stay. Lists that the engine cannot evaluate without a provider are left to
this program's own reader of lists.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrator.errors import MigrateError
from migrator.regex import regex
from migrator.spacelift.stacks.terraform import Stack
from migrator.verify.programs import bare_environment, run

if TYPE_CHECKING:
    from migrator.spacelift.stacks.contexts import SpaceliftContext
    from migrator.syntax.terraform import Block
    from migrator.terraform.expressions.evaluate import Scope
    from migrator.verify.engines import EngineProgram
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module
    from migrator.workspace.workspace import Workspace

_KINDS = {"spacelift_stack": "stack", "spacelift_context": "context"}
_REFERENCE = regex(r"\blocal\.([\w-]+)")
_CONFIGURATION = (".tf", ".tofu", ".tf.json", ".tofu.json")
_SKIPPED = shutil.ignore_patterns(".git", ".terraform", "*.tftest.hcl", "*.tftest.json")

Lists = dict[str, tuple[str, ...]]
"""The list of each stack and context by its address."""


def evaluated_lists(
    workspace: Workspace, roots: Iterable[str], name: str, engine: EngineProgram, scratch: Path
) -> dict[str, Lists]:
    """The lists called ``name`` in the root modules ``roots``, for each root that the engine evaluates."""
    by_file: dict[str, Lists] = {}
    copied = scratch / "copy"
    shutil.copytree(workspace.root, copied, ignore=_SKIPPED, symlinks=True)
    defining = {path for path, module in workspace.modules.items() if any(_definitions(module))}
    for path, module in workspace.modules.items():
        folder = copied / path
        for file in folder.glob("*"):
            if file.name.endswith(_CONFIGURATION):
                file.unlink()
        reaching = defining | {module for module in workspace.modules if defining & workspace.reached_from(module)}
        if path in reaching and all(not document.path.endswith(".json") for document in module.documents):
            (folder / "main.tf").write_text(_reduced(workspace, module, name, reaching))
    for root in roots:
        lists = _applied(copied / root, engine, scratch)
        if lists is not None:
            by_file[root] = lists
    return by_file


def address_of(holder: Stack | SpaceliftContext) -> str:
    """The address of a stack or a context in the results of `evaluated_lists`."""
    kind = "stack" if isinstance(holder, Stack) else "context"
    key = f'["{holder.key}"]' if holder.key is not None else ""
    return f"{_chain(holder.scope)}{kind}.{holder.block.labels[-1]}{key}"


def outermost(scope: Scope) -> str:
    """The path of the root module that a scope leads out to."""
    return scope.module.path if scope.caller is None else outermost(scope.caller)


def _chain(scope: Scope) -> str:
    if scope.call is None or scope.caller is None:
        return ""
    key = scope.caller.names.get("each.key")
    text = f'["{key.string}"]' if key is not None and scope.call.block.attribute("for_each") else ""
    return f"{_chain(scope.caller)}module.{scope.call.block.labels[0]}{text}."


def _definitions(module: Module) -> Iterator[tuple[Document, Block]]:
    for type_ in _KINDS:
        yield from module.blocks("resource", type_)


def _reduced(workspace: Workspace, module: Module, name: str, reaching: set[str]) -> str:
    pieces = [_held(document, block, name) for document, block in _definitions(module)]
    for callee in reaching:
        for call in workspace.calls.get(callee, ()):
            if call.caller.path == module.path:
                pieces.append(call.block.span.of(call.document.text))
    needed: dict[str, None] = {}
    queue = [local for piece in pieces for local in _REFERENCE.findall(piece)]
    while queue:
        local = queue.pop()
        if local in needed:
            continue
        needed[local] = None
        for document, _, attribute in module.locals_called(local):
            text = document.expression(attribute)
            pieces.append(f"locals {{\n  {local} = {text}\n}}")
            queue += _REFERENCE.findall(text)
    pieces += (block.span.of(document.text) for document, block in module.blocks("variable"))
    return "\n".join(dict.fromkeys(pieces)) + "\n"


def _held(document: Document, block: Block, name: str) -> str:
    hooks = block.attribute(name)
    value = document.expression(hooks) if hooks else "null"
    lines = [f'resource "terraform_data" "{_KINDS[block.labels[0]]}-{block.labels[1]}" {{']
    for meta in ("for_each", "count"):
        if attribute := block.attribute(meta):
            lines.append(f"  {meta} = {document.expression(attribute)}")
    lines.append(f"  input = {{ hooks = tolist({value}\n) }}\n}}")
    return "\n".join(lines)


def _applied(folder: Path, engine: EngineProgram, scratch: Path) -> Lists | None:
    """The engine's values for the reduced root module in ``folder``; None if the engine cannot evaluate the module."""
    if not (folder / "main.tf").is_file():
        return None
    config = scratch / "no-providers.rc"
    config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{os.devnull}"\n  }}\n}}\n')
    environment = bare_environment(scratch) | {"TF_CLI_CONFIG_FILE": str(config), "TF_IN_AUTOMATION": "1"}
    try:
        for step in (["init", "-backend=false"], ["apply", "-auto-approve", "-refresh=false"]):
            completed = run([engine.path, *step, "-input=false", "-no-color"], folder, environment, 120)
            if completed.status != 0:
                return None
        return dict(_instances(json.loads((folder / "terraform.tfstate").read_text())))
    except (MigrateError, OSError, ValueError, KeyError, TypeError):
        return None


def _instances(state: dict[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for resource in state["resources"]:
        kind, _, name = resource["name"].partition("-")
        prefix = f"{resource['module']}." if "module" in resource else ""
        for instance in resource["instances"]:
            key = f'["{instance["index_key"]}"]' if "index_key" in instance else ""
            hooks = instance["attributes"]["input"]["value"]["hooks"] or ()
            yield f"{prefix}{kind}.{name}{key}", tuple(hooks)
