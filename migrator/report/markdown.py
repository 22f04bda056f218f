"""All results as Markdown for a comment on a pull request: the figures, and as much of the rest as fits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, TextIO

from migrator.model.findings import Rewrite
from migrator.model.verification import CELLS, Verdict
from migrator.report.shown import shown
from migrator.report.text import headline
from migrator.report.totals import State, Totals, label, refusals, rotations, state_of, totals_of
from migrator.report.verification import unproven

if TYPE_CHECKING:
    from migrator.model.results import RepoResult, StackRow

LIMIT = 60_000
"""Characters; a comment on GitHub holds 65,536."""

_ROWS = 60
_CELL = 160
_MARKS = {State.FAILED: "❌", State.REFUSED: "⛔", State.PARTLY: "⚠️", State.MIGRATED: "✅", State.NOTHING: "▫️"}
"""In the order of the table: first what a person must look at."""

_VERDICTS = {Verdict.PROVEN: "✅", Verdict.FAILED: "❌", Verdict.NOT_PROVEN: "❔"}
_MARKUP = re.compile(r"""[!#$%&*+:<>?@\[\\\]^_`{|}~]|(?<=www)\.""", re.IGNORECASE)


def write(results: Iterable[RepoResult], out: TextIO) -> None:
    """Write the report, in whole lines and never more than `LIMIT` characters."""
    left = LIMIT
    for line in _lines(results):
        left -= len(line) + 1
        if left < 0:
            out.write("\nThe rest does not fit into a comment.\n")
            return
        out.write(line + "\n")


def _lines(results: Iterable[RepoResult]) -> Iterator[str]:
    totals = totals_of(shown(results))
    yield "## From static AWS keys to OIDC"
    yield ""
    yield _figures(totals)
    repos, keys, stacks = _repos(results, totals), _rotations(results), _stacks(results, totals)
    heads = "Repository | Outcome | Rewritten | Refused | What was done"
    yield from _table("Repositories", heads, totals.repositories, repos)
    yield from _table("Refused, by reason", "Reason | Times | For example", len(totals.reasons), _reasons(totals))
    verified = sum(len(result.verified) for result in results)
    yield from _table("Verified", f"Stack | Root module | {' | '.join(CELLS)} | Why", verified, _verified(results))
    signers = sum(len(result.signers) for result in results)
    yield from _table("Who signs", "Repository | Root module | What | Before | After", signers, _signers(results))
    yield from _table("Keys to rotate", "Repository | Where they stood", totals.rotations, keys)
    yield from _table("Stacks", "Stack | Place | Code | Hook | Remarks", totals.stacks, stacks)


def _figures(totals: Totals) -> str:
    done = "would change" if totals.is_dry else "changed"
    states = (f"{totals.states[state]:,} {_label(state, totals)}" for state in _MARKS if totals.states[state])
    return (
        f"**{_counted(totals.repositories, 'repositor', 'y', 'ies')}**: {', '.join(states) or 'nothing to do'}.  \n"
        f"{_counted(totals.outcomes['rewritten'], 'place')} and {_counted(totals.files, 'file')} {done}, "
        f"{totals.refusals} refused, {totals.outcomes['left-alone']} left alone, "
        f"{totals.outcomes['ignored']} ignored; {_counted(totals.rotations, 'key')} to rotate."
    )


def _label(state: State, totals: Totals) -> str:
    return f"{_MARKS[state]} {label(state, is_dry=totals.is_dry).lower()}"


def _counted(count: int, noun: str, item: str = "", many: str = "s") -> str:
    return f"{count:,} {noun}{item if count == 1 else many}"


def _table(title: str, heads: str, count: int, rows: Iterable[str]) -> Iterator[str]:
    """A table of as many of the ``count`` ``rows`` as a comment should have; nothing without any."""
    if count:
        yield from ("", f"### {title}", "", f"| {heads} |", "|" + " --- |" * (heads.count("|") + 1))
        yield from islice(rows, _ROWS)
    if count > _ROWS:
        yield f"\n… and {count - _ROWS:,} more."


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _repos(results: Iterable[RepoResult], totals: Totals) -> Iterator[str]:
    rows: dict[State, list[str]] = {state: [] for state in _MARKS}
    for result in shown(results):
        state = state_of(result)
        if len(rows[state]) < _ROWS:
            rewritten = sum(isinstance(finding.fix, Rewrite) for finding in result.findings)
            refused = sum(1 for _ in refusals(result))
            done = prose(headline(result)) + (f"; {code(result.pull_request)}" if result.pull_request else "")
            rows[state].append(_row(code(result.repo), _label(state, totals), str(rewritten), str(refused), done))
    return chain.from_iterable(rows.values())


def _reasons(totals: Totals) -> Iterator[str]:
    for reason, entry in totals.ranked:
        _, repo, place = entry.examples[0]
        yield _row(prose(reason), str(entry.count), code(f"{repo}: {place}"))


def _rotations(results: Iterable[RepoResult]) -> Iterator[str]:
    for result in shown(results):
        for note in rotations(result):
            for subject in note.subjects:
                yield _row(code(result.repo), code(subject))


def _signers(results: Iterable[RepoResult]) -> Iterator[str]:
    for result in shown(results):
        for row in result.signers:
            yield _row(code(result.repo), code(row.root), code(row.who), prose(row.before), prose(row.after))


def _verified(results: Iterable[RepoResult]) -> Iterator[str]:
    for result in shown(results):
        for row in result.verified:
            marks = (_VERDICTS.get(proof.verdict, "") if (proof := row.proof(cell)) else "-" for cell in CELLS)
            why = "; ".join(f"{proof.cell}: {proof.reason}" for proof in unproven(row))
            yield _row(code(row.stack or "none known"), code(f"{result.repo}: {row.root}"), *marks, prose(why))


def _stacks(results: Iterable[RepoResult], totals: Totals) -> Iterator[str]:
    for result in shown(results):
        for stack in filter(totals.is_told_once, result.stacks):
            yield _row(*_stack(stack, result))


def _stack(stack: StackRow, result: RepoResult) -> Iterator[str]:
    yield code(stack.title)
    yield code(f"{stack.repo or result.repo}: {stack.place}")
    yield prose(stack.code) or "unknown"
    yield prose(stack.hook)
    yield prose("; ".join(stack.remarks))


def prose(text: str) -> str:
    """``text`` as words of a table's cell: nothing in it is markup, a link, a mention or the end of the cell."""
    return _MARKUP.sub(_entity, _cut(text))


def code(text: str) -> str:
    """``text`` as code in a table's cell."""
    if not text:
        return ""
    return f"<code>{prose(text)}</code>" if re.search(r"[`|\\]", text) else f"`{_cut(text)}`"


def _cut(text: str) -> str:
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};" + ("\u200b" if match[0] == "@" else "")
