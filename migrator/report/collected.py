"""All results of a run, masked once and then read by every report in turn."""

from __future__ import annotations

import os
import pickle
import shlex
import sys
import tempfile
import weakref
from array import array
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from migrator import __version__
from migrator.errors import MigrateError
from migrator.model.diagnostics import Diagnostic
from migrator.model.findings import Finding, Place, Rewrite
from migrator.report.places import is_address
from migrator.report.shown import show_line, show_with_diff
from migrator.report.totals import State, Totals, refusals, state_of

if TYPE_CHECKING:
    from migrator.model.results import RepoResult

RUN_FAILED = Diagnostic(
    "repository-failed",
    found="The run on this repository failed.",
    why="Nothing in the repository was changed.",
    help="Read the error of the repository, correct the cause, and run the command again.",
)

ATTENTION = (State.FAILED, State.REFUSED, State.PARTLY, State.MIGRATED, State.NOTHING)
"""States in the order of a report for people: states that need attention come first."""

_IN_MEMORY = 64_000
_MOST = 999_999


class Run(Struct, frozen=True):
    """The run of a report: the ``command`` without secrets, and the ``date`` in UTC."""

    command: str
    date: str
    version: str = __version__


def this_run() -> Run:
    """The run of this process. ``SOURCE_DATE_EPOCH`` sets the date: https://reproducible-builds.org/specs/."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    time = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdecimal() else datetime.now(UTC)
    return Run(show_line(shlex.join(["tf-oidc-migrate", *sys.argv[1:]])), time.strftime("%Y-%m-%d %H:%M UTC"))


class CollectedResult(NamedTuple):
    """A masked result; ``number`` is from 1 in the order of the run.

    ``places`` are the unmasked places of the findings and then of the problems, which no report may show.
    """

    number: int
    result: RepoResult
    places: tuple[Place, ...]


class Collected:
    """Every result of a run, masked and printable, and the totals of all results.

    Many results are kept in an unnamed file, so that memory does not grow with their number. Raises `MigrateError` if
    that file cannot be written.
    """

    def __init__(self, results: Iterable[RepoResult] = (), run: Run | None = None) -> None:
        self.run = run or this_run()
        self.totals = Totals()
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - see the next line
        weakref.finalize(self, self._file.close)
        self._starts, self._diffs, self._ranks = array("Q"), array("Q"), array("Q")
        for result in results:
            self.add(result)

    def add(self, raw: RepoResult) -> None:
        """Add the result of the next repository. Raises `MigrateError` if the file cannot be written."""
        try:
            self._add(len(self._starts) + 1, raw)
        except OSError as error:
            raise MigrateError(f"the reports cannot be prepared: {error.strerror or 'output failed'}") from None

    def __iter__(self) -> Iterator[CollectedResult]:
        """The results in the order of the run, without their diffs."""
        return map(self._without_diff, range(len(self._starts)))

    def with_diffs(self) -> Iterator[CollectedResult]:
        """The same with their diffs."""
        return map(self._with_diff, range(len(self._starts)))

    def ranked(self) -> Iterator[CollectedResult]:
        """The results without their diffs, first those that need attention."""
        return map(self._without_diff, self._order())

    def ranked_with_diffs(self) -> Iterator[CollectedResult]:
        """The same with their diffs."""
        return map(self._with_diff, self._order())

    def _order(self) -> list[int]:
        return sorted(range(len(self._ranks)), key=self._ranks.__getitem__)

    def _add(self, number: int, raw: RepoResult) -> None:
        result = show_with_diff(raw)
        places = (*(finding.place for finding in raw.findings), *(problem.place for problem in raw.problems))
        if not is_address(result.revision.remote):
            result = replace(result, revision=replace(result.revision, remote=""))
        if result.error:
            result = replace(result, findings=tuple(_refused(finding) for finding in result.findings))
        brief = replace(result, diff=b"")
        self.totals.add(number, brief)
        refused = min(sum(1 for _ in refusals(brief)), _MOST)
        self._ranks.append(ATTENTION.index(state_of(brief)) * (_MOST + 1) + _MOST - refused)
        self._starts.append(self._write(pickle.dumps(CollectedResult(number, brief, places))))
        self._diffs.append(self._write(pickle.dumps(result.diff)))

    def _write(self, data: bytes) -> int:
        start = self._file.tell()
        self._file.write(len(data).to_bytes(8, "big") + data)
        return start

    def _read(self, start: int) -> Any:
        self._file.seek(start)
        size = int.from_bytes(self._file.read(8), "big")
        return pickle.loads(self._file.read(size))  # noqa: S301 - written above, to a file that has no name

    def _without_diff(self, index: int) -> CollectedResult:
        result: CollectedResult = self._read(self._starts[index])
        return result

    def _with_diff(self, index: int) -> CollectedResult:
        result = self._without_diff(index)
        return result._replace(result=replace(result.result, diff=self._read(self._diffs[index])))


def _refused(finding: Finding) -> Finding:
    """The ``finding`` of a repository whose run failed: the planned change was not made."""
    return replace(finding, fix=RUN_FAILED.refusal()) if isinstance(finding.fix, Rewrite) else finding
