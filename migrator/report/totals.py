"""The totals of all results: the figures at the head of a report, counted in one pass and little memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import Enum

from msgspec import Struct, field

from migrator.model.findings import FileProblem, LeftAlone, Note, Place, Refusal
from migrator.model.notes import OF_KEYS
from migrator.model.results import Mode, RepoResult, StackRow
from migrator.model.verification import Verdict, worst
from migrator.regex import regex
from migrator.report.serial import OUTCOMES, outcome

_VERSIONS = r"(?:[~<>=!]+\s*\d[\w.-]*|\d+\.\d+\.\d[\w.-]*)"
_VARYING = regex(rf"(?<!\S)\S+:\d+|{_VERSIONS}(?:,\s*{_VERSIONS})*")
"""Places and version constraints: reasons without a code that differ in these alone are one."""

_REASONS = 200
_EXAMPLES = 5
_OTHER = "other reasons"


class State(Enum):
    """The outcome of a repository as a whole."""

    MIGRATED = "migrated"
    PARTLY = "partly"
    REFUSED = "refused"
    FAILED = "failed"
    NOTHING = "nothing"


_LABELS = {
    State.MIGRATED: "Migrated",
    State.PARTLY: "Migrated in part",
    State.REFUSED: "Refused",
    State.FAILED: "Failed",
    State.NOTHING: "Nothing to migrate",
}
_VERIFIED = {Verdict.FAILED: State.FAILED, Verdict.NOT_PROVEN: State.PARTLY, Verdict.PROVEN: State.NOTHING}
_DRY_LABELS = {State.MIGRATED: "Would be migrated", State.PARTLY: "Would be migrated in part"}
_VERIFIED_LABELS = {State.PARTLY: "Not proven", State.NOTHING: "Nothing left to prove"}


class Reason(Struct):
    """A reason for places without a change: the count, and the first few places, with the number of the repository.

    ``text`` and ``help`` are the common part of the sentences of all places, ``code`` is the code of the refusals.
    """

    text: str
    code: str = ""
    help: str = ""
    count: int = 0
    examples: list[tuple[int, str, Place]] = field(default_factory=list)


class Totals(Struct):
    """Counts over all results."""

    states: Counter[State] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    modes: Counter[Mode] = field(default_factory=Counter)
    reasons: dict[str, Reason] = field(default_factory=dict)
    problems: int = 0
    files: int = 0
    rotations: int = 0
    signers: int = 0
    verified: int = 0
    alone: dict[str, Reason] = field(default_factory=dict)
    """The reasons of places that were left alone."""
    environment: int = 0
    """How many places keep the credentials of the environment."""
    defined: Counter[str] = field(default_factory=Counter)
    """How many stacks each repository defines, by what it tells of them itself."""
    seen: Counter[str] = field(default_factory=Counter)
    """How many stacks of each repository others tell of, whose code they run."""

    @property
    def stacks(self) -> int:
        """The number of rows of stacks, each stack counted once."""
        return self.defined.total() + sum(count for repo, count in self.seen.items() if repo not in self.defined)

    def is_listed_once(self, stack: StackRow) -> bool:
        """Whether no other repository reports the stack."""
        return stack.repo not in self.defined

    @property
    def repositories(self) -> int:
        """The number of results."""
        return self.states.total()

    @property
    def places(self) -> dict[str, int]:
        """The number of places by outcome; a file that could not be parsed is a refused place."""
        return {**{name: self.outcomes[name] for name in OUTCOMES}, "refused": self.refusals}

    @property
    def refusals(self) -> int:
        """The number of refused findings and of files that could not be parsed."""
        return self.outcomes["refused"] + self.problems

    @property
    def is_dry(self) -> bool:
        """Whether nothing was written anywhere."""
        return set(self.modes) <= {Mode.PREVIEW, Mode.CHECK}

    def label(self, state: State) -> str:
        """What people call a ``state`` of this run."""
        labels = _VERIFIED_LABELS if self.verified else _DRY_LABELS if self.is_dry else {}
        return labels.get(state, _LABELS[state])

    @property
    def ranked(self) -> list[Reason]:
        """The reasons, the most frequent first."""
        return _ranked(self.reasons)

    @property
    def ranked_alone(self) -> list[Reason]:
        """The same of places that were left alone."""
        return _ranked(self.alone)

    def add(self, number: int, result: RepoResult) -> None:
        """Count the masked result with this ``number``."""
        self.states[state_of(result)] += 1
        self.modes[result.mode] += 1
        self.outcomes.update(outcome(finding) for finding in result.findings)
        self.problems += len(result.problems)
        self.files += len(result.changed)
        self.defined.update(result.repo for stack in result.stacks if not stack.repo)
        self.seen.update(stack.repo for stack in result.stacks if stack.repo)
        self.signers += 0 if result.error else len(result.signers)
        self.verified += len(result.verified)
        self.environment += len(result.run_credentials)
        self.rotations += sum(len(note.subjects) for note in rotations(result))
        for place, fix in refusals(result):
            _add(self.reasons, fix, (number, result.title, place))
        for finding in result.findings:
            if isinstance(finding.fix, LeftAlone):
                _add(self.alone, finding.fix, (number, result.title, finding.place))


def state_of(result: RepoResult) -> State:
    """The outcome of one repository."""
    if result.error:
        return State.FAILED
    if result.verified:
        return _VERIFIED[worst(proof for row in result.verified for proof in row.proofs)]
    if result.changed:
        return State.MIGRATED if result.is_whole else State.PARTLY
    return State.NOTHING if result.is_whole else State.REFUSED


def places_of(result: RepoResult) -> dict[str, int]:
    """The number of places of one repository by outcome; the sum over all repositories is `Totals.places`."""
    counts = Counter(outcome(finding) for finding in result.findings)
    counts["refused"] += len(result.problems)
    return {name: counts[name] for name in OUTCOMES}


def rotations(result: RepoResult) -> Iterator[Note]:
    """The notes on keys that git's history keeps; none if nothing was done because of an error."""
    return (note for note in result.notes if note.code in OF_KEYS and not result.error)


