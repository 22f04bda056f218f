"""Trust policies are read as IAM reads them: a table of requests, and what is not known is never allowed."""

from __future__ import annotations

import random
from typing import Any

import pytest

from migrator.verify.iam import Effect, TrustRequest, decide
from tests.verify.fleet import HOST

PROVIDER = f"arn:aws:iam::123456789012:oidc-provider/{HOST}"
SUB = "space:live-01HZ:stack:web:run_type:TRACKED:scope:write"
WEB = "sts:AssumeRoleWithWebIdentity"
REQUEST = TrustRequest(WEB, {"Federated": frozenset({PROVIDER})}, {f"{HOST}:aud": (HOST,), f"{HOST}:sub": (SUB,)})
ALLOWED, DENIED, UNKNOWN = Effect.ALLOWED, Effect.DENIED, Effect.UNKNOWN


def statement(condition: Any = None, **more: Any) -> dict[str, Any]:
    own = {"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": WEB, **more}
    return own if condition is None else {**own, "Condition": condition}


def effect(*statements: Any, request: TrustRequest = REQUEST) -> Effect:
    return decide({"Version": "2012-10-17", "Statement": list(statements)}, request).effect


def sub(operator: str, *values: str, key: str = f"{HOST}:sub") -> dict[str, Any]:
    return {operator: {key: values[0] if len(values) == 1 else list(values)}}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (None, ALLOWED),
        ({}, ALLOWED),
        (sub("StringEquals", SUB), ALLOWED),
        (sub("StringEquals", "space:*"), DENIED),
        (sub("StringEquals", SUB.upper()), DENIED),
        (sub("StringEqualsIgnoreCase", SUB.upper()), ALLOWED),
        (sub("stringequals", SUB), ALLOWED),
        (sub("StringEquals", "other", SUB), ALLOWED),
        (sub("StringEquals", SUB, key=f"{HOST.upper()}:SUB"), ALLOWED),
        (sub("StringLike", "space:live-01HZ:stack:web:*"), ALLOWED),
        (sub("StringLike", "space:live-01HZ:*"), ALLOWED),
        (sub("StringLike", "space:live-01H?:*"), ALLOWED),
        (sub("StringLike", "space:live:*"), DENIED),
        (sub("StringLike", "*:stack:web:*"), ALLOWED),
        (sub("StringLike", "*:scope:read"), DENIED),
        (sub("StringLike", "*.*"), DENIED),
        (sub("StringNotEquals", SUB), DENIED),
        (sub("StringNotEquals", "other"), ALLOWED),
        (sub("StringNotEquals", "other", SUB), DENIED),
        (sub("StringNotLike", "*:scope:read"), ALLOWED),
        (sub("StringNotLike", "*:scope:*"), DENIED),
        ({**sub("StringEquals", HOST, key=f"{HOST}:aud"), **sub("StringLike", "*:stack:web:*")}, ALLOWED),
        ({**sub("StringEquals", "sts.amazonaws.com", key=f"{HOST}:aud"), **sub("StringLike", "*")}, DENIED),
        (sub("ForAnyValue:StringLike", "*:stack:web:*"), ALLOWED),
        (sub("ForAllValues:StringLike", "*:stack:web:*"), ALLOWED),
        (sub("ForAllValues:StringLike", "*:stack:api:*"), DENIED),
        (sub("ForAnyValue:StringEquals", "x", key="gitlab.com:sub"), DENIED),
        (sub("ForAllValues:StringEquals", "x", key="gitlab.com:sub"), ALLOWED),
        (sub("StringEquals", "x", key="gitlab.com:sub"), DENIED),
        (sub("StringEqualsIfExists", "x", key="gitlab.com:sub"), ALLOWED),
        (sub("StringEqualsIfExists", "x"), DENIED),
        (sub("StringLikeIfExists", "space:*"), ALLOWED),
        (sub("StringNotEquals", "x", key="gitlab.com:sub"), ALLOWED),
        (sub("StringEquals", "live", key=f"{HOST}:spaceId"), DENIED),
        (sub("Null", "false"), ALLOWED),
        (sub("Null", "true"), DENIED),
        (sub("Null", "true", key="gitlab.com:sub"), ALLOWED),
        ({"Null": {f"{HOST}:sub": False}}, ALLOWED),
        (sub("StringMatches", "x"), UNKNOWN),
        (sub("NumericEquals", "1"), UNKNOWN),
        (sub("ForSomeValues:StringEquals", SUB), UNKNOWN),
        (sub("Bool", "true", key="aws:SecureTransport"), UNKNOWN),
        (sub("IpAddress", "10.0.0.0/8", key="aws:SourceIp"), UNKNOWN),
        (sub("StringEquals", "x", key="sts:RoleSessionName"), UNKNOWN),
        (sub("StringEquals", "x", key="aws:SourceAccount"), UNKNOWN),
        ({**sub("StringEquals", "x"), **sub("StringMatches", "x")}, DENIED),
        ({**sub("StringEquals", SUB), **sub("StringMatches", "x")}, UNKNOWN),
        (sub("StringEquals", "${aws:username}"), UNKNOWN),
        ("StringEquals", UNKNOWN),
        ({"StringEquals": "x"}, UNKNOWN),
        ({"StringEquals": {f"{HOST}:sub": {"a": "b"}}}, UNKNOWN),
    ],
)
def test_conditions(condition: Any, expected: Effect) -> None:
    assert effect(statement(condition)) is expected


