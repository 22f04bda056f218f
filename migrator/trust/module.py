"""A Terraform module that makes AWS trust Spacelift's tokens, ready to apply: identity providers and trust policies.

The arguments are those of https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources: of
``iam_openid_connect_provider`` and ``iam_role``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain, count, groupby
from typing import TYPE_CHECKING

from msgspec import Struct, field

from migrator.errors import UsageError
from migrator.model.partitions import FIRST_REGIONS
from migrator.model.version_constraints import is_constraint, least
from migrator.regex import regex
from migrator.syntax.hcl.layout import align
from migrator.syntax.hcl.strings import quote
from migrator.syntax.hcl.text import block, body, expression
from migrator.syntax.terraform import Reference

if TYPE_CHECKING:
    from migrator.trust.policy import Grant, Issuer, Role

PROVIDER_VERSION = ">= 5.82"
FIRST_WITHOUT_THUMBPRINT = (5, 82, 0)
"""The first version without a required thumbprint; AWS needs one only for certificates of private authorities:
https://github.com/hashicorp/terraform-provider-aws/pull/37255 of December 2024."""

"""IAM is one for all regions, but requests are sent to one."""

_THUMBPRINT = regex(r"[0-9a-f]{40}")


class ProviderSettings(Struct, frozen=True):
    """The options of the Terraform module for the AWS side. Raises `UsageError` for an invalid value.

    ``version`` constrains hashicorp/aws; with ``is_there``, the accounts have the identity provider already.
    """

    version: str = PROVIDER_VERSION
    thumbprints: tuple[str, ...] = ()
    is_there: bool = False

    def __post_init__(self) -> None:
        if not is_constraint(self.version):
            raise UsageError('--provider-version must be a version constraint, for example "~> 5.90"')
        if not all(_THUMBPRINT.fullmatch(thumbprint) for thumbprint in self.thumbprints):
            raise UsageError("--thumbprint must be the SHA-1 of a certificate: 40 lower-case hexadecimal digits")

    @property
    def reads_thumbprint(self) -> bool:
        """Whether the host's thumbprint is needed: no other is set, and the provider may require one."""
        if self.is_there or self.thumbprints:
            return False
        return least(self.version) < FIRST_WITHOUT_THUMBPRINT


def write_module(issuer: Issuer, grants: tuple[Grant, ...], settings: ProviderSettings) -> str:
    """The module as ``terraform fmt`` formats it. Raises `UsageError` if the subject is ambiguous."""
    return _Writer(issuer, grants, settings).text()


