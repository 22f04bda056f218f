"""All results as Markdown for a comment on a pull request: figures, tasks, and as many details as the limit allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, TextIO

from migrator.model.verification import CELLS, Verdict
from migrator.report.markup import code, linked, prose
from migrator.report.places import link, place_of
from migrator.report.rollout import brief
from migrator.report.steps import HOOK, hook_of
from migrator.report.text import headline
from migrator.report.totals import State, Totals, places_of, rotations, state_of
from migrator.report.verification import unproven

if TYPE_CHECKING:
    from migrator.model.results import RepoResult, Revision, StackRow
    from migrator.report.collected import Collected
    from migrator.report.totals import Reason

LIMIT = 60_000
"""Characters; a comment on GitHub holds 65,536."""

_ROWS = 60
_MARKS = {State.FAILED: "❌", State.REFUSED: "⛔", State.PARTLY: "⚠️", State.MIGRATED: "✅", State.NOTHING: "▫️"}
"""The marks of states in the order of the table: states that need attention come first."""

_VERDICTS = {Verdict.PROVEN: "✅", Verdict.FAILED: "❌", Verdict.NOT_PROVEN: "❔", Verdict.NOT_NEEDED: "not needed"}


def write(collected: Collected, out: TextIO, *, has_steps: bool = True) -> None:
    """Write the report, in whole lines and never more than `LIMIT` characters."""
    room = LIMIT
    for line in _lines(collected, has_steps):
        room -= len(line) + 1
        if room < 0:
            out.write("\nThe rest does not fit into a comment.\n")
            return
        out.write(line + "\n")


def _lines(collected: Collected, has_steps: bool) -> Iterator[str]:
    totals, run = collected.totals, collected.run
    yield "## From static AWS keys to OIDC"
    yield ""
    yield _figures(totals)
    yield ""
    yield f"{code(run.command, 1000)} on {run.date}, tf-oidc-migrate {run.version}."
    yield from _to_do(collected) if has_steps else ()
    rewritten = "Places to rewrite" if totals.is_dry else "Places rewritten"
    heads = f"Repository | Outcome | {rewritten} | Refused | Left alone | Result"
    yield from _table("Repositories", heads, totals.repositories, _repos(collected, totals))
    reasons = "Reason | Places | For example | What to do"
    yield from _table("Refused, by reason", reasons, len(totals.reasons), _reasons(totals.ranked))
    yield from _table("Left alone, by reason", reasons, len(totals.alone), _reasons(totals.ranked_alone))
    verified = f"Stack | Root module | {' | '.join(CELLS)} | Why"
    yield from _table("Verified", verified, totals.verified, _verified(collected))
    signers = "Repository | Root module | Provider or backend | Before | After"
    yield from _table("Who signs in to AWS", signers, totals.signers, _signers(collected))
    keys = "Repository | Where the key is or was"
    yield from _table("Keys in the code", keys, totals.rotations, _rotations(collected))
    stacks = "Stack | Place | Code | Hook | Remarks"
    yield from _table("Stacks", stacks, totals.stacks, _stacks(collected, totals))
    yield from ("", HOOK) if totals.stacks else ()


def _figures(totals: Totals) -> str:
    states = (f"{totals.states[state]:,} {_label(state, totals)}" for state in _MARKS if totals.states[state])
    done = f"**{_counted(totals.repositories, 'repositor', 'y', 'ies')}**: {', '.join(states) or 'nothing to migrate'}."
    if totals.verified:
        return done
    changed = "would change" if totals.is_dry else "changed"
    return (
        f"{done}  \n"
        f"{_counted(totals.outcomes['rewritten'], 'place')} and {_counted(totals.files, 'file')} {changed}, "
        f"{totals.refusals} refused, {totals.outcomes['left-alone']} left alone, "
        f"{totals.outcomes['ignored']} ignored; {_counted(totals.rotations, 'key')} in the code."
        + f" {_counted(totals.environment, 'place')} left on the credentials of the environment."
        * bool(totals.environment)
    )


def _label(state: State, totals: Totals) -> str:
    return f"{_MARKS[state]} {totals.label(state).lower()}"


def _counted(count: int, noun: str, singular: str = "", many: str = "s") -> str:
    return f"{count:,} {noun}{singular if count == 1 else many}"


def _to_do(collected: Collected) -> Iterator[str]:
    """The numbered steps, as far as half of a comment holds them."""
    room = LIMIT // 2
    for number, line in enumerate(brief(collected)):
        yield from () if number else ("", "### To do, in this order", "")
        room -= len(line) + 1
        if room < 0:
            yield "\nThe other steps do not fit into a comment: `--plan-file FILE` writes all steps."
            return
        yield line


def _subject(revision: Revision, subject: str) -> str:
    place = place_of(subject)
    return linked(code(subject), link(revision, place) if place else "")


# --- tables ---------------------------------------------------------------------------------------------------------


def _table(title: str, heads: str, count: int, rows: Iterable[str]) -> Iterator[str]:
    """A table of as many of the ``count`` ``rows`` as a comment should have; nothing without any."""
    if count:
        yield from ("", f"### {title}", "", f"| {heads} |", "|" + " --- |" * (heads.count("|") + 1))
        yield from islice(rows, _ROWS)
    if count > _ROWS:
        yield f"\n… and {count - _ROWS:,} more."


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _repos(collected: Collected, totals: Totals) -> Iterator[str]:
    for _, result, _ in collected.ranked():
        counts = places_of(result)
        summary_text = prose(headline(result)) + (f"; {code(result.pull_request)}" if result.pull_request else "")
        read = " ".join(filter(None, (result.revision.branch, result.revision.commit[:12])))
        name = linked(code(result.title), result.revision.remote) + (f" {code(read)}" if read else "")
        figures = (str(counts[outcome]) for outcome in ("rewritten", "refused", "left-alone"))
        yield _row(name, _label(state_of(result), totals), *figures, summary_text)


def _reasons(ranked: Iterable[Reason]) -> Iterator[str]:
    for reason in ranked:
        _, repo, place = reason.examples[0]
        text = " ".join(filter(None, (code(reason.code), prose(reason.text))))
        yield _row(text, str(reason.count), code(f"{repo}: {place}"), prose(reason.help))


def _rotations(collected: Collected) -> Iterator[str]:
    for _, result, _ in collected.ranked():
        for note in rotations(result):
            for subject in note.subjects:
                yield _row(code(result.title), _subject(result.revision, subject))


def _signers(collected: Collected) -> Iterator[str]:
    for _, result, _ in collected.ranked():
        for row in () if result.error else result.signers:
            yield _row(code(result.title), code(row.root), code(row.who), prose(row.before), prose(row.after))


def _verified(collected: Collected) -> Iterator[str]:
    for _, result, _ in collected.ranked():
        for row in result.verified:
            marks = (_VERDICTS.get(proof.verdict, "") if (proof := row.proof(cell)) else "-" for cell in CELLS)
            reasons = "; ".join(f"{proof.cell}: {proof.reason}" for proof in unproven(row))
            yield _row(code(row.stack or "none known"), code(f"{result.title}: {row.root}"), *marks, prose(reasons))


def _stacks(collected: Collected, totals: Totals) -> Iterator[str]:
    for _, result, _ in collected.ranked():
        for stack in filter(totals.is_listed_once, result.stacks):
            yield _row(*_stack(stack, result))


def _stack(stack: StackRow, result: RepoResult) -> Iterator[str]:
    yield code(stack.title)
    place = code(f"{stack.repo or result.title}: {stack.place}")
    yield place if stack.repo else linked(place, link(result.revision, stack.place))
    yield prose(stack.code) or "unknown"
    yield prose(hook_of(stack, result))
    yield prose(" ".join(f"{remark.removesuffix('.')}." for remark in stack.remarks))
