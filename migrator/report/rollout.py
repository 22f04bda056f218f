"""The order in which a migration goes live, as Markdown: what to do, in which repository, stack and account.

Trust comes first and rotation last, as each step needs those before it:
https://docs.spacelift.io/integrations/cloud-providers/oidc/aws-oidc.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from migrator.model.notes import APPLY_REMOVAL, ATTACH_HOOK, DELETE_ACCESS_KEYS, REMOVE_KEYS_IN_SPACELIFT
from migrator.report.markdown import code, prose
from migrator.report.shown import shown
from migrator.report.steps import STEPS, integrated, keys_removed, reconfigured, stack_side, to_set
from migrator.report.totals import refusals, rotations

if TYPE_CHECKING:
    from migrator.model.findings import Note
    from migrator.model.results import RepoResult, StackRow

_REMOVAL, _BY_HAND, _DELETION = APPLY_REMOVAL.code, REMOVE_KEYS_IN_SPACELIFT.code, DELETE_ACCESS_KEYS.code
_WORDS = re.compile(r"[\w\s.,:;/'()=-]*", re.ASCII)
"""What nothing in Markdown is made of but a plain address."""

_IS_NO_PATH = re.compile(r"\w+://|[\w.-]+@[\w.-]+:")


def rollout(results: Iterable[RepoResult], level: int = 1) -> str:
    """The steps that are left after ``results``, under a heading of the ``level``; no secret is in it."""
    title, below = f"{'#' * level} Order of rollout", "#" * (level + 1)
    kept = [result for result in shown(results) if not result.error]
    if not any(result.changed for result in kept):
        return f"{title}\n\nNothing was migrated, so there is nothing to roll out.\n"
    bodies = (_trust(kept), _live(kept), _push(kept), _confirm(kept), _remove(kept), _rotate(kept))
    lines = [title, "", "Each step needs those before it."]
    for number, (heading, body) in enumerate(zip(STEPS, bodies, strict=True), 1):
        lines += ["", f"{below} {number}. {heading}", "", *body]
    return "\n".join((*lines, *_developers(kept, below), *_left(kept, below))) + "\n"


def _trust(results: Sequence[RepoResult]) -> Iterator[str]:
    repos = [result.repo for result in results]
    named = "REPO..." if any(map(_IS_NO_PATH.match, repos)) else shlex.join(repos)
    yield "Each role needs a trust policy that admits the stacks, and its account the identity provider:"
    yield from ("", f"    tf-oidc-migrate trust --spacelift-host HOST {named}", "")
    stacks: dict[str, dict[str, None]] = {}
    for row in (row for result in results for row in result.trusts):
        stacks.setdefault(row.role, {}).update(dict.fromkeys(row.stacks))
    for role, titles in stacks.items():
        yield f"- {code(role)}: {', '.join(map(code, titles)) or 'its stacks, which are not known here'}"
    if any(any(to_set(result)) for result in results):
        yield "- every role that a variable of the next step is set to: name it by `--role-arn`"
    if any(any(integrated(result)) for result in results):
        yield "- the role of an AWS integration trusts Spacelift's account instead, by the policy of the next step"
    yield "- trust that is there stays until the keys are gone: runs of today's code still need it"


def _live(results: Sequence[RepoResult]) -> Iterator[str]:
    steps = [step for result in results for step in _live_here(result)]
    yield from steps or ["- nothing of the stacks was changed, and no variable needs a value"]


def _live_here(result: RepoResult) -> Iterator[str]:
    yield from (_task(result, note) for note in (*to_set(result), *_notes(result, ATTACH_HOOK.code)) if not note.paste)
    places = sorted({str(finding.place) for finding in stack_side(result)})
    if places:
        yield (
            f"- {code(result.repo)}: merge and apply the stacks' definitions before the code that they run:"
            f" {', '.join(map(code, places))}"
        )
    for note in (note for note in result.notes if note.paste):
        yield _task(result, note)
        yield from ("", *(f"      {line}" for line in note.paste.splitlines()), "")


def _push(results: Sequence[RepoResult]) -> Iterator[str]:
    for result in results:
        if result.branch:
            yield f"- {code(result.repo)}: {code(result.branch)}"
        told = (_notes(result, kind) for kind in (ATTACH_HOOK.code, _REMOVAL, _BY_HAND, _DELETION))
        elsewhere = {*to_set(result), *rotations(result), *chain.from_iterable(told)}
        yield from (_task(result, note) for note in result.notes if note not in elsewhere and not note.paste)
    yield "- prove the branch before it is pushed: `tf-oidc-migrate verify` with the same repositories"
    yield (
        "- pushing it starts proposed runs on the stacks that follow the repository, with the new code. Their token"
        " says `run_type:PROPOSED` and `scope:read`: the trust policy must admit it, or they fail"
    )
    yield (
        "- discard the runs that are waiting, for review or confirmation, on these stacks: they were planned with the"
        " old code and its keys"
    )
    yield from _stack_rows(results)


def _confirm(results: Sequence[RepoResult]) -> Iterator[str]:
    yield "- merge, then trigger one tracked run of each of these stacks; confirm it and see it applied"
    yield "- a plan without changes is what to expect: only the sign-in is another"
    for row in _stacks(results):
        for remark in row.remarks:
            yield f"- {code(row.title)}: {prose(remark)}"


def _remove(results: Sequence[RepoResult]) -> Iterator[str]:
    yield (
        "- `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_PROFILE`, the `TF_VAR_` variables of"
        " keys, and mounted `.aws/` files"
    )
    for result in results:
        places = sorted({str(finding.place) for finding in keys_removed(result)})
        if places:
            yield f"- {code(result.repo)}: the branch removes these: {', '.join(map(code, places))}"
        yield from (_task(result, note) for note in (*_notes(result, _REMOVAL), *_notes(result, _BY_HAND)))
    yield "- run each stack once more afterwards: nothing may have lived on them unseen"
    if any(not result.is_whole for result in results):
        yield "- not where something was refused, which still signs in with them: see below"


def _rotate(results: Sequence[RepoResult]) -> Iterator[str]:
    yield (
        "- `aws iam get-access-key-last-used --access-key-id ID` shows when AWS last saw a key: a key is dead once no"
        " run has used the key since"
    )
    yield "- deactivate the keys, wait for a day of runs, delete them; take the trust in their user out of the roles"
    for result in results:
        for note in rotations(result):
            yield f"- {code(result.repo)}: they stood at {', '.join(map(code, note.subjects))}"
        yield from (_task(result, note) for note in _notes(result, _DELETION))


def _developers(results: Sequence[RepoResult], below: str) -> Iterator[str]:
    places = [
        f"- {code(result.repo)}: {code(str(finding.place))}" for result in results for finding in reconfigured(result)
    ]
    if places:
        yield from ("", f"{below} For developers", "")
        yield "The configuration of these backends changes: run `terraform init -reconfigure` once in each checkout."
        yield from ("", *dict.fromkeys(places))


def _left(results: Sequence[RepoResult], below: str) -> Iterator[str]:
    rows = [(result, place, reason) for result in results for place, reason, _ in refusals(result)]
    if rows:
        yield from ("", f"{below} Not migrated", "", "These still sign in as before, and need their keys:", "")
        yield from (f"- {code(f'{result.repo}: {place}')}: {prose(reason)}" for result, place, reason in rows)


def _notes(result: RepoResult, code: str) -> Iterator[Note]:
    return (note for note in result.notes if note.code == code)


def _task(result: RepoResult, note: Note) -> str:
    said = note.task.rstrip(".:") if note.subjects else note.task
    task = said if _WORDS.fullmatch(said) else prose(said)
    return f"- {code(result.repo)}: {task}{': ' if note.subjects else ''}{', '.join(map(code, note.subjects))}"


def _stack_rows(results: Sequence[RepoResult]) -> Iterator[str]:
    yield from (f"    - {code(row.title)}, which runs {prose(row.code)}" for row in _stacks(results))


def _stacks(results: Sequence[RepoResult]) -> list[StackRow]:
    """The stacks that run migrated code, each once: those that a hook is told of, or that sign in with a known role."""
    trusted = {title.rpartition(": ")[2] for result in results for row in result.trusts for title in row.stacks}
    rows = (row for result in results for row in result.stacks if row.hook or row.title in trusted)
    return list({(row.title, row.place.path, row.place.line): row for row in rows}.values())
