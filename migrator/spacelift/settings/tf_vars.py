"""Spacelift's environment variables ``TF_VAR_…``, which set root variables in the runs of stacks.

See https://docs.spacelift.io/concepts/configuration/environment; ``ro_`` and ``wo_`` are Spacelift's own prefixes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from migrator.regex import regex
from migrator.spacelift.attached.reach import Reach, Reaches
from migrator.spacelift.settings.terraform import terraform_settings, variables_called
from migrator.terraform.usage.declarations import Assignment, Piece

if TYPE_CHECKING:
    from migrator.spacelift.stacks.model import StackDefinition
    from migrator.workspace.module import Module
    from migrator.workspace.workspace import Workspace

_VALUES = regex(r"\.tfvars(?:\.json)?$")
_WRITTEN = regex(r"(?:base64encode\(\s*)?(?:<<|\"[^$]*\"|jsonencode)")


class VariableSettings:
    """The settings of all ``stacks`` that a repository defines."""

    def __init__(self, workspace: Workspace, stacks: Sequence[StackDefinition]) -> None:
        self._workspace = workspace
        self._stacks = stacks

    def of(self, name: str) -> Iterator[Assignment]:
        """The settings that give root variables called ``name`` a value."""
        types = variables_called({f"{prefix}TF_VAR_{name}" for prefix in ("", "ro_", "wo_")})
        for module in self._modules:
            for setting in terraform_settings(self._workspace, module, self._reaches, types):
                objection = setting.objection.reason if setting.objection else ""
                objection = objection or ("The setting sets other variables too." if setting.entries else "")
                piece = Piece(setting.document, setting.block, module.path, edits=setting.unlisted)
                yield Assignment(piece, self._readers(setting.reach), objection)

    def mounted(self, name: str) -> Iterator[Assignment]:
        """The mounted files with values of variables, except for those whose known content does not have ``name``."""
        types = {"spacelift_mounted_file": ("relative_path", "content", lambda path: _VALUES.search(path) is not None)}
        for module in self._mounting:
            for setting in terraform_settings(self._workspace, module, self._reaches, types):
                content = setting.block.attribute("content")
                text = setting.document.expression(content) if content is not None else ""
                if not _WRITTEN.match(text) or re.search(rf"\b{re.escape(name)}\b", text):
                    piece = Piece(setting.document, setting.block, module.path)
                    yield Assignment(piece, self._readers(setting.reach), "A mounted file is not edited.")

    @cached_property
    def _mounting(self) -> list[Module]:
        modules = self._workspace.modules.values()
        return [module for module in modules if any(module.blocks("resource", "spacelift_mounted_file"))]

    @cached_property
    def _modules(self) -> list[Module]:
        setting_modules = (
            module
            for module in self._workspace.modules.values()
            for document in module.documents
            if _may_set(document.text)
        )
        return list(dict.fromkeys(setting_modules))

    @cached_property
    def _reaches(self) -> Reaches:
        return Reaches(self._workspace, self._stacks)

    def _readers(self, reach: Reach) -> frozenset[str] | None:
        """The root modules that the stacks run; None if one of the modules is not known."""
        paths_by_stack = [self._run_by(stack) for stack in reach.stacks]
        if reach.unknown or reach.labels or not paths_by_stack or not all(paths_by_stack):
            return None
        return frozenset(path for paths in paths_by_stack for path in paths)

    def _run_by(self, stack: StackDefinition) -> list[str]:
        return [path for path in self._workspace.modules if self._workspace.runs(stack.code, path, stack.document.path)]


def _may_set(text: str) -> bool:
    return "spacelift_environment_variable" in text and "TF_VAR_" in text
