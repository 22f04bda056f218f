"""The steps of `migrator.report.steps` as Markdown, for reports, pull requests and ``--plan-file``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from migrator.model.results import code_in_words
from migrator.report.collected import Collected
from migrator.report.markup import code, fenced, linked, prose
from migrator.report.places import FILES, grouped, link, place_of
from migrator.report.steps import Step, Subjects, running, steps
from migrator.report.totals import refusals

MOST = 40
"""So many repositories of a step are named in a report; the order of rollout names all."""

if TYPE_CHECKING:
    from migrator.model.findings import Place
    from migrator.model.results import RepoResult


def rollout(results: Iterable[RepoResult] | Collected, level: int = 1) -> str:
    """The steps that remain after ``results``, below a heading of the ``level``; no secret is included."""
    collected = results if isinstance(results, Collected) else Collected(results)
    lines = [f"{'#' * level} To do, in this order", ""]
    lines += _about(collected) if level == 1 else ()
    found = list(_listed(steps(_planned(collected)), collected))
    lines += found or ["Nothing was migrated, so there is nothing to do."]
    if level == 1 and found:
        lines += [*_remarks(collected), *_refusals(collected)]
    return "\n".join(lines) + "\n"


def _about(collected: Collected) -> Iterator[str]:
    run = collected.run
    yield f"After {code(run.command, 1000)} on {run.date}, tf-oidc-migrate {run.version}. The files are those of:"
    yield ""
    for _, result, _ in collected:
        revision = result.revision
        commit = " ".join(filter(None, (revision.branch, revision.commit[:12])))
        yield f"- {linked(code(result.title), revision.remote)}{f': {code(commit)}' if commit else ''}"
    yield ""


def brief(collected: Collected) -> Iterator[str]:
    """The steps as a numbered list, with the first repositories of each."""
    return _listed(steps(_planned(collected), MOST), collected)


def _planned(collected: Collected) -> Iterator[tuple[int, RepoResult]]:
    return ((number, result) for number, result, _ in collected.ranked())


def _listed(found: Iterable[Step], collected: Collected) -> Iterator[str]:
    """A numbered list to tick off; each step has its subjects, of several repositories one repository a line."""
    has_one = collected.totals.repositories == 1
    for number, step in enumerate(found, 1):
        is_short = has_one and len(step.repositories[0].names) <= 1
        names = f" {_subjects(step.repositories[0])}" if is_short and step.repositories[0].names else ""
        yield f"{number}. [ ] {prose(step.title if has_one else step.text)}{names}"
        for subjects in () if is_short else (subjects for subjects in step.repositories if subjects.names):
            yield f"    - {'' if has_one else f'{code(subjects.title)}: '}{_subjects(subjects)}"
        if (
            others := ""
            if has_one
            else ", ".join(code(subjects.title) for subjects in step.repositories if not subjects.names)
        ):
            yield f"    - {others}"
        if step.more:
            yield f"    - and {step.more:,} more repositories: `--plan-file FILE` names all"
        if step.paste:
            yield from ("", *(f"    {line}" for line in fenced(step.paste)), "")
        yield from [f"    - **help:** {prose(step.help)}"] if step.help else ()


def _subjects(subjects: Subjects) -> str:
    """The subjects of a step in one repository; many places are grouped by file."""
    places = [place_of(name) for name in subjects.names]
    if len(places) > FILES and None not in places:
        return _places(subjects, [place for place in places if place is not None], len(places))
    return ", ".join(
        linked(code(name), link(subjects.revision, place) if place else "")
        for name, place in zip(subjects.names, places, strict=True)
    )


def _places(source: Subjects | RepoResult, places: Iterable[Place], most: int = FILES) -> str:
    named = grouped(places, most)
    return ", ".join(linked(code(text), link(source.revision, place)) if place.path else text for place, text in named)


def _remarks(collected: Collected) -> Iterator[str]:
    """What is to be known of the stacks that run migrated code, each stack once."""
    rows = {
        (row.title, row.place): f"- {code(row.title)}, which runs {prose(f'{code_in_words(row.code)}: {said}')}"
        for _, result, _ in collected
        for row in running(result)
        if (said := " ".join(row.remarks))
    }
    yield from ("", "## Stacks", "", *rows.values()) if rows else ()


def _refusals(collected: Collected) -> Iterator[str]:
    """The refused places, grouped by reason."""
    if collected.totals.refusals:
        yield from (
            "",
            "## Not migrated",
            "",
            "The code at these places still signs in as before, and needs the keys:",
            "",
        )
    for _, result, _ in collected:
        by_reason: dict[tuple[str, str], list[Place]] = {}
        for place, fix in refusals(result):
            by_reason.setdefault((fix.reason, fix.help), []).append(place)
        for (reason, advice), places in by_reason.items():
            yield f"- {code(result.title)}: {_places(result, places)}: {prose(reason)}"
            yield from [f"    - help: {prose(advice)}"] if advice else ()
