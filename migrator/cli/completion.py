"""The command line for a shell's completion: the commands, and the options of each.

https://click.palletsprojects.com/en/stable/shell-completion/
"""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from migrator.cli.commands import COMMANDS, PROGRAM, load


class _Completed(click.Group):
    """A command with folders as arguments, or the name of another command as the first argument."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands and options; a word that is neither is a folder."""
        folders = [] if incomplete.startswith("-") else [CompletionItem(incomplete, type="dir")]
        return [*folders, *super().shell_complete(ctx, incomplete)]


def completed() -> click.Command:
    """The command that migrates, with all other commands below, for completion only."""
    top = _completed(PROGRAM, load(""))
    for name in COMMANDS:
        parent, _, prefix = name.rpartition(" ")
        (top.commands[parent] if parent else top).commands[prefix] = _completed(prefix, load(name))  # type: ignore[attr-defined]
    return top


def _completed(name: str, command: click.Command) -> _Completed:
    options: list[click.Parameter] = [param for param in command.params if isinstance(param, click.Option)]
    return _Completed(name, params=options, help=command.help)
