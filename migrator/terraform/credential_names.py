"""The names by which AWS's SDKs, the aws CLI and Terraform find static credentials in the environment of a run.

They are those of https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html, botocore's older
``AWS_SECURITY_TOKEN``, and ``AWS_ACCESS_KEY`` and ``AWS_SECRET_KEY``, which Terraform reads; ``ro_`` and ``wo_`` are
Spacelift's: https://docs.spacelift.io/concepts/configuration/environment.
"""

from __future__ import annotations

import re

from migrator.regex import regex

SELECTORS = frozenset({"AWS_CONFIG_FILE", "AWS_DEFAULT_PROFILE", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE"})
"""The names that select credentials, and hold none."""

STATIC = SELECTORS | {
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
}

BREAKING = frozenset({"AWS_DEFAULT_PROFILE", "AWS_PROFILE", "AWS_SECURITY_TOKEN"})
"""The names that break the aws CLI of the hook, or combine the hook's credentials with another session's token."""

ANY = "|".join(sorted(STATIC, key=lambda name: (-len(name), name)))
"""A pattern for any of the names."""

_PREFIX = regex(r"(?:ro_|wo_)?(.*)", re.DOTALL)
_EXPORTS = regex(
    rf"(?:^|[\s;&|({{])(?:export|declare\s+-x|typeset\s+-x)\s[^;&|\n]*?(?<![\w\"'=%])({ANY})="
    rf"|\beval\s[^\n]*?(?<!\w)({ANY})="
)
_EVALUATED = regex(
    r"(?:\beval|(?:^|[\s;&|\"'])(?:source|\.))\s[^\n]*"
    r"\b(?:aws\s+configure\s+export-credentials|aws\s+sts\s+assume-role|aws-vault|saml2aws|gimme-aws-creds|assume|awsume)(?!-|\.|\w)"
)
_ASSIGNED = regex(rf"^[ \t]*({ANY})=(?:\"[^\"]*\"|'[^']*'|\$\(.*\)|[^\s\"'$(]*(?:\$\{{?\w+\}}?)?)[ \t]*(?:[;&#].*)?$")


def plain_name(name: str) -> str:
    """The name in a run of a variable that is called ``name`` in Spacelift's settings."""
    match = _PREFIX.fullmatch(name)
    return match[1] if match else name


def exported(command: str) -> str:
    """The static variable that a shell command exports; ``""`` if it exports none."""
    match = _EXPORTS.search(command)
    if match is None:
        return "AWS_ACCESS_KEY_ID" if _EVALUATED.search(command) else ""
    return match[1] or match[2]


def assigned(line: str) -> str:
    """The static variable that a line of a sourced script exports or assigns; ``""`` if there is none."""
    match = _ASSIGNED.match(line)
    return match[1] if match else exported(line)
