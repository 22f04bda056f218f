"""The variables that modules gain and lose by edits; their callers have to follow."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.errors import SyntaxProblem
from migrator.syntax.languages import language_of
from migrator.syntax.terraform import Block
from migrator.workspace.discover import Kind, kind_of

if TYPE_CHECKING:
    from migrator.model.findings import Change
    from migrator.workspace.module import Module
    from migrator.workspace.workspace import Workspace


class Interface(Struct, frozen=True):
    """The changed variables of a ``module``: ``gains`` and ``loses``, by name."""

    module: Module
    gains: tuple[str, ...]
    loses: tuple[str, ...]


def interfaces(workspace: Workspace, changes: Sequence[Change]) -> Iterator[Interface]:
    """The modules whose variables differ after ``changes``, by path."""
    changes_by_path: dict[str, dict[str, Change]] = {}
    for change in changes:
        document = workspace.documents.get(change.path)
        if (document.kind if document else kind_of(change.path)) is Kind.CONFIG:
            modules = [module.path for module in workspace.modules_of(document)] if document else []
            for path in modules or [posixpath.dirname(change.path)]:
                changes_by_path.setdefault(path, {})[change.path] = change
    for path, file_changes in sorted(changes_by_path.items()):
        module = workspace.modules.get(path)
        if module is not None:
            variables = [(document.path, block) for document, block in module.blocks("variable") if block.labels]
            before = {block.labels[0]: None for _, block in variables}
            kept_names = [block.labels[0] for path, block in variables if path not in file_changes]
            new_names = [
                name
                for change in file_changes.values()
                for name in declared_in(change.path, change.after.decode("utf-8-sig", "replace"))
            ]
            after = dict.fromkeys((*kept_names, *new_names))
            gains, loses = (
                tuple(name for name in after if name not in before),
                tuple(name for name in before if name not in after),
            )
            if gains or loses:
                yield Interface(module, gains, loses)


def declared(items: Sequence[object]) -> list[str]:
    """The names of the variables among the blocks of a file."""
    return [
        block.labels[0] for block in items if isinstance(block, Block) and block.type == "variable" and block.labels
    ]


def declared_in(path: str, text: str) -> list[str]:
    """The names of the variables that ``text`` declares; none for invalid text."""
    if "variable" not in text and "\\u" not in text:
        return []
    try:
        return declared(language_of(path).parse(text))
    except SyntaxProblem:
        return []
