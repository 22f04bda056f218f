"""Spacelift's documented hook, which exports temporary credentials for the backend, and the guard after the hook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.syntax.terraform import Literal

if TYPE_CHECKING:
    from migrator.config.config import Config

SHELL_ROLE = "$TF_VAR_aws_role_arn"
"""The role where none is known: the shell's own variable, set on the stack."""

_GUARD = Literal(
    'test -n "$AWS_SESSION_TOKEN"',
    "Stop the run if AWS denied the exchange: the export succeeds all the same.",
)


def hook(role_arn: str, config: Config, region: str = "") -> str:
    """The shell command for ``role_arn``, an ARN or a shell variable.

    The command is exactly that of https://docs.spacelift.io/integrations/cloud-providers/oidc/aws-oidc. Exceptions are
    a session duration on request, and a ``region`` if the role is outside of AWS's commercial partition.
    """
    duration = f" --duration-seconds {config.session_duration}" if config.session_duration else ""
    region_option = f" --region {region}" if region else ""
    return (
        'export $(printf "AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s AWS_SESSION_TOKEN=%s"'
        f' $(aws sts assume-role-with-web-identity{region_option} --web-identity-token "$(cat {config.token_file})"'
        f" --role-arn {role_arn} --role-session-name spacelift-run-${{TF_VAR_spacelift_run_id}}{duration}"
        ' --query "Credentials.[AccessKeyId,SecretAccessKey,SessionToken]" --output text))'
    )


def entries(role_arn: str, config: Config, region: str = "") -> tuple[Literal, ...]:
    """The first entries of a list of hooks: the hook, and the guard unless ``config`` turns the guard off.

    The hook cannot fail: if AWS denies the exchange, the hook exports three empty variables. Empty variables count as
    unset, and Terraform would sign in with other credentials, for example with the worker's own role.
    """
    return (Literal(hook(role_arn, config, region)), *((_GUARD,) if config.guard else ()))
