"""A directory of Terraform files as a module, and the calls of modules."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct, field

from migrator.syntax.terraform import Attribute

if TYPE_CHECKING:
    from migrator.syntax.terraform import Block
    from migrator.workspace.document import Document


_ByLabel = dict[str | tuple[str, ...] | None, list[tuple["Document", "Block"]]]

_LABELS = {"resource": 2, "data": 2, "module": 1}
"""The number of labels that Terraform requires for a block."""
_MANY_TYPES = ("resource", "data")
"""Blocks with a kind as the first label."""


class Module(Struct, eq=False, dict=True):
    """A directory of Terraform files; ``path`` is relative to the repository, ``""`` for its root.

    ``values`` are the files with values for the variables of a root module; the last file has precedence.
    """

    path: str
    documents: list[Document] = field(default_factory=list)
    tests: list[Document] = field(default_factory=list)
    values: list[Document] = field(default_factory=list)

    @cached_property
    def _blocks(self) -> dict[tuple[str, str | None], _ByLabel]:
        return {}

    @cached_property
    def _of_provider(self) -> dict[str, list[Document]]:
        return {}

    def blocks(self, type_: str, label: str | tuple[str, ...] | None = None) -> Iterator[tuple[Document, Block]]:
        """Every top-level block of a type in the module's configuration, with the file of the block.

        ``label`` selects the blocks with that first label or, as a tuple, with these labels.
        """
        by_type = label if type_ in _MANY_TYPES and isinstance(label, str) else None
        if (type_, by_type) not in self._blocks:
            self._blocks[type_, by_type] = self._of_type(type_, by_type)
        return iter(self._blocks[type_, by_type].get(label, ()))

    def _of_type(self, type_: str, first: str | None) -> _ByLabel:
        """The blocks of a type by their labels; only files with these words are parsed."""
        by_label: _ByLabel = {}
        documents = self.documents if first is None else self._with_types_of(first.partition("_")[0])
        for document in documents:
            may_have = (first is None or document.mentions(first)) and document.mentions(type_)
            for block in document.blocks if may_have else ():
                if block.type == type_ and len(block.labels) >= _LABELS.get(type_, 0):
                    for label in dict.fromkeys((None, *block.labels[:1], block.labels)):
                        by_label.setdefault(label, []).append((document, block))
        return by_label

    def _with_types_of(self, provider: str) -> list[Document]:
        """The files that may have resources of ``provider``. Rules ask for many types of the same provider."""
        if provider not in self._of_provider:
            self._of_provider[provider] = [document for document in self.documents if document.may_hold(provider)]
        return self._of_provider[provider]

    def locals_called(self, name: str) -> Iterator[tuple[Document, Block, Attribute]]:
        """Every argument ``name`` of a ``locals`` block in the module, with the block and the file."""
        return iter(self._locals.get(name, ()))

    @cached_property
    def _locals(self) -> dict[str, list[tuple[Document, Block, Attribute]]]:
        by_name: dict[str, list[tuple[Document, Block, Attribute]]] = {}
        for document, block in self.blocks("locals"):
            for name, attribute in {attribute.name: attribute for attribute in reversed([*block.attributes])}.items():
                by_name.setdefault(name, []).append((document, block, attribute))
        return by_name

    def overrides(self, block: Block) -> list[tuple[Document, Block]]:
        """The blocks of override files that Terraform merges over ``block``."""
        return self._overrides.get((block.type, block.labels), [])

    @cached_property
    def _overrides(self) -> dict[tuple[str, tuple[str, ...]], list[tuple[Document, Block]]]:
        by_address: dict[tuple[str, tuple[str, ...]], list[tuple[Document, Block]]] = {}
        for document in self.documents:
            for block in document.blocks if document.is_override else ():
                by_address.setdefault((block.type, block.labels), []).append((document, block))
        return by_address

    def test_blocks(self, type_: str) -> Iterator[tuple[Document, Block]]:
        """Every top-level block of a type in the module's tests, with the file of the block."""
        documents = (document for document in self.tests if document.mentions(type_))
        return ((document, block) for document in documents for block in document.blocks if block.type == type_)

    def value(self, variable: str) -> tuple[Document, Attribute | None] | None:
        """The value of a variable in ``values``, the files that Terraform reads automatically; None without a value.

        The last file with a value has precedence. If that file cannot be parsed, the argument is None.
        """
        for document, values in self._values:
            if variable in values or document.problem:
                return document, values.get(variable)
        return None

    @cached_property
    def _values(self) -> list[tuple[Document, dict[str, Attribute]]]:
        elements = (
            (entry, (element for element in entry.items if isinstance(element, Attribute)))
            for entry in reversed(self.values)
        )
        return [(document, {attribute.name: attribute for attribute in items}) for document, items in elements]

    @cached_property
    def required_sources(self) -> dict[str, str]:
        """The sources of providers that the module requires, by their local names, in lower case."""
        return {
            provider.name: (document.literal(attribute) or "").lower()
            for document, terraform in self.blocks("terraform")
            for required in terraform.blocks("required_providers")
            for provider in required.attributes
            for attribute in document.object_items(provider)
            if attribute.name == "source"
        }

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
        """Whether any of the files may be relevant for a rule."""
        return any(document.is_interesting for document in (*self.documents, *self.tests))


class ModuleCall(Struct, frozen=True, eq=False):
    """A ``module`` block that calls a module of the same repository."""

    caller: Module
    document: Document
    block: Block
