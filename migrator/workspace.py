"""The Terraform files of one repository as documents, by module directory; what cannot be read is kept as a problem."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from migrator.discover import Listing
from migrator.errors import SyntaxProblem
from migrator.model import FileProblem, Place
from migrator.source import SourceFile
from migrator.syntax import hcl
from migrator.syntax.terraform import Attribute, Block

_INTERESTING = re.compile(rb"\bprovider\b|\bbackend\b|\bspacelift_")
_READ_AT_ONCE = frozenset({"provider", "terraform", "module", "variable", "locals"})


@dataclass(eq=False)
class Document:
    """The file at ``path`` below ``root``, read when it is first asked for, and its blocks, read after it."""

    root: Path
    path: str
    problem: FileProblem | None = None

    @cached_property
    def source(self) -> SourceFile:
        """The file as it was read; empty where it cannot be, and then `problem` says why."""
        try:
            return SourceFile(self.path, (self.root / self.path).read_bytes())
        except OSError as error:
            self.problem = FileProblem(Place(self.path), f"it cannot be read: {error.strerror}")
            return SourceFile(self.path, b"")

    @property
    def text(self) -> str:
        """The file's characters."""
        return self.source.text

    @cached_property
    def is_interesting(self) -> bool:
        """Whether the file can hold what any rule looks for."""
        return _INTERESTING.search(self.source.data) is not None

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks at the top of the file; none where it cannot be understood, and then `problem` says why."""
        try:
            items = hcl.parse(self.text)
            for item in items:
                _read_through(item)
        except SyntaxProblem as problem:
            place = Place(self.path, self.source.line(problem.offset))
            self.problem = FileProblem(place, f"{problem.reason}; the file was left as it is")
            return ()
        return tuple(item for item in items if isinstance(item, Block))

    def place(self, block: Block | Attribute) -> Place:
        """Where ``block`` begins."""
        return Place(self.path, self.source.line(block.span.start))


def _read_through(item: Attribute | Block) -> None:
    """Read all of a block that a rule may look into, so that what is wrong in it is found before any edit."""
    if not isinstance(item, Block):
        raise SyntaxProblem(item.span.start, f"the argument {item.name} stands outside of any block")
    if item.type not in _READ_AT_ONCE and not (item.labels and item.labels[0].startswith("spacelift_")):
        return
    pending = [item]
    while pending:
        pending += pending.pop().blocks()


@dataclass(eq=False)
class Module:
    """A directory of Terraform files; ``path`` is relative to the repository, ``""`` for its root."""

    path: str
    documents: list[Document] = field(default_factory=list)

    def blocks(self, type_: str, label: str | None = None) -> Iterator[tuple[Document, Block]]:
        """Every top-level block of a type, with the file that it stands in."""
        for document in self.documents:
            for block in document.blocks:
                if block.type == type_ and (label is None or block.labels[:1] == (label,)):
                    yield document, block

    @property
    def is_interesting(self) -> bool:
        """Whether any of the files can hold what a rule looks for."""
        return any(document.is_interesting for document in self.documents)


class Workspace:
    """All modules of a repository. ``name`` is the repository's, ``scope`` the folder that may be changed."""

    def __init__(self, listing: Listing, name: str, scope: str = "") -> None:
        self.root = listing.root
        self.scope = scope
        self._name = name
        self.documents = {path: Document(listing.root, path) for path in sorted(set(listing.files.values()))}
        self.modules: dict[str, Module] = {}
        for path, target in sorted(listing.files.items()):
            folder = posixpath.dirname(path)
            self.modules.setdefault(folder, Module(folder)).documents.append(self.documents[target])

    @property
    def problems(self) -> list[FileProblem]:
        """The files that were asked for and could not be read or understood."""
        return [document.problem for document in self.documents.values() if document.problem]

    def locate(self, repository: str, project_root: str) -> str | None:
        """The path that ``project_root`` of ``repository`` has here; None if the repository is another.

        A folder inside a checkout may be a repository of its own, such as a subtree, and has its name then.
        """
        if repository == self._name:
            return project_root
        if self.scope and repository == posixpath.basename(self.scope):
            return posixpath.join(self.scope, project_root).rstrip("/")
        return None

    def interesting_modules(self) -> Iterator[Module]:
        """The modules of the folder that may be changed in which a rule can find something, by path."""
        inside = (module for path, module in sorted(self.modules.items()) if self.in_scope(path))
        return (module for module in inside if module.is_interesting)

    def modules_of(self, document: Document) -> list[Module]:
        """The modules that a file is part of: its folder's, and those that link to it."""
        return [module for module in self.modules.values() if document in module.documents]

    @cached_property
    def calls(self) -> dict[str, list[ModuleCall]]:
        """The calls of every module of the repository by a local path, by the path of the module called."""
        found: dict[str, list[ModuleCall]] = {}
        for module in self.modules.values():
            for document, block in module.blocks("module"):
                source = block.attribute("source")
                local = hcl.string_value(source.value.of(document.text)) if source else None
                if local is not None and local.startswith(("./", "../")):
                    target = posixpath.normpath(posixpath.join(module.path, local))
                    found.setdefault("" if target == "." else target, []).append(ModuleCall(module, document, block))
        return found

    def in_scope(self, path: str) -> bool:
        """Whether the file or module at ``path`` lies in the folder that may be changed."""
        return not self.scope or path == self.scope or path.startswith(self.scope + "/")


@dataclass(frozen=True, eq=False)
class ModuleCall:
    """A ``module`` block that calls a module of the same repository."""

    caller: Module
    document: Document
    block: Block
