"""What the planner makes of what rules want: all of a rewrite or nothing, with what depends on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from migrator.config.config import Config
from migrator.migrate.diagnostics import (
    CHANGES_COLLIDE,
    DEPENDS_ON_REFUSED,
    EDITS_COLLIDE,
    REFUSED_IN_OTHER_MODULE,
    UNPARSED_BLOCK,
)
from migrator.migrate.planning import Planning
from migrator.model.findings import Finding, LeftAlone, Note, Place, Refusal, Rewrite
from migrator.model.results import Plan
from migrator.rules.registry import Rule
from migrator.span import Edit, Span
from tests.invariants import workspace_of

MAIN = 'variable "a" {\n  default = 1\n}\n\nvariable "b" {\n  default = 2\n}\n\nvariable "c" {\n  default = !!3\n}\n'
OTHER = 'variable "d" {\n  default = 4\n}\n'
FILES = {"main.tf": MAIN, "other.tf": OTHER}
NO = Refusal("it is unknown", code="odd")


def refused_with(place: str) -> str:
    return DEPENDS_ON_REFUSED.refusal(place=place).reason


MakePlan = Callable[..., Plan]


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> MakePlan:
    """The plan of a repository in which rules find just this; what comes second in a later phase."""

    def make(found: list[Finding], later: list[Finding] | None = None) -> Plan:
        rules = (Rule("later", "", lambda _: iter(later or []), 1), Rule("first", "", lambda _: iter(found)))
        monkeypatch.setattr("migrator.migrate.planning.all_rules", lambda: rules)
        return Planning(workspace_of({path: text.encode() for path, text in FILES.items()}), Config()).plan()

    return make


def edit(old: str, new: str, path: str = "main.tf") -> Edit:
    start = FILES[path].index(old)
    return Edit(path, Span(start, start + len(old)), new)


def wants(line: int, *edits: Edit, group: str | None = None, needs: str = "", path: str = "main.tf") -> Finding:
    fix = Rewrite(edits or (edit(f"= {line}", f"= 1{line}"),), "done")
    return Finding("rule", Place(path, line), "found", fix, group, (), frozenset(needs.split()))


def refuses(line: int, group: str | None = None, fix: Refusal | LeftAlone = NO) -> Finding:
    return Finding("rule", Place("main.tf", line), "found", fix, group)


def fates(plan: Plan) -> list[str]:
    return [finding.fate for finding in plan.findings]


def after(plan: Plan) -> dict[str, str]:
    return {change.path: change.after.decode() for change in plan.changes}


def test_all_that_go_together_are_made(planned: MakePlan) -> None:
    made = edit("= 4", "= 14", "other.tf")
    plan = planned([wants(2), wants(1, made), wants(3, Edit("new.tf", Span(0, 0), "x = {\n}\n"))])
    assert fates(plan) == ["done"] * 3
    assert [finding.place.line for finding in plan.findings] == [1, 2, 3]
    assert after(plan) == {
        "main.tf": MAIN.replace("= 2", "= 12"),
        "new.tf": "x = {\n}\n",
        "other.tf": OTHER.replace("= 4", "= 14"),
    }
    assert [change.before for change in plan.changes] == [MAIN.encode(), None, OTHER.encode()]


def test_what_changes_nothing_is_no_change(planned: MakePlan) -> None:
    assert planned([wants(1, edit("= 1", "= 1"))]).changes == ()


def test_the_second_of_two_that_collide_is_refused_in_all_its_files(planned: MakePlan) -> None:
    second = wants(2, edit("= 4", "= 5", "other.tf"), edit("= 1\n", "= 2\n"))
    plan = planned([wants(1), second, wants(3, edit("= 2", "= 12"))])
    assert fates(plan) == ["done", EDITS_COLLIDE.refusal(path="main.tf").reason, "done"]
    assert after(plan) == {"main.tf": MAIN.replace("= 1", "= 11").replace("= 2", "= 12")}


def test_a_group_is_made_whole_or_not_at_all(planned: MakePlan) -> None:
    plan = planned([wants(1, group="g"), wants(2, group="h"), refuses(4, "g"), refuses(5)])
    assert fates(plan) == [refused_with("main.tf:4"), "done", NO.reason, NO.reason]
    assert after(plan) == {"main.tf": MAIN.replace("= 2", "= 12")}


def test_what_is_rightly_left_alone_holds_nothing_up(planned: MakePlan) -> None:
    assert fates(planned([wants(1, group="g"), refuses(4, "g", LeftAlone("rightly so", code="odd"))])) == [
        "done",
        "rightly so",
    ]


def test_what_needs_another_is_refused_with_it(planned: MakePlan) -> None:
    one = wants(1, needs="main.tf:2+0")
    two = wants(2, group="h", needs="main.tf:7+0 g")
    other = wants(3, edit("= 4", "= 5", "other.tf"), needs="main.tf:3+0 i")
    plan = planned([one, two, other, refuses(4, "g"), refuses(7)])
    assert fates(plan) == [
        refused_with("main.tf:2"),
        refused_with("main.tf:4"),
        "done",
        *[NO.reason] * 2,
    ]
    assert list(after(plan)) == ["other.tf"]


def test_a_file_of_two_modules_is_rewritten_for_both_or_for_none(planned: MakePlan) -> None:
    found = [wants(1, group="g"), wants(1, edit("= 2", "= 3"), group="h"), refuses(9, "h")]
    other = wants(0, edit("= 4", "= 5", "other.tf"), group="g")
    plan = planned([other, *found])
    reasons = [
        refused_with("main.tf:1"),
        REFUSED_IN_OTHER_MODULE.refusal().reason,
        refused_with("main.tf:9"),
        NO.reason,
    ]
    assert [fate.startswith(reason) for fate, reason in zip(fates(plan), reasons, strict=True)] == [True] * 4
    assert plan.changes == ()


def test_what_stands_on_one_line_is_not_one(planned: MakePlan) -> None:
    one = replace(refuses(1), place=Place("main.tf", 1, 40))
    other = wants(3, edit("= 4", "= 5", "other.tf"), needs="main.tf:1+40")
    plan = planned([wants(1), one, wants(2, needs="main.tf:1+0"), other])
    assert fates(plan) == ["done", NO.reason, "done", refused_with("main.tf:1")]


def test_what_is_no_terraform_any_more_is_refused_in_its_file_alone(planned: MakePlan) -> None:
    broken = wants(1, edit("= 1", "= {"))
    plan = planned([broken, wants(2), wants(4, edit("= 4", "= 5", "other.tf"))])
    assert [fate.partition(":")[0] for fate in fates(plan)] == [
        *["The outcome of the change in main.tf would not be sound"] * 2,
        "done",
    ]
    assert list(after(plan)) == ["other.tf"]


def test_a_block_that_a_whole_parser_cannot_read_is_not_touched(planned: MakePlan) -> None:
    inside = wants(9, edit('"c"', '"e"'))
    below = wants(12, Edit("main.tf", Span(len(MAIN), len(MAIN)), '\nvariable "f" {\n}\n'))
    above = wants(8, Edit("main.tf", Span(MAIN.index('variable "c"'), MAIN.index('variable "c"')), "# c\n"))
    plan = planned([inside, below, above, wants(10, edit("!!3", "3"))])
    refused = UNPARSED_BLOCK.refusal(reason="python-hcl2 cannot parse the text (main.tf:10)").reason
    assert fates(plan) == ["done", refused, refused, "done"]
    assert after(plan) == {"main.tf": MAIN.replace('variable "c"', '# c\nvariable "c"') + '\nvariable "f" {\n}\n'}


def test_what_comes_later_takes_nothing_away(planned: MakePlan) -> None:
    for later in (wants(2, edit("= 2", "= {")), wants(2, group="g")):
        plan = planned([wants(1, group="g")], [later, refuses(7, "g")])
        assert fates(plan) == ["done", CHANGES_COLLIDE.refusal().reason, NO.reason]
        assert after(plan) == {"main.tf": MAIN.replace("= 1", "= 11")}
    plan = planned([wants(1)], [wants(2, edit("1\n}", "2\n}"))])
    assert fates(plan) == ["done", EDITS_COLLIDE.refusal(path="main.tf").reason]


def test_what_comes_later_is_made_with_the_rest(planned: MakePlan) -> None:
    plan = planned([wants(1)], [wants(2)])
    assert fates(plan) == ["done", "done"]
    assert after(plan) == {"main.tf": MAIN.replace("= 1", "= 11").replace("= 2", "= 12")}


def test_the_same_for_another_group_is_told_once(planned: MakePlan) -> None:
    assert fates(planned([wants(1, group="g"), wants(1, group="h")])) == ["done"]


def test_notes_are_those_of_what_is_done(planned: MakePlan) -> None:
    def noted(line: int, fix: Rewrite | Refusal | LeftAlone, group: str | None, *notes: Note) -> Finding:
        return Finding("rule", Place("main.tf", line), "found", fix, group, notes)

    done = Rewrite((edit("= 1", "= 11"),), "done")
    plan = planned(
        [
            noted(
                1,
                done,
                None,
                Note(task="rotate", subjects=("a",), code="odd"),
                Note(task="set", subjects=("x",), paste="paste", code="odd"),
            ),
            noted(
                2,
                LeftAlone("so", code="odd"),
                "h",
                Note(task="rotate", subjects=("b", "a"), code="odd"),
                Note(task="set", subjects=("y",), code="odd"),
            ),
            noted(3, NO, None, Note(task="rotate", subjects=("c",), code="odd")),
            noted(4, LeftAlone("so", code="odd"), "g", Note(task="rotate", subjects=("d",), code="odd")),
            noted(5, NO, "g"),
        ]
    )
    assert plan.notes == (
        Note(task="rotate", subjects=("a", "b"), code="odd"),
        Note(task="set", subjects=("x",), paste="paste", code="odd"),
        Note(task="set", subjects=("y",), code="odd"),
    )
