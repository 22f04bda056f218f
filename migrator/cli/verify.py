"""``tf-oidc-migrate verify``: whether each stack of migrated branches will sign in, level by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migrator.cli.options import OUTPUT, REPOSITORIES, SCOPE, TRUST, VERIFY, GroupedCommand, option
from migrator.config.choices import TOKEN_FILE
from migrator.errors import MigrateError, UsageError
from migrator.secret import plain_line
from migrator.trust.subjects import DEFAULT_TEMPLATE, RUN_TYPES

if TYPE_CHECKING:
    from migrator.model.results import RepoResult
    from migrator.verify.verify import Request

_EPILOG = """\b
Exit codes:
  0    everything is proven
  1    something failed
  2    wrong usage
  3    a repository could not be read, or a report not written
  4    nothing failed, but something is not proven
  130  interrupted
"""
_LEVELS = click.Choice(["offline", "trust", "spacelift"])
_LEVEL = "offline: on this machine; trust: trust policies; spacelift: previews. May be repeated.  [default: offline]"
_BRANCH = "Branch to verify.  [default: the one that the migration made, else what is checked out]"
_BASE = "Branch or commit from before the migration.  [default: what the branch was made of]"
_FILE = click.Path(exists=True, dir_okay=False)
_ENGINE = "The terraform or tofu to run.  [default: the stack's version, else the one that is there]"
_FOLDER = click.Path(exists=True, file_okay=False)
_HOST = "Such as demo.app.spacelift.io.  [default: the inventory's]"
_TYPES = "Type of runs that must be allowed; may be repeated.  [default: all]"
_POLICIES = "Trust policies: a file ROLENAME.json each, as `aws iam get-role` prints it.  [default: those of `trust`]"
_DIR = click.Path(file_okay=False)
_PREVIEWS = "Where the level spacelift writes runtime configurations."
_ROLE = "Value of the role variables that no file knows."


@click.command(cls=GroupedCommand, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("repos", metavar="[REPO]...", nargs=-1, type=click.Path(exists=True, file_okay=False))
@option(VERIFY, "--level", "levels", type=_LEVELS, multiple=True, help=_LEVEL)
@option(REPOSITORIES, "--branch", metavar="NAME", help=_BRANCH)
@option(REPOSITORIES, "--base", metavar="NAME", help=_BASE)
@option(
    REPOSITORIES, "--inventory", metavar="FILE", type=_FILE, help="Stacks of the account, as `inventory` wrote them."
)
@option(VERIFY, "--engine", metavar="PATH", type=_FILE, help=_ENGINE)
@option(VERIFY, "--fetch-providers", is_flag=True, help="Let the engine download providers and modules.")
@option(VERIFY, "--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Root modules at once.")
@option(VERIFY, "--role-arn", metavar="ARN", help=_ROLE)
@option(VERIFY, "--token-file", metavar="PATH", default=TOKEN_FILE, show_default=True, help="The run's OIDC token.")
@option(TRUST, "--spacelift-host", metavar="HOST", help=_HOST)
@option(TRUST, "--policies", metavar="DIR", type=_FOLDER, help=_POLICIES)
@option(TRUST, "--policies-from-aws", is_flag=True, help="Ask IAM with your own credentials, which need iam:GetRole.")
@option(TRUST, "--subject-template", metavar="TEMPLATE", default=DEFAULT_TEMPLATE, help="The account's, if it has one.")
@option(TRUST, "--session-tags", is_flag=True, help="The account tags the sessions of all stacks.")
@option(TRUST, "--run-type", type=click.Choice(RUN_TYPES), multiple=True, help=_TYPES)
@option(VERIFY, "--previews", metavar="DIR", type=_DIR, default="previews", show_default=True, help=_PREVIEWS)
@option(VERIFY, "--run", "run_previews", is_flag=True, help="Run the previews with spacectl, and read what they tell.")
@option(SCOPE, "--exclude", metavar="GLOB", multiple=True, help="Leave files or folders alone; may be repeated.")
@option(OUTPUT, "--report", metavar="FILE", multiple=True, help="Write a .json, .md, .html or .xml report.")
@option(OUTPUT, "-q", "--quiet", is_flag=True, help="Show no progress.")
def verify(repos: tuple[str, ...], **options: Any) -> None:
    """Prove that each stack of migrated branches signs in: to the same state, and as the table of who signs says.

    REPO is a git checkout or a folder: name the repositories of the code and those that define the stacks. The work
    tree is not touched. Rows go to standard output, progress to standard error.
    """
    try:
        results = _results(repos or (".",), options)
        _report(options["report"], results)
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    except MigrateError as error:
        click.echo(plain_line(f"error: {error}"), err=True)
        raise SystemExit(3) from None
    from migrator.report.verification import exit_code, lines

    for result in results:
        for line in lines(result):
            click.echo(line)
    raise SystemExit(exit_code(results))


def _say(line: str) -> None:
    click.echo(plain_line(line), err=True)


def _results(repos: Sequence[str], options: Mapping[str, Any]) -> list[RepoResult]:
    from migrator.model.results import Mode, RepoResult
    from migrator.report.registry import REPORTS, writer_for
    from migrator.verify.verify import by_repo, opened, rows_of

    say = (lambda _: None) if options["quiet"] else _say
    for path in options["report"]:
        if writer_for(path) is REPORTS[".sarif"]:
            raise UsageError("--report writes .json, .md, .html and .xml: a verification has no place in SARIF")
    request = _request(repos, options)
    with opened(request, say) as copies:
        rows = rows_of(copies, request, say)
        return [RepoResult(repo, Mode.CHECK, verified=listed) for repo, listed in by_repo(rows, repos).items()]


def _request(repos: Sequence[str], options: Mapping[str, Any]) -> Request:
    from migrator.config.config import Config, is_role_arn
    from migrator.trust.policy import Issuer
    from migrator.trust.subjects import SubjectTemplate
    from migrator.verify.account import Account
    from migrator.verify.hooks import TokenSettings
    from migrator.verify.offline import OfflineSettings
    from migrator.verify.runs import DEFAULT_HOST
    from migrator.verify.verify import Level, Request, TrustRequested

    if options["role_arn"] and not is_role_arn(options["role_arn"]):
        raise UsageError("--role-arn must be the ARN of an IAM role, such as arn:aws:iam::123456789012:role/name")
    levels = tuple(Level(level) for level in options["levels"] or ("offline",))
    account = Account(options["inventory"]) if options["inventory"] else None
    host = options["spacelift_host"] or (account.host if account else "")
    template = SubjectTemplate(options["subject_template"])
    if Level.TRUST in levels and not host:
        raise UsageError("--level trust needs --spacelift-host or --inventory")
    issuer = Issuer(host or DEFAULT_HOST, template, options["session_tags"])
    trust = TrustRequested(issuer, options["policies"], options["policies_from_aws"], options["run_type"])
    token = TokenSettings(options["token_file"], issuer.host, template.text, options["run_type"])
    offline = OfflineSettings(token, options["role_arn"], options["fetch_providers"], options["jobs"])
    return Request(
        repos,
        Config(exclude=options["exclude"], token_file=options["token_file"]),
        offline,
        levels,
        options["branch"],
        options["base"],
        options["engine"],
        account,
        trust,
        Path(options["previews"]),
        options["run_previews"],
    )


def _report(paths: Sequence[str], results: Sequence[RepoResult]) -> None:
    from migrator.report.registry import write_report

    for path in paths:
        write_report(path, results)