NOBODY = statement(Principal={"AWS": "arn:aws:iam::123456789012:root"})
DENY = statement(sub("StringLike", "*:run_type:PROPOSED:*"), Effect="Deny")


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], DENIED),
        ([NOBODY], DENIED),
        ([NOBODY, statement()], ALLOWED),
        ([statement(), DENY], ALLOWED),
        ([statement(), statement(Effect="Deny")], DENIED),
        ([statement(Effect="Deny", Action="sts:*"), statement()], DENIED),
        ([statement(), statement(Effect="Deny", Principal="*")], UNKNOWN),
        ([statement(), statement(sub("Bool", "false", key="aws:SecureTransport"), Effect="Deny")], UNKNOWN),
        ([statement(), statement(sub("StringMatches", "x"))], ALLOWED),
        ([statement(sub("StringMatches", "x"))], UNKNOWN),
        ([statement(Action="sts:AssumeRole")], DENIED),
        ([statement(Action=["sts:AssumeRole", "sts:assumerolewithwebidentity"])], ALLOWED),
        ([statement(Action="sts:*")], ALLOWED),
        ([{"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "NotAction": "sts:TagSession"}], ALLOWED),
        ([{"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "NotAction": WEB}], DENIED),
        ([statement(Principal={"Federated": PROVIDER.replace("123456789012", "999988887777")})], DENIED),
        ([statement(Principal={"Federated": "accounts.google.com"})], DENIED),
        ([statement(Principal={"Federated": ["accounts.google.com", PROVIDER]})], ALLOWED),
        ([statement(Principal={"Federated": "*"})], UNKNOWN),
        ([statement(Principal="*")], UNKNOWN),
        ([statement(Principal={"AWS": "*"})], UNKNOWN),
        ([statement(Principal={"Robots": PROVIDER})], UNKNOWN),
        ([{"Effect": "Allow", "NotPrincipal": {"AWS": "123456789012"}, "Action": WEB}], UNKNOWN),
        ([statement(), {"Effect": "Deny", "NotPrincipal": {"Federated": PROVIDER}, "Action": WEB}], ALLOWED),
        ([statement(), {"Effect": "Deny", "NotPrincipal": {"AWS": "123456789012"}, "Action": WEB}], DENIED),
        ([statement(Effect="Maybe")], UNKNOWN),
        ([statement(), statement(Effect="allow")], UNKNOWN),
        ([statement(Resource="*")], UNKNOWN),
        ([{"Effect": "Allow", "Action": WEB}], UNKNOWN),
    ],
)
def test_statements(statements: list[Any], expected: Effect) -> None:
    assert effect(*statements) is expected


@pytest.mark.parametrize("policy", [None, [], "x", {}, {"Statement": "x"}, {"Statement": ["x"]}, {"Statement": None}])
def test_what_is_no_policy_is_not_known(policy: Any) -> None:
    assert decide(policy, REQUEST).effect is UNKNOWN


def test_a_single_statement_needs_no_list() -> None:
    assert decide({"Statement": statement()}, REQUEST).effect is ALLOWED


def test_the_deciding_condition_is_told() -> None:
    policy = {"Statement": [statement(sub("StringLike", "*:stack:api:*"), Sid="Spacelift")]}
    assert decide(policy, REQUEST).why == f"statement Spacelift: StringLike {HOST}:sub does not hold"
    policy = {"Statement": [statement(sub("StringLike", "*:stack:web:*"))]}
    assert decide(policy, REQUEST).why == f"statement 1: StringLike {HOST}:sub"


def test_what_makes_no_sense_never_allows(dice: random.Random) -> None:
    """Any element replaced by junk: the answer may be a denial or unknown, but never more than before."""
    junk: list[Any] = [None, 7, True, "x", ["x"], {"x": "y"}, {"x": {"y": "z"}}, [[]], [{}], ""]
    for _ in range(400):
        made = statement(sub("StringEquals", "another subject"))
        for name in dice.sample(sorted(made), dice.randint(1, 2)):
            if name != "Condition":
                made[name] = dice.choice(junk)
        assert effect(made) is not ALLOWED
