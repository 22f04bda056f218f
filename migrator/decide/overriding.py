"""The settings of a repository that override the sign-in of stacks that other repositories may define."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.spacelift.attached.integrations import attaching
from migrator.spacelift.attached.reach import Reach, Reaches
from migrator.spacelift.stacks.exchange import EVERY_LIST, text_of
from migrator.spacelift.stacks.resource import resources
from migrator.spacelift.stacks.scripts import export

if TYPE_CHECKING:
    from migrator.decide.facts import Facts
    from migrator.model.findings import Place
    from migrator.workspace.workspace import Workspace


def overriding(workspace: Workspace, facts: Facts) -> Iterator[tuple[Place, str, Reach]]:
    """The place of each setting, the title for people, and the stacks that get the setting."""
    reaches = Reaches(workspace, facts.stacks)
    for integration, reach in attaching(workspace, reaches):
        yield integration.place, "The AWS integration", reach
    for context in resources(workspace, "spacelift_context"):
        lists = (context.argument(name) for name in EVERY_LIST)
        if export(workspace, (text_of(hooks) for hooks in lists if hooks is not None)):
            yield context.place, "The context with exports of static credentials", reaches.of_context(context)
    for override in facts.overrides:
        if not override.holds_values and override.ignored is None:
            yield override.place, "The mounted file that signs in", override.reach
