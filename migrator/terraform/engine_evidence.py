"""The evidence in code and stack definitions on the engine of a root module, and on its version.

Sources: ``required_version`` (https://developer.hashicorp.com/terraform/language/terraform), the version files of
tfenv, tofuenv and asdf, what only later engines read, and a stack's ``terraform_version``,
``terraform_workflow_tool`` and ``opentofu`` block:
https://search.opentofu.org/provider/spacelift-io/spacelift/latest/docs/resources/stack.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from migrator.errors import SyntaxProblem
from migrator.model.engine import FIRST_NATIVE, FIRST_WITHOUT_FLAT_ROLE, Evidence
from migrator.model.version_constraints import Version, bounds, minor
from migrator.regex import regex
from migrator.syntax.hcl.scanner import tokens
from migrator.syntax.languages import HCL

if TYPE_CHECKING:
    from migrator.syntax.terraform import Attribute, Block
    from migrator.terraform.backends import S3Backend
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module
    from migrator.workspace.workspace import Workspace

_VERSION_FILES = ((".terraform-version", "terraform"), (".opentofu-version", "opentofu"), (".tool-versions", ""))
_TOOL_LINE = regex(r"(?m)^[ \t]*(terraform|opentofu)[ \t]+(\S+)")
_EXACT = regex(r"v?(\d+\.\d+\.\d+)", re.ASCII)
_LONGEST = 100_000

_LATER_ARGUMENTS: dict[str, Version] = {
    "assume_role": FIRST_NATIVE,
    "assume_role_with_web_identity": FIRST_NATIVE,
    "use_lockfile": (1, 10, 0),
}
"""Arguments of the S3 backend by the first version, of either engine, that supports them."""

_LATER_BLOCKS: dict[str, Version] = {"removed": (1, 7, 0), "ephemeral": (1, 10, 0)}
"""Top-level blocks by the first version, of either engine, that supports them."""

_LATER_IN_BLOCKS: dict[tuple[str, str], Version] = {
    ("import", "for_each"): (1, 7, 0),
    ("variable", "ephemeral"): (1, 10, 0),
    ("output", "ephemeral"): (1, 10, 0),
}
"""Arguments in top-level blocks by the first version, of either engine, that supports them."""

_TELLING = (*_LATER_BLOCKS, *(name for _, name in _LATER_IN_BLOCKS), "encryption")
"""Each file with any of these contains one of the words."""

_FUNCTIONS_OF_PROVIDERS: Version = (1, 7, 0)
_VARIABLES_IN_BACKENDS: Version = (1, 8, 0)
_TOFU_FILES: Version = (1, 8, 0)
_ENCRYPTION: Version = (1, 7, 0)
_VARIABLE = regex(r"\b(?:var|local)\.")


def code_evidence(workspace: Workspace, module: Module, backends: Sequence[S3Backend]) -> Iterator[Evidence]:
    """The evidence of the root module, of the modules that it calls, and of the version files around it.

    Files of OpenTofu alone count only if they hold the backend: Terraform does not read these files.
    """
    yield from _backend_evidence(backends)
    for path in (module.path, *sorted(workspace.reached_from(module.path))):
        called = workspace.modules.get(path)
        if called is not None:
            yield from _module_evidence(called)
    yield from _version_files(workspace, module.path)


def _backend_evidence(backends: Sequence[S3Backend]) -> Iterator[Evidence]:
    blocks = [backend for backend in backends if not backend.is_partial]
    if blocks and all(block.document.is_tofu for block in blocks):
        yield Evidence("only OpenTofu reads the file of the backend", str(blocks[0].place), _TOFU_FILES, is_tofu=True)
    for backend in backends:
        for attribute in backend.block.attributes:
            place = str(backend.document.place(attribute))
            if attribute.name in _LATER_ARGUMENTS:
                yield _read_from(attribute.name, _LATER_ARGUMENTS[attribute.name], place)
            elif not backend.is_partial and _VARIABLE.search(backend.document.expression(attribute)):
                sentence = f"only OpenTofu supports variables in a backend, from {minor(_VARIABLES_IN_BACKENDS)} on"
                yield Evidence(sentence, place, _VARIABLES_IN_BACKENDS, is_tofu=True)


def _module_evidence(module: Module) -> Iterator[Evidence]:
    required = [
        (document, constraint)
        for document, block in module.blocks("terraform")
        if not document.is_tofu and (constraint := block.attribute("required_version"))
    ]
    overriding = [definition for definition in required if definition[0].is_override]
    for document, attribute in overriding[-1:] or required:
        if text := document.literal(attribute):
            yield Evidence(f"required_version is {text}", str(document.place(attribute)), *bounds(text))
    for document in module.documents:
        if not document.is_tofu:
            yield from _syntax_evidence(document)


def _syntax_evidence(document: Document) -> Iterator[Evidence]:
    for block in document.blocks if any(map(document.mentions, _TELLING)) else ():
        for name, first, element in _later(block):
            yield _read_from(name, first, str(document.place(element)))
        for encryption in block.blocks("encryption") if block.type == "terraform" else ():
            sentence = f"only OpenTofu supports encryption, from {minor(_ENCRYPTION)} on"
            yield Evidence(sentence, str(document.place(encryption)), _ENCRYPTION, is_tofu=True)
    if b"provider::" in document.source.data and document.syntax is HCL and document.blocks:
        place = _function_of_provider(document)
        if place is not None:
            yield _read_from("a function of a provider", _FUNCTIONS_OF_PROVIDERS, place)


def _function_of_provider(document: Document) -> str | None:
    """The place where the file first calls a function of a provider, outside of strings and comments."""
    try:
        for token in tokens(document.text):
            if token.kind == "other" and document.text.startswith("provider::", token.start):
                return f"{document.path}:{document.source.line(token.start)}"
    except SyntaxProblem:  # in a block that nobody else looks into
        pass
    return None


def _later(block: Block) -> Iterator[tuple[str, Version, Block | Attribute]]:
    if block.type in _LATER_BLOCKS:
        yield block.type, _LATER_BLOCKS[block.type], block
    for (type_, name), first in _LATER_IN_BLOCKS.items():
        if block.type == type_ and (attribute := block.attribute(name)):
            yield f"{name} of {type_}", first, attribute


def _read_from(name: str, first: Version, place: str) -> Evidence:
    return Evidence(f"{name} is supported from {minor(first)} on", place, first)


# --- version files --------------------------------------------------------------------------------------------------


def _version_files(workspace: Workspace, folder: str) -> Iterator[Evidence]:
    """The nearest file of each kind, from the root module's folder upwards."""
    for name, tool in _VERSION_FILES:
        for parent in _upwards(folder):
            path = posixpath.join(parent, name)
            document = workspace.other(path)
            if document is None:
                continue
            text = document.text[:_LONGEST]
            pins = [(tool, text.strip())] if tool else [(match[1], match[2]) for match in _TOOL_LINE.finditer(text)]
            for engine, version in pins:
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
        sentence = f"{engine} is {version}" if exact else "the engine is OpenTofu"
        yield Evidence(sentence, path, max(low, FIRST_NATIVE) if is_tofu else low, high, is_tofu, is_soft=True)


# --- stacks ---------------------------------------------------------------------------------------------------------


def rejects_flat_role(evidence: Sequence[Evidence]) -> Evidence | None:
    """The evidence that Terraform rejects a flat ``role_arn``, unless OpenTofu runs the code."""
    if any(entry.is_tofu for entry in evidence):
        return None
    return next((entry for entry in evidence if entry.low >= FIRST_WITHOUT_FLAT_ROLE), None)
