"""Partial backend configuration: files and values for ``terraform init -backend-config``.

See https://developer.hashicorp.com/terraform/language/backend#partial-configuration. Such files are called
``*.tfbackend`` or ``backend.hcl``, or as scripts and the variable ``TF_CLI_ARGS_init`` name them; people also call them
``backend.tfvars`` and name them in a README alone. A name with variables stands for every file that it can mean.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.model.findings import Place
from migrator.regex import regex
from migrator.terraform.assumed_role import ROLE_FAMILY
from migrator.terraform.backends import S3Backend
from migrator.terraform.providers import CREDENTIALS
from migrator.workspace.discover import Kind
from migrator.workspace.module import Module

if TYPE_CHECKING:
    from migrator.workspace.document import Document
    from migrator.workspace.workspace import Workspace

_VARIABLE = r"\$?\$\{\{[^{}]*\}\}|\$?\$\{[^{}]*\}|\{\{[^{}]*\}\}|\{[\w.]+\}|\$\([^()]*\)|\$\w+|%\w+%|<[\w-]+>"
_GIVEN = regex(rf"-backend-config(?:[= \t]+|\\?[\"'])[\"'\\]*(?P<given>(?:{_VARIABLE}|[^\s\"'`;&|)\\])+)")
_NAMED_BY_VARIABLE = regex(_VARIABLE)
_ANY = "\0"
_OTHER_BACKENDS = frozenset(
    {
        "address",
        "conn_str",
        "container_name",
        "credentials",
        "hostname",
        "organization",
        "prefix",
        "storage_account_name",
    }
)
_OF_S3 = ("bucket", "dynamodb_table", "region", "use_lockfile", "workspace_key_prefix")
_S3 = frozenset({*_OF_S3, "assume_role", "assume_role_with_web_identity", *ROLE_FAMILY, *CREDENTIALS})
_ARGUMENT = regex(rf"(?m)^[ \t{{]*\"?(?:{'|'.join(sorted(_S3))})\"?[ \t]*[=:]".encode())
_OTHER_SCRIPTS = regex(
    r"(?:^|/)(?:\.[\w-]+\.ya?ml|\.envrc(?:\.\w+)?|(?:Docker|Task|Container)file(?:\.\w+)?|[\w-]+\.just|Makefile\.\w+)$"
)
"""Names of files of commands that no rule reads otherwise, of CI services above all."""
_LONGEST = 100_000


class BackendConfigValue(Struct, frozen=True):
    """An argument of the backend on the command line of a script: ``-backend-config=name=value``."""

    place: Place
    name: str


def backend_config_values(workspace: Workspace) -> Iterator[BackendConfigValue]:
    """The credentials and roles in ``-backend-config=name=value`` arguments of scripts."""
    for document, match in _mentions(workspace):
        name, equals, _ = match["given"].partition("=")
        if equals and name in (*CREDENTIALS, *ROLE_FAMILY):
            yield BackendConfigValue(Place(document.path, document.source.line(match.start())), name)


def backend_config_files(workspace: Workspace, arguments: str, folder: str) -> set[str]:
    """The paths in ``-backend-config`` among the ``arguments`` of a run in ``folder``."""
    names = (match["given"] for match in _GIVEN.finditer(arguments))
    return {path for name in names for path in _matching_paths(workspace, ("", folder), name)}


def partial_backends(
    workspace: Workspace, roots: Sequence[Module], units: Mapping[str, Module] | None = None
) -> Iterator[tuple[Module | None, S3Backend]]:
    """Every partial configuration of an S3 backend, with its root module, if that is known.

    ``units`` are the modules that units of Terragrunt run, by the units' folders.
    """
    paths = {document.path for document in workspace.of_kind(Kind.BACKEND)}
    for document, match in _mentions(workspace):
        if "=" not in match["given"]:
            paths |= _existing_paths(workspace, document, match["given"], roots)
    paths |= {document.path for document in list(_values_of_backends(workspace, roots))}
    for path in sorted(paths):
        document = workspace.documents[path]
        for block in document.blocks:
            names = {attribute.name for attribute in block.attributes}
            if names & _S3 and not names & _OTHER_BACKENDS:
                owner = _owner(path, roots, units or {})
                yield owner, S3Backend(owner or Module(posixpath.dirname(path)), document, block)


def _values_of_backends(workspace: Workspace, roots: Sequence[Module]) -> Iterator[Document]:
    """The ``tfvars`` files that hold a backend's arguments and no variable's value, as ``*.tfbackend`` files."""
    for document in list(workspace.of_kind(Kind.VALUES)):
        if b"bucket" in document.source.data and document.problem is None:
            names = {attribute.name for block in document.blocks for attribute in block.attributes}
            if {"bucket", "region"} <= names <= {*_S3, "encrypt", "key", "kms_key_id"}:
                owner = _owner(document.path, list(workspace.modules.values()), {})
                declared = {name for _, block in owner.blocks("variable") for name in block.labels} if owner else ()
                is_backend = owner in roots and names.isdisjoint(declared)
                if is_backend and (found := workspace.partial_backend(document.path)):
                    yield found


def _mentions(workspace: Workspace) -> Iterator[tuple[Document, re.Match[str]]]:
    for kind in (Kind.SCRIPT, Kind.CONFIG, Kind.TERRAGRUNT):
        for document in workspace.of_kind(kind):
            if b"-backend-config" in document.source.data:
                yield from ((document, match) for match in _GIVEN.finditer(document.text))
    for document in workspace.others(_OTHER_SCRIPTS):
        if workspace.in_scope(document.path) and b"-backend-config" in document.source.data:
            yield from ((document, match) for match in _GIVEN.finditer(document.text))


def _existing_paths(workspace: Workspace, script: Document, name: str, roots: Sequence[Module]) -> set[str]:
    """The existing paths for ``name``: next to the script, from the repository's root, or in a root module."""
    folders = (posixpath.dirname(script.path), "", *(root.path for root in roots))
    inside = {path for path in _matching_paths(workspace, folders, name) if workspace.in_scope(path)}
    return {found.path for path in inside if (found := workspace.partial_backend(path)) is not None}


