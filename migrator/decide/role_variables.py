"""A provider takes its role from a variable: one name for each identity, declared and passed down to the provider."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.config.config import ROLE_VARIABLE
from migrator.decide.diagnostics import (
    CALLER_NOT_IN_WORK_TREE,
    NO_NULL_DEFAULT,
    SHARED_VARIABLES_FILE,
    SOURCE_IS_EXPRESSION,
    TOO_MANY_CALLS,
    VARIABLE_FOR_TWO_IDENTITIES,
    VARYING_INSTANCES,
)
from migrator.decide.role_purpose import is_free
from migrator.model.findings import Refusal
from migrator.syntax.hcl.strings import quote
from migrator.syntax.languages import HCL
from migrator.syntax.terraform import BodyChange, NewArgument, NewBlock
from migrator.terraform.identities import identities
from migrator.terraform.residues import Identity, is_varying
from migrator.terraform.role_names import RoleVariable, role_variable, variable_called
from migrator.workspace.diagnostics import UNUSABLE_FILE

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.span import Edit
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module, ModuleCall
    from migrator.workspace.workspace import Workspace

_MOST = 99
_MOST_STEPS = 1_000
_HOMES = ("variables.tf", "variables.tf.json", "variables.tofu", "variables.tofu.json")


class _Step(Struct, frozen=True, eq=False):
    """A module in which ``variable`` is declared for an identity, ``origin``.

    Its ``calls`` stand each with what the caller calls the variable.
    """

    module: Module
    variable: RoleVariable
    origin: Identity
    calls: tuple[tuple[ModuleCall, RoleVariable], ...]


class RoleVariables:
    """The role variables of a repository: declared where they are needed, handed down, and each for one identity."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._residues = context.role_mappings.residues
        self._identities: dict[str, dict[Identity, str | None]] = {}
        self._holders: dict[tuple[str, str], Identity] = {}
        self._names: dict[tuple[str, Identity], list[str]] = {}
        self._is_free = cache(self._ask_whether_free)
        self._declared = cache(_declared_in)
        for path, module in {provider.module.path: provider.module for provider in context.facts.providers}.items():
            for identity, name in self.identities(module).items():
                self._hold(path, role_variable(name).name, identity)

    def identities(self, module: Module) -> dict[Identity, str | None]:
        """A name for each identity of ``module``: see `identities`."""
        if module.path not in self._identities:
            role_arn = self._context.config.at(module.path).literal_role_arn
            first_role = f"var.{ROLE_VARIABLE}" if role_arn is None else quote(role_arn)
            providers = self._context.facts.in_module(module)
            mapped = [provider for provider in providers if self._context.web_identity.has_literal_role(provider)]
            taken = () if role_arn is not None or is_free(self._context, module, ROLE_VARIABLE) else (None,)
            found = identities(module, providers, first_role, self._context.web_identity.identity, taken, mapped)
            self._identities[module.path] = found
        return self._identities[module.path]

    def provide(
        self, module: Module, variable: RoleVariable, origin: Identity, alike: Sequence[Module] = ()
    ) -> tuple[Edit, ...] | Refusal:
        """The edits after which ``variable`` is declared in ``module`` and handed down by every module that calls it.

        A file that modules share may declare it if they are all ``alike`` in needing it.
        Refuses where a call may be for several identities, or where not all callers may be known.
        """
        edits: list[Edit] = []
        for step in self._way_up(module, variable, origin):
            added = step if isinstance(step, Refusal) else self._declare_in(step.module, step.variable, alike)
            if isinstance(added, Refusal):
                return added
            edits += added
            if not isinstance(step, Refusal):
                for call, passed in step.calls:
                    change = BodyChange(append=(NewArgument(step.variable.name, passed.reference),))
                    edits += call.document.change(call.block, change)
        return tuple(edits)

    def in_roots(
        self, module: Module, variable: RoleVariable, origin: Identity
    ) -> Iterator[tuple[Module, str, Identity]]:
        """The root modules from which ``module`` is reached, each with what it calls ``variable`` and the identity."""
        for step in self._way_up(module, variable, origin):
            if not isinstance(step, Refusal) and step.module.path not in self._context.workspace.calls:
                yield step.module, step.variable.name, step.origin

    def held(self, module: Module, name: str) -> Identity | None:
        """The identity whose role the variable ``name`` of ``module`` holds; None if that is not known."""
        return self._holders.get((module.path, name))

    def _hold(self, path: str, name: str, identity: Identity) -> Identity:
        """Let the variable ``name`` of a module be for an identity, unless it is for one already: whose it is then."""
        if (path, name) not in self._holders:
            self._holders[path, name] = identity
            self._names.setdefault((path, identity), []).append(name)
        return self._holders[path, name]

    def _ask_whether_free(self, module: Module, name: str) -> bool:
        return is_free(self._context, module, name)

    def _way_up(self, module: Module, variable: RoleVariable, origin: Identity) -> Iterator[_Step | Refusal]:
        """``module`` and all that call it, with what each of them calls the variable."""
        too_many = TOO_MANY_CALLS.refusal(module=f"The module {module.path or '.'}")
        pending, seen = [(module, variable, origin)], set[tuple[str, str]]()
        while pending:
            current, variable, origin = pending.pop()
            if self._hold(current.path, variable.name, origin) != origin:
                yield VARIABLE_FOR_TWO_IDENTITIES.refusal(variable=f"var.{variable.name}", module=current.path or ".")
                return
            if (current.path, variable.name) in seen:
                continue
            seen.add((current.path, variable.name))
            if (place := self._context.workspace.unread_caller(current)) is not None:
                yield SOURCE_IS_EXPRESSION.refusal(place=place, module=current.path or ".")
                return
            if len(seen) > _MOST_STEPS:
                yield too_many
                return
            calls: list[tuple[ModuleCall, RoleVariable]] = []
            for call in self._context.workspace.calls.get(current.path, ()):
                there = self._residues.seen_from(call, current, origin)
                above = variable
                if call.block.attribute(variable.name) is None:
                    if is_varying(there):
                        label = ".".join(call.block.labels)
                        yield VARYING_INSTANCES.refusal(what=f"module.{label}")
                        return
                    named = self._called_there(call, variable, there)
                    if named is None:
                        yield too_many
                        return
                    above = named
                    self._hold(call.caller.path, above.name, there)
                    calls.append((call, above))
                pending.append((call.caller, above, there))
            yield _Step(current, variable, origin, tuple(calls))

    def _called_there(self, call: ModuleCall, variable: RoleVariable, origin: Identity) -> RoleVariable | None:
        """Name the variable in the caller: as the identity is called there, else alike, else by the call's name."""
        path = call.caller.path
        same = self._names.get((path, origin), [])
        if same and variable.name not in same:
            return variable_called(same[0])
        label = re.sub(r"\W+", "_", call.block.labels[0] if call.block.labels else "module", flags=re.ASCII)
        new = (role_variable(name) for name in (label, *(f"{label}_{number}" for number in range(2, _MOST))))
        first = [variable] if self._is_free(call.caller, variable.name) else []
        candidates = chain(first, (variable for variable in new if variable.name not in self._declared(call.caller)))
        return next(
            (candidate for candidate in candidates if self._holders.get((path, candidate.name), origin) == origin), None
        )

    def _declare_in(self, module: Module, variable: RoleVariable, alike: Sequence[Module]) -> list[Edit] | Refusal:
        edits: list[Edit] = []
        for view in module.views if module.path not in self._context.workspace.outside else ():
            if self._context.config.portable and _is_without_default(view, variable.name):
                return NO_NULL_DEFAULT.refusal(variable=f"var.{variable.name}")
            if view and not _is_declared(view, variable.name):
                block = variable.declaration(is_optional=self._context.config.portable)
                declared = _declare(self._context.workspace, module, view, block, alike)
                if isinstance(declared, Refusal):
                    return declared
                edits.append(declared)
        if edits and self._context.workspace.missing:
            return CALLER_NOT_IN_WORK_TREE.refusal(path=self._context.workspace.missing[0])
        return edits


