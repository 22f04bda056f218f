"""``tf-oidc-migrate inventory``: the content of a Spacelift account, in a file without any value."""

from __future__ import annotations

from typing import Any

import click

from migrator.cli.options import OUTPUT, GroupedCommand, option
from migrator.errors import MigrateError, UsageError, missing_extra
from migrator.secret.printable import plain_line

_EPILOG = """\b
Exit codes:
  0    done
  2    wrong usage, or no sign-in to Spacelift was found
  3    the account could not be read; nothing was written
  4    done, but a part of the account could not be read; the file says which
  130  interrupted
"""
_OUTPUT = "Write the inventory to this file; a file that is there already is replaced."
_INCOMPLETE = 4


@click.command(cls=GroupedCommand, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@option(OUTPUT, "--output", metavar="FILE", default="spacelift-inventory.json", show_default=True, help=_OUTPUT)
@option(OUTPUT, "-q", "--quiet", is_flag=True, help="Print errors and warnings only.")
def inventory(output: str, quiet: bool) -> None:
    """Read a Spacelift account: its stacks, contexts, AWS integrations, spaces and modules.

    Other commands use the file with --inventory, for stacks that no code defines.
    The account is only read, and no value of a variable or file is asked for. Sign in as with spacectl: set
    SPACELIFT_API_TOKEN, or SPACELIFT_API_KEY_ENDPOINT, SPACELIFT_API_KEY_ID and SPACELIFT_API_KEY_SECRET, or run
    `spacectl profile login`.
    """
    from migrator.batch.progress import counting  # here: --help does not need these modules
    from migrator.spacelift.inventory.file import write_inventory

    try:
        from migrator.spacelift.inventory.read import read_account
        from migrator.spacelift.inventory.session import session_from_environment

        with counting(is_quiet=quiet) as count:
            account = read_account(session_from_environment(), count)
        write_inventory(output, account)
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    except (MigrateError, ImportError) as error:
        lacking = missing_extra("Reading an account needs gql.", "inventory")
        click.echo(plain_line(f"error: {error if isinstance(error, MigrateError) else lacking}"), err=True)
        raise SystemExit(3) from None
    for missing in account.missing:
        _say(f"warning: this account's schema does not have {missing}; the inventory does without", is_quiet=False)
    for problem in account.errors:
        _say(f"warning: {problem.what} was not read: {problem.message}", is_quiet=False)
    counts = {
        "stacks": account.stacks,
        "contexts": account.contexts,
        "AWS integrations": account.aws_integrations,
        "spaces": account.spaces,
        "modules": account.modules,
    }
    _say(f"{output}: {', '.join(f'{len(objects)} {name}' for name, objects in counts.items())}", is_quiet=quiet)
    if account.errors:
        raise SystemExit(_INCOMPLETE)


def _say(line: Any, *, is_quiet: bool) -> None:
    if not is_quiet:
        click.echo(plain_line(line), err=True)
