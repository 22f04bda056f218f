"""Which versions of an engine a constraint admits, and what evidence on it comes to."""

from __future__ import annotations

import json

import pytest

from migrator.model.engine import Engine, Evidence, verdict
from migrator.model.findings import Place
from migrator.model.fleet import Code, KnownRoot, KnownStack, RepoIdentity, Survey
from migrator.model.version_constraints import Version, bounds
from migrator.report.serial import from_plain, to_plain

ANY: Version = (0, 0, 0)
NO_END = bounds("")[1]


@pytest.mark.parametrize(
    ("constraint", "low", "high"),
    [
        (">= 1.6", (1, 6, 0), NO_END),
        (">= 1.5.7", (1, 5, 7), NO_END),
        ("> 1.5.7", (1, 5, 8), NO_END),
        ("~> 1.6", (1, 6, 0), (2, 0, 0)),
        ("~> 1.5.0", (1, 5, 0), (1, 6, 0)),
        ("~> 1", (1, 0, 0), NO_END),
        ("= 1.9.8", (1, 9, 8), (1, 9, 9)),
        ("1.9.8", (1, 9, 8), (1, 9, 9)),
        (">= 1.3, < 1.6", (1, 3, 0), (1, 6, 0)),
        (">=1.5 <=1.9.8", (1, 5, 0), (1, 9, 9)),
        ("1.5.x", (1, 5, 0), (1, 6, 0)),
        ("^1.7", (1, 7, 0), (2, 0, 0)),
        ("< 2.0, != 1.6.0", ANY, (2, 0, 0)),
        ("v1.7.2", (1, 7, 2), (1, 7, 3)),
        (">= 1.6.0-beta1", (1, 5, 10**6), NO_END),
        ("> 1.10.0-rc1", (1, 9, 10**6), NO_END),
        ("> 1.6.2-rc1", (1, 6, 1), NO_END),
        ("1.6.0-rc1", (1, 5, 10**6), (1, 6, 0)),
        ("< 1.6.0-beta1", ANY, (1, 6, 0)),
        ("~> 1.7.0-rc1", (1, 6, 10**6), (1, 8, 0)),
        (">= 2.0.0-alpha", (1, 10**6, 0), NO_END),
        ("!= 1.6.0-beta1", ANY, NO_END),
        (">= 1.6.0+build", ANY, NO_END),
        ("1.x", (1, 0, 0), (2, 0, 0)),
        (">= 1.6 || 1.5.7", ANY, NO_END),
        ("latest", ANY, NO_END),
        (f">= {'1' * 5000}", ANY, NO_END),
        ("${var.version}", ANY, NO_END),
    ],
)
def test_bounds_of_a_constraint(constraint: str, low: Version, high: Version) -> None:
    assert bounds(constraint) == (low, high)


def said(constraint: str) -> Evidence:
    return Evidence(constraint, "main.tf:1", *bounds(constraint))


@pytest.mark.parametrize(
    ("constraints", "is_native"),
    [
        ([], False),
        ([">= 1.5"], False),
        ([">= 1.6"], True),
        ([">= 1.3", "1.9.8"], True),
        ([">= 1.6", "1.5.7"], False),
        (["~> 1.5.0"], False),
        (["< 2.0"], False),
    ],
)
def test_evidence_must_be_certain(constraints: list[str], is_native: bool) -> None:
    found = verdict(map(said, constraints))
    assert found.is_native == is_native
    assert (found.contradiction is not None) == (constraints == [">= 1.6", "1.5.7"])


SOFT = Evidence("terraform is 1.9.8", ".terraform-version", *bounds("1.9.8"), is_soft=True)
CAPPED = Evidence("it ends with 1.5.7", "main.tf:1", high=(1, 6, 0), is_default=True)


@pytest.mark.parametrize(
    ("evidence", "is_native", "is_contradictory"),
    [
        ([SOFT], True, False),
        ([SOFT, said(">= 1.3")], True, False),
        ([SOFT, said("~> 1.5.0")], False, True),
        ([said(">= 1.6"), Evidence("terraform is 1.5.7", "", *bounds("1.5.7"), is_soft=True)], True, False),
        ([said(">= 1.6"), CAPPED], True, False),
        ([said(">= 1.3"), CAPPED], False, False),
        ([CAPPED], False, False),
    ],
)
def test_what_is_less_than_certain_gives_way(evidence: list[Evidence], is_native: bool, is_contradictory: bool) -> None:
    found = verdict(evidence)
    assert (found.is_native, found.contradiction is not None) == (is_native, is_contradictory)


def test_an_entry_for_the_stack_counts_more_than_what_it_says_itself() -> None:
    code, entry, default, own = said("< 2"), said("1.8.0"), said("1.7.0"), said("1.5.7")
    engine = Engine((code, SOFT), (("shop", (entry,)),), (default,))
    assert list(engine.of_stack("shop", (own,))) == [(code, entry)]
    assert list(engine.of_stack("mail", (own,))) == [(code, own), (code, default)], "pages differ on which counts"
    assert list(engine.of_stack(None, (own,))) == [(code, entry), (code, own), (code, default)]
    assert list(engine.of_no_stack()) == [(code, SOFT, entry)]
    assert list(Engine((code,), (), (default,)).of_no_stack()) == [(code, default)]


def test_a_survey_keeps_its_evidence() -> None:
    engine = Engine((said("< 2"),), (("shop", (said("1.8.0"),)),), (said("1.7.0"),))
    root = KnownRoot("code", RepoIdentity("code"), "shop", "role", engine=engine)
    stack = KnownStack("admin", Place("main.tf", 1), "shop", Code("code", ""), evidence=(said("1.8.0"),))
    survey = Survey("code", (root, KnownRoot("code", RepoIdentity("code"), "", "role")), (stack,))
    assert from_plain(Survey, json.loads(json.dumps(to_plain(survey)))) == survey
