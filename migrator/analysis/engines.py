"""Which engine, and which version of it, runs a root module, as far as code and stack definitions tell.

Sources: ``required_version`` (https://developer.hashicorp.com/terraform/language/terraform), the version files of
tfenv, tofuenv and asdf, what only later engines read, and a stack's ``terraform_version``,
``terraform_workflow_tool`` and ``opentofu`` block:
https://search.opentofu.org/provider/spacelift-io/spacelift/latest/docs/resources/stack.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from migrator.analysis.backends import S3Backend
from migrator.analysis.runtime_config import StackEntry
from migrator.analysis.stacks import Stack
from migrator.engine import FIRST_NATIVE, FIRST_WITHOUT_FLAT_ROLE, Evidence, Version, bounds
from migrator.workspace import Module, Workspace

_VERSION_FILES = ((".terraform-version", "terraform"), (".opentofu-version", "opentofu"), (".tool-versions", ""))
_TOOL_LINE = re.compile(r"(?m)^[ \t]*(terraform|opentofu)[ \t]+(\S+)")
_EXACT = re.compile(r"v?(\d+\.\d+\.\d+)")
_LATER_ARGUMENTS: dict[str, Version] = {
    "assume_role": FIRST_NATIVE,
    "assume_role_with_web_identity": FIRST_NATIVE,
    "use_lockfile": (1, 10, 0),
}
"""Arguments of the S3 backend by the first version, of either engine, that reads them."""

_LATER_BLOCKS: dict[str, Version] = {"removed": (1, 7, 0), "ephemeral": (1, 10, 0)}
"""Top-level blocks by the first version, of either engine, that reads them."""


def code_evidence(workspace: Workspace, module: Module, backends: Iterable[S3Backend]) -> Iterator[Evidence]:
    """What the root module itself, and the version files around it, say of their engine."""
    for document, block in module.blocks("terraform"):
        if (required := block.attribute("required_version")) and (text := document.literal(required)):
            yield Evidence(f"required_version is {text}", str(document.place(required)), *bounds(text))
    for backend in backends:
        for name, first in _LATER_ARGUMENTS.items():
            if attribute := backend.block.attribute(name):
                place = str(backend.document.place(attribute))
                yield Evidence(f"{name} is read from {first[0]}.{first[1]} on", place, first)
    for type_, first in _LATER_BLOCKS.items():
        for document, block in module.blocks(type_):
            yield Evidence(f"{type_} is read from {first[0]}.{first[1]} on", str(document.place(block)), first)
    yield from _version_files(workspace, module.path)


def _version_files(workspace: Workspace, folder: str) -> Iterator[Evidence]:
    """The nearest file of each kind, from the root module's folder upwards."""
    for name, tool in _VERSION_FILES:
        for around in _upwards(folder):
            path = posixpath.join(around, name)
            document = workspace.other(path)
            if document is None:
                continue
            text = document.text
            found = [(tool, text.strip())] if tool else [(one[1], one[2]) for one in _TOOL_LINE.finditer(text)]
            for engine, version in found:
                yield from _chosen(path, engine, version)
            break


def _upwards(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
    yield ""


def _chosen(path: str, engine: str, version: str) -> Iterator[Evidence]:
    is_tofu = engine == "opentofu"
    exact = _EXACT.fullmatch(version)
    low, high = bounds(exact[1]) if exact else bounds("")
    if exact or is_tofu:
        said = f"{engine} is {version}" if exact else "its engine is OpenTofu"
        yield Evidence(said, path, max(low, FIRST_NATIVE) if is_tofu else low, high, is_tofu)


def stack_evidence(stack: Stack) -> tuple[Evidence, ...]:
    """What a stack's definition says of the engine that runs it."""
    tofu = next(stack.block.blocks("opentofu"), None)
    if tofu is not None:
        version = stack.scope.argument(stack.document, tofu, "version")
        tool = stack.scope.argument(stack.document, tofu, "workflow_tool")
        if tool is not None and not tool.is_null and tool.string != "OPENTOFU":
            return ()
        text = version.string if version is not None else None
        return tuple(_said(str(stack.place), None, text, is_tofu=True))
    tool, version = stack.argument("terraform_workflow_tool"), stack.argument("terraform_version")
    if tool is not None and not tool.is_null and tool.string is None:
        return ()
    name, text = tool.string if tool else None, version.string if version else None
    return tuple(_said(str(stack.place), name, text, is_tofu=name == "OPEN_TOFU"))


def entry_evidence(path: str, entry: StackEntry) -> tuple[Evidence, ...]:
    """What ``.spacelift/config.yml`` says of a stack's engine."""
    place = f"{path} ({'.'.join(map(str, entry.keys))})"
    is_tofu = entry.workflow_tool == "OPEN_TOFU" or entry.opentofu_version is not None
    version = (entry.opentofu_version if is_tofu else None) or entry.terraform_version
    return tuple(_said(place, entry.workflow_tool, version, is_tofu=is_tofu))


def _said(place: str, tool: str | None, version: str | None, *, is_tofu: bool) -> Iterator[Evidence]:
    """A custom tool may be any version, whatever its stack says of one; Spacelift's own Terraform ends with 1.5.7."""
    if tool == "CUSTOM":
        return
    if is_tofu:
        low, high = bounds(version or "")
        said = f"its stack runs OpenTofu {version}" if version else "its stack runs OpenTofu"
        yield Evidence(said, place, max(low, FIRST_NATIVE), high, is_tofu=True)
        return
    if version:
        yield Evidence(f"terraform_version is {version}", place, *bounds(version))
    if tool == "TERRAFORM_FOSS":
        yield Evidence("its stack runs TERRAFORM_FOSS, which ends with 1.5.7", place, high=FIRST_NATIVE)


def rejects_flat_role(evidence: Iterable[Evidence]) -> Evidence | None:
    """The evidence by which Terraform rejects a flat ``role_arn``, unless it is OpenTofu that runs the code."""
    known = list(evidence)
    if any(one.is_tofu for one in known):
        return None
    return next((one for one in known if one.low >= FIRST_WITHOUT_FLAT_ROLE), None)
