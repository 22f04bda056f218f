"""Where trust policies come from, and what of a run is not certain: a space, a slug, a role."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from migrator.errors import MigrateError
from migrator.model.fleet import Code
from migrator.model.verification import Proof, Verdict
from migrator.trust.policy import Issuer
from migrator.verify.policies import from_aws, from_files
from migrator.verify.runs import OF_STACKS, subject
from migrator.verify.stacks import SESSION_TAGS, RunStack
from migrator.verify.trust import TrustSettings, _chain
from tests.verify.fleet import DEPLOY, HOST, OTHER, STATE


def policy(*subjects: str, **more: Any) -> dict[str, Any]:
    condition = {"StringEquals": {f"{HOST}:aud": HOST}, "StringLike": {f"{HOST}:sub": list(subjects)}}
    provider = f"arn:aws:iam::123456789012:oidc-provider/{HOST}"
    action = "sts:AssumeRoleWithWebIdentity"
    statement = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": action, "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [{**statement, **more}]}


def stack(**more: Any) -> RunStack:
    known = {"slug": "web", "space": "live", "is_guess": False, **more}
    return RunStack("web", "main.tf:1", Code("shop", "web"), **known)


def proofs(made: RunStack, *policies: Any, chain: tuple[str, ...] = (STATE,)) -> list[Proof]:
    by_role = dict(zip(chain, policies, strict=True))
    return list(_chain(chain, made, TrustSettings(Issuer(HOST), by_role.get)))


def verdicts(made: RunStack, *policies: Any, chain: tuple[str, ...] = (STATE,)) -> set[str]:
    return {proof.verdict.value for proof in proofs(made, *policies, chain=chain)}


@pytest.mark.parametrize(
    ("made", "subjects", "expected"),
    [
        (stack(), ["space:live:stack:web:*"], "proven"),
        (stack(), ["space:live:*"], "proven"),
        (stack(), ["space:live:stack:web:run_type:TRACKED:*"], "failed"),
        (stack(), ["*:scope:write"], "failed"),
        (stack(), ["space:other:*"], "failed"),
        (stack(space=""), ["space:live:stack:web:*"], "not proven"),
        (stack(space=""), ["space:live:stack:api:*"], "failed"),
        (stack(is_guess=True), ["space:live:stack:api:*"], "not proven"),
        (stack(is_guess=True), ["space:other:stack:*"], "failed"),
        (stack(space=""), ["space:*:stack:web:*"], "proven"),
        (stack(is_guess=True), ["space:live:stack:web:*"], "not proven"),
        (stack(is_guess=True), ["space:live:*"], "proven"),
        (stack(slug="web_shop"), ["space:live:stack:web-shop:*"], "failed"),
        (stack(slug="web_shop"), ["space:live:stack:web_shop:*"], "proven"),
        (stack(kind="module"), ["space:live:module:web:*"], "proven"),
        (stack(labels=frozenset({SESSION_TAGS})), ["space:live:*"], "failed"),
    ],
)
def test_the_subject_of_each_run_is_held_against_the_policy(made: RunStack, subjects: list[str], expected: str) -> None:
    assert verdicts(made, policy(*subjects)) == {expected}


def test_the_reason_names_runs_and_condition() -> None:
    (proof,) = proofs(stack(), policy("space:live:*"))
    assert proof.reason.startswith(f"{STATE} admits PROPOSED/read, TRACKED/read, TRACKED/write, TASK/write")
    assert f"StringLike {HOST}:sub" in proof.reason
    (denied,) = proofs(stack(), policy("*:scope:write"))
    assert "PROPOSED/read" in denied.reason
    assert "space:live:stack:web:run_type:PROPOSED:scope:read" in denied.reason


def test_a_role_in_a_chain_must_admit_the_role_before() -> None:
    def then(principal: Any, action: Any = "sts:AssumeRole") -> dict[str, Any]:
        return {"Statement": {"Effect": "Allow", "Principal": principal, "Action": action}}

    chain = (STATE, OTHER)
    first = policy("space:live:*", Action=["sts:AssumeRoleWithWebIdentity", "sts:TagSession"])
    assert verdicts(stack(), first, then({"AWS": STATE}), chain=chain) == {"proven"}
    assert verdicts(stack(), first, then({"AWS": "arn:aws:iam::123456789012:root"}), chain=chain) == {"proven"}
    assert verdicts(stack(), first, then({"AWS": DEPLOY}), chain=chain) == {"proven", "failed"}
    tagged = stack(labels=frozenset({SESSION_TAGS}))
    assert verdicts(tagged, first, then({"AWS": STATE}), chain=chain) == {"proven", "failed"}
    both = ["sts:AssumeRole", "sts:TagSession"]
    assert verdicts(tagged, first, then({"AWS": STATE}, both), chain=chain) == {"proven"}


def test_a_role_or_a_policy_that_is_not_known_proves_nothing() -> None:
    assert verdicts(stack(), None) == {"not proven"}
    assert verdicts(stack(), {"Statement": "x"}) == {"not proven"}
    assert verdicts(stack(), None, chain=("var.aws_role_arn",)) == {"not proven"}


def test_policies_in_files(tmp_path: Path) -> None:
    made = policy("space:live:*")
    (tmp_path / "terraform-state.json").write_text(
        json.dumps({"Role": {"Arn": STATE, "AssumeRolePolicyDocument": made}})
    )
    (tmp_path / "deploy.json").write_text(json.dumps(made))
    policies = from_files(str(tmp_path))
    assert policies(STATE) == policies(DEPLOY) == made
    assert policies(OTHER) is None, "a role of the same name in another account"
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(MigrateError, match=r"broken\.json"):
        from_files(str(tmp_path))


@pytest.mark.system
def test_policies_are_read_from_iam(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    for name, value in (("AWS_ENDPOINT_URL", moto), ("AWS_DEFAULT_REGION", "eu-west-1")):
        monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "administrator")
    made = policy("space:live:*")
    boto3.client("iam").create_role(RoleName="terraform-state", AssumeRolePolicyDocument=json.dumps(made))
    policies = from_aws()
    assert policies(STATE) == made
    with pytest.raises(MigrateError, match="NoSuchEntity"):
        policies(f"{DEPLOY}-absent")
    with pytest.raises(MigrateError, match="999988887777"):
        policies(OTHER)


def test_the_subject_is_the_accounts() -> None:
    assert subject(stack(), OF_STACKS[0]) == "space:live:stack:web:run_type:PROPOSED:scope:read"
    template = "{spacePath}|{callerType}:{callerId}|{runType}"
    assert subject(stack(), OF_STACKS[2], template) == "/root/live|stack:web|TRACKED"


def test_verdicts_are_those_of_the_report() -> None:
    assert [verdict.value for verdict in Verdict] == ["proven", "failed", "not proven", "not needed"]
