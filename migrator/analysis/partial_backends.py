"""Partial backend configuration: files and values that ``terraform init`` is given with ``-backend-config``.

See https://developer.hashicorp.com/terraform/language/backend#partial-configuration. Such files are called
``*.tfbackend`` or ``backend.hcl``, or as scripts and the variable ``TF_CLI_ARGS_init`` name them; people also call them
``backend.tfvars`` and name them in a README alone.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migrator.analysis.backends import ROLE_FAMILY, S3Backend
from migrator.analysis.providers import CREDENTIALS
from migrator.discover import Kind
from migrator.document import Document
from migrator.model import Place
from migrator.workspace import Module, Workspace

_GIVEN = re.compile(r"-backend-config(?:[= \t]+|\\?[\"'])[\"'\\]*(?P<given>[^\s\"'`;&|)\\]+)")
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
_S3 = frozenset(
    {"bucket", "dynamodb_table", "region", "use_lockfile", "workspace_key_prefix", *ROLE_FAMILY, *CREDENTIALS}
)


@dataclass(frozen=True, slots=True)
class GivenValue:
    """An argument of the backend that a script gives on the command line: ``-backend-config=name=value``."""

    place: Place
    name: str


def given_values(workspace: Workspace) -> Iterator[GivenValue]:
    """The credentials and roles that scripts give to a backend one by one."""
    for document, match in _mentions(workspace):
        name, equals, _ = match["given"].partition("=")
        if equals and name in (*CREDENTIALS, *ROLE_FAMILY):
            yield GivenValue(Place(document.path, document.source.line(match.start())), name)


def partial_backends(workspace: Workspace, roots: Sequence[Module]) -> Iterator[tuple[Module | None, S3Backend]]:
    """Every partial configuration of an S3 backend, with the root module that it is for, if that is known."""
    paths = {document.path for document in workspace.of_kind(Kind.BACKEND)}
    for document, match in _mentions(workspace):
        if "=" not in match["given"]:
            paths |= _existing(workspace, document, match["given"], roots)
    paths |= {document.path for document in list(_values_of_backends(workspace, roots))}
    for path in sorted(paths):
        document = workspace.documents[path]
        for block in document.blocks:
            names = {attribute.name for attribute in block.attributes}
            if names & _S3 and not names & _OTHER_BACKENDS:
                owner = _owner(path, roots)
                yield owner, S3Backend(owner or Module(posixpath.dirname(path)), document, block)


def _values_of_backends(workspace: Workspace, roots: Sequence[Module]) -> Iterator[Document]:
    """The ``tfvars`` files that hold a backend's arguments and no variable's value, as if called ``*.tfbackend``."""
    for document in list(workspace.of_kind(Kind.VALUES)):
        if b"bucket" in document.source.data and document.problem is None:
            names = {attribute.name for block in document.blocks for attribute in block.attributes}
            if {"bucket", "region"} <= names <= {*_S3, "encrypt", "key", "kms_key_id"}:
                around = _owner(document.path, list(workspace.modules.values()))
                declared = {name for _, block in around.blocks("variable") for name in block.labels} if around else ()
                is_backend = around in roots and names.isdisjoint(declared)
                if is_backend and (found := workspace.partial_backend(document.path)):
                    yield found


def _mentions(workspace: Workspace) -> Iterator[tuple[Document, re.Match[str]]]:
    for kind in (Kind.SCRIPT, Kind.CONFIG, Kind.TERRAGRUNT):
        for document in workspace.of_kind(kind):
            if b"-backend-config" in document.source.data:
                yield from ((document, match) for match in _GIVEN.finditer(document.text))


def _existing(workspace: Workspace, script: Document, name: str, roots: Sequence[Module]) -> set[str]:
    """The paths that ``name`` may have: beside the script, from the repository's root, or in a root module."""
    folders = {posixpath.dirname(script.path), "", *(root.path for root in roots)}
    candidates = {posixpath.normpath(posixpath.join(folder, name)) for folder in folders}
    inside = {path for path in candidates if not path.startswith("..") and workspace.in_scope(path)}
    return {path for path in inside if workspace.partial_backend(path) is not None}


def _owner(path: str, roots: Sequence[Module]) -> Module | None:
    """The root module around a file, else the only one there is."""
    by_path = {root.path: root for root in roots}
    folder = posixpath.dirname(path)
    while True:
        if folder in by_path:
            return by_path[folder]
        if not folder:
            return roots[0] if len(by_path) == 1 else None
        folder = posixpath.dirname(folder)
