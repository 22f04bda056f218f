"""The different roles that stacks give a root module's backend, by partial configurations of their own.

``TF_CLI_ARGS_init`` of a stack names its own file: https://docs.spacelift.io/vendors/terraform/terraform-backend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.decide.roots import Root, Runners
from migrator.terraform.partial_backends import backend_config_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.decide.context import Context
    from migrator.spacelift.stacks.model import StackDefinition
    from migrator.terraform.backends import S3Backend


def runners_by_role(
    context: Context, root: Root, role_of: Callable[[S3Backend], str | None]
) -> dict[str | None, Runners]:
    """The stacks that run ``root`` by the role of their file; all without a role if a file is unknown."""
    files = [backend for backend in root.backends if backend.is_partial]
    partial = {backend.document.path: role for backend in files if (role := role_of(backend))}
    stacks_by_role: dict[str | None, list[StackDefinition]] = {}
    for stack in root.runners.definitions if len(set(partial.values())) > 1 and not root.runners.known_stacks else ():
        arguments = [
            variable.value for variable in context.facts.variables.of(stack) if variable.name.startswith("TF_CLI_ARGS")
        ]
        folder = root.module.path
        paths = {path for text in arguments for path in backend_config_files(context.workspace, text or "", folder)}
        roles = {partial[path] for path in paths & partial.keys()}
        stacks_by_role.setdefault(roles.pop() if len(roles) == 1 and None not in arguments else None, []).append(stack)
    if None in stacks_by_role or not stacks_by_role:
        return {None: root.runners}
    return {role: Runners(tuple(stacks)) for role, stacks in stacks_by_role.items()}
