"""AWS's partitions, each with regions, hosts and ARNs of its own: botocore's ``partitions.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model.diagnostics import Diagnostic
from migrator.regex import regex

if TYPE_CHECKING:
    from migrator.model.findings import Refusal

OTHER_PARTITION = Diagnostic(
    "other-partition",
    found="The region {region} belongs to the partition {own}, and the role {role} to {partition}.",
    why="A role of another partition cannot be assumed, so nothing was changed.",
    help="Name a role of the partition {own}.",
)

COMMERCIAL = "aws"

FIRST_REGIONS = {
    COMMERCIAL: "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
    "aws-eusc": "eusc-de-east-1",
}
"""A region of each partition that every account has."""

DOMAINS = (
    "amazonaws.com",
    "api.aws",
    "amazonaws.com.cn",
    "api.amazonwebservices.com.cn",
    "amazonaws.eu",
    "api.amazonwebservices.eu",
    "c2s.ic.gov",
    "api.aws.ic.gov",
    "sc2s.sgov.gov",
    "api.aws.scloud",
    "cloud.adc-e.uk",
    "api.cloud-aws.adc-e.uk",
    "csp.hci.ic.gov",
    "api.aws.hci.ic.gov",
)
"""The domains of AWS's endpoints."""

_PREFIX = regex(r"(?:us-gov|us-iso[bf]?|eu-isoe|cn|eusc)(?=-)")
_BY_PREFIX = {region.rsplit("-", 2)[0]: name for name, region in FIRST_REGIONS.items()} | {"eusc": "aws-eusc"}


def partition_of(region: str) -> str:
    """The partition of a region; the commercial partition for an unknown region."""
    match = _PREFIX.match(region)
    return _BY_PREFIX[match[0]] if match else COMMERCIAL


def region_to_name(role_arn: str, region: str) -> str:
    """The region that a command must name to reach the STS of a role; ``""`` where the usual one does.

    ``region`` is the region of the role's user, ``""`` if not known; ``role_arn`` may be a variable instead of an ARN.
    """
    partition_of_region = partition_of(region)
    partition = role_arn.split(":")[1] if role_arn.startswith("arn:") else partition_of_region
    if partition == COMMERCIAL:
        return ""
    return region if partition_of_region == partition else FIRST_REGIONS.get(partition, "")


def partition_objection(role_arn: str, region: str) -> Refusal | None:
    """The reason why a sign-in cannot assume a role; None if possible, or if ``region`` is not known.

    A partition does not know identities of other partitions:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html.
    """
    if not region or not role_arn.startswith("arn:"):
        return None
    own_partition, partition = partition_of(region), role_arn.split(":")[1]
    if own_partition == partition:
        return None
    return OTHER_PARTITION.refusal(region=region, own=own_partition, role=role_arn, partition=partition)
