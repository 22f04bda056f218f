"""Slugs that are derived from the names of stacks, where a slug decides which stack is meant.

A stack keeps its first slug when it is renamed: https://docs.spacelift.io/concepts/stack/stack-settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.config.config import HookPlace
from migrator.model.diagnostics import Diagnostic
from migrator.spacelift.stacks.model import TerraformDefinition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.decide.context import Context
    from migrator.model.findings import Note

SLUG_IS_GUESS = Diagnostic(
    "slug-is-guess",
    found="Check that the slug of this stack is {slug}.",
    why="This program derives the slug from the name. A renamed stack keeps its first slug.",
    help="Name the slug of another stack with `--slug {title}=SLUG`.",
)


def notes_on_slugs(context: Context) -> Iterator[Note]:
    """A note for each stack that the runtime configuration, or an id that is written out, means by a derived slug."""
    deciding = {*context.hook_plan.runtime.slugs, *_written_ids(context)}
    if context.config.hook_in is HookPlace.RUNTIME_CONFIG:
        deciding |= {stack.slug or "" for target in context.hook_plan.targets for stack in target.runners.definitions}
    for stack in dict.fromkeys(context.facts.stacks) if deciding else ():
        is_derived = not (isinstance(stack, TerraformDefinition) and stack.source.has_explicit_slug)
        is_in_scope = context.workspace.in_scope(stack.place.path)
        is_named = stack.slug in context.workspace.slugs.values()
        is_guess = is_derived and not is_named and stack.account is None
        if is_guess and is_in_scope and stack.slug in deciding:
            yield SLUG_IS_GUESS.note(str(stack.place), slug=stack.slug, title=stack.title)


def _written_ids(context: Context) -> Iterator[str]:
    """The ids of stacks that resources of Spacelift name as strings."""
    for module in context.workspace.modules.values():
        for document, block in module.blocks("resource") if module.is_interesting else ():
            stack_id = (
                block.attribute("stack_id") if block.labels and block.labels[0].startswith("spacelift_") else None
            )
            if stack_id is not None and (literal := document.literal(stack_id)) is not None:
                yield literal
