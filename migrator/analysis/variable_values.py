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
from migrator.analysis.mentions import Mentions
from migrator.discover import Kind, is_values
from migrator.document import Document
from migrator.model import Place
from migrator.workspace import Module, Workspace

_VALUES_FILE = re.compile(r"-var-file[\s=,\"'\\]+(?P<path>[^\s\"'`;&|)\\,\]]+)")
_UNKNOWN = re.compile(r"\$\{\{.*?\}\}|\$\{[^}]*\}|\$\([^)]*\)|\$\w+|\{\{.*?\}\}|<[^>]*>|%\{?\w+\}?%?")


class VariableValues:
    """What gives values to the root variables of a repository."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @cached_property
    def _mentions(self) -> Mentions:
        declared = (block for one in self._workspace.modules.values() for _, block in one.blocks("variable"))
        return Mentions(self._workspace, {name for block in declared for name in block.labels})

    def given(self, name: str) -> Place | None:
        """Where a command line or a program gives the variable its value, or may, whatever the root module."""
        return self._mentions.given.get(name)

    def in_environment(self, name: str) -> list[Place]:
        """Where the environment of a program or a run gives it."""
        return self._mentions.in_environment.get(name, [])

    @property
    def unsearched(self) -> list[str]:
        """The files that may give values, and are too large to be searched."""
        return self._mentions.too_large

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
            for document in self._mentions.files
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


def _leads_to(folder: str, pattern: str, path: str) -> bool:
    """Whether ``pattern`` from ``folder``, or from a place that is not known, may be ``path``."""
    if pattern.startswith("*/"):
        return fnmatchcase(path, pattern)
    return fnmatchcase(path, posixpath.normpath(posixpath.join(folder, pattern)))
