"""The records in a journal: jobs, surveys and results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.model.fleet import ALONE, Fleet, Survey
from migrator.model.fleet_parts import parts
from migrator.model.results import RepoResult
from migrator.report.serial import from_plain
from migrator.spacelift.inventory.known import account_of

if TYPE_CHECKING:
    from migrator.batch.journal import Journal
    from migrator.config.config import Config
    from migrator.remotes.sources import RepoSource


SURVEY = "survey of "


class RepoJob(Struct, frozen=True):
    """A repository and the work on the repository; ``clones`` is the folder for clones of remote repositories.

    ``push_to`` is the remote for the branch, ``""`` for none. With ``planned``, only the planned changes are made.
    """

    source: RepoSource
    config: Config
    clones: str = ""
    push_to: str = ""
    fleet: Fleet = ALONE
    planned: RepoResult | None = None

    @property
    def name(self) -> str:
        """The name of the repository in this run."""
        return self.source.name


class Results(Struct, frozen=True):
    """The results in a journal, which can be iterated any number of times without all in memory."""

    journal: Journal

    def __iter__(self) -> Iterator[RepoResult]:
        return (from_plain(RepoResult, plain) for name, plain in self.journal.finished() if not name.startswith(SURVEY))


def surveys_in(journal: Journal) -> dict[str, Survey]:
    """The surveys in a journal, by the repository's name."""
    records = (entry for entry in journal.finished() if entry[0].startswith(SURVEY))
    return {name.removeprefix(SURVEY): from_plain(Survey, plain) for name, plain in records}


def left(journal: Journal) -> Iterator[tuple[str, bool]]:
    """The repositories of a run without a result, and whether they were in work when the run was interrupted."""
    yield from ((name, True) for name in journal.started_only() if not name.startswith(SURVEY))
    yield from ((name, False) for name in journal.pending())


def fleets(jobs: Sequence[RepoJob], surveys: Iterable[Survey]) -> Iterator[Fleet]:
    """The facts that each of the ``surveys`` needs of the others, and of the account of the run's inventory."""
    return parts(surveys, account_of(jobs[0].config.inventory).stacks if jobs else ())
