"""A directory of Terraform files as a module, and the calls of modules."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from migrator.syntax.terraform import Attribute

if TYPE_CHECKING:
    from migrator.syntax.terraform import Block
    from migrator.workspace.document import Document


_LABELS = {"resource": 2, "data": 2, "module": 1}
"""How many labels a block must have for Terraform to take it."""


@dataclass(eq=False)
class Module:
    """A directory of Terraform files; ``path`` is relative to the repository, ``""`` for its root.

    ``values`` are the files with values for the variables of a root module, the one that counts most last.
    """

    path: str
    documents: list[Document] = field(default_factory=list)
    tests: list[Document] = field(default_factory=list)
    values: list[Document] = field(default_factory=list)

    def blocks(self, type_: str, label: str | tuple[str, ...] | None = None) -> Iterator[tuple[Document, Block]]:
        """Every top-level block of a type in the module's configuration, with the file that it stands in.

        With ``label`` those that have it as their first label, or, if it is a tuple, as all of them.
        """
        return iter(self._blocks.get((type_, label), ()))

    @cached_property
    def _blocks(self) -> dict[tuple[str, str | tuple[str, ...] | None], list[tuple[Document, Block]]]:
        found: dict[tuple[str, str | tuple[str, ...] | None], list[tuple[Document, Block]]] = {}
        for document in self.documents:
            for block in (item for item in document.blocks if len(item.labels) >= _LABELS.get(item.type, 0)):
                for label in (None, *block.labels[:1], block.labels):
                    found.setdefault((block.type, label), []).append((document, block))
        return found

    def locals_called(self, name: str) -> Iterator[tuple[Document, Block, Attribute]]:
        """Every argument ``name`` of a ``locals`` block in the module, with the block and the file around it."""
        return iter(self._locals.get(name, ()))

    @cached_property
    def _locals(self) -> dict[str, list[tuple[Document, Block, Attribute]]]:
        found: dict[str, list[tuple[Document, Block, Attribute]]] = {}
        for document, block in self.blocks("locals"):
            for name, attribute in {item.name: item for item in reversed([*block.attributes])}.items():
                found.setdefault(name, []).append((document, block, attribute))
        return found

    def overrides(self, block: Block) -> list[tuple[Document, Block]]:
        """The blocks of override files that Terraform merges over ``block``."""
        return self._overrides.get((block.type, block.labels), [])

    @cached_property
    def _overrides(self) -> dict[tuple[str, tuple[str, ...]], list[tuple[Document, Block]]]:
        found: dict[tuple[str, tuple[str, ...]], list[tuple[Document, Block]]] = {}
        for document in self.documents:
            for block in document.blocks if document.is_override else ():
                found.setdefault((block.type, block.labels), []).append((document, block))
        return found

    def test_blocks(self, type_: str) -> Iterator[tuple[Document, Block]]:
        """Every top-level block of a type in the module's tests, with the file that it stands in."""
        return ((document, block) for document in self.tests for block in document.blocks if block.type == type_)

    def value(self, variable: str) -> tuple[Document, Attribute | None] | None:
        """What ``values``, the files that Terraform reads unasked, say of a variable; None if they say nothing.

        The last of them counts. Of one that cannot be read nobody knows what it says: None in place of the argument.
        """
        for document, given in self._given:
            if variable in given or document.problem:
                return document, given.get(variable)
        return None

    @cached_property
    def _given(self) -> list[tuple[Document, dict[str, Attribute]]]:
        named = (
            (entry, (item for item in entry.items if isinstance(item, Attribute))) for entry in reversed(self.values)
        )
        return [(document, {item.name: item for item in items}) for document, items in named]

    @property
    def views(self) -> list[list[Document]]:
        """The files that Terraform reads, and those that OpenTofu does: there ``x.tofu`` replaces ``x.tf``."""
        tofu = {
            posixpath.splitext(document.path.removesuffix(".json"))[0]
            for document in self.documents
            if document.is_tofu
        }
        terraform = [document for document in self.documents if not document.is_tofu]
        if not tofu:
            return [terraform]
        unshadowed = [
            document for document in terraform if posixpath.splitext(document.path.removesuffix(".json"))[0] not in tofu
        ]
        return [terraform, unshadowed + [document for document in self.documents if document.is_tofu]]

    @property
    def is_interesting(self) -> bool:
        """Whether any of the files can hold what a rule looks for."""
        return any(document.is_interesting for document in (*self.documents, *self.tests))


@dataclass(frozen=True, eq=False)
class ModuleCall:
    """A ``module`` block that calls a module of the same repository."""

    caller: Module
    document: Document
    block: Block