class _Writer(Struct):
    issuer: Issuer
    grants: tuple[Grant, ...]
    settings: ProviderSettings
    _labels: dict[Role, str] = field(default_factory=dict)

    def text(self) -> str:
        by_account = groupby(
            sorted(self.grants, key=lambda grant: _account(grant.role)), lambda grant: _account(grant.role)
        )
        accounts = {account: tuple(grants) for account, grants in by_account}
        self._name_roles()
        blocks = list(self._preamble(is_single=len(accounts) == 1))
        for account, grants in accounts.items():
            blocks += self._account(account, grants, is_single=len(accounts) == 1)
        return align("\n".join((*blocks, *self._output())))

    def _name_roles(self) -> None:
        for grant in self.grants:
            base = re.sub(r"^(?=\d)", "role_", re.sub(r"\W", "_", grant.role.name, flags=re.ASCII).lower())
            names = chain((base,), (f"{base}_{number}" for number in count(2)))
            label = next(name for name in names if name not in self._labels.values())
            self._labels[grant.role] = label

    def _preamble(self, *, is_single: bool) -> Iterator[str]:
        providers = {"aws": {"source": "hashicorp/aws", "version": self.settings.version}}
        if self.settings.reads_thumbprint:
            providers["tls"] = {"source": "hashicorp/tls", "version": ">= 4.0"}
        required = body(providers, 4)
        yield (
            f"# This module lets runs of {self.issuer.host} sign in to AWS with their OIDC token.\n"
            "# Apply the module as an administrator of IAM. Spacelift runs cannot sign in before that.\n\n"
            f"terraform {{\n  required_providers {{\n{required}  }}\n}}\n"
        )
        if not is_single:
            yield (
                'variable "profiles" {\n'
                '  description = "The AWS profile for each account id. Without a profile, the environment is used."\n'
                "  type = map(string)\n  default = {}\n}\n"
            )
        if self.settings.reads_thumbprint:
            yield block('data "tls_certificate" "spacelift"', {"url": f"https://{self.issuer.host}"})

    def _account(self, account: tuple[str, str], grants: tuple[Grant, ...], *, is_single: bool) -> Iterator[str]:
        partition, number = account
        alias = "" if is_single else f"account_{number}"
        region = {"region": FIRST_REGIONS[partition], "allowed_account_ids": [number]}
        if alias:
            profile = Reference(f"lookup(var.profiles, {quote(number)}, null)")
            yield "# tf-oidc-migrate:ignore - an administrator applies this module\n" + block(
                'provider "aws"', {"alias": alias, **region, "profile": profile}
            )
        else:
            yield block('provider "aws"', region)
        meta = {"provider": Reference(f"aws.{alias}")} if alias else {}
        label = "spacelift" if is_single else alias
        yield self._identity_provider(label, meta)
        kind = "data." if self.settings.is_there else ""
        federated = Reference(f"{kind}aws_iam_openid_connect_provider.{label}.arn")
        for grant in grants:
            yield from (self._new_role if grant.is_new else self._role_in_use)(grant, federated, meta)

    def _identity_provider(self, label: str, meta: Mapping[str, object]) -> str:
        url = {"url": f"https://{self.issuer.host}"}
        if self.settings.is_there:
            return block(f'data "aws_iam_openid_connect_provider" "{label}"', {**meta, **url})
        thumbprints: dict[str, object] = {}
        if self.settings.thumbprints:
            thumbprints["thumbprint_list"] = list(self.settings.thumbprints)
        elif self.settings.reads_thumbprint:
            read = "data.tls_certificate.spacelift.certificates[0].sha1_fingerprint"
            thumbprints["thumbprint_list"] = [Reference(read)]
        arguments = {**meta, **url, "client_id_list": [self.issuer.host], **thumbprints}
        return block(f'resource "aws_iam_openid_connect_provider" "{label}"', arguments)

    def _new_role(self, grant: Grant, federated: Reference, meta: Mapping[str, object]) -> Iterator[str]:
        role = grant.role
        path = {"path": role.path} if role.path != "/" else {}
        policy = self._policy(grant, federated)
        arguments = {**meta, "name": role.name, **path, "assume_role_policy": policy}
        yield block(f'resource "aws_iam_role" "{self._labels[role]}"', arguments)

    def _role_in_use(self, grant: Grant, federated: Reference, meta: Mapping[str, object]) -> Iterator[str]:
        label = self._labels[grant.role]
        yield (
            f"# {grant.role.name} exists already, and this module does not manage the role. The output\n"
            "# trust_policies has the trust policy of the role, with the statement for Spacelift added.\n"
        ) + block(f'data "aws_iam_role" "{label}"', {**meta, "name": grant.role.name})
        documents = {
            "source_policy_documents": [Reference(f"data.aws_iam_role.{label}.assume_role_policy")],
            "override_policy_documents": [self._policy(grant, federated)],
        }
        yield block(f'data "aws_iam_policy_document" "{label}"', {**meta, **documents})

    def _policy(self, grant: Grant, federated: Reference) -> Reference:
        return Reference(f"jsonencode({expression(self.issuer.document_for(grant, federated), 2)})")

    def _output(self) -> Iterator[str]:
        in_use = [grant.role for grant in self.grants if not grant.is_new]
        if in_use:
            policies = {
                role.arn: Reference(f"data.aws_iam_policy_document.{self._labels[role]}.json") for role in in_use
            }
            yield block(
                'output "trust_policies"',
                {"description": "Trust policies for the roles that exist already, by ARN", "value": policies},
            )


def _account(role: Role) -> tuple[str, str]:
    return role.partition, role.account
