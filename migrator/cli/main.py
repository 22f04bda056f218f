"""The command line: options to a `Config`, repositories to results, results to an exit code."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import click

from migrator import __version__
from migrator.cli.options import ACTION, GIT, OUTPUT, GroupedCommand, migration_options, option, output_options
from migrator.errors import UsageError
from migrator.secret import printable

_EPILOG = """\b
Exit codes:
  0    done, or nothing to do
  1    --check found files that would change
  2    wrong usage
  3    something could not be processed; the rest was done
  130  interrupted
"""

_COMPLETION = "_TF_OIDC_MIGRATE_COMPLETE"
"""Set in the environment by a shell that asks for completions."""

_EXPLAIN = "Print the page of a rule, with before and after, or of all of them, and exit."


def _explain(context: click.Context, _: click.Parameter, rule: str | None) -> None:
    if rule is None or context.resilient_parsing:
        return
    from migrator.cli.explain import explain  # here: no other run needs the rules this early

    try:
        click.echo(explain(rule), nl=False)
    except UsageError as error:
        raise click.UsageError(str(error), context) from None
    context.exit()


@click.command(cls=GroupedCommand, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("repos", metavar="[REPO]...", nargs=-1, type=click.Path(exists=True, file_okay=False))
@option(ACTION, "--preview", is_flag=True, help="Print unified diffs on standard output, change nothing.")
@option(ACTION, "--check", is_flag=True, help="List the files that would change, change nothing; exit 1 if any.")
@option(ACTION, "--in-place", is_flag=True, help="Write the files where they are, without git.")
@migration_options
@option(GIT, "--no-switch", is_flag=True, help="Leave the checkout on its branch.")
@option(OUTPUT, "--report", metavar="FILE", multiple=True, help="Write a .json, .sarif, .md, .html or .xml report.")
@option(OUTPUT, "--show-secrets", is_flag=True, help="Do not mask secrets in --preview.")
@output_options
@option(OUTPUT, "--explain", metavar="RULE", is_eager=True, expose_value=False, callback=_explain, help=_EXPLAIN)
@click.version_option(__version__, message="%(prog)s %(version)s")
def cli(repos: tuple[str, ...], **options: Any) -> None:
    """Take static AWS credentials out of Terraform and sign in with Spacelift's OIDC token instead.

    REPO is a git checkout, or a folder inside one: then only that folder is migrated. Default: the current folder. The
    result is one commit on a new branch. Diffs go to standard output, everything else to standard error.
    """
    from migrator.cli.run import run  # here: --help and --version need nothing of it

    raise SystemExit(run(repos or (".",), options))


def execute() -> int:
    """Run the command line; its exit code. Raises `KeyboardInterrupt` for whoever called to act upon.

    A first word that is a command's name means the command; a folder of that name is written ``./batch``.
    """
    name, arguments = "tf-oidc-migrate", sys.argv[1:]
    command: click.Command = cli
    if arguments[:1] == ["batch"]:
        from migrator.cli.batch import batch, status  # here: a run on one repository needs nothing of it

        command, name, arguments = batch, f"{name} batch", arguments[1:]
        if arguments[:1] == ["status"]:
            command, name, arguments = status, f"{name} status", arguments[1:]
    if arguments[:1] == ["trust"] and command is cli:
        from migrator.cli.trust import trust

        command, name, arguments = trust, f"{name} trust", arguments[1:]
    if arguments[:1] == ["inventory"] and command is cli:
        from migrator.cli.inventory import inventory

        command, name, arguments = inventory, f"{name} inventory", arguments[1:]
    if arguments[:1] == ["attach"] and command is cli:
        from migrator.cli.attach import attach

        command, name, arguments = attach, f"{name} attach", arguments[1:]
    if arguments[:1] == ["verify"] and command is cli:
        from migrator.cli.verify import verify

        command, name, arguments = verify, f"{name} verify", arguments[1:]
    if _COMPLETION in os.environ:
        from migrator.cli.batch import batch, status
        from migrator.cli.completion import completed
        from migrator.cli.trust import trust
        from migrator.cli.verify import verify

        command = completed(cli, batch, status, trust, verify)
    try:
        code: int | None = command.main(arguments, prog_name=name, standalone_mode=False, complete_var=_COMPLETION)
    except click.ClickException as error:
        said = io.StringIO()
        error.show(said)
        click.echo(printable(said.getvalue()), err=True, nl=False)
        return error.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    return code or 0
