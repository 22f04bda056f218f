"""The modules of one repository, the calls between them, and the files of the repository as documents."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec.structs import replace

from migrator.model.fleet import Code, RepoIdentity, runs
from migrator.model.module_source import ModuleSource, is_local, parse_source
from migrator.regex import regex
from migrator.syntax.source import SourceFile
from migrator.workspace.discover import Kind, Listing, is_values, kind_of
from migrator.workspace.document import Document
from migrator.workspace.files import RepositoryFiles
from migrator.workspace.module import Module, ModuleCall

if TYPE_CHECKING:
    from migrator.model.findings import Change, Place

_INTERPOLATION = regex(r"\$\{[^}]*\}")
_UPWARDS = regex(r"^(?:\.\.?/)+")
LOCK_FILE = ".terraform.lock.hcl"


def _renewed(documents: Iterable[Document], fresh: Mapping[str, Document]) -> list[Document]:
    return [fresh.get(document.path, document) for document in documents]


class Workspace(RepositoryFiles):
    """All modules of a repository, called ``identity``; ``scope`` is the folder that may be changed.

    With several ``folders``, ``scope`` is the repository's root.
    """

    def __init__(
        self,
        listing: Listing,
        identity: RepoIdentity,
        scope: str = "",
        exclude: tuple[str, ...] = (),
        folders: tuple[str, ...] = (),
    ) -> None:
        super().__init__(listing, exclude, folders or (scope,))
        self.scope = scope
        self.identity = identity
        self.modules: dict[str, Module] = {}
        self.slugs: dict[str, str] = {}
        """The slugs of stacks that the user names, by the stack's title or name."""
        self.derived: dict[str, object] = {}
        """What was worked out of the files, for whoever asks again."""
        self.outside: dict[str, list[ModuleCall]] = {}
        """The calls of modules of other repositories whose variables change, by what those are called."""
        self.called_elsewhere: set[str] = set()
        """The paths of the modules that other repositories of the run call."""
        self.frozen: dict[str, str] = {}
        """The modules whose variables must stay as they are, by path, with the reason."""
        tests: list[tuple[str, str]] = []
        for path, target in sorted(listing.files.items()):
            kind = kind_of(path) or Kind.SCRIPT
            document = self.documents.get(target) or self._add(target, kind)
            folder = posixpath.dirname(path)
            if kind is Kind.CONFIG:
                self.modules.setdefault(folder, Module(folder)).documents.append(document)
            elif kind is Kind.TEST:
                tests.append((folder, target))
        for folder, target in tests:
            self._tested_module(folder).tests.append(self.documents[target])
        for path in sorted(filter(is_values, listing.files), key=lambda path: (".auto." in path, path)):
            if module := self.modules.get(posixpath.dirname(path)):
                module.values.append(self.documents[listing.files[path]])

    def _tested_module(self, folder: str) -> Module:
        """The module that the tests in ``folder`` are for: that of the folder, or of the one around ``tests/``."""
        parent = posixpath.dirname(folder)
        if folder not in self.modules and posixpath.basename(folder) == "tests" and parent in self.modules:
            return self.modules[parent]
        return self.modules.setdefault(folder, Module(folder))

    def changed(self, changes: Iterable[Change]) -> Workspace:
        """The workspace after ``changes``, for reading; unchanged files are the same documents."""
        fresh: dict[str, Document] = {}
        for change in changes:
            document = self.documents.get(change.path)
            kind = document.kind if document else kind_of(change.path) or Kind.BACKEND
            fresh[change.path] = Document(self.root, change.path, kind)
            fresh[change.path].source = SourceFile(change.path, change.after)
        other = copy(self)
        for name in ("calls", "_called_by", "_modules_by_document", "_by_name"):
            other.__dict__.pop(name, None)
        other.derived = {}
        other.documents = self.documents | fresh
        other.modules = {
            path: Module(
                path, *(_renewed(documents, fresh) for documents in (module.documents, module.tests, module.values))
            )
            for path, module in self.modules.items()
        }
        return other

    def lock_file(self, module: Module) -> Document | None:
        """The releases of providers that Terraform chose for a root module; None where there are none.

        See https://developer.hashicorp.com/terraform/language/files/dependency-lock.
        """
        path = posixpath.join(module.path, LOCK_FILE)
        is_there = path in self._others and (self.root / path).is_file() and not (self.root / path).is_symlink()
        return Document(self.root, path, Kind.CONFIG) if is_there else None

    def runs(self, code: Code, path: str, defining_path: str) -> bool:
        """Whether a stack of ``code``, which the file at ``defining_path`` defines, runs the root module at ``path``.

        The given folder may be a repository of its own, for example a subtree, which has the folder's name in stacks.
        """
        if runs(code, self.identity, path):
            return True
        name = posixpath.basename(self.scope)
        subtree = RepoIdentity(name, self.identity.namespace)
        is_inside = bool(self.scope) and code.project_root is not None and self.in_scope(defining_path)
        return is_inside and runs(replace(code, project_root=self.scoped(code.project_root or "")), subtree, path)

    def scoped(self, path: str) -> str:
        """The path of ``path`` in the given folder, from the repository's root."""
        return posixpath.join(self.scope, path).rstrip("/")

    @cached_property
    def folders_with_values(self) -> set[str]:
        """The folders in which values of variables lie."""
        return {posixpath.dirname(document.path) for document in self.of_kind(Kind.VALUES)}

    def interesting_modules(self) -> Iterator[Module]:
        """The modules of the folder that may be changed in which a rule can find something, by path."""
        inside = (module for path, module in sorted(self.modules.items()) if self.in_scope(path))
        return (module for module in inside if module.is_interesting)

    def modules_of(self, document: Document) -> list[Module]:
        """The modules of a file: the module of the folder, and modules that link to the file."""
        return self._modules_by_document[document.path]

    @cached_property
    def _modules_by_document(self) -> dict[str, list[Module]]:
        by_document: dict[str, list[Module]] = {}
        for module in self.modules.values():
            for document in (*module.documents, *module.tests):
                by_document.setdefault(document.path, []).append(module)
        return by_document

    @cached_property
    def calls(self) -> dict[str, list[ModuleCall]]:
        """The calls of every module of the repository, by the path of the module called, and those of `outside`.

        A call by the repository's own URL counts if the call follows the migrated branch, and no earlier release.
        """
        by_path = {title: [*calls] for title, calls in self.outside.items()}
        for module in self.modules.values():
            for document, block in module.blocks("module"):
                local = document.literal(block.attribute("source"))
                source = parse_source(local) if local is not None else None
                if local is not None and is_local(local):
                    called = self._folder(self.path_from(module.path, local))
                    by_path.setdefault(called, []).append(ModuleCall(module, document, block))
                elif source is not None and source.is_at_head(self.identity.branches) and self.is_own(source):
                    called = source.folder
                    by_path.setdefault(called, []).append(ModuleCall(module, document, block))
        return by_path

    def path_from(self, folder: str, source: str) -> str:
        """The path in the repository for a ``source`` that is a path; outside, the path begins with ``..``."""
        if source.startswith("/"):
            return os.path.relpath(os.path.realpath(source), os.path.realpath(self.root))
        return posixpath.normpath(posixpath.join(folder, source))

    def unread_caller(self, module: Module) -> Place | None:
        """The place of a module call with an expression as source that may call ``module``; OpenTofu allows this."""
        places = (place for pattern, place in self._unread_calls if fnmatchcase(f"/{module.path}", pattern))
        return next(places, None)

    @cached_property
    def _unread_calls(self) -> list[tuple[str, Place]]:
        calls: list[tuple[str, Place]] = []
        for document, block in (call for module in self.modules.values() for call in module.blocks("module")):
            source = block.attribute("source")
            if source is not None and document.literal(source) is None:
                text = document.expression(source)
                tail = _INTERPOLATION.sub("*", text[1:-1]) if text.startswith('"') else "*"
                calls.append((f"*/{_UPWARDS.sub('', tail)}", document.place(source)))
        return calls

    def is_own(self, source: ModuleSource) -> bool:
        """Whether ``source`` is of a module of this repository."""
        return source.is_in(self.identity.name, self.identity.namespace) and source.folder in self.modules

    def _folder(self, path: str) -> str:
        """The folder at ``path``, which may contain links, in the form of the module's path."""
        folder = posixpath.normpath(path)
        if folder not in self.modules:
            folder = os.path.relpath(os.path.realpath(self.root / path), os.path.realpath(self.root))
        return "" if folder == "." else folder

    def reached_from(self, path: str) -> set[str]:
        """The paths of the modules that the module at ``path`` calls by local paths, and those that they call.

        A call of a folder without a module, or of a folder outside of the repository, is ignored.
        """
        reached: set[str] = set()
        pending = [path]
        while pending:
            new = self._called_by.get(pending.pop(), set()) - reached
            reached |= new
            pending += new
        return reached

    @cached_property
    def _called_by(self) -> dict[str, set[str]]:
        """The modules of the repository that each module calls."""
        callers: dict[str, set[str]] = {}
        for called, calls in self.calls.items():
            for call in calls if called in self.modules else ():
                callers.setdefault(call.caller.path, set()).add(called)
        return callers

    def roots_of(self, module: Module) -> Iterator[Module]:
        """The root modules that call ``module``, directly or not: there a variable gets the value."""
        pending, seen = [module], set[str]()
        while pending:
            current = pending.pop()
            if current.path not in seen:
                seen.add(current.path)
                calls = self.calls.get(current.path, ())
                pending += [call.caller for call in calls]
                if not calls:
                    yield current
