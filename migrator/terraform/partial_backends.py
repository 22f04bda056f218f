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

from migrator.model.findings import LeftAlone, Place, Refusal
from migrator.regex import regex
from migrator.terraform.assumed_role import ROLE_FAMILY
from migrator.terraform.backends import S3Backend
from migrator.terraform.diagnostics import EMULATOR
from migrator.terraform.endpoints import STORE_ARGUMENTS, is_endpoint, skip_reason_of_host, skip_reason_of_store
from migrator.terraform.providers import CREDENTIALS
from migrator.workspace.discover import Kind
from migrator.workspace.module import Module

if TYPE_CHECKING:
    from migrator.workspace.document import Document
    from migrator.workspace.workspace import Workspace

_VARIABLE = r"\$?\$\{\{[^{}]*\}\}|\$?\$\{[^{}]*\}|\{\{[^{}]*\}\}|\{[\w.]+\}|\$\([^()]*\)|\$\w+|%\w+%|<[\w-]+>"
_BACKEND_CONFIG_OPTION = regex(
    rf"-backend-config(?:[= \t]+|\\?[\"'])[\"'\\]*(?P<given>(?:{_VARIABLE}|[^\s\"'`;&|)\\])+)"
)
_NAMED_BY_VARIABLE = regex(_VARIABLE)
_NEXT_COMMAND = regex(r"init|terra|tofu|;|&&|\n\s*\n|\n\w")
"""Text that no options of one command have between them."""
_SHELL = regex(r"(?:^|/)\.env(?:rc)?$")
_ENDPOINT = regex(
    r"(?m)^[ \t]*(?:export[ \t]+)?[\"']?(?P<name>AWS_(?:ENDPOINT_URL_S3|S3_ENDPOINT))[\"']?[ \t]*[=:][ \t]*"
    r"[\"']?(?P<host>[^\s\"']+)"
)
_HOST = regex(r"[^\s,]{0,40}?(?P<host>https?://[^\s\"'`}\\]+)")
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


class BackendCommand(Struct, frozen=True, eq=False):
    """A command with ``-backend-config`` for the backend of ``root``; None for an unknown root module.

    ``values`` are the credentials and roles of the command. ``store`` is the reason why the command is not for AWS.
    """

    root: Module | None
    values: tuple[BackendConfigValue, ...]
    files: frozenset[str] = frozenset()
    store: LeftAlone | Refusal | None = None


def backend_commands(
    workspace: Workspace, roots: Sequence[Module], units: Mapping[str, Module]
) -> Iterator[BackendCommand]:
    """The commands of scripts that pass arguments or files to a backend."""
    matches: dict[Document, list[re.Match[str]]] = {}
    for document, match in _mentions(workspace):
        line = document.text.rfind("\n", 0, match.start()) + 1
        if not document.text[line : match.start()].lstrip().startswith(("#", "//")):
            matches.setdefault(document, []).append(match)
    for document, in_document in matches.items():
        for command in _by_command(document.text, in_document):
            pairs = [(match, *match["given"].partition("=")) for match in command]
            values = tuple(
                BackendConfigValue(Place(document.path, document.source.line(match.start())), name)
                for match, name, equals, _ in pairs
                if equals and name in (*CREDENTIALS, *ROLE_FAMILY)
            )
            named = (_existing_paths(workspace, document, name, roots) for _, name, equals, _ in pairs if not equals)
            files = frozenset(path for paths in named for path in paths)
            store = _store({name: _value(document.text, match) for match, name, equals, _ in pairs if equals})
            yield BackendCommand(_owner(document.path, roots, units), values, files, store)


def environment_stores(
    workspace: Workspace, roots: Sequence[Module], units: Mapping[str, Module]
) -> Iterator[tuple[Module | None, LeftAlone | Refusal]]:
    """The reasons why backends are not for AWS by an endpoint in the environment, each with the root module."""
    scripts = [
        document for document in workspace.of_kind(Kind.SCRIPT) if document.path.endswith(".spacelift/config.yml")
    ]
    for document in (*scripts, *workspace.others(_SHELL)):
        if b"AWS_" in document.source.data and workspace.in_scope(document.path):
            for match in _ENDPOINT.finditer(document.text):
                host = match["host"]
                known = host if "." in _NAMED_BY_VARIABLE.sub("", host) else None
                store = skip_reason_of_host(match["name"], known, host)
                if store is not None and store.code != EMULATOR.code:
                    yield _owner(document.path, roots, units), store


