"""The options of the command line that several commands share, under headings, and the `Config` that they make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from migrator.config.choices import BRANCH, TOKEN_FILE, Auth, BackendAuth, HookPlace, ProviderAuth, RoleIn
from migrator.errors import UsageError

if TYPE_CHECKING:
    from migrator.config.config import Config
    from migrator.model.results import Mode

_MIGRATION = ("Action", "Repositories", "Fleet", "Pull requests", "Roles", "Hook", "Git", "Scope", "Output")
ACTION, REPOSITORIES, FLEET, PULL_REQUESTS, ROLES, HOOK, GIT, SCOPE, OUTPUT = _MIGRATION
PROVIDER, TRUST = _TRUST = ("Identity provider", "Who may sign in")
VERIFY = "Proof"
_HEADINGS = (VERIFY, *_TRUST[:1], *_MIGRATION[:7], *_TRUST[1:], *_MIGRATION[7:])

_HOOK_IN = "Where it is put: in each stack, in one context attached to them, or in .spacelift/config.yml."
_ROLE = "Role of one identity: profile:NAME, alias:NAME, var:NAME or account:NUMBER; may be repeated."
_HOOK_ROLE = "Role for the state.  [default: the backend's own, else --role-arn, else $TF_VAR_aws_role_arn]"
_BACKEND_AUTH = "auto, hook, native or env."
_WAYS = click.Choice([backend_auth.value for backend_auth in BackendAuth])
_WAY_IN = "Of providers: their own, or the hook's credentials."
_WAYS_IN = click.Choice([provider_auth.value for provider_auth in ProviderAuth])
_PORTABLE = "Sign in only where the role's variable is set: the code runs elsewhere, too."
_CONFIG = "Settings.  [default: tf-oidc-migrate.toml of the repository]"
_FILE = click.Path(exists=True, dir_okay=False)
_PLACES = click.Choice([hook_place.value for hook_place in HookPlace])
_ROLE_IN = "Where known roles of providers stand: in their blocks, or in variables that the stacks set."
_AUTH = "What runs sign in by: their OIDC token, or Spacelift's AWS integration."
_AUTHS = click.Choice([auth.value for auth in Auth])
_ROLE_PLACES = click.Choice([role_in.value for role_in in RoleIn])
_Decorated = TypeVar("_Decorated", bound="Callable[..., Any] | click.Command")
_Decorator = Callable[[_Decorated], _Decorated]


class _GroupedOption(click.Option):
    """An option that ``--help`` lists under a heading of its own."""

    def __init__(self, *args: Any, group: str, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.group = group


class GroupedCommand(click.Command):
    """A command whose ``--help`` lists its options under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, heading by heading."""
        headings: dict[str, list[tuple[str, str]]] = {heading: [] for heading in _HEADINGS}
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if row is not None:
                headings[getattr(parameter, "group", OUTPUT)].append(row)
        for heading, rows in headings.items():
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


def option(group: str, *names: str, **attributes: Any) -> Callable[[_Decorated], _Decorated]:
    """`click.option` under the heading ``group``."""
    return click.option(*names, cls=_GroupedOption, group=group, **attributes)


def _all(*decorators: Callable[[Any], Any]) -> Callable[[_Decorated], _Decorated]:
    def decorate(function: _Decorated) -> _Decorated:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def migration_options(function: _Decorated) -> _Decorated:
    """Roles, hook, branch and scope: what is to become of each repository."""
    return _all(
        option(
            ROLES, "--role-arn", metavar="ARN", help="Role of the providers, literally.  [default: var.aws_role_arn]"
        ),
        option(ROLES, "--role", "roles", metavar="ORIGIN=ARN", multiple=True, help=_ROLE),
        option(ROLES, "--auth", type=_AUTHS, default="oidc", show_default=True, help=_AUTH),
        option(ROLES, "--role-in", type=_ROLE_PLACES, default="literal", show_default=True, help=_ROLE_IN),
        option(ROLES, "--backend-role-arn", metavar="ARN", help=_HOOK_ROLE),
        option(
            ROLES, "--token-file", metavar="PATH", default=TOKEN_FILE, show_default=True, help="The run's OIDC token."
        ),
        option(
            HOOK,
            "--backend-auth",
            metavar="WAY",
            type=_WAYS,
            default="auto",
            show_default=True,
            help=_BACKEND_AUTH,
        ),
        option(ROLES, "--provider-auth", type=_WAYS_IN, default="web-identity", show_default=True, help=_WAY_IN),
        option(ROLES, "--portable", is_flag=True, help=_PORTABLE),
        option(HOOK, "--hook-in", type=_PLACES, default="stack", show_default=True, help=_HOOK_IN),
        option(
            HOOK, "--hook-phases", metavar="LIST", default="init", show_default=True, help="Before what, with commas."
        ),
        option(HOOK, "--session-duration", metavar="SECONDS", type=int, help="Of its credentials.  [default: AWS's]"),
        option(HOOK, "--no-guard", is_flag=True, help="Let a run go on if AWS denies the exchange."),
        option(GIT, "--branch", metavar="NAME", default=BRANCH, show_default=True, help="Branch to make."),
        option(GIT, "--message", metavar="TEXT", help="Commit message.  [default: what was changed where]"),
        option(SCOPE, "--config", "settings_file", metavar="FILE", type=_FILE, help=_CONFIG),
        option(SCOPE, "--include-ambient", is_flag=True, help="Also migrate what names no credentials at all."),
        option(
            SCOPE, "--exclude", metavar="GLOB", multiple=True, help="Leave files or folders alone; may be repeated."
        ),
        option(
            SCOPE, "--keep-variables", is_flag=True, help="Keep the variables, data and the like that fed the keys."
        ),
    )(function)


def output_options(function: _Decorated) -> _Decorated:
    """What is said, and how much."""
    return _all(
        option(OUTPUT, "--plan-file", metavar="FILE", help="Write the order of rollout, as Markdown."),
        option(OUTPUT, "-v", "--verbose", is_flag=True, help="Say more."),
        option(OUTPUT, "-q", "--quiet", is_flag=True, help="Say only what went wrong."),
    )(function)


def config_of(options: Mapping[str, Any], mode: Mode) -> Config:
    """The `Config` that the options make. Raises `click.UsageError` for a value that makes no sense."""
    from migrator.config.config import Config  # here, as all below: --help and --version need none of it
    from migrator.config.role_mapping import flag_mapping

    try:
        config = Config(
            mode=mode,
            role_arn=options["role_arn"],
            backend_role_arn=options["backend_role_arn"],
            role_in=RoleIn(options["role_in"]),
            auth=Auth(options["auth"]),
            token_file=options["token_file"],
            branch=options["branch"],
            message=options["message"],
            switch=not options.get("no_switch", False),
            show_secrets=options.get("show_secrets", False),
            include_ambient=options["include_ambient"],
            exclude=options["exclude"],
            keep_variables=options["keep_variables"],
            backend_auth=BackendAuth(options["backend_auth"]),
            hook_in=HookPlace(options["hook_in"]),
            hook_phases=tuple(dict.fromkeys(option.strip() for option in options["hook_phases"].split(","))),
            provider_auth=ProviderAuth(options["provider_auth"]),
            portable=options["portable"],
            guard=not options["no_guard"],
            session_duration=options["session_duration"],
            roles=tuple(map(flag_mapping, options["roles"])),
            settings_file=options["settings_file"],
            given=frozenset(_given()),
        )
        return _with_settings(config)
    except UsageError as error:
        raise click.UsageError(str(error)) from None


def given(*groups: str) -> list[str]:
    """The options under these headings that the command line has."""
    context = click.get_current_context()
    grouped = (
        parameter
        for parameter in context.command.params
        if isinstance(parameter, _GroupedOption) and parameter.group in groups
    )
    return [
        grouped_option.opts[0]
        for grouped_option in grouped
        if context.get_parameter_source(grouped_option.name or "") is ParameterSource.COMMANDLINE
    ]


def _with_settings(config: Config) -> Config:
    if config.settings_file is None:
        return config

    from migrator.config.settings_file import with_file

    return with_file(config, Path(config.settings_file), config.settings_file)


def _given() -> Iterator[str]:
    """The fields of `Config` that the command line set."""
    from migrator.config.config import Config

    context = click.get_current_context(silent=True)
    known = {field.name for field in fields(Config)}
    for name in context.params if context is not None else ():
        field = name.removeprefix("no_")
        if context is not None and field in known and context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            yield field
