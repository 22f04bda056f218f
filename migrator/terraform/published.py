"""The modules that other repositories may call."""

from __future__ import annotations

import posixpath
from collections.abc import Collection

from migrator.regex import regex
from migrator.workspace.workspace import LOCK_FILE, Workspace

_PUBLISHED = regex(r"terraform-[a-z0-9]+-.+")
_OF_A_ROOT = frozenset({"backend", "cloud"})
_VERSION = regex(rb"(?m)^module_version\s*:")

_EXAMPLES = frozenset({"example", "examples", "test", "tests"})


def is_published(workspace: Workspace, path: str, roots: Collection[str] = ()) -> bool:
    """Whether others may call the module at ``path``: one of a registry, or one that only examples and tests call.

    https://developer.hashicorp.com/terraform/registry/modules/publish names repositories terraform-PROVIDER-NAME, and
    https://docs.spacelift.io/vendors/terraform/module-registry has a version in the runtime configuration. The known
    ``roots`` are none.
    """
    module = workspace.modules[path]
    terraform = (block for _, top in module.blocks("terraform") for block in top.blocks())
    if path in roots or any(block.type in _OF_A_ROOT for block in terraform):
        return False
    if path in workspace.folders_with_values or workspace.has_file(posixpath.join(path, LOCK_FILE)):
        return False
    is_reusable = not {"modules", "module"}.isdisjoint(path.lower().split("/"))
    if (_PUBLISHED.fullmatch(workspace.identity.name) or _has_version(workspace, "")) and (is_reusable or not path):
        return True
    if _has_version(workspace, path):
        return True
    calls = workspace.calls.get(path, ())
    if calls and all(_EXAMPLES.intersection(call.caller.path.lower().split("/")) for call in calls):
        return True
    return is_reusable and not calls


def _has_version(workspace: Workspace, folder: str) -> bool:
    """Whether the runtime configuration of the repository (``""``), or of a module in a folder, has a version."""
    around = folder or workspace.scope
    paths = (posixpath.join(around, f".spacelift/config.{suffix}") for suffix in ("yml", "yaml"))
    documents = (workspace.documents.get(path) for path in paths)
    return any(document is not None and _VERSION.search(document.source.data) is not None for document in documents)