def store_of(backends: Sequence[S3Backend], commands: Iterable[BackendCommand]) -> LeftAlone | Refusal | None:
    """The reason why a backend of these blocks and files is not for AWS: all its commands or all its files say so."""
    stores = [command.store for command in commands]
    files = [backend.skip_reason for backend in backends if backend.is_partial]
    for outcomes in (stores, files):
        reasons = [reason for reason in outcomes if isinstance(reason, LeftAlone | Refusal)]
        if reasons and len(reasons) == len(outcomes) and EMULATOR.code not in {reason.code for reason in reasons}:
            return reasons[0]
    return None


def _by_command(text: str, matches: Iterable[re.Match[str]]) -> list[list[re.Match[str]]]:
    """The ``matches`` in the text of a script, by the command that they are in."""
    commands: list[list[re.Match[str]]] = []
    for match in matches:
        if commands and not _NEXT_COMMAND.search(text, commands[-1][-1].end(), match.start()):
            commands[-1].append(match)
        else:
            commands.append([match])
    return commands


def _value(text: str, match: re.Match[str]) -> tuple[str | None, str]:
    """The value of ``-backend-config=name=value``, None if not known, and the text of the value."""
    value_text = match["given"].partition("=")[2]
    host = _HOST.match(text, match.start("given") + match["given"].index("=") + 1)
    if host is not None:
        return host["host"] if "." in _NAMED_BY_VARIABLE.sub("", host["host"]) else None, host["host"]
    return None if not value_text or _NAMED_BY_VARIABLE.search(value_text) else value_text, value_text


def _store(values: Mapping[str, tuple[str | None, str]]) -> LeftAlone | Refusal | None:
    """The reason why a command with these ``values`` is not for AWS, as far as known."""
    hosts = [(name, value) for name, value in values.items() if is_endpoint(name) or name == "endpoints"]
    for name, (host, text) in hosts:
        if reason := skip_reason_of_host("endpoint" if name == "endpoints" else name, host, text):
            return reason
    arguments = {name: value for name, (value, _) in values.items() if name in STORE_ARGUMENTS}
    return skip_reason_of_store(arguments, has_endpoint=bool(hosts))


def backend_config_files(workspace: Workspace, arguments: str, folder: str) -> set[str]:
    """The paths in ``-backend-config`` among the ``arguments`` of a run in ``folder``."""
    names = (match["given"] for match in _BACKEND_CONFIG_OPTION.finditer(arguments))
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
                if is_backend and (backend_file := workspace.partial_backend(document.path)):
                    yield backend_file


def _mentions(workspace: Workspace) -> Iterator[tuple[Document, re.Match[str]]]:
    for kind in (Kind.SCRIPT, Kind.CONFIG, Kind.TERRAGRUNT):
        for document in workspace.of_kind(kind):
            if b"-backend-config" in document.source.data:
                yield from ((document, match) for match in _BACKEND_CONFIG_OPTION.finditer(document.text))
    for document in workspace.others(_OTHER_SCRIPTS):
        if workspace.in_scope(document.path) and b"-backend-config" in document.source.data:
            yield from ((document, match) for match in _BACKEND_CONFIG_OPTION.finditer(document.text))


def _existing_paths(workspace: Workspace, script: Document, name: str, roots: Sequence[Module]) -> set[str]:
    """The existing paths for ``name``: next to the script, from the repository's root, or in a root module."""
    folders = (posixpath.dirname(script.path), "", *(root.path for root in roots))
    inside = {path for path in _matching_paths(workspace, folders, name) if workspace.in_scope(path)}
    return {file.path for path in inside if (file := workspace.partial_backend(path)) is not None}


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
