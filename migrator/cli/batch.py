"""``tf-oidc-migrate batch``: the options of a batch, and ``batch status``."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import click

from migrator.cli.options import (
    ACTION,
    FLEET,
    GIT,
    HOOK,
    OUTPUT,
    PULL_REQUESTS,
    REPOSITORIES,
    ROLES,
    SCOPE,
    GroupedCommand,
    config_of,
    given,
    migration_options,
    option,
    output_options,
)
from migrator.config.config import ExistingBranch
from migrator.errors import MigrateError, UsageError
from migrator.model.results import Mode
from migrator.secret import plain_line

_COMPANY = {
    ("topic", "name", "archived", "forks"): ("github_org", "gitlab_group"),
    ("draft", "label", "reviewer", "base", "template"): ("open_pr",),
}
"""Options that only mean something beside one of others."""

_POLICIES = click.Choice([existing_branch.value for existing_branch in ExistingBranch])


@click.command(cls=GroupedCommand, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("places", metavar="[SOURCE]...", nargs=-1)
@option(ACTION, "--preview", is_flag=True, help="Print unified diffs on standard output, change nothing.")
@option(ACTION, "--check", is_flag=True, help="Change nothing; exit 1 if anything would change.")
@option(ACTION, "--plan-out", metavar="FILE", help="Change nothing; store what would be done.")
@option(ACTION, "--apply", metavar="FILE", help="Do what a stored plan says, in repositories that are as they were.")
@option(
    REPOSITORIES, "--repos-from", metavar="FILE", multiple=True, help="Read sources from a file; - is standard input."
)
@option(REPOSITORIES, "--github-org", metavar="NAME", multiple=True, help="All repositories of a GitHub organisation.")
@option(REPOSITORIES, "--gitlab-group", metavar="PATH", multiple=True, help="All of a GitLab group and its subgroups.")
@option(REPOSITORIES, "--topic", metavar="NAME", help="Of these, only those with the topic.")
@option(REPOSITORIES, "--name", metavar="GLOB", help="Of these, only those whose name matches.")
@option(REPOSITORIES, "--archived", is_flag=True, help="Archived ones, too.")
@option(REPOSITORIES, "--forks", is_flag=True, help="Forks, too.")
@option(REPOSITORIES, "--clone-to", metavar="FOLDER", help="Keep clones there.  [default: a temporary folder]")
@option(FLEET, "--jobs", "-j", metavar="N", type=click.IntRange(1), help="Worker processes.  [default: the processors]")
@option(FLEET, "--dask", metavar="ADDRESS", help="Run the jobs on the Dask cluster with this scheduler.")
@option(FLEET, "--timeout", metavar="SECONDS", type=float, default=600.0, show_default=True, help="For each job.")
@option(FLEET, "--state", metavar="FILE", help="The run's journal.  [default: one in ~/.local/state]")
@option(FLEET, "--resume", is_flag=True, help="Go on with the run of the journal.")
@option(FLEET, "--retry-failed", is_flag=True, help="As --resume, and try again what failed.")
@option(
    PULL_REQUESTS, "--push", "push_to", metavar="[REMOTE]", is_flag=False, flag_value="origin", help="Push the branch."
)
@option(PULL_REQUESTS, "--open-pr", is_flag=True, help="Push, and open a pull request on GitHub or GitLab.")
@option(PULL_REQUESTS, "--draft", is_flag=True, help="As a draft.")
@option(PULL_REQUESTS, "--label", metavar="NAME", multiple=True, help="With a label; may be repeated.")
@option(PULL_REQUESTS, "--reviewer", metavar="NAME", multiple=True, help="With a reviewer; may be repeated.")
@option(PULL_REQUESTS, "--base", metavar="BRANCH", help="To be merged into.  [default: where the work started]")
@option(PULL_REQUESTS, "--template", metavar="FILE", help="Title and text: ${summary}, ${rollout}, ${repo}, ${branch}.")
@option(PULL_REQUESTS, "--throttle", metavar="SECONDS", type=float, default=1.0, show_default=True, help="Between two.")
@migration_options
@option(GIT, "--no-switch", is_flag=True, help="Leave checkouts on their branches.")
@option(GIT, "--on-existing-branch", type=_POLICIES, default="skip", show_default=True, help="What to do about it.")
@option(OUTPUT, "--report", metavar="FILE", multiple=True, help="Write a .json, .sarif, .md, .html or .xml report.")
@output_options
def batch(**options: Any) -> None:
    """Migrate many repositories, which know of each other's Spacelift stacks.

    SOURCE is a local checkout, a glob of checkouts, or a git URL. All are read before the first is changed. `batch
    status --state FILE` lists the branches and pull requests of a run.
    """
    from migrator.batch.run import Request, run_batch  # here: --help needs nothing of it
    from migrator.remotes.forge_base import Filters
    from migrator.remotes.pull_requests import PullRequests

    try:
        _require_company(options)
        mode = _mode(options)
        config = replace(
            config_of(options, mode),
            on_existing_branch=ExistingBranch(options["on_existing_branch"]),
            keep_diff=any(item.endswith((".html", ".json")) for item in options["report"]),
        )
        request = Request(
            places=options["places"],
            repos_from=options["repos_from"],
            github_orgs=options["github_org"],
            gitlab_groups=options["gitlab_group"],
            filters=Filters(options["topic"], options["name"], options["archived"], options["forks"]),
            jobs=options["jobs"],
            dask=options["dask"],
            timeout=options["timeout"],
            clone_to=options["clone_to"],
            state=options["state"],
            resume=options["resume"],
            retry_failed=options["retry_failed"],
            push_to=options["push_to"] or ("origin" if options["open_pr"] else ""),
            pull_requests=_pull_requests(options, PullRequests),
            plan_out=options["plan_out"],
            apply=options["apply"],
            reports=options["report"],
            plan_file=options["plan_file"],
            quiet=options["quiet"],
        )
        raise SystemExit(run_batch(request, config))
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    except MigrateError as error:
        _fail(error)


def _require_company(options: dict[str, Any]) -> None:
    """Options that would say nothing are refused, above all those that seem to choose among the repositories."""
    for names, company in _COMPANY.items():
        wanted = [name for name in names if options[name]]
        if wanted and not any(options[name] for name in company):
            raise UsageError(f"{_flag(wanted[0])} goes with {' or '.join(map(_flag, company))}.")
    sources = [name for name in ("places", "repos_from", "github_org", "gitlab_group") if options[name]]
    if options["apply"] and sources:
        raise UsageError("--apply does what the plan says in all of its repositories; name none beside it.")
    if options["apply"] and (decided := given(ROLES, HOOK, GIT, SCOPE)):
        raise UsageError(f"{decided[0]} was decided when the plan was made: make another, or leave it out.")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _mode(options: dict[str, Any]) -> Mode:
    wanted = [name for name in ("preview", "check", "plan_out", "apply") if options[name]]
    if len(wanted) > 1:
        first, second = (name.replace("_", "-") for name in wanted[:2])
        raise UsageError(f"--{first} and --{second} exclude each other.")
    is_pushing = options["push_to"] or options["open_pr"]
    if wanted and wanted != ["apply"] and is_pushing:
        raise UsageError(f"--{wanted[0].replace('_', '-')} changes nothing, so there is nothing to push.")
    modes = {"preview": Mode.PREVIEW, "check": Mode.CHECK, "plan_out": Mode.CHECK}
    return modes.get(wanted[0], Mode.BRANCH) if wanted else Mode.BRANCH


def _pull_requests(options: dict[str, Any], make: Any) -> Any:
    if not options["open_pr"]:
        return None
    return make(
        options["template"],
        options["base"],
        options["draft"],
        options["label"],
        options["reviewer"],
        options["throttle"],
    )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--state", metavar="FILE", help="The run's journal.  [default: the last one's]")
def status(state: str | None) -> None:
    """List what became of the repositories of a batch, with their branches and pull requests."""
    from migrator.batch.run import status_lines

    try:
        for line in status_lines(state):
            click.echo(line)
    except MigrateError as error:
        _fail(error)


def _fail(error: MigrateError) -> None:
    click.echo(plain_line(f"Error: {error}"), err=True)
    sys.exit(3)
