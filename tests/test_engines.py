"""Which versions of an engine a constraint admits, and what evidence on it comes to."""

from __future__ import annotations

import json

import pytest

from migrator.engine import Engine, Evidence, Version, bounds, verdict
from migrator.model import Code, KnownRoot, KnownStack, Place, RepoIdentity, Survey
from migrator.serial import survey_from_plain, survey_to_plain

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
        (">= 1.6.0-beta1", ANY, NO_END),
        (">= 1.6 || 1.5.7", ANY, NO_END),
        ("latest", ANY, NO_END),
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


def test_an_entry_for_the_stack_counts_more_than_what_it_says_itself() -> None:
    engine = Engine((said("< 2"),), (("shop", (said("1.8.0"),)),), (said("1.7.0"),))
    assert engine.of_stack("shop", (said("1.5.7"),)) == (said("< 2"), said("1.8.0"))
    assert engine.of_stack("mail", (said("1.5.7"),)) == (said("< 2"), said("1.5.7"))
    assert engine.of_stack(None, ()) == (said("< 2"), said("1.7.0"))


def test_a_survey_keeps_its_evidence() -> None:
    engine = Engine((said("< 2"),), (("shop", (said("1.8.0"),)),), (said("1.7.0"),))
    root = KnownRoot("code", RepoIdentity("code"), "shop", "role", engine=engine)
    stack = KnownStack("admin", Place("main.tf", 1), "shop", Code("code", ""), evidence=(said("1.8.0"),))
    survey = Survey("code", (root, KnownRoot("code", RepoIdentity("code"), "", "role")), (stack,))
    assert survey_from_plain(json.loads(json.dumps(survey_to_plain(survey)))) == survey
