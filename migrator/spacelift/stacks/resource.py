"""The resources of Spacelift's provider that a repository defines, with their arguments evaluated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.terraform.expressions.scopes import instances, scopes_of

if TYPE_CHECKING:
    from migrator.model.findings import Ignored, Place
    from migrator.syntax.terraform import Block
    from migrator.terraform.expressions.evaluate import Expression, Scope
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module
    from migrator.workspace.workspace import Workspace


class Resource(Struct, frozen=True, eq=False):
    """A resource, or a single instance of a repeated block, in the ``scope`` of its module.

    ``key`` is its key among those that ``for_each`` makes; None if there is one only, or the keys are not known.
    """

    document: Document
    block: Block
    scope: Scope
    key: str | None = None

    @property
    def module(self) -> Module:
        """The module with the block."""
        return self.scope.module

    @property
    def place(self) -> Place:
        """The place of the block."""
        return self.document.place(self.block)

    @property
    def address(self) -> str:
        """The block's address, such as ``spacelift_context.app``."""
        return ".".join(self.block.labels)

    @property
    def provider(self) -> str:
        """The provider block in the root module, such as ``spacelift.eu``: each may be for an account of its own."""
        chosen = self.block.attribute("provider")
        name = self.document.expression(chosen).strip('"') if chosen is not None else "spacelift"
        scope = self.scope
        while scope.call is not None and scope.caller is not None:
            document, passed = scope.call.document, scope.call.block.attribute("providers")
            for item in document.object_items(passed) if passed is not None else ():
                if item.name == name:
                    name = document.expression(item).strip('"')
                    break
            scope = scope.caller
        return name

    @property
    def ignored(self) -> Ignored | None:
        """Why it is to be left alone, if so."""
        return self.document.ignored if self.document.is_ignored(self.block) else None

    def argument(self, name: str) -> Expression | None:
        """The argument called ``name``, if the block has it."""
        return self.scope.argument(self.document, self.block, name)

    def string(self, name: str, default: str | None = None) -> str | None:
        """The string of an argument, by ``default`` if not set; None if not known."""
        argument = self.argument(name)
        return default if argument is None or argument.is_null else argument.string

    def is_true(self, name: str, default: bool | None) -> bool | None:
        """The value of a boolean argument, by ``default`` if not set; None if not known."""
        argument = self.argument(name)
        if argument is None or argument.is_null:
            return default
        text = argument.origin.text.strip('"') if argument.origin else ""
        return {"true": True, "false": False}.get(text)


def resources(workspace: Workspace, type_: str) -> Iterator[Resource]:
    """Every resource of a type, once for each scope that its module and ``for_each`` make."""
    for module in workspace.modules.values():
        for document, block in module.blocks("resource", type_) if module.is_interesting else ():
            yield from resources_of(workspace, module, document, block)


def resources_of(workspace: Workspace, module: Module, document: Document, block: Block) -> Iterator[Resource]:
    """The resources that a block makes, in all calls of its module."""
    for outer in scopes_of(workspace, module):
        for key, scope in instances(document, block, outer):
            yield Resource(document, block, scope, key=key)
