"""Trust policies: the document that lets some of Spacelift's runs assume a role with their OIDC token.

See https://docs.spacelift.io/integrations/cloud-providers/oidc/aws-oidc and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html.
"""

from __future__ import annotations

import json
import re
from typing import Any

from msgspec import Struct

from migrator.config.config import is_role_arn
from migrator.errors import UsageError
from migrator.regex import regex
from migrator.trust.subjects import Runs, SubjectTemplate

QUOTA = 2048
"""Characters, blanks aside, that IAM lets a trust policy have unless an account asks for more."""

USUAL = SubjectTemplate()
"""The subjects of an account that has no template of its own."""

_HOST = regex(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")


class Role(Struct, frozen=True, order=True):
    """An IAM role, by its ``arn``. Raises `UsageError` for any other text."""

    arn: str

    def __post_init__(self) -> None:
        if not is_role_arn(self.arn):
            raise UsageError(
                "--role-arn must be the ARN of an IAM role, for example arn:aws:iam::123456789012:role/name"
            )

    @property
    def partition(self) -> str:
        """The role's partition, for example ``aws`` or ``aws-cn``."""
        return self.arn.split(":")[1]

    @property
    def account(self) -> str:
        """The id of the role's account."""
        return self.arn.split(":")[4]

    @property
    def path(self) -> str:
        """The path of the role's name; in most cases ``/``."""
        return "/" + self.arn.partition("/")[2].rpartition("/")[0] + "/" if self.arn.count("/") > 1 else "/"

    @property
    def name(self) -> str:
        """The role's name, without the path."""
        return self.arn.rpartition("/")[2]


class Grant(Struct, frozen=True):
    """A role, and the runs that may assume it; ``is_new`` says that the role must be created.

    ``has_session_tags`` says that some of the runs come with tags.
    """

    role: Role
    runs: tuple[Runs, ...]
    is_new: bool = True
    has_session_tags: bool = False


class Issuer(Struct, frozen=True):
    """The issuer of the tokens, by ``host``, and the form of their subjects. Raises `UsageError` for a wrong host name.

    ``has_session_tags`` says that runs come with tags: https://docs.spacelift.io/integrations/cloud-providers/oidc/aws-oidc.
    """

    host: str
    template: SubjectTemplate = USUAL
    has_session_tags: bool = False

    def __post_init__(self) -> None:
        if not _HOST.fullmatch(self.host):
            raise UsageError(
                "--spacelift-host must be a host name in lower case without https:// and without a path, for example"
                " demo.app.spacelift.io"
            )

    def provider_arn(self, role: Role) -> str:
        """The ARN of the identity provider in the role's account."""
        return f"arn:{role.partition}:iam::{role.account}:oidc-provider/{self.host}"

    def document(self, grant: Grant) -> dict[str, Any]:
        """The trust policy of a role. Raises `UsageError` if the subject is ambiguous."""
        return self.document_for(grant, self.provider_arn(grant.role))

    def document_for(self, grant: Grant, federated: object) -> dict[str, Any]:
        """The trust policy of a role, with any form of the identity provider's name."""
        tagging = ["sts:TagSession"] if self.has_session_tags or grant.has_session_tags else []
        statement = {
            "Sid": "".join(word.capitalize() for word in re.split(r"[.-]", self.host)),
            "Effect": "Allow",
            "Principal": {"Federated": federated},
            "Action": ["sts:AssumeRoleWithWebIdentity", *tagging],
            "Condition": {
                "StringEquals": {f"{self.host}:aud": self.host},
                "StringLike": {f"{self.host}:sub": self.subjects(grant)},
            },
        }
        return {"Version": "2012-10-17", "Statement": [statement]}

    def subjects(self, grant: Grant) -> list[str]:
        """The patterns of the subjects that may assume the role."""
        return list(dict.fromkeys(self.template.pattern(runs) for runs in grant.runs))

    def documents(self, grants: tuple[Grant, ...]) -> dict[str, dict[str, Any]]:
        """All trust policies, by the ARN of the role."""
        return {grant.role.arn: self.document(grant) for grant in grants}


def size_of(document: dict[str, Any]) -> int:
    """The size of a document that counts for its quota."""
    return len(re.sub(r"\s", "", json.dumps(document)))
