"""Runs and tasks in Terraform that have settings of their own, which take the place of their stack's.

See https://search.opentofu.org/provider/spacelift-io/spacelift/latest/docs/resources/scheduled_run: the hooks of
``runtime_config`` replace the stack's lists, and tasks may skip ``terraform init`` with all hooks before.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.spacelift.settings.diagnostics import ENVIRONMENT_REPEATED
from migrator.spacelift.settings.model import TerraformSetting, holds_keys, is_static_variable
from migrator.spacelift.stacks.exchange import text_of
from migrator.spacelift.stacks.resource import Resource, resources
from migrator.terraform.credential_names import STATIC

if TYPE_CHECKING:
    from migrator.model.findings import Place
    from migrator.spacelift.attached.reach import Reach, Reaches
    from migrator.syntax.terraform import Block
    from migrator.workspace.workspace import Workspace

_RUNS = ("spacelift_run", "spacelift_scheduled_run")
_TASKS = ("spacelift_task", "spacelift_scheduled_task")


class OwnRun(Resource, frozen=True, eq=False, kw_only=True):
    """The ``config`` of a run or schedule, and the stacks of the run."""

    config: Block
    reach: Reach

    @property
    def place(self) -> Place:
        """The place of the run's configuration."""
        return self.document.place(self.config)

    @property
    def project_root(self) -> str | None:
        """The folder that the run runs in place of the stack's; None if the run does not say."""
        argument = self.scope.argument(self.document, self.config, "project_root")
        root = None if argument is None or argument.is_null else argument.string
        return None if root is None else posixpath.normpath("/" + root.lstrip("/")).lstrip("/")


class OwnTask(Resource, frozen=True, eq=False, kw_only=True):
    """A task of stacks: whether the task skips init, and the static credentials that its command names."""

    reach: Reach
    skips_init: bool
    names: tuple[str, ...]


def own_runs(workspace: Workspace, reaches: Reaches) -> Iterator[OwnRun]:
    """Every run and schedule with settings of its own."""
    for type_ in _RUNS:
        for run in resources(workspace, type_):
            for config in run.block.blocks("runtime_config"):
                yield OwnRun(run.document, run.block, run.scope, config=config, reach=reaches.of(run))


def own_tasks(workspace: Workspace, reaches: Reaches) -> Iterator[OwnTask]:
    """Every task that skips the hooks before init, or mentions static credentials in the command."""
    for type_ in _TASKS:
        for task in resources(workspace, type_):
            init, command = task.argument("init"), task.argument("command")
            skips = init is not None and not init.is_null and (init.origin is None or init.origin.text != "true")
            names = tuple(name for name in sorted(STATIC) if command is not None and f"{name}=" in command.text)
            if skips or names:
                own = (task.document, task.block, task.scope)
                yield OwnTask(*own, reach=reaches.of(task), skips_init=skips, names=names)


def run_settings(runs: tuple[OwnRun, ...]) -> Iterator[TerraformSetting]:
    """The static credentials in the environment of such runs."""
    for run in runs:
        settings: list[tuple[Block, str]] = []
        literals: list[Place] = []
        for nested in run.config.blocks("environment"):
            key, value = (run.scope.argument(run.document, nested, name) for name in ("key", "value"))
            if key is not None and key.string is not None and is_static_variable(key.string):
                settings.append((nested, key.string))
                if value is not None and value.string and holds_keys(key.string):
                    literals.append(run.document.place(nested))
        if settings:
            yield TerraformSetting(
                document=run.document,
                block=run.block,
                place=run.document.place(settings[0][0]),
                title=f"environment of {run.address}",
                names=tuple(dict.fromkeys(name for _, name in settings)),
                reach=run.reach,
                literals=tuple(literals),
                is_ignored=run.document.is_ignored(run.block),
                within=run.config,
                nested=tuple(nested for nested, _ in settings),
            )
        yield from _repeated(run)


def _repeated(run: OwnRun) -> Iterator[TerraformSetting]:
    """The static credentials in an environment that a ``dynamic`` block makes."""
    for nested in run.config.blocks("dynamic"):
        values = run.scope.argument(run.document, nested, "for_each") if nested.labels == ("environment",) else None
        words = set(re.findall(r"\w+", f"{text_of(values)}\n{values.text}")) if values is not None else set()
        if names := sorted(filter(is_static_variable, words)):
            yield TerraformSetting(
                document=run.document,
                block=run.block,
                place=run.document.place(nested),
                title=f"environment of {run.address}",
                names=tuple(names),
                reach=run.reach,
                objection=ENVIRONMENT_REPEATED.refusal(),
                is_ignored=run.document.is_ignored(run.block),
            )