def refusals(result: RepoResult) -> Iterator[tuple[Place, Refusal | FileProblem]]:
    """The places that were refused or could not be read, each with reason, code and help."""
    yield from ((finding.place, finding.fix) for finding in result.findings if isinstance(finding.fix, Refusal))
    yield from ((problem.place, problem) for problem in result.problems)


def without_places(text: str) -> str:
    """``text`` with an ellipsis for each place and version constraint in it."""
    return _VARYING.sub("…", text)


def _ranked(reasons: dict[str, Reason]) -> list[Reason]:
    return sorted(reasons.values(), key=lambda reason: (-reason.count, reason.text))


def _add(reasons: dict[str, Reason], fix: Refusal | LeftAlone | FileProblem, example: tuple[int, str, Place]) -> None:
    pattern = without_places(fix.reason)
    key = fix.code or pattern
    if key not in reasons and len(reasons) >= _REASONS:
        key, pattern = _OTHER, _OTHER
    entry = reasons.setdefault(key, Reason(pattern, fix.code, fix.help))
    if key != _OTHER:
        entry.text, entry.help = _in_common(entry.text, pattern), _in_common(entry.help, fix.help)
    entry.count += 1
    if len(entry.examples) < _EXAMPLES:
        entry.examples.append(example)


def _in_common(text: str, other: str) -> str:
    """``text`` with an ellipsis for each run of words that ``other`` has otherwise."""
    if text == other:
        return text
    words, others = text.split(" "), other.split(" ")
    if len(words) == len(others) and all(word in ("…", same) for word, same in zip(words, others, strict=True)):
        return text
    from difflib import SequenceMatcher  # here: few reports have reasons that are nearly alike

    matches = SequenceMatcher(None, words, others, autojunk=False).get_matching_blocks()
    shared: list[str] = []
    end = other_end = 0
    for start, other_start, size in matches:
        if (start > end or other_start > other_end) and shared[-1:] != ["…"]:
            shared.append("…")
        shared += [word for word in words[start : start + size] if word != "…" or shared[-1:] != ["…"]]
        end, other_end = start + size, other_start + size
    return " ".join(shared)
