"""The outcome of a job: the function's result, or a `Failure` with the reason in a sentence."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct


class Failure(Struct, frozen=True):
    """A job without a result; ``reason`` is a sentence that holds nothing of the job's data."""

    reason: str


INTERRUPTED = Failure("was interrupted")
"""The job stopped on request."""


class Executor(Protocol):
    """An executor of jobs. `migrator.batch.pool.run_jobs` is the only user; a ticket is the number of a running job.

    ``start`` and ``wait`` may raise `MigrateError` if no job can run any more.
    """

    def room(self) -> int:
        """The number of jobs that may run at present; at least one."""

    def start(self, ticket: int, function: Callable[[Any], Any], job: Any) -> None:
        """Have ``function(job)`` run."""

    def wait(self, seconds: float) -> list[tuple[int, Any]]:
        """The tickets that came to an end, with the result or `Failure` of each; waits for one, but not for longer."""

    def interrupt(self, ticket: int) -> None:
        """Ask a job to stop; the job may end with `INTERRUPTED`, or with a result if the request is too late."""

    def kill(self, ticket: int) -> None:
        """End a job with all its child processes; nothing is heard of its ticket any more."""

    def close(self) -> None:
        """Close the executor: running jobs are asked to stop, and killed if they do not."""


def outcome(function: Callable[[Any], Any], job: Any) -> Any:
    """``function(job)``, or the `Failure` that an exception comes to; only an interrupt goes on upwards."""
    try:
        return function(job)
    except (Exception, SystemExit) as error:
        return failure_of(error)


def failure_of(error: BaseException) -> Failure:
    """An exception by its type and place: its text could hold a secret."""
    frames = list(traceback.walk_tb(error.__traceback__))
    if not frames:
        return Failure(f"Internal error ({type(error).__name__}). Please report this error")
    frame, line = frames[-1]
    place = f"{Path(frame.f_code.co_filename).name}:{line}"
    return Failure(f"Internal error ({type(error).__name__} at {place}). Please report this error")
