"""What a shell's completion is told of the command line: the commands, and the options of each.

https://click.palletsprojects.com/en/stable/shell-completion/
"""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem


class _Completed(click.Group):
    """A command that takes folders, and beside them the name of another command."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands and options; a word that is neither is a folder."""
        folders = [] if incomplete.startswith("-") else [CompletionItem(incomplete, type="dir")]
        return [*folders, *super().shell_complete(ctx, incomplete)]


def completed(
    main: click.Command, batch: click.Command, status: click.Command, *others: click.Command
) -> click.Command:
    """The ``main`` command with all others below it, to be completed and not to be run; ``status`` is ``batch``'s."""
    batches = _Completed("batch", params=_options(batch), commands=[status], help=batch.help)
    return _Completed(main.name, params=_options(main), commands=[batches, *others], help=main.help)


def _options(command: click.Command) -> list[click.Parameter]:
    return [parameter for parameter in command.params if isinstance(parameter, click.Option)]
