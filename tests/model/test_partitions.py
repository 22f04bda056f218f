"""Partitions, regions and hosts are those that botocore knows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import botocore
import pytest

from migrator.config.config import is_role_arn
from migrator.model.partitions import COMMERCIAL, DOMAINS, FIRST_REGIONS, partition_of, region_to_name

KNOWN = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_text())["partitions"]
REGIONS = [
    (partition["id"], region)
    for partition in KNOWN
    for region in partition["regions"]
    if not region.endswith("-global")
]


def test_all_partitions_are_known() -> None:
    assert {partition["id"] for partition in KNOWN} == FIRST_REGIONS.keys()
    domains = {partition["outputs"][name] for partition in KNOWN for name in ("dnsSuffix", "dualStackDnsSuffix")}
    assert domains == set(DOMAINS)
    for partition in KNOWN:
        assert re.fullmatch(partition["regionRegex"], FIRST_REGIONS[partition["id"]])
        assert is_role_arn(f"arn:{partition['id']}:iam::111122223333:role/deploy")


@pytest.mark.parametrize(("partition", "region"), REGIONS)
def test_a_region_has_its_partition(partition: str, region: str) -> None:
    assert partition_of(region) == partition


def test_a_region_is_named_where_the_role_asks_for_it() -> None:
    gov = "arn:aws-us-gov:iam::111122223333:role/state"
    assert region_to_name(gov, "us-gov-east-1") == "us-gov-east-1"
    assert region_to_name(gov, "eu-west-1") == region_to_name(gov, "") == "us-gov-west-1"
    assert region_to_name("arn:aws:iam::111122223333:role/state", "us-gov-east-1") == ""
    assert region_to_name("$TF_VAR_aws_role_arn", "cn-north-1") == "cn-north-1"
    assert region_to_name("$TF_VAR_aws_role_arn", "eu-west-1") == region_to_name("$TF_VAR_aws_role_arn", "") == ""
    assert partition_of("auto") == COMMERCIAL
