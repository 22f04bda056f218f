"""The summary of a run for people, on a terminal or in a log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from migrator.model.findings import Fix, Ignored, LeftAlone, Refusal, Rewrite
from migrator.model.results import Mode, RepoResult, SigningRow, StackRow
from migrator.report.shown import show
from migrator.report.steps import short_steps
from migrator.report.verification import headline_of
from migrator.secret import printable

_DONE = {
    Mode.PREVIEW: "would be migrated",
    Mode.CHECK: "would be migrated",
    Mode.IN_PLACE: "migrated",
    Mode.BRANCH: "migrated",
}
_FEW = 5  # subjects of a note that stand on its line


def summary(result: RepoResult, *, verbose: bool = False) -> str:
    """What was done, refused and left alone in one repository, and what a person must do; no secret is in it."""
    return "".join(printable(line).replace("\n", "\\n") + "\n" for line in _lines(show(result), verbose))


def _lines(result: RepoResult, verbose: bool) -> Iterator[str]:
    yield f"{result.repo}: {headline(result)}"
    if not result.error:
        yield from _section(_DONE[result.mode], _rows(result, Rewrite))
    problems = (f"{file_problem.place}: {file_problem.reason}" for file_problem in result.problems)
    yield from _section("refused", chain(_rows(result, Refusal), problems))
    yield from _section("left alone", _rows(result, LeftAlone))
    ignored = list(_rows(result, Ignored))
    yield from _section(f"ignored ({len(ignored)})", ignored)
    if verbose:
        yield from _section("files", result.changed)
    if not result.error:
        yield from _section("who signs", (_signer(row) for row in result.signers if row.is_notable or verbose))
        yield from _section("stacks", map(_stack, result.stacks))
        yield from _section("to do", _tasks(result))
        yield from _section(
            "order of rollout", (f"{number}. {short_step}" for number, short_step in enumerate(short_steps(result), 1))
        )


def _rows(result: RepoResult, kind: type[Fix]) -> Iterator[str]:
    arrow = " ->" if kind is Rewrite else ":"
    return (
        f"{finding.place}: {finding.message}{arrow} {finding.fate}"
        for finding in result.findings
        if isinstance(finding.fix, kind)
    )


def _stack(row: StackRow) -> str:
    where = f"{row.repo}: {row.place}" if row.repo else str(row.place)
    runs = f"runs {row.code}" if row.code else "runs code that is not known"
    hook = f"; hook: {row.hook}" if row.hook else ""
    return f"{row.title} ({where}) {runs}{hook}{''.join(f'; {remark}' for remark in row.remarks)}"


def _signer(row: SigningRow) -> str:
    becomes = f" -> {row.after}" if row.before != row.after else ", as before"
    return f"{row.root}: {row.who}: {row.before}{becomes}"


def headline(result: RepoResult) -> str:
    """What came of one repository, in a few words."""
    if result.error:
        return f"not migrated: {result.error}"
    if result.verified:
        return f"verified: {headline_of(result.verified)}"
    if result.was_there:
        where = f" of {result.pushed}" if result.pushed else ""
        return f"migrated before, on the branch {result.branch}{where}"
    if not result.changed:
        return "nothing to migrate" if result.is_whole else "nothing was migrated"
    files = f"{len(result.changed)} file{'s' if len(result.changed) > 1 else ''}"
    if result.branch:
        return f"{files} changed on the new branch {result.branch} ({result.commit[:12]})"
    return f"{files} changed" if result.mode is Mode.IN_PLACE else f"{files} would change"


def _section(title: str, rows: Iterable[str]) -> Iterator[str]:
    listed = list(rows)
    if listed:
        yield f"  {title}:"
        yield from (f"    {row}" for row in listed)


def _tasks(result: RepoResult) -> Iterator[str]:
    for note in result.notes:
        if len(note.subjects) > _FEW and not note.paste:
            yield f"- {note.task}"
            yield from (f"    {subject}" for subject in note.subjects)
            continue
        yield f"- {note.line}{':' if note.paste else ''}"
        for line in note.paste.splitlines():
            yield f"    {line}"
