"""The calls of modules outside of the repository: by git URL, from a registry, or by a path that leads out."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from migrator.model.fleet import Fleet, KnownCall, KnownModule
from migrator.model.module_source import ModuleSource, is_local, parse_source
from migrator.regex import regex
from migrator.workspace.discover import Kind
from migrator.workspace.module import Module, ModuleCall

if TYPE_CHECKING:
    from migrator.workspace.document import Document
    from migrator.workspace.workspace import Workspace

_REPOSITORY = regex(r"terraform-(?P<provider>[a-z0-9]+)-(?P<name>.+)")


class OutsideCall(Struct, frozen=True, eq=False):
    """A call of a module of another repository, and the record of the call for the other repositories."""

    call: ModuleCall
    known_call: KnownCall


def outside_calls(workspace: Workspace, repo: str) -> Iterator[OutsideCall]:
    """The calls of modules of other repositories, by place; the others know this repository as ``repo``."""
    for _, module in sorted(workspace.modules.items()):
        for document in module.documents:
            for block in document.blocks if document.mentions("module") else ():
                if block.type == "module" and document.kind is Kind.CONFIG:
                    call = ModuleCall(module, document, block)
                    known_call = _known_call(workspace, repo, call)
                    if known_call is not None:
                        yield OutsideCall(call, known_call)
    for document in workspace.of_kind(Kind.TERRAGRUNT):
        for block in document.blocks if document.mentions("source") else ():
            call = ModuleCall(Module(posixpath.dirname(document.path)), document, block)
            known_call = _known_call(workspace, repo, call) if block.type == "terraform" else None
            if known_call is not None:
                yield OutsideCall(call, replace(known_call, title="a unit of Terragrunt", is_unit=True))


def _known_call(workspace: Workspace, repo: str, call: ModuleCall) -> KnownCall | None:
    text = call.document.literal(call.block.attribute("source"))
    if text is None:
        return None
    place, title = call.document.place(call.block), ".".join(["module", *call.block.labels])
    if is_local(text):
        path = workspace.path_from(call.caller.path, text)
        if not path.startswith(".."):
            return None
        return KnownCall(repo, place, title, folder=os.path.realpath(workspace.root / path))
    source = parse_source(text)
    if source is None or (workspace.is_own(source) and source.is_at_head(workspace.identity.branches)):
        return None
    return KnownCall(repo, place, title, source)


class CalledModule(Struct, frozen=True):
    """A module of another repository whose variables change, and the calls of the module.

    Those that are ``pinned`` go on with an older version, and ``units`` of Terragrunt take values from elsewhere.
    """

    module: KnownModule
    calls: tuple[OutsideCall, ...]
    pinned: tuple[OutsideCall, ...]
    units: tuple[OutsideCall, ...]

    @property
    def group(self) -> str:
        """The name of the group that changes together with the module: `Finding.group`."""
        return f"calls of {self.module.key}"


def link_called_modules(workspace: Workspace, fleet: Fleet, calls: Sequence[OutsideCall]) -> tuple[CalledModule, ...]:
    """The modules of the ``fleet``, each with its calls here; the workspace gets the calls between repositories."""
    called_modules: list[CalledModule] = []
    for module in fleet.modules:
        module_calls = [outside_call for outside_call in calls if outside_call.known_call.is_of(module)]
        pinned = tuple(outside_call for outside_call in module_calls if outside_call.known_call.is_pinned(module))
        unpinned_calls = [outside_call for outside_call in module_calls if outside_call not in pinned]
        module_blocks = tuple(outside_call for outside_call in unpinned_calls if not outside_call.known_call.is_unit)
        called_modules.append(
            CalledModule(
                module,
                module_blocks,
                pinned,
                tuple(outside_call for outside_call in unpinned_calls if outside_call.known_call.is_unit),
            )
        )
        workspace.outside[module.key] = [outside_call.call for outside_call in called_modules[-1].calls]
    for call in fleet.calls:
        path = folder_of(workspace, call)
        workspace.called_elsewhere.add(path)
        if call.refusal:
            workspace.frozen[path] = call.refusal
    return tuple(called_modules)


def folder_of(workspace: Workspace, call: KnownCall) -> str:
    """The path of the module of this repository that another repository calls."""
    path = call.source.folder if call.source else os.path.relpath(call.folder, os.path.realpath(workspace.root))
    return "" if path == "." else path


def registered(workspace: Workspace) -> Iterator[tuple[str, ModuleSource]]:
    """The modules of Spacelift's registry that the repository defines: the names, and the sources.

    https://search.opentofu.org/provider/spacelift-io/spacelift/latest/docs/resources/module
    """
    for module in workspace.modules.values():
        for document, block in module.blocks("resource", "spacelift_module"):
            texts = {attribute.name: document.literal(attribute) for attribute in block.attributes}
            match = _REPOSITORY.fullmatch(texts.get("repository") or "")
            provider = texts.get("terraform_provider") or (match["provider"] if match else None)
            name = texts.get("name") or (match["name"] if match else None)
            if texts.get("repository") and provider and name:
                source = ModuleSource(texts["repository"] or "", "", (texts.get("project_root") or "").strip("/"))
                yield f"terraform-{provider}-{name}", source


def frozen_by(workspace: Workspace, document: Document | None, path: str) -> str | None:
    """The reason why the variables of the modules with the file at ``path`` must stay; None without a reason."""
    if not workspace.frozen or (document is not None and document.kind is not Kind.CONFIG):
        return None
    modules = [module.path for module in workspace.modules_of(document)] if document else [posixpath.dirname(path)]
    return next((workspace.frozen[module] for module in modules if module in workspace.frozen), None)
