"""``tf-oidc-migrate trust``: options to grants, grants to a Terraform module or to bare policy documents."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migrator.cli.combinations import require_sense
from migrator.cli.options import OUTPUT, PROVIDER, ROLES, SCOPE, TRUST, GroupedCommand, option, slug_pairs
from migrator.errors import MigrateError, UsageError
from migrator.secret.printable import plain_line
from migrator.trust.subjects import DEFAULT_TEMPLATE, RUN_TYPES, SCOPES
from migrator.writing.replace import write_new

if TYPE_CHECKING:
    from migrator.trust.known import Knowledge
    from migrator.trust.policy import Grant

_EPILOG = """\b
Exit codes:
  0    done
  2    wrong usage
  3    a repository could not be read, or the output not written; nothing was written
  130  interrupted
"""
_FILES = {"hcl": "spacelift_trust.tf", "json": "spacelift_trust.json"}
_VERSION_HELP = (
    "Allow these versions of the Terraform provider hashicorp/aws in the module. If versions before 5.82 are allowed, "
    "the module reads the thumbprint of HOST, too."
)
_ROLES_HELP = (
    "Make the roles, without permissions (new), or write only the policies for roles that exist (in-use). auto makes "
    "the roles that --role-arn names and no REPO uses."
)


@click.command(cls=GroupedCommand, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("repos", metavar="[REPO]...", nargs=-1, type=click.Path(exists=True, file_okay=False))
@option(
    PROVIDER,
    "--spacelift-host",
    metavar="HOST",
    required=True,
    help="Trust this Spacelift account, for example demo.app.spacelift.io.",
)
@option(
    PROVIDER,
    "--existing-provider",
    is_flag=True,
    help="Use the identity provider for HOST that each AWS account has already. Otherwise the module makes one.",
)
@option(
    PROVIDER,
    "--thumbprint",
    metavar="SHA1",
    multiple=True,
    help="Add this thumbprint to the identity provider. Needed only if AWS does not trust the certificate of HOST.",
)
@option(PROVIDER, "--provider-version", metavar="CONSTRAINT", default=">= 5.82", show_default=True, help=_VERSION_HELP)
@option(SCOPE, "--slug", "slugs", metavar="STACK=SLUG", multiple=True)
@option(
    ROLES,
    "--role-arn",
    metavar="ARN",
    multiple=True,
    help="Add a role that REPO does not name, for example the value of aws_role_arn. May be repeated.",
)
@option(
    ROLES, "--roles", type=click.Choice(["auto", "new", "in-use"]), default="auto", show_default=True, help=_ROLES_HELP
)
@option(
    TRUST,
    "--space",
    metavar="ID",
    multiple=True,
    help="Allow runs of this space only. May be repeated.  [default: the spaces of the stacks, else any space]",
)
@option(
    TRUST,
    "--stack",
    metavar="SLUG",
    multiple=True,
    help="Allow runs of this stack only. May be repeated.  [default: the stacks in REPO that use the role; every stack "
    "of the account, with a warning, if none is known]",
)
@option(
    TRUST, "--module", metavar="SLUG", multiple=True, help="Allow test runs of this module of the Spacelift registry."
)
@option(
    TRUST,
    "--run-type",
    type=click.Choice(RUN_TYPES),
    multiple=True,
    help="Allow runs of this type only. May be repeated. TRACKED alone stops the plans of proposed runs.  "
    "[default: all types]",
)
@option(TRUST, "--scope", type=click.Choice(SCOPES), help="Allow tokens with this scope only.  [default: both]")
@option(
    TRUST,
    "--subject-template",
    metavar="TEMPLATE",
    default=DEFAULT_TEMPLATE,
    help="Use the subject template of the Spacelift account, if the account has changed the template.",
)
@option(
    TRUST,
    "--session-tags",
    is_flag=True,
    help="Allow session tags, for stacks with the label feature:aws_oidc_session_tagging.",
)
@option(
    SCOPE,
    "--exclude",
    metavar="GLOB",
    multiple=True,
    help="Leave out matching files or folders. May be repeated.",
)
@option(
    OUTPUT,
    "--format",
    "format_",
    type=click.Choice([*_FILES]),
    default="hcl",
    show_default=True,
    help="Write a Terraform module, or only the policies as JSON.",
)
@option(
    OUTPUT,
    "--output",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Write the result to a file in this folder.  [default: standard output]",
)
@option(SCOPE, "--inventory", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
def trust(repos: tuple[str, ...], **options: Any) -> None:
    """Write the AWS side of the migration: a Terraform module with identity providers and trust policies.

    REPO is a git checkout or a folder, migrated or not. The module has the roles with which the code in REPO signs in,
    and each trust policy allows the stacks that use the role. Without REPO, name the roles with --role-arn. Nothing is
    changed in AWS: an administrator applies the module. Warnings go to standard error.

    By default, proposed runs may assume the roles, so the code of every pull request may too. docs/trust.md says how to
    give proposed runs a role that only reads.
    """
    from migrator.trust.module import ProviderSettings, write_module  # here: --help does not need this module
    from migrator.trust.policy import Issuer
    from migrator.trust.subjects import SubjectTemplate
    from migrator.trust.warnings import warnings

    require_sense()
    try:
        issuer = Issuer(
            options["spacelift_host"], SubjectTemplate(options["subject_template"]), options["session_tags"]
        )
        settings = ProviderSettings(
            options["provider_version"], options["thumbprint"], is_there=options["existing_provider"]
        )
        grants = _grants(repos, options)
        documents = json.dumps(issuer.documents(grants), indent=2) + "\n"
        text = write_module(issuer, grants, settings) if options["format_"] == "hcl" else documents
        for warning in warnings(issuer, grants):
            click.echo(plain_line(f"warning: {warning}"), err=True)
        _write(text, options["output"], _FILES[options["format_"]])
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    except MigrateError as error:
        click.echo(plain_line(f"error: {error}"), err=True)
        raise SystemExit(3) from None


def _grants(repos: tuple[str, ...], options: dict[str, Any]) -> tuple[Grant, ...]:
    from migrator.spacelift.inventory.known import account_of
    from migrator.trust.account import with_account
    from migrator.trust.grants import RequiredRole, RoleState, open_questions
    from migrator.trust.known import uses_of

    required = RequiredRole(
        options["role_arn"],
        options["space"],
        options["stack"],
        options["module"],
        options["run_type"],
        options["scope"] or "",
        RoleState(options["roles"]),
        options["session_tags"],
    )
    inventory = os.path.abspath(options["inventory"]) if options["inventory"] else None
    knowledge_of_repos = [_knowledge(repo, options["exclude"], inventory, options["slugs"]) for repo in repos]
    knowledge = with_account(knowledge_of_repos, account_of(inventory), options["role_arn"])
    uses = uses_of(knowledge)
    problems = [f"{problem.place}: {problem.reason}" for learnt_repo in knowledge for problem in learnt_repo.problems]
    stacks = [stack for learnt_repo in knowledge for stack in learnt_repo.stacks]
    for question in (*problems, *open_questions(required, uses, stacks)):
        click.echo(plain_line(f"warning: {question}"), err=True)
    return required.grants(uses, [stack for stack in stacks if stack.kind == "stack"])


def _knowledge(repo: str, exclude: tuple[str, ...], inventory: str | None, slugs: tuple[str, ...]) -> Knowledge:
    from migrator.batch.job import failure_of
    from migrator.config.config import Config
    from migrator.config.settings_file import with_repository
    from migrator.migrate.pipeline import open_workspace
    from migrator.trust.known import learn

    try:
        set_on_command_line = frozenset({"inventory"} if inventory else ())
        config = Config(
            exclude=exclude, inventory=inventory, slugs=slug_pairs(slugs), set_on_command_line=set_on_command_line
        )
        workspace = open_workspace(repo, config)
        return learn(workspace, with_repository(config, workspace.root))
    except MigrateError as error:
        raise MigrateError(f"{repo}: {error}") from None
    except Exception as error:
        raise MigrateError(f"{repo}: {failure_of(error).reason}") from None


def _write(text: str, folder: str | None, name: str) -> None:
    """Write to standard output, or to a file that is not there, or holds the same already."""
    if folder is None:
        click.echo(text, nl=False)
        return
    file = Path(folder, name)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_file() and file.read_bytes() == text.encode():
            return
        write_new(file, [text])
    except FileExistsError:
        raise UsageError(f"{file} is there already, and is not overwritten") from None
    except OSError as error:
        raise MigrateError(f"{file} cannot be written: {error.strerror}") from None
    click.echo(plain_line(f"{file} written"), err=True)
