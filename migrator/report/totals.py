"""What all results come to: the figures at the head of a report, gathered in one pass and little memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from migrator.model.findings import Note, Place, Refusal
from migrator.model.notes import OF_KEYS
from migrator.model.results import Mode, RepoResult, StackRow
from migrator.model.verification import Verdict, worst
from migrator.report.serial import outcome

_VERSIONS = r"(?:[~<>=!]+\s*\d[\w.-]*|\d+\.\d+\.\d[\w.-]*)"
_VARYING = re.compile(rf"(?<!\S)\S+:\d+|{_VERSIONS}(?:,\s*{_VERSIONS})*")
"""Places and version constraints: reasons without a code that differ in these alone are one."""

_REASONS = 200
_EXAMPLES = 5
_OTHER = "other reasons"


class State(Enum):
    """What came of a repository as a whole."""

    MIGRATED = "migrated"
    PARTLY = "partly"
    REFUSED = "refused"
    FAILED = "failed"
    NOTHING = "nothing"


_LABELS = {
    State.MIGRATED: "Migrated",
    State.PARTLY: "Partly migrated",
    State.REFUSED: "Refused",
    State.FAILED: "Failed",
    State.NOTHING: "Nothing to do",
}
_VERIFIED = {Verdict.FAILED: State.FAILED, Verdict.NOT_PROVEN: State.PARTLY, Verdict.PROVEN: State.NOTHING}
_DRY_LABELS = {State.MIGRATED: "Would migrate", State.PARTLY: "Partly"}


def label(state: State, *, is_dry: bool) -> str:
    """What people call ``state``; ``is_dry`` says that nothing was written."""
    return (is_dry and _DRY_LABELS.get(state)) or _LABELS[state]


@dataclass(slots=True)
class Reason:
    """Why something was refused, in words; how often; the first places, each with its repository's number from 1."""

    text: str = ""
    count: int = 0
    examples: list[tuple[int, str, Place]] = field(default_factory=list)


@dataclass(slots=True)
class Totals:
    """Counts over all results."""

    states: Counter[State] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    modes: Counter[Mode] = field(default_factory=Counter)
    reasons: dict[str, Reason] = field(default_factory=dict)
    problems: int = 0
    files: int = 0
    rotations: int = 0
    defined: Counter[str] = field(default_factory=Counter)
    """How many stacks each repository defines, by what it tells of them itself."""
    seen: Counter[str] = field(default_factory=Counter)
    """How many stacks of each repository others tell of, whose code they run."""

    @property
    def stacks(self) -> int:
        """How many rows there are of stacks that are told of once."""
        return self.defined.total() + sum(count for repo, count in self.seen.items() if repo not in self.defined)

    def is_told_once(self, stack: StackRow) -> bool:
        """Whether it is no other repository's that tells of the stack itself."""
        return stack.repo not in self.defined

    @property
    def repositories(self) -> int:
        """How many results there are."""
        return self.states.total()

    @property
    def refusals(self) -> int:
        """How many findings were refused and files not understood."""
        return self.outcomes["refused"] + self.problems

    @property
    def is_dry(self) -> bool:
        """Whether nothing was written anywhere."""
        return set(self.modes) <= {Mode.PREVIEW, Mode.CHECK}

    @property
    def ranked(self) -> list[tuple[str, Reason]]:
        """The reasons, the most frequent first."""
        ranked = sorted(self.reasons.values(), key=lambda reason: (-reason.count, reason.text))
        return [(reason.text, reason) for reason in ranked]


def state_of(result: RepoResult) -> State:
    """What came of one repository."""
    if result.error:
        return State.FAILED
    if result.verified:
        return _VERIFIED[worst(proof for row in result.verified for proof in row.proofs)]
    if result.changed:
        return State.MIGRATED if result.is_whole else State.PARTLY
    return State.NOTHING if result.is_whole else State.REFUSED


def totals_of(results: Iterable[RepoResult]) -> Totals:
    """The figures of ``results``, which are to be fit for showing."""
    totals = Totals()
    for number, result in enumerate(results, start=1):
        totals.states[state_of(result)] += 1
        totals.modes[result.mode] += 1
        totals.outcomes.update(outcome(finding) for finding in result.findings)
        totals.problems += len(result.problems)
        totals.files += len(result.changed)
        totals.defined.update(result.repo for stack in result.stacks if not stack.repo)
        totals.seen.update(stack.repo for stack in result.stacks if stack.repo)
        totals.rotations += sum(len(note.subjects) for note in rotations(result))
        for place, reason, code in refusals(result):
            _add(totals.reasons, reason, code, (number, result.repo, place))
    return totals


def rotations(result: RepoResult) -> Iterator[Note]:
    """The notes on keys that git's history keeps; none if nothing was done because of an error."""
    return (note for note in result.notes if note.code in OF_KEYS and not result.error)


def refusals(result: RepoResult) -> Iterator[tuple[Place, str, str]]:
    """Where something was refused or could not be read, why, and the code of that."""
    refused = (finding for finding in result.findings if isinstance(finding.fix, Refusal))
    yield from ((finding.place, finding.fate, finding.code) for finding in refused)
    yield from ((problem.place, problem.reason, problem.code) for problem in result.problems)


def _add(reasons: dict[str, Reason], reason: str, code: str, example: tuple[int, str, Place]) -> None:
    alike = _VARYING.sub("…", reason)
    key = code or alike
    if key not in reasons and len(reasons) >= _REASONS:
        key = alike = _OTHER
    entry = reasons.setdefault(key, Reason(alike))
    entry.count += 1
    if len(entry.examples) < _EXAMPLES:
        entry.examples.append(example)
