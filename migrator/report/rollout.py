"""The order in which a migration goes live, as Markdown: what to do, in which repository, stack and account.

Trust comes first and rotation last, as each step needs those before it:
https://docs.spacelift.io/integrations/cloud-providers/oidc/aws-oidc.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from migrator.model.findings import Note
from migrator.model.notes import APPLY_REMOVAL, ATTACH_HOOK, DELETE_ACCESS_KEYS, REMOVE_KEYS_IN_SPACELIFT
from migrator.regex import regex
from migrator.report.collected import Collected
from migrator.report.markup import code, linked, prose
from migrator.report.places import FILES, grouped, link, place_of
from migrator.report.steps import STEPS, integrated, keys_removed, reconfigured, stack_side, to_set
from migrator.report.totals import refusals, rotations

if TYPE_CHECKING:
    from migrator.model.findings import Note, Place
    from migrator.model.results import RepoResult, StackRow

_REMOVAL, _BY_HAND, _DELETION = APPLY_REMOVAL.code, REMOVE_KEYS_IN_SPACELIFT.code, DELETE_ACCESS_KEYS.code
_SUBJECTS = 20
_IS_NO_PATH = regex(r"\w+://|[\w.-]+@[\w.-]+:")


def rollout(results: Iterable[RepoResult] | Collected, level: int = 1) -> str:
    """The steps that remain after ``results``, under a heading of the ``level``; no secret is included."""
    title, below = f"{'#' * level} Order of rollout", "#" * (level + 1)
    collected = results if isinstance(results, Collected) else Collected(results)
    planned = [repo.result for repo in collected if not repo.result.error]
    if not any(result.changed for result in planned):
        return f"{title}\n\nNothing was migrated, so there is nothing to roll out.\n"
    bodies = (_trust(planned), _go_live(planned), _push(planned), _confirm(planned), _remove(planned), _rotate(planned))
    lines = [title, "", *(_about(collected, planned) if level == 1 else ()), "Each step needs the steps before."]
    for number, (heading, body) in enumerate(zip(STEPS, bodies, strict=True), 1):
        lines += ["", f"{below} {number}. {heading}", "", *body]
    return "\n".join((*lines, *_developers(planned, below), *_refusals(planned, below))) + "\n"


def _about(collected: Collected, results: Sequence[RepoResult]) -> Iterator[str]:
    run = collected.run
    yield f"After {code(run.command, 1000)} on {run.date}, tf-oidc-migrate {run.version}. The files are those of:"
    yield ""
    for result in results:
        revision = result.revision
        commit = " ".join(filter(None, (revision.branch, revision.commit[:12])))
        yield f"- {linked(code(result.title), revision.remote)}{f': {code(commit)}' if commit else ''}"
    yield ""


def _trust(results: Sequence[RepoResult]) -> Iterator[str]:
    repos = [result.repo for result in results]
    repos_words = "REPO..." if any(map(_IS_NO_PATH.match, repos)) else shlex.join(repos)
    yield "Each role needs a trust policy that allows the stacks. Each account needs Spacelift as an identity provider:"
    roles = " --role-arn ARN" * any(any(to_set(result)) for result in results)
    yield from ("", f"    tf-oidc-migrate trust --spacelift-host HOST{roles} {repos_words}", "")
    stacks: dict[str, dict[str, None]] = {}
    for row in (row for result in results for row in result.trusts):
        stacks.setdefault(row.role, {}).update(dict.fromkeys(row.stacks))
    for role, titles in stacks.items():
        repos_words = ", ".join(map(code, list(titles)[:_SUBJECTS]))
        more = f" and {len(titles) - _SUBJECTS:,} more" if len(titles) > _SUBJECTS else ""
        yield (
            f"- {code(role)}: {repos_words}{more}"
            if repos_words
            else f"- {code(role)}: the stacks that use this role are not known"
        )
    if any(any(to_set(result)) for result in results):
        yield "- ARN stands for the role that a variable of the next step is set to: repeat `--role-arn` for each role"
    if any(any(integrated(result)) for result in results):
        yield "- the role of an AWS integration trusts Spacelift's account instead, by the policy of the next step"
    yield "- keep the old statements of the trust policies until the keys are gone: runs of today's code need them"


def _go_live(results: Sequence[RepoResult]) -> Iterator[str]:
    steps = [step for result in results for step in _go_live_here(result)]
    yield from steps or ["- nothing of the stacks was changed, and no variable needs a value"]


def _go_live_here(result: RepoResult) -> Iterator[str]:
    yield from (_task(result, note) for note in (*to_set(result), *_notes(result, ATTACH_HOOK.code)) if not note.paste)
    places = [finding.place for finding in stack_side(result)]
    if places:
        yield (f"- {code(result.title)}: merge and apply these stack definitions first: {_places(result, places)}")
    for note in (note for note in result.notes if note.paste):
        yield _task(result, note)
        yield from ("", *(f"      {line}" for line in note.paste.splitlines()), "")


def _push(results: Sequence[RepoResult]) -> Iterator[str]:
    for result in results:
        if result.branch:
            yield f"- {code(result.title)}: {code(result.branch)}"
        notes = (_notes(result, kind) for kind in (ATTACH_HOOK.code, _REMOVAL, _BY_HAND, _DELETION))
        elsewhere = {*to_set(result), *rotations(result), *chain.from_iterable(notes)}
        yield from (_task(result, note) for note in result.notes if note not in elsewhere and not note.paste)
    yield "- prove the branch before it is pushed: `tf-oidc-migrate verify` with the same repositories"
    yield (
        "- the push starts proposed runs on the stacks that follow the repository, with the new code. Their token"
        " says `run_type:PROPOSED` and `scope:read`: the trust policy must allow this, or the runs fail"
    )
    yield (
        "- discard the runs that wait for review or confirmation on these stacks: they were planned with the"
        " old code and its keys"
    )
    yield from _stack_rows(results)


def _confirm(results: Sequence[RepoResult]) -> Iterator[str]:
    yield "- merge, then trigger one tracked run of each of these stacks, confirm the run, and wait until it is applied"
    yield "- expect a plan without changes, because only the sign-in is new"
    for row in _stacks(results):
        for remark in row.remarks:
            yield f"- {code(row.title)}: {prose(remark)}"


def _remove(results: Sequence[RepoResult]) -> Iterator[str]:
    yield (
        "- `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_PROFILE`, the `TF_VAR_` variables of"
        " keys, and mounted `.aws/` files"
    )
    for result in results:
        places = [finding.place for finding in keys_removed(result)]
        if places:
            yield f"- {code(result.title)}: the branch removes these: {_places(result, places)}"
        yield from (_task(result, note) for note in (*_notes(result, _REMOVAL), *_notes(result, _BY_HAND)))
    yield "- run each stack once more afterwards: a run that fails still needs one of the keys"
    if any(not result.is_whole for result in results):
        yield "- keep the keys of code that was refused: this code needs the keys, see *Not migrated* below"


def _rotate(results: Sequence[RepoResult]) -> Iterator[str]:
    yield (
        "- `aws iam get-access-key-last-used --access-key-id ID` shows when AWS last saw a key: no run needs a key"
        " that AWS has not seen since the last run"
    )
    yield "- deactivate the keys, wait for a day of runs, and delete the keys; then remove the old trust from the roles"
    for result in results:
        for note in rotations(result):
            yield f"- {code(result.title)}: the keys are or were at {_subjects(result, note)}"
        yield from (_task(result, note) for note in _notes(result, _DELETION))


def _developers(results: Sequence[RepoResult], below: str) -> Iterator[str]:
    rows = [(result, [finding.place for finding in reconfigured(result)]) for result in results]
    if any(places for _, places in rows):
        yield from ("", f"{below} For developers", "")
        yield "The configuration of these backends changes: run `terraform init -reconfigure` once in each checkout."
        yield from ("", *(f"- {code(result.title)}: {_places(result, places)}" for result, places in rows if places))


def _refusals(results: Sequence[RepoResult], below: str) -> Iterator[str]:
    """The refused places, grouped by reason."""
    if any(any(refusals(result)) for result in results):
        yield from (
            "",
            f"{below} Not migrated",
            "",
            "The code at these places still signs in as before, and needs the keys:",
            "",
        )
    for result in results:
        by_reason: dict[tuple[str, str], list[Place]] = {}
        for place, fix in refusals(result):
            by_reason.setdefault((fix.reason, fix.help), []).append(place)
        for (reason, advice), places in by_reason.items():
            yield f"- {code(result.title)}: {_places(result, places)}: {prose(reason)}"
            yield from [f"    - help: {prose(advice)}"] if advice else ()


def _notes(result: RepoResult, code: str) -> Iterator[Note]:
    return (note for note in result.notes if note.code == code)


def _task(result: RepoResult, note: Note) -> str:
    task = note.task.rstrip(".:") if note.subjects else note.task
    return f"- {code(result.title)}: {prose(task)}{': ' if note.subjects else ''}{_subjects(result, note)}"


def _subjects(result: RepoResult, note: Note) -> str:
    """The subjects of a note; many places are grouped by file, and others counted."""
    places = [place_of(subject) for subject in note.subjects]
    if len(places) > FILES and None not in places:
        return _places(result, [place for place in places if place is not None])
    subjects = [
        linked(code(subject), link(result.revision, place) if place else "")
        for subject, place in zip(note.subjects, places, strict=True)
    ]
    return ", ".join(subjects[:_SUBJECTS]) + (
        f" and {len(subjects) - _SUBJECTS:,} more" if len(subjects) > _SUBJECTS else ""
    )


def _places(result: RepoResult, places: Iterable[Place]) -> str:
    return ", ".join(
        linked(code(text), link(result.revision, place)) if place.path else text for place, text in grouped(places)
    )


def _stack_rows(results: Sequence[RepoResult]) -> Iterator[str]:
    yield from (f"    - {code(row.title)}, which runs {prose(row.code)}" for row in _stacks(results))


def _stacks(results: Sequence[RepoResult]) -> list[StackRow]:
    """The stacks that run migrated code, each once: those with a reported hook, or with a known role."""
    trusted = {title.rpartition(": ")[2] for result in results for row in result.trusts for title in row.stacks}
    rows = (row for result in results for row in result.stacks if row.hook or row.title in trusted)
    return list({(row.title, row.place.path, row.place.line): row for row in rows}.values())
