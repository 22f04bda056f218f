"""The settings of a repository that override the sign-in of stacks that other repositories may define."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.config.config import BackendAuth
from migrator.spacelift.attached.integrations import attaching
from migrator.spacelift.attached.reach import Reach, Reaches
from migrator.spacelift.stacks.exchange import EVERY_LIST, text_of
from migrator.spacelift.stacks.resource import resources
from migrator.spacelift.stacks.scripts import export
from migrator.terraform.credential_names import BREAKING, STATIC, plain_name

if TYPE_CHECKING:
    from migrator.config.config import Config
    from migrator.decide.facts import Facts
    from migrator.model.findings import Place
    from migrator.workspace.workspace import Workspace


def overriding(workspace: Workspace, facts: Facts, config: Config) -> Iterator[tuple[Place, str, Reach]]:
    """The place of each setting, the title for people, and the stacks that get the setting.

    Variables with static credentials override a role of the environment. A hook fails by some of them only.
    """
    names = STATIC if config.has_integration or config.backend_auth is BackendAuth.ENV else BREAKING
    for setting in facts.settings:
        found = [name for name in map(plain_name, setting.names) if name in names]
        if found and not setting.is_ignored:
            yield setting.place, f"The setting of {' and '.join(dict.fromkeys(found))}", setting.reach
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
