"""The summary for people: totals first, tasks, refusals with help, what changed; about sixty lines at most."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pexpect
import pytest
from msgspec.structs import replace

from migrator.model.findings import Finding, LeftAlone, Note, Place, Refusal, Rewrite
from migrator.model.results import Mode, RepoResult, StackRow
from migrator.model.verification import Proof, Verdict, VerifiedStack, not_needed
from migrator.report.sections import LINES
from migrator.report.text import summary
from migrator.report.verification import exit_code, lines

ROOT = Path(__file__).parents[2]


def finding(number: int, fix: Rewrite | Refusal | LeftAlone, folder: str = "") -> Finding:
    place = Place(f"{folder or f'live/team-{number:04d}'}/main.tf", number + 1)
    return Finding(
        "provider-static-keys",
        place,
        f'provider "aws" (a{number}): profile',
        fix,
        subject=f'provider "aws" (a{number})',
    )


def large(count: int) -> RepoResult:
    """A result with ``count`` of everything that a summary can tell."""
    findings = [finding(number, Rewrite((), "web identity")) for number in range(count)]
    findings += [
        finding(number, Refusal(f"Reason {number % 40}.", code=f"code-{number % 40}", help="Do this."))
        for number in range(count)
    ]
    findings += [
        finding(number, LeftAlone(f"Reason {number % 30}.", code=f"alone-{number % 30}", help="See this."))
        for number in range(count)
    ]
    notes = [
        Note(
            task=f"Set number {number}.",
            subjects=tuple(f"live/{item}" for item in range(count)),
            code=f"n{number}",
            help=f"Help {number}.",
        )
        for number in range(30)
    ]
    notes.append(Note(task="Paste this.", subjects=("a", "b"), paste="line 1\nline 2", code="p"))
    stacks = tuple(
        StackRow(f"stack.{number}", Place("stacks.tf", number), code="x", hook=f"hook {number % 20}")
        for number in range(count)
    )
    changed = tuple(f"live/team-{number:04d}/main.tf" for number in range(count))
    return RepoResult("shop", Mode.CHECK, tuple(findings), notes=tuple(notes), stacks=stacks, changed=changed)


@pytest.mark.unit
@pytest.mark.parametrize("count", [1, 5, 50, 2000])
def test_a_summary_is_about_a_page_however_large_the_repository(count: int) -> None:
    lines = summary(large(count)).splitlines()
    assert len(lines) <= LINES + 5
    for heading in (
        "To do, in this order:",
        "Refused, nothing was changed here:",
        "Would change:",
        "Stacks (the hook is a list of commands in `before_init` that sign in to AWS):",
        "Left alone:",
    ):
        assert heading in lines
    if count > 5:
        assert all(
            any(line.startswith("  … and ") and unit in line for line in lines)
            for unit in ("step", "reason", "folder", "stack")
        )


@pytest.mark.unit
def test_verbose_lists_every_place() -> None:
    text = summary(large(50), verbose=True)
    assert "more (-v" not in text
    for number in range(50):
        assert text.count(f"live/team-{number:04d}/main.tf:{number + 1}: ") == 3


@pytest.mark.unit
def test_the_first_lines_are_the_totals() -> None:
    first, second, *_ = summary(large(1200)).splitlines()
    assert first == "shop: 1,200 files would change"
    assert second == "  1,200 places would change in 1,200 files, 1,200 refused, 1,200 left alone, 1,200 stacks"


@pytest.mark.unit
def test_places_that_are_alike_are_counted_with_their_reason_and_help_once() -> None:
    same = Refusal("The provider does not support web identity.", code="no-web-identity", help="Keep the keys.")
    text = summary(RepoResult("shop", Mode.CHECK, tuple(finding(number, same, "live") for number in range(115))))
    assert (
        "  115 providers [no-web-identity]\n    The provider does not support web identity.\n    help: Keep the keys.\n"
        in text
    )
    assert "      … and 112 more (-v lists all)\n" in text
    assert text.count("Keep the keys.") == 1


@pytest.mark.unit
def test_reasons_and_remarks_that_differ_in_places_alone_are_counted_together() -> None:
    alone = [
        finding(number, LeftAlone(f"Used at main.tf:{number}. Stays.", code="still-used", help="Look."))
        for number in range(4)
    ]
    stacks = [
        StackRow(f"stack.{number}", Place("stacks.tf", number + 1), remarks=(f"Signs in by main.tf:{number}.",))
        for number in range(4)
    ]
    result = replace(large(0), findings=tuple(alone), stacks=tuple(stacks), notes=())
    text = summary(result)
    assert (
        "  4 providers (for example live/team-0000/main.tf:1; -v lists all): Used at …. Stays. [still-used]\n" in text
    )
    assert (
        "  4 stacks, for example stack.0 (stacks.tf:1; -v lists all): No hook: the code of the stack is not known. "
        in text
    )
    assert " Signs in by …. The place … differs from stack to stack.\n" in text
    assert summary(replace(result, findings=tuple(alone[:3]))).count("Used at main.tf:") == 3
    whole = summary(result, verbose=True)
    assert (whole.count("Used at main.tf:"), whole.count("Signs in by main.tf:")) == (4, 4)


@pytest.mark.unit
def test_a_reason_that_several_rows_of_a_verification_share_is_printed_once() -> None:
    shared, own = (
        Proof("validate", Verdict.NOT_PROVEN, "No engine.", "Install it."),
        Proof("state", Verdict.FAILED, "Moved."),
    )
    rows = (
        VerifiedStack("api", "a", proofs=(shared, not_needed("hook", "No hook is needed."))),
        VerifiedStack("web", "b", proofs=(shared, own)),
    )
    text = "\n".join(lines(RepoResult("shop", Mode.CHECK, verified=rows)))
    assert text.endswith("  validate not proven in 2 rows: No engine.\n    help: Install it.")
    assert text.count("No engine.") == 1
    assert "    state failed: Moved.\n" in text
    assert "hook not needed" in text
    assert exit_code([RepoResult("shop", Mode.CHECK, verified=rows[:1])]) == 4


@pytest.mark.unit
def test_lines_wrap_at_words_and_paths_stay_whole() -> None:
    path = "terraform/" + "very-long-folder-name/" * 6
    note = Note(task="Set a variable of these modules.", subjects=(path, "b"), code="x", help="word " * 60)
    text = summary(RepoResult("shop", Mode.CHECK, notes=(note,)), width=80)
    assert f"      {path}\n" in text or f"\n{path}\n" in text or path in text.split()
    assert all(len(line) <= 80 or path in line for line in text.splitlines())
    assert "wor\n" not in text


@pytest.mark.unit
def test_colours_are_around_lines_and_change_no_word() -> None:
    result = large(5)
    coloured = summary(result, has_colours=True)
    assert "\x1b[1;31mRefused, nothing was changed here:\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == summary(result)
    hostile = replace(result, repo="shop\x1b[2J")
    assert "\x1b[2J" not in summary(hostile, has_colours=True)


@pytest.mark.system
@pytest.mark.parametrize(
    ("more", "environment", "is_paged"),
    [([], {}, True), (["--no-pager"], {}, False), ([], {"NO_PAGER": "1"}, False), ([], {"TERM": "dumb"}, False)],
)
def test_a_summary_that_does_not_fit_a_terminal_is_paged(
    tmp_path: Path, more: list[str], environment: dict[str, str], is_paged: bool
) -> None:
    for number in range(8):
        (tmp_path / f"live{number}").mkdir()
        (tmp_path / f"live{number}/main.tf").write_text('provider "aws" {\n  profile = "shop"\n}\n')
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\necho PAGED\ncat\n")
    pager.chmod(0o755)
    known = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "PAGER": str(pager), **environment}
    child = pexpect.spawn(
        sys.executable,
        ["-m", "migrator", "-v", "--check", *more, str(tmp_path)],
        encoding="utf-8",
        timeout=60,
        env=known,
        dimensions=(20, 80),
    )
    child.expect(pexpect.EOF)
    assert ("PAGED" in (child.before or "")) is is_paged
    assert "would change" in (child.before or "")
