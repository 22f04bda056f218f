"""Worker processes on this machine, each with one job at a time, so that the death of one costs no other job.

A pool with a common queue breaks as a whole when a worker dies, and cannot tell whose job the worker had. Here every
worker has a channel of its own. A worker also leads a session of its own: the terminal's Ctrl-C does not reach the
worker, git cannot ask for a password, and the worker can be killed together with all programs of the job.
"""

from __future__ import annotations

import os
import pickle
import signal
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import connection, get_context, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from migrator.batch.job import INTERRUPTED, Failure, failure_of, outcome
from migrator.errors import MigrateError

_COORDINATED = (signal.SIGINT, signal.SIGTERM)
"""Signals that may reach all processes of a run at once: the parent alone decides on the jobs."""

_GRACE = 5.0
"""Seconds that jobs get to stop when all of them are ended."""

_DISMISSAL = 2.0
"""Seconds that idle workers get to end by themselves."""


class Processes:
    """An `Executor` of at most ``limit`` worker processes, started when they are needed.

    A server that has imported the modules ``preload`` forks the workers: they start quickly, share memory, and are safe
    even if this process has threads.
    """

    def __init__(self, limit: int, preload: Sequence[str] = ()) -> None:
        self._limit = limit
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload([__name__, *preload])
        self._idle: list[_Worker] = []
        self._busy: dict[int, _Worker] = {}
        self._ended: list[tuple[int, Any]] = []
        self._all: set[_Worker] = set()
        weakref.finalize(self, _kill, self._all)  # also at the interpreter's exit, if not closed before

    def room(self) -> int:
        """The number of workers."""
        return self._limit

    def start(self, ticket: int, function: Callable[[Any], Any], job: Any) -> None:
        """Give the job to an idle worker, or to a new one."""
        try:
            message = pickle.dumps((function, job))
        except Exception as error:
            self._ended.append((ticket, failure_of(error)))
            return
        self._busy[ticket] = self._employ(message)

    def wait(self, seconds: float) -> list[tuple[int, Any]]:
        """Answers, and the death of workers."""
        ended, self._ended = self._ended, []
        tickets = {worker.channel: ticket for ticket, worker in self._busy.items()}
        for channel in connection.wait(list(tickets), 0 if ended else seconds):
            ticket = tickets[channel]  # type: ignore[index]
            ended.append((ticket, self._answer(self._busy.pop(ticket))))
        return ended

    def interrupt(self, ticket: int) -> None:
        """Raise `KeyboardInterrupt` in the worker; the worker gets no further job, since programs may still run."""
        self._busy[ticket].interrupt()

    def kill(self, ticket: int) -> None:
        """Kill the worker's whole session."""
        self._remove(self._busy.pop(ticket))

    def close(self) -> None:
        """Let jobs in flight turn back, for a few seconds at most; end all workers."""
        if not self._all:  # no worker was needed, or the interpreter's exit has ended the workers
            return
        try:
            for worker in self._busy.values():
                worker.interrupt()
            self._await_interrupted(time.monotonic() + _GRACE)
            for worker in self._idle:
                worker.channel.close()  # the end of the channel ends the worker
            until = time.monotonic() + _DISMISSAL
            for worker in self._idle:
                worker.process.join(max(0.0, until - time.monotonic()))
        finally:
            _kill(self._all)
            self._idle.clear()
            self._busy.clear()

    def _await_interrupted(self, until: float) -> None:
        channels = {worker.channel for worker in self._busy.values()}
        while channels and (seconds := until - time.monotonic()) > 0:
            channels -= set(connection.wait(channels, seconds))

    def _employ(self, message: bytes) -> _Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.accepts(message):
                return worker
            self._remove(worker)  # the worker was killed while idle, which costs no job
        try:
            worker = _Worker(self._context.Process, self._context.Pipe())
        except (OSError, EOFError):
            raise MigrateError("No worker process can be started") from None
        self._all.add(worker)
        if not worker.accepts(message):
            raise MigrateError("A new worker process ended immediately")
        return worker

    def _answer(self, worker: _Worker) -> Any:
        try:
            message = worker.channel.recv_bytes()
        except (EOFError, OSError):
            reason = worker.end_reason()
            self._remove(worker)
            return Failure(reason)
        if worker.is_interrupted:
            self._remove(worker)
        else:
            self._idle.append(worker)
        try:
            return pickle.loads(message)  # noqa: S301 - the worker's, over its own channel
        except Exception as error:
            return failure_of(error)

    def _remove(self, worker: _Worker) -> None:
        self._all.discard(worker)
        worker.end()


class _Worker:
    """A process and the channel to the process."""

    def __init__(self, process: Callable[..., BaseProcess], pipe: tuple[Connection, Connection]) -> None:
        self.channel, worker_end = pipe
        self.is_interrupted = False
        with worker_end:  # closed here, so that only the worker holds it, and its death ends the channel
            self.process = process(target=_serve, args=(worker_end, dict(os.environ), _folder()))
            with _signals_blocked():
                self.process.start()
        self._pid: int = self.process.pid  # type: ignore[assignment] # it is started

    def accepts(self, message: bytes) -> bool:
        """Send a job to the worker; False if the worker is dead."""
        try:
            if self.channel.poll():  # a worker sends nothing unasked: this is the end of the channel
                return False
            self.channel.send_bytes(message)
        except OSError:
            return False
        return True

    def interrupt(self) -> None:
        """Send the signal to the process alone: programs in a critical section must end by themselves."""
        self.is_interrupted = True
        with suppress(OSError):
            os.kill(self._pid, signal.SIGINT)

    def end_reason(self) -> str:
        """A sentence on the end of a process that closed the channel."""
        self.process.join(_DISMISSAL)
        code = self.process.exitcode or 0
        if code < 0:
            return f"The worker process was killed by {signal.Signals(-code).name}"
        return f"The worker process ended with exit code {code}"

    def end(self) -> None:
        """Kill the worker process and every program that the process started."""
        self.channel.close()
        with suppress(OSError):
            os.killpg(self._pid, signal.SIGKILL)
        with suppress(OSError):
            self.process.kill()  # the worker may not lead a session yet
        self.process.join(_DISMISSAL)
        with suppress(ValueError):  # the process remains while it waits for a disk
            self.process.close()


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Block `_COORDINATED` in processes that start here: the server forever, a worker until it leads a session."""
    resource_tracker.ensure_running()  # before: the server unblocks signals at its start
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _COORDINATED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _kill(workers: set[_Worker]) -> None:
    while workers:
        workers.pop().end()


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # the folder was removed
        return os.sep


def _serve(channel: Connection, environment: dict[str, str], folder: str) -> None:
    """The life of a worker: answer one job after the other until the channel ends, by will or by the parent's death.

    The worker uses the environment and folder of the parent, which the fork server may not know.
    """
    os.setsid()
    for signals in _COORDINATED:
        signal.signal(signals, signal.SIG_IGN)  # which discards one that came before there was a session
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: None)  # a child process does not inherit this, as it would SIG_IGN
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _COORDINATED)
    os.environ.clear()
    os.environ.update(environment)
    with suppress(EOFError, OSError, KeyboardInterrupt):
        os.chdir(folder)
        while True:
            channel.send_bytes(_work(channel.recv_bytes()))


def _work(message: bytes) -> bytes:
    try:
        function, job = pickle.loads(message)  # noqa: S301 - the parent's
        return pickle.dumps(outcome(function, job))
    except KeyboardInterrupt:
        return pickle.dumps(INTERRUPTED)
    except Exception as error:
        return pickle.dumps(failure_of(error))
