"""``tf-oidc-migrate verify``: whether each stack of migrated branches will sign in, level by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migrator.cli.options import OUTPUT, REPOSITORIES, SCOPE, TRUST, VERIFY, GroupedCommand, option
from migrator.config.choices import TOKEN_FILE
from migrator.errors import MigrateError, UsageError
from migrator.secret.printable import plain_line
from migrator.trust.subjects import DEFAULT_TEMPLATE, RUN_TYPES

if TYPE_CHECKING:
    from migrator.model.results import RepoResult
    from migrator.verify.verify import Request

_EPILOG = """\b
Exit codes:
  0    everything is proven that the chosen levels check
  1    something failed
  2    wrong usage
  3    a repository could not be read, or a report not written
  4    nothing failed, but something is not proven
  130  interrupted
"""
_LEVELS = click.Choice(["offline", "trust", "spacelift"])
_FILE = click.Path(exists=True, dir_okay=False)
_FOLDER = click.Path(exists=True, file_okay=False)
_DIR = click.Path(file_okay=False)
_HELP = {
    "level": "Prove without AWS that code and hook sign in (offline), that the trust policies allow the runs (trust), "
    "or that previews in Spacelift reach the same state (spacelift). May be repeated.  [default: offline]",
    "branch": "Verify this branch.  [default: the branch that the migration made, else what is checked out]",
    "base": "Compare with this branch or commit.  [default: the commit that the branch started from]",
    "inventory": "Read the stacks of the account from this file, which `inventory` wrote.",
    "engine": "Run this terraform or tofu.  [default: the version of the stack, else the engine that is installed]",
    "fetch": "Let the engine download providers and modules.",
    "jobs": "Verify this many root modules at the same time.",
    "role-arn": "Assume that the stacks set their role variables to this role, if no file gives the value.",
    "token-file": "Expect the OIDC token of a run in this file.",
    "host": "Verify for this Spacelift account, for example demo.app.spacelift.io.  [default: that of the inventory]",
    "policies": "Read trust policies from this folder: a file ROLENAME.json for each role, as `aws iam get-role` "
    "prints the role.  [default: the policies that `trust` writes, which need not be in AWS yet]",
    "aws": "Ask AWS for the trust policies, with your own credentials, which need iam:GetRole.",
    "template": "Use the subject template of the Spacelift account, if the account has changed the template.",
    "tags": "Expect session tags in the tokens of all stacks.",
    "run-type": "Verify runs of this type only. May be repeated.  [default: all types]",
    "previews": "Write the files that `spacectl` needs for previews into this folder, with --level spacelift.",
    "run": "Start the previews in Spacelift with spacectl, and read what the previews print.",
    "exclude": "Leave out matching files or folders. May be repeated.",
    "report": "Write a report. The ending of FILE chooses the kind: .html, .md, .json or .xml (JUnit).",
    "quiet": "Print no progress.",
}


@click.command(cls=GroupedCommand, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("repos", metavar="[REPO]...", nargs=-1, type=click.Path(exists=True, file_okay=False))
@option(VERIFY, "--level", "levels", type=_LEVELS, multiple=True, help=_HELP["level"])
@option(REPOSITORIES, "--branch", metavar="NAME", help=_HELP["branch"])
@option(REPOSITORIES, "--base", metavar="NAME", help=_HELP["base"])
@option(REPOSITORIES, "--inventory", metavar="FILE", type=_FILE, help=_HELP["inventory"])
@option(VERIFY, "--engine", metavar="PATH", type=_FILE, help=_HELP["engine"])
@option(VERIFY, "--fetch-providers", is_flag=True, help=_HELP["fetch"])
@option(VERIFY, "--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help=_HELP["jobs"])
@option(VERIFY, "--role-arn", metavar="ARN", help=_HELP["role-arn"])
@option(VERIFY, "--token-file", metavar="PATH", default=TOKEN_FILE, show_default=True, help=_HELP["token-file"])
@option(VERIFY, "--run-type", type=click.Choice(RUN_TYPES), multiple=True, help=_HELP["run-type"])
@option(TRUST, "--spacelift-host", metavar="HOST", help=_HELP["host"])
@option(TRUST, "--policies", metavar="DIR", type=_FOLDER, help=_HELP["policies"])
@option(TRUST, "--policies-from-aws", is_flag=True, help=_HELP["aws"])
@option(TRUST, "--subject-template", metavar="TEMPLATE", default=DEFAULT_TEMPLATE, help=_HELP["template"])
@option(TRUST, "--session-tags", is_flag=True, help=_HELP["tags"])
@option(VERIFY, "--previews", metavar="DIR", type=_DIR, default="previews", show_default=True, help=_HELP["previews"])
@option(VERIFY, "--run", "run_previews", is_flag=True, help=_HELP["run"])
@option(SCOPE, "--exclude", metavar="GLOB", multiple=True, help=_HELP["exclude"])
@option(OUTPUT, "--report", metavar="FILE", multiple=True, help=_HELP["report"])
@option(OUTPUT, "-q", "--quiet", is_flag=True, help=_HELP["quiet"])
def verify(repos: tuple[str, ...], **options: Any) -> None:
    """Prove that each stack of a migrated branch signs in, with the expected role and to the same state as before.

    REPO is a git checkout or a folder. Name the repositories of the code and those that define the stacks. The
    repositories are not changed: the command works in temporary copies. Only --run starts runs in Spacelift: previews,
    which apply nothing. Results go to standard output, progress to standard error.

    The level offline emulates AWS. Only trust with --policies or --policies-from-aws, and spacelift with --run, see
    your accounts. No level proves the permissions of the roles: docs/verify.md lists what each level proves.
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
    from migrator.verify.verify import by_repo, open_repos, rows_of

    say = (lambda _: None) if options["quiet"] else _say
    for path in options["report"]:
        if writer_for(path) is REPORTS[".sarif"]:
            raise UsageError("--report writes .json, .md, .html and .xml: a verification has no place in SARIF")
    request = _request(repos, options)
    with open_repos(request, say) as copies:
        rows = rows_of(copies, request, say)
        return [RepoResult(repo, Mode.CHECK, verified=stacks) for repo, stacks in by_repo(rows, repos).items()]


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
