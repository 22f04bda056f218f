"""The commands of the program: their names, their purpose, and their modules."""

from __future__ import annotations

from importlib import import_module

import click

from migrator.model.nearest import nearest

PROGRAM = "tf-oidc-migrate"
COMMANDS = {
    "batch": ("migrator.cli.batch:batch", "Migrate many repositories and open pull requests."),
    "batch status": ("migrator.cli.batch:status", "Show the result of each repository of the last batch."),
    "trust": ("migrator.cli.trust:trust", "Write a Terraform module so that roles trust Spacelift."),
    "verify": ("migrator.cli.verify:verify", "Prove before the merge that each stack can sign in."),
    "inventory": ("migrator.cli.inventory:inventory", "Read stacks and contexts of a Spacelift account to a file."),
    "attach": ("migrator.cli.attach:attach", "Write a module with the hook for stacks not in code."),
    "help": ("migrator.cli.commands:help_", "Show the help of a command."),
}
"""Each command with the place and one sentence. The first command has no name and migrates."""


def load(name: str) -> click.Command:
    """The command called ``name``; ``""`` is the one that migrates."""
    module, _, attribute = (COMMANDS[name][0] if name else "migrator.cli.main:cli").partition(":")
    command: click.Command = getattr(import_module(module), attribute)
    return command


def named_in(arguments: list[str]) -> str:
    """The name of the command that ``arguments`` begin with, the longest if several do; ``""`` if none."""
    names = (name for name in COMMANDS if arguments[: len(name.split())] == name.split())
    return max(names, key=len, default="")


def title(name: str) -> str:
    """The words that run the command called ``name``."""
    return f"{PROGRAM} {name}".strip()


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("command", metavar="[COMMAND]...", nargs=-1)
def help_(command: tuple[str, ...]) -> None:
    """Show the help of COMMAND, for example of `batch status`. Without COMMAND, show the main help page."""
    name = " ".join(command)
    if name and name not in COMMANDS:
        raise click.UsageError(f"The command `{name}` does not exist.{nearest(name, COMMANDS)}")
    loaded = load(name)
    click.echo(loaded.get_help(click.Context(loaded, info_name=title(name), **loaded.context_settings)))