def _matching_paths(workspace: Workspace, folders: Iterable[str], name: str) -> set[str]:
    """The paths below ``folders`` that match ``name``; a name that begins with a variable may match anywhere."""
    path_pattern = _NAMED_BY_VARIABLE.sub(_ANY, name)
    if _ANY not in path_pattern:
        return {path for folder in folders if not (path := _joined(folder, path_pattern)).startswith("..")}
    if not re.search(r"\w", path_pattern):
        return set()
    absolute_patterns = (
        {path_pattern} if path_pattern.startswith(_ANY) else {_joined(folder, path_pattern) for folder in folders}
    )
    patterns = [re.escape(path.removeprefix(f"{_ANY}/")).replace(_ANY, "[^/]*") for path in absolute_patterns]
    pattern = re.compile(
        "|".join(f"(?:.*/)?{pattern}" if path_pattern.startswith(_ANY) else pattern for pattern in patterns)
    )
    paths = (path for path in workspace.unread_paths() if path.endswith(path_pattern.rpartition(_ANY)[2]))
    return {path for path in paths if pattern.fullmatch(path) and _is_backend(workspace, path)}


def _joined(folder: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(folder, name))


def _is_backend(workspace: Workspace, path: str) -> bool:
    """Whether a file with a matching name holds arguments of a backend."""
    file = workspace.root / path
    if not file.is_file():
        return False
    try:
        with file.open("rb") as stream:
            return _ARGUMENT.search(stream.read(_LONGEST)) is not None
    except OSError:
        return False


def _owner(path: str, roots: Sequence[Module], units: Mapping[str, Module]) -> Module | None:
    """The root module around a file, or the root module of the unit around the file, else the only root module."""
    root_by_path = {root.path: root for root in roots}
    by_path = {
        folder: root_by_path[module.path] for folder, module in units.items() if module.path in root_by_path
    } | root_by_path
    folder = posixpath.dirname(path)
    while True:
        if folder in by_path:
            return by_path[folder]
        if not folder:
            return roots[0] if len(roots) == 1 else None
        folder = posixpath.dirname(folder)
