"""The variable that a provider takes its role from: one name for each identity, declared and passed down to it."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from migrator.config import ROLE_VARIABLE
from migrator.model import Note, Refusal
from migrator.span import Edit
from migrator.syntax import hcl_edit
from migrator.workspace import Document, Module, Workspace

_DECLARATION = """\
variable "{name}" {{
  description = "{description}"
  type        = string
}}"""


@dataclass(frozen=True, slots=True)
class RoleVariable:
    """A variable that holds a role's ARN; ``of`` names the provider that it is for, None for a module's first."""

    name: str
    of: str | None = None

    @property
    def declaration(self) -> str:
        """The ``variable`` block, with ``\\n`` and no newline at its end."""
        suffix = f" ({self.of})" if self.of else ""
        return _DECLARATION.format(
            name=self.name, description=f"IAM role assumed with the Spacelift OIDC token{suffix}"
        )


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
        if current.path in seen or _is_declared(current, variable.name):
            continue
        seen.add(current.path)
        declared = _declare(workspace, current, variable)
        if isinstance(declared, Refusal):
            return declared
        edits.append(declared)
        for call in workspace.calls.get(current.path, ()):
            pending.append(call.caller)
            if call.block.attribute(variable.name) is None:
                change = hcl_edit.BodyChange(append=(f"{variable.name} = var.{variable.name}",))
                edits += hcl_edit.change_body(call.document.path, call.document.text, call.block, change)
    return tuple(edits)


def _is_declared(module: Module, name: str) -> bool:
    return any(True for _ in module.blocks("variable", name))


def _declare(workspace: Workspace, module: Module, variable: RoleVariable) -> Edit | Refusal:
    document = _home_of_variables(module)
    if document is not None:
        return hcl_edit.append_block(document.path, document.text, variable.declaration)
    path = posixpath.join(module.path, "variables.tf")
    if (workspace.root / path).exists() or (workspace.root / path).is_symlink():
        return Refusal(f"{path} is there, but cannot be changed: it is ignored, unreadable or not understood")
    return hcl_edit.append_block(path, "", variable.declaration)


def _home_of_variables(module: Module) -> Document | None:
    """Where a maintainer would declare a variable: ``variables.tf``, else the file that declares most of them."""
    sound = [document for document in module.documents if document.blocks or not document.problem]
    for document in sound:
        if posixpath.basename(document.path).lower() == "variables.tf":
            return document
    declared = Counter(document.path for document, _ in module.blocks("variable"))
    home = max(declared, key=lambda path: declared[path], default=None)
    return next((document for document in sound if document.path == home), None)


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
