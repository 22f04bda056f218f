"""Where root variables get their values: ``tfvars`` files, the command line, the environment, programs.

https://developer.hashicorp.com/terraform/language/values/variables#assigning-values-to-root-module-variables. A value
for a variable that is not declared is an error on the command line, a warning in a file, and nothing in the
environment.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cached_property

from migrator.analysis.declarations import Given, Piece
from migrator.discover import Kind, is_values
from migrator.document import Document
from migrator.model import Place
from migrator.workspace import Module, Workspace

_NAME = r"(?P<name>[A-Za-z_][\w-]*)"
_ON_COMMAND_LINE = re.compile(rf"(?<![\w-])--?var(?!-file)[\s=,\"'\\\[]+(?:-\s+)?[\"']?{_NAME}\s*=")
_IN_ENVIRONMENT = re.compile(rf"TF_VAR_{_NAME}")
_VALUES_FILE = re.compile(r"-var-file[\s=,\"'\\]+(?P<path>[^\s\"'`;&|)\\,\]]+)")
_UNKNOWN = re.compile(r"\$\{\{.*?\}\}|\$\{[^}]*\}|\$\([^)]*\)|\$\w+|\{\{.*?\}\}|<[^>]*>|%\{?\w+\}?%?")
_PROGRAMS = (
    (re.compile(rb"terraform\.Options\b"), re.compile(rf'"{_NAME}"\s*:')),
    (re.compile(rb"TerraformHclModule\b"), re.compile(rf"\b{_NAME}[\"']?\s*[:=]")),
    (re.compile(rb"(?m)^\s*project_path\s*:"), re.compile(rf"(?m)^\s*[\"']?{_NAME}[\"']?\s*:")),
    (re.compile(rb'(?m)^\s*component\s*"'), re.compile(rf"\b{_NAME}\s*=")),
)
"""What gives values from a program: Terratest, CDKTF, Ansible's terraform module, Terraform Stacks."""

_OTHERS = re.compile(
    r"(?:^|/)(?:Dockerfile|Containerfile|Taskfile|Rakefile|Earthfile|\.envrc|\.env|package\.json|[^/]+\."
    r"(?:hcl|go|ts|js|rb|groovy|toml|bat|cmd|fish|zsh|env|envrc|rake|tpl|tmpl))$"
)


class VariableValues:
    """What gives values to the root variables of a repository."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @cached_property
    def _programs(self) -> list[Document]:
        kinds = (Kind.SCRIPT, Kind.PYTHON, Kind.CONFIG, Kind.TERRAGRUNT)
        known = [one for one in self._workspace.documents.values() if one.kind in kinds]
        return [*known, *self._workspace.others(_OTHERS)]

    def given(self, name: str) -> Place | None:
        """Where a command line or a program gives the variable its value, whatever the root module."""
        return self._given.get(name)

    @cached_property
    def _given(self) -> dict[str, Place]:
        found: dict[str, Place] = {}
        for document in self._programs:
            patterns = [_ON_COMMAND_LINE] if b"-var" in document.source.data else []
            patterns += [names for mark, names in _PROGRAMS if _has(document, mark)]
            for match in (match for pattern in patterns for match in pattern.finditer(document.text)):
                found.setdefault(match["name"], Place(document.path, document.source.line(match.start("name"))))
        return found

    def in_environment(self, name: str) -> list[Place]:
        """Where the environment gives it, which Terraform does not mind of variables that are not declared."""
        return self._environment.get(name, [])

    @cached_property
    def _environment(self) -> dict[str, list[Place]]:
        found: dict[str, list[Place]] = {}
        for document in self._programs:
            for match in _IN_ENVIRONMENT.finditer(document.text) if b"TF_VAR_" in document.source.data else ():
                place = Place(document.path, document.source.line(match.start()))
                found.setdefault(match["name"], []).append(place)
        return found

    def in_files(self, name: str) -> Iterator[Given]:
        """The values in files, each with the modules that the file may be for."""
        for document in self._files:
            if name.encode() in document.source.data:
                for block in document.blocks:
                    value = block.attribute(name)
                    if value is not None:
                        readers = frozenset(module.path for module in self._readers(document))
                        yield Given(Piece(document, value, "", (block,)), readers)

    @cached_property
    def _files(self) -> list[Document]:
        for document, path in self._mentioned:
            if not _UNKNOWN.search(path):
                folders = (posixpath.dirname(document.path), *self._workspace.modules)
                for folder in folders:
                    self._workspace.values(posixpath.normpath(posixpath.join(folder, path)))
        return [one for _, one in sorted(self._workspace.documents.items()) if one.kind is Kind.VALUES]

    @cached_property
    def _mentioned(self) -> list[tuple[Document, str]]:
        return [
            (document, match["path"])
            for document in self._programs
            if b"-var-file" in document.source.data
            for match in _VALUES_FILE.finditer(document.text)
        ]

    def _readers(self, document: Document) -> list[Module]:
        """The modules that read the file: its folder's, and those for which a script names it; all if none is known."""
        folder, name = posixpath.split(document.path)
        modules = self._workspace.modules
        own = [modules[folder]] if folder in modules else []
        if is_values(name):
            return own
        found = {module.path: module for module in own}
        for script, path in self._mentioned:
            pattern = _UNKNOWN.sub("*", path)
            if fnmatchcase(name, posixpath.basename(pattern)):
                named = [one for one in modules.values() if _leads_to(one.path, pattern, document.path)]
                if not named and _leads_to(posixpath.dirname(script.path), pattern, document.path):
                    return list(modules.values())
                found |= {module.path: module for module in named}
        return list(found.values()) or list(modules.values())


def _has(document: Document, mark: re.Pattern[bytes]) -> bool:
    return document.kind is not Kind.CONFIG and mark.search(document.source.data) is not None


def _leads_to(folder: str, pattern: str, path: str) -> bool:
    """Whether ``pattern`` from ``folder``, or from a place that is not known, may be ``path``."""
    if pattern.startswith("*/"):
        return fnmatchcase(path, pattern)
    return fnmatchcase(path, posixpath.normpath(posixpath.join(folder, pattern)))
