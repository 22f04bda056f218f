"""The origins of roles' trust policies: files, the migration's own module, or AWS.

Files are in the format of ``aws iam get-role``, named after the role:
https://docs.aws.amazon.com/cli/latest/reference/iam/get-role.html.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrator.errors import MigrateError, UsageError, missing_extra
from migrator.trust.grants import RequiredRole, RoleState
from migrator.trust.known import learn, uses_of
from migrator.trust.policy import Issuer, Role

if TYPE_CHECKING:
    from migrator.verify.fleet import VerifiedRepo

Policies = Callable[[str], Any]
"""A function that returns the trust policy of a role's ARN; None if not known. Raises `MigrateError` with the reason.
"""


def from_files(folder: str) -> Policies:
    """The policies in a folder and all subfolders. Raises `MigrateError` for a file that cannot be read."""
    by_arn: dict[str, Any] = {}
    by_name: dict[str, list[Any]] = {}
    for file in sorted(Path(folder).rglob("*.json")):
        try:
            content = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError):
            raise MigrateError(f"{file.name} in --policies holds no JSON") from None
        role = content.get("Role", content) if isinstance(content, dict) else {}
        policy = role.get("AssumeRolePolicyDocument", role) if isinstance(role, dict) else None
        if isinstance(policy, str):
            policy = _decoded(policy)
        arn = role.get("Arn") if isinstance(role, dict) else None
        if isinstance(arn, str):
            by_arn[arn] = policy
        else:
            by_name.setdefault(file.stem, []).append(policy)

    def policy_of(arn: str) -> Any:
        policies = by_name.get(Role(arn).name, [])
        return by_arn.get(arn, policies[0] if len(policies) == 1 else None)

    return policy_of


def _decoded(text: str) -> Any:
    """A policy in the format of IAM's API: URL-encoded JSON."""
    try:
        return json.loads(urllib.parse.unquote(text))
    except ValueError:
        return None


def from_module(repos: Sequence[VerifiedRepo], issuer: Issuer) -> Policies:
    """The policies that `tf-oidc-migrate trust` writes for these repositories."""
    knowledge = [learn(repo.workspace, repo.context.config) for repo in repos]
    stacks = [stack for repo in knowledge for stack in repo.stacks if stack.kind == "stack"]
    try:
        grants = RequiredRole(state=RoleState.NEW).grants(uses_of(knowledge), stacks)
    except UsageError:  # no role is known
        return lambda _: None
    return issuer.documents(grants).get


def from_aws() -> Policies:
    """The policies that IAM has, asked with the user's own credentials, which need no more than ``iam:GetRole``.

    Raises `MigrateError` if boto3 is not installed, or there are no credentials.
    """
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        raise missing_extra("boto3 is not installed.", "aws") from None
    try:
        account = boto3.client("sts").get_caller_identity()["Account"]
        iam = boto3.client("iam")
    except (BotoCoreError, ClientError) as error:
        raise MigrateError(f"AWS does not answer: {type(error).__name__}") from None

    def policy_of(arn: str) -> Any:
        role = Role(arn)
        if role.account != account:
            raise MigrateError(f"the credentials are for account {account}, the role is in {role.account}")
        try:
            return iam.get_role(RoleName=role.name)["Role"]["AssumeRolePolicyDocument"]
        except ClientError as error:
            raise MigrateError(f"AWS answers {error.response['Error']['Code']}") from None
        except BotoCoreError as error:
            raise MigrateError(f"AWS does not answer: {type(error).__name__}") from None

    return policy_of
