"""The values that Terragrunt passes to variables of modules, and the files that write Terraform code for modules.

``inputs`` become environment variables, ``TF_VAR_…``, which Terraform does not mind of variables that are not
declared: https://terragrunt.gruntwork.io/docs/features/inputs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from migrator.regex import regex
from migrator.terraform.usage.declarations import Assignment, Piece
from migrator.terragrunt.unit import Unit, merged
from migrator.terragrunt.units import Terragrunt, terragrunt, used_elsewhere
from migrator.terragrunt.values import LiteralObject, objects

if TYPE_CHECKING:
    from migrator.syntax.terraform import Attribute
    from migrator.workspace.workspace import Workspace

_INPUTS = regex(rb"\b(?:inputs|generate)\b")


class TerragruntInputs:
    """The ``inputs`` of all units of a repository; ``terragrunt_units`` are all its units, or none."""

    def __init__(self, workspace: Workspace, terragrunt_units: Terragrunt) -> None:
        self._terragrunt = terragrunt_units if terragrunt_units.units else terragrunt(workspace, {}, _INPUTS)

    @cached_property
    def modules_by_file(self) -> dict[str, frozenset[str] | None]:
        """The modules that units run, by the units' files; None for an unknown module."""
        by_file: dict[str, set[str | None]] = {stray.document.path: {None} for stray in self._terragrunt.strays}
        for unit in self._terragrunt.units:
            for path in {config.document.path for config in unit.configs}:
                by_file.setdefault(path, set()).add(unit.module.path if unit.module else None)
        return {
            path: None if None in modules else frozenset(module for module in modules if module is not None)
            for path, modules in by_file.items()
        }

    def of(self, name: str) -> Iterator[Assignment]:
        """The inputs that set the variables called ``name``."""
        for holder, argument in self._items.get(name, ()):
            document = holder.document
            local = used_elsewhere(holder, "inputs", self._terragrunt.documents)
            pattern = re.compile(rf"\binputs\.{re.escape(name)}(?![\w-])")
            is_used = any(pattern.search(entry.text) for entry in self._terragrunt.documents)
            objection = f"`local.{local}` is used elsewhere too." if local else ""
            objection = objection or ("Another file reads the input." if is_used else "")
            yield Assignment(
                Piece(document, argument, "", (), holder.span), self.modules_by_file[document.path], objection
            )

    @cached_property
    def _items(self) -> dict[str, list[tuple[LiteralObject, Attribute]]]:
        by_name: dict[str, dict[tuple[str, int], tuple[LiteralObject, Attribute]]] = {}
        for holder in (holder for unit in self._terragrunt.units for holder in _objects(unit)):
            for argument in holder.items:
                place = (holder.document.path, argument.span.start)
                by_name.setdefault(argument.name, {}).setdefault(place, (holder, argument))
        return {name: list(items.values()) for name, items in by_name.items()}


def _objects(unit: Unit) -> Iterator[LiteralObject]:
    for config in merged(unit.configs[0]):
        argument = config.attribute("inputs")
        yield from (objects(config.value(argument)) or ()) if argument is not None else ()
