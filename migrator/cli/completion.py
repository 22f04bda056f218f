"""What a shell's completion is told of the command line: the commands, and the options of each.

https://click.palletsprojects.com/en/stable/shell-completion/
"""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from migrator.cli.commands import COMMANDS, PROGRAM, load


class _Completed(click.Group):
    """A command that takes folders, and beside them the name of another command."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands and options; a word that is neither is a folder."""
        folders = [] if incomplete.startswith("-") else [CompletionItem(incomplete, type="dir")]
        return [*folders, *super().shell_complete(ctx, incomplete)]


def completed() -> click.Command:
    """The command that migrates with all others below it, to be completed and not to be run."""
    top = _completed(PROGRAM, load(""))
    for name in COMMANDS:
        parent, _, own = name.rpartition(" ")
        (top.commands[parent] if parent else top).commands[own] = _completed(own, load(name))  # type: ignore[attr-defined]
    return top


def _completed(name: str, command: click.Command) -> _Completed:
    options: list[click.Parameter] = [param for param in command.params if isinstance(param, click.Option)]
    return _Completed(name, params=options, help=command.help)
