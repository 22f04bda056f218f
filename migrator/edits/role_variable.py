"""The variable that a provider takes its role from: one name for each identity, declared and passed down to it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migrator.config import ROLE_VARIABLE
from migrator.model import Note, Refusal
from migrator.span import Edit
from migrator.syntax.languages import HCL
from migrator.syntax.terraform import BodyChange, Literal, NewArgument, NewBlock, Reference
from migrator.workspace import Document, Module, Workspace

_HOMES = ("variables.tf", "variables.tf.json", "variables.tofu", "variables.tofu.json")


@dataclass(frozen=True, slots=True)
class RoleVariable:
    """A variable that holds a role's ARN; ``of`` names the provider that it is for, None for a module's first."""

    name: str
    of: str | None = None

    @property
    def reference(self) -> Reference:
        """The variable in an expression."""
        return Reference(f"var.{self.name}")

    @property
    def declaration(self) -> NewBlock:
        """The ``variable`` block."""
        suffix = f" ({self.of})" if self.of else ""
        description = NewArgument("description", Literal(f"IAM role assumed with the Spacelift OIDC token{suffix}"))
        return NewBlock("variable", (self.name,), (description, NewArgument("type", Reference("string"))))


def role_variable(of: str | None) -> RoleVariable:
    """The variable for a module's first identity (None), or for the one that `identities` calls ``of``."""
    if of is None:
        return RoleVariable(ROLE_VARIABLE)
    return RoleVariable(f"{ROLE_VARIABLE}_{of}", of)


def provide(workspace: Workspace, module: Module, variable: RoleVariable) -> tuple[Edit, ...] | Refusal:
    """The edits after which ``variable`` is declared in ``module`` and handed down by every module that calls it."""
    edits: list[Edit] = []
    pending, seen = [module], set[str]()
    while pending:
        current = pending.pop()
        missing = [view for view in current.views if view and not _is_declared(view, variable.name)]
        if current.path in seen or not missing:
            continue
        seen.add(current.path)
        for view in missing:
            declared = _declare(workspace, current, view, variable)
            if isinstance(declared, Refusal):
                return declared
            edits.append(declared)
        for call in workspace.calls.get(current.path, ()):
            pending.append(call.caller)
            if call.block.attribute(variable.name) is None:
                passed = NewArgument(variable.name, variable.reference)
                edits += call.document.change(call.block, BodyChange(append=(passed,)))
    return tuple(edits)


def _is_declared(view: Sequence[Document], name: str) -> bool:
    return any(block.type == "variable" and block.labels == (name,) for one in view for block in one.blocks)


def _declare(workspace: Workspace, module: Module, view: Sequence[Document], variable: RoleVariable) -> Edit | Refusal:
    document = _home_of_variables(view)
    if document is not None:
        return document.syntax.add_block(document.path, document.text, variable.declaration)
    path = posixpath.join(module.path, "variables.tf")
    if (workspace.root / path).exists() or (workspace.root / path).is_symlink():
        return Refusal(f"{path} is there, but cannot be changed: it is ignored, unreadable or not understood")
    return HCL.add_block(path, "", variable.declaration)


def _home_of_variables(view: Sequence[Document]) -> Document | None:
    """Where a maintainer would declare a variable: ``variables.tf``, else the file that declares most of them."""
    sound = [one for one in view if (one.blocks or not one.problem) and not one.is_override]
    for document in sound:
        if posixpath.basename(document.path).lower() in _HOMES:
            return document
    counts = {one.path: sum(block.type == "variable" for block in one.blocks) for one in sound}
    return next((one for one in sound if counts[one.path] and counts[one.path] == max(counts.values())), None)


def value_note(name: str, *roots: str) -> Note:
    """That the stacks which run ``roots`` must give the variable ``name`` its value."""
    return Note(f"set TF_VAR_{name} to the ARN of a role on the stacks that run", roots)


def roots_of(workspace: Workspace, module: Module) -> Iterator[Module]:
    """The modules that no other calls, from which ``module`` is reached: there a variable gets its value."""
    pending, seen = [module], set[str]()
    while pending:
        current = pending.pop()
        if current.path not in seen:
            seen.add(current.path)
            calls = workspace.calls.get(current.path, ())
            pending += [call.caller for call in calls]
            if not calls:
                yield current