def _declared_in(module: Module) -> frozenset[str]:
    """The names of a module's variables."""
    return frozenset(block.labels[0] for _, block in module.blocks("variable") if block.labels)


def _is_declared(view: Sequence[Document], name: str) -> bool:
    return any(block.type == "variable" and block.labels == (name,) for document in view for block in document.blocks)


def _is_without_default(view: Sequence[Document], name: str) -> bool:
    blocks = [
        block for document in view for block in document.blocks if block.type == "variable" and block.labels == (name,)
    ]
    return bool(blocks) and not any(block.attribute("default") for block in blocks)


def _declare(
    workspace: Workspace, module: Module, view: Sequence[Document], block: NewBlock, alike: Sequence[Module]
) -> Edit | Refusal:
    document = _home_of_variables(view)
    sharing = workspace.modules_of(document) if document is not None else []
    if document is not None and len(sharing) > 1 and not all(module in alike for module in sharing):
        return SHARED_VARIABLES_FILE.refusal(path=document.path)
    if document is not None:
        return document.syntax.add_block(document.path, document.text, block)
    path = posixpath.join(module.path, "variables.tf")
    if (workspace.root / path).exists() or (workspace.root / path).is_symlink():
        return workspace.objection(path) or UNUSABLE_FILE.refusal(path=path)
    return HCL.add_block(path, "", block)


def _home_of_variables(view: Sequence[Document]) -> Document | None:
    """Find where a maintainer would declare a variable: ``variables.tf``, else the file that declares most of them."""
    sound = [
        document
        for document in view
        if (document.blocks or not document.problem) and not (document.is_override or document.generated)
    ]
    for document in sound:
        if posixpath.basename(document.path).lower() in _HOMES:
            return document
    counts = {document.path: sum(block.type == "variable" for block in document.blocks) for document in sound}
    return next(
        (document for document in sound if counts[document.path] and counts[document.path] == max(counts.values())),
        None,
    )
