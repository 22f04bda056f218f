"""The command line: options to a `Config`, repositories to results, results to an exit code."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import click

from migrator import __version__
from migrator.cli.commands import COMMANDS, PROGRAM, load, named_in, title
from migrator.cli.options import ACTION, GIT, OUTPUT, SCOPE, GroupedCommand, migration_options, option, output_options
from migrator.errors import ExitCode, UsageError
from migrator.model.nearest import nearest

_EPILOG = """\b
Examples:
  tf-oidc-migrate --preview         show what would change in this folder
  tf-oidc-migrate --role-arn ARN    make a branch; providers use this role
  tf-oidc-migrate --check           in CI: fail if files would change

\b
Words of the output:
  refused     needs a change that was not safe to make; the message says why
  left alone  not changed, for a reason that the message gives; exit code 0
  code        the [name] of a message; --explain CODE says more
  hook        commands in a stack's before_init that sign in to AWS

\b
Exit codes: if several apply, 3 counts before 1, and 1 before 4
  0    done, or nothing to do
  1    --check found files that would change
  2    wrong usage; nothing was done
  3    a repository or a file could not be processed; the rest was done
  4    done, but places were refused; also with --preview and --check
  130  interrupted
"""

_COMPLETION = "_TF_OIDC_MIGRATE_COMPLETE"
"""Set in the environment by a shell that asks for completions."""

_EXPLAIN = "Explain the code of a message, or a rule. Without a name, list all codes and rules."
_REPOSITORY = (
    "Take the stacks that run the repository NAME for stacks of this code.  [default: the name in the remote's URL, "
    "else the name of the folder]"
)


def _explain(context: click.Context, _: click.Parameter, rule: str | None) -> None:
    if rule is None or context.resilient_parsing:
        return
    from migrator.cli.explain import explain  # here: no other run needs the rules this early

    try:
        click.echo(explain(rule), nl=False)
    except UsageError as error:
        raise click.UsageError(str(error), context) from None
    context.exit()


class _Migrate(GroupedCommand):
    """The command without a name; its help lists the other commands."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write how this command is called, and how the others are."""
        super().format_usage(ctx, formatter)
        formatter.write_usage(PROGRAM, "COMMAND [ARGS]...", prefix="       ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, then the options."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in COMMANDS.items()])
        super().format_options(ctx, formatter)


@click.command(cls=_Migrate, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("repos", metavar="[REPO]...", nargs=-1, type=click.Path(exists=True, file_okay=False))
@option(ACTION, "--preview", is_flag=True, is_main=True, help="Print the changes as a diff, and change nothing.")
@option(ACTION, "--check", is_flag=True, is_main=True, help="List the files that would change, and change nothing.")
@option(ACTION, "--in-place", is_flag=True, is_main=True, help="Write the files where they are, without a commit.")
@migration_options
@option(GIT, "--no-switch", is_flag=True, help="Make the branch, and stay on the branch that is checked out.")
@option(SCOPE, "--repository", metavar="NAME", help=_REPOSITORY)
@option(OUTPUT, "--show-secrets", is_flag=True, help="Print secrets in --preview instead of masking them.")
@output_options
@option(
    OUTPUT,
    "--explain",
    metavar="[CODE]",
    is_flag=False,
    flag_value="",
    is_main=True,
    is_eager=True,
    expose_value=False,
    callback=_explain,
    help=_EXPLAIN,
)
@click.version_option(__version__, message="%(prog)s %(version)s", help="Print the version and exit.")
def cli(repos: tuple[str, ...], **options: Any) -> None:
    """Replace static AWS credentials in Terraform code that Spacelift runs: sign in with the run's OIDC token instead.

    REPO is a git checkout, or a folder inside a checkout. Only files in this folder and below are changed. Without
    REPO, the current folder is migrated. Name the repository that defines the stacks as well. The result is one commit
    on a new branch. Nothing is pushed, and nothing is changed in Spacelift or AWS.
    """
    from migrator.cli.run import run  # here: --help and --version do not need this module

    raise SystemExit(run(repos or (".",), options))


def _misspelled(arguments: list[str]) -> str:
    """The error for a first word that is no folder and looks like a command; ``""`` if there is no error."""
    word = next(iter(arguments), "-")
    hint = "" if word.startswith("-") or os.path.exists(word) or "/" in word else nearest(word, COMMANDS)
    return f"Neither a folder nor a command is called `{word}`.{hint}" if hint else ""


def execute() -> int:
    """Run the command line; its exit code. Raises `KeyboardInterrupt` for whoever called to act upon.

    A first word that is a command's name means the command; write a folder of that name as ``./batch``.
    """
    name = named_in(sys.argv[1:])
    if not name and (mistake := _misspelled(sys.argv[1:])):
        _show(click.UsageError(mistake))
        return ExitCode.USAGE
    command, arguments = load(name), sys.argv[1 + len(name.split()) :]
    if _COMPLETION in os.environ:
        from migrator.cli.completion import completed

        command, arguments = completed(), sys.argv[1:]
    try:
        code: int | None = command.main(
            arguments, prog_name=title(name), standalone_mode=False, complete_var=_COMPLETION
        )
    except click.ClickException as error:
        _show(error)
        return error.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    return code or 0


def _show(error: click.ClickException) -> None:
    from migrator.secret.printable import printable  # here: --help and --version show no error

    buffer = io.StringIO()
    error.show(buffer)
    click.echo(printable(buffer.getvalue()), err=True, nl=False)
