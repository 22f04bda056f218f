"""Diffs of lines: what difflib says of short texts, and steps that lead from one text to the other for all."""

from __future__ import annotations

import difflib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.model.findings import Change
from migrator.syntax import line_diff
from migrator.syntax.line_diff import LineMatcher
from migrator.writing.diff import unified_diff

LINES = st.lists(st.sampled_from(list("abcdefghijkl")), max_size=30)


def after_steps(before: list[str], after: list[str]) -> list[str]:
    made: list[str] = []
    position = 0
    for kind, i1, i2, j1, j2 in LineMatcher(before, after).get_opcodes():
        assert i1 == position
        assert kind != "equal" or before[i1:i2] == after[j1:j2]
        made += before[i1:i2] if kind == "equal" else after[j1:j2]
        position = i2
    assert position == len(before)
    return made


@given(LINES, LINES)
def test_short_texts_are_compared_by_difflib(before: list[str], after: list[str]) -> None:
    assert LineMatcher(before, after).get_opcodes() == difflib.SequenceMatcher(None, before, after).get_opcodes()
    plain = list(difflib.unified_diff(before, after, "a/x", "b/x", lineterm=""))[2:]
    made = unified_diff([Change("x", "".join(f"{line}\n" for line in before).encode(), text(after))]).decode()
    assert made.splitlines()[3:] == plain


def text(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


@settings(max_examples=500)
@given(LINES, LINES, st.sampled_from([1, 2, 5]))
def test_steps_lead_from_one_text_to_the_other(before: list[str], after: list[str], short: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_diff, "_SHORT", short)
        assert after_steps(before, after) == after


@pytest.mark.system
def test_a_long_text_has_a_short_diff_that_git_applies(tmp_path: Path) -> None:
    before = [line for number in range(20_000) for line in (f"number {number}", "same", "}")]
    after = [line for line in before if line not in ("number 7", "number 19000")]
    after.insert(30_000, "new")
    diff = unified_diff([Change("x", text(before), text(after))])
    assert len(diff.splitlines()) == 3 + 3 * 8
    (tmp_path / "x").write_bytes(text(before))
    subprocess.run(["git", "apply"], cwd=tmp_path, input=diff, check=True)
    assert (tmp_path / "x").read_bytes() == text(after)


def test_long_texts_without_a_line_in_common() -> None:
    before, after = ["a"] * 50_000, ["b"] * 60_000
    assert LineMatcher(before, after).get_opcodes() == [("replace", 0, 50_000, 0, 60_000)]
