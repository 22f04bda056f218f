"""Which role the backend of a root module assumes in the runs of each stack, where partial configurations say several.

``TF_CLI_ARGS_init`` of a stack names its own file: https://docs.spacelift.io/vendors/terraform/terraform-backend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.decide.roots import Root, Runners
from migrator.syntax.hcl.strings import string_value
from migrator.terraform.partial_backends import files_given

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.spacelift.stacks.model import StackDefinition


def runners_by_role(context: Context, root: Root) -> dict[str | None, Runners]:
    """The stacks that run ``root`` by the role of their file; all for no role where that is not known of each."""
    partial = {
        backend.document.path: backend.role_arn for backend in root.backends if backend.is_partial and backend.role_arn
    }
    found: dict[str | None, list[StackDefinition]] = {}
    for stack in root.runners.here if len(set(partial.values())) > 1 and not root.runners.elsewhere else ():
        given = [
            variable.value for variable in context.facts.variables.of(stack) if variable.name.startswith("TF_CLI_ARGS")
        ]
        paths = {path for item in given for path in files_given(context.workspace, item or "", root.module.path)}
        roles = {string_value(partial[path]) for path in paths & partial.keys()}
        found.setdefault(roles.pop() if len(roles) == 1 and None not in given else None, []).append(stack)
    if None in found or not found:
        return {None: root.runners}
    return {role: Runners(tuple(stacks)) for role, stacks in found.items()}
