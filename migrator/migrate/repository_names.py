"""Stacks that run a repository of another name, which may be another name of this repository."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from msgspec.structs import replace

from migrator.model.diagnostics import Diagnostic
from migrator.model.fleet import runs

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.model.findings import Note
    from migrator.spacelift.stacks.model import StackDefinition

OTHER_REPOSITORY = Diagnostic(
    "stacks-of-another-repository",
    found="This checkout is called `{here}`. {stacks} for repository `{name}`.",
    why="The project roots of these stacks are folders of this checkout, but the stacks were not used.",
    help="If this checkout is a copy of `{name}`, run again with `--repository {name}`.",
    page=(
        "A stack names its repository. The name of a checkout is the last part of the URL of its remote `origin`, or "
        "the name of its folder. If the two differ, for example in a renamed clone, no stack is found: no "
        "hook is written for the stacks, and nothing is known about their Terraform version.\n\n"
        "`--repository NAME` or `--repository OWNER/NAME` says which repository the checkout is."
    ),
)


def notes_on_names(context: Context) -> list[Note]:
    """A note for each other name of a repository whose stacks seem to run the code of this repository."""
    own = context.workspace.identity
    identities = {root.identity for survey in context.fleet.surveys for root in survey.roots} | {own}
    by_name: dict[str, list[StackDefinition]] = {}
    for stack in context.facts.stacks:
        code = replace(stack.code, project_root="", branch=None)
        if code.repository and not any(runs(code, identity, "") for identity in identities):
            owner = f"{code.namespace}/" if code.namespace and code.repository.lower() == own.name.lower() else ""
            by_name.setdefault(f"{owner}{code.repository}", []).append(stack)
    return [
        OTHER_REPOSITORY.note(
            *(str(stack.place) for stack in stacks),
            stacks=f"{len(stacks)} stacks are" if len(stacks) > 1 else "1 stack is",
            name=name,
            here=context.workspace.identity.name,
        )
        for name, stacks in by_name.items()
        if any(_is_here(context, stack) for stack in stacks)
    ]


def _is_here(context: Context, stack: StackDefinition) -> bool:
    """Whether the project root of a stack is a module of this checkout, and not the one that defines the stack."""
    root, folder = stack.code.project_root, posixpath.dirname(stack.place.path)
    module = context.workspace.modules.get(root) if root is not None else None
    return module is not None and module.is_interesting and root != folder
