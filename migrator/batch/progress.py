"""The progress of a run over many repositories, on standard error: live lines on a terminal, plain lines elsewhere.

Only this module imports rich. Text may come from a hostile repository: the text is never markup, and moves no cursor.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from migrator.secret.printable import plain_line

if TYPE_CHECKING:
    from rich.progress import TaskID

_REFRESHES = 4
"""A second."""


class Progress:
    """Shows failures only: the quiet form, and the base of the other forms. A context manager.

    ``total`` is the number of repositories, if known, ``done`` the number that an earlier run has finished.
    """

    def __init__(self, stream: TextIO, total: int | None, done: int) -> None:
        self._stream = stream
        self._total = total
        self._done = done

    def __enter__(self) -> Progress:
        self._warnings = _Warnings(self)
        logging.getLogger("migrator").addHandler(self._warnings)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the display."""
        logging.getLogger("migrator").removeHandler(self._warnings)

    def started(self, name: str) -> None:
        """A repository is in flight."""

    def surveyed(self, name: str) -> None:
        """The first pass over the repository is done."""

    def finished(self, name: str, outcome: str, is_failed: bool) -> None:
        """The repository is done, with ``outcome``."""
        self._done += 1
        self._show(name, outcome, is_failed)

    def say(self, text: str) -> None:
        """A line for the user."""
        self._write(text)

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Show nothing meanwhile, so that standard output, perhaps the same terminal, can be written to."""
        yield

    def _show(self, name: str, outcome: str, is_failed: bool) -> None:
        if is_failed:
            self._write(self._line(name, outcome))

    def _line(self, name: str, outcome: str) -> str:
        count = str(self._done) if self._total is None else f"{self._done}/{self._total}"
        return f"[{count}] {name}: {outcome}"

    def _write(self, text: str) -> None:
        self._stream.write(plain_line(text) + "\n")
        self._stream.flush()


class _Warnings(logging.Handler):
    """Show the program's warnings, for example about a forge that must be waited for, between the other lines."""

    def __init__(self, bar: Progress) -> None:
        super().__init__(logging.WARNING)
        self._shown = bar

    def emit(self, record: logging.LogRecord) -> None:
        """Show the record."""
        self._shown.say(record.getMessage())


class _Lines(Progress):
    """A line for each repository that is finished."""

    def _show(self, name: str, outcome: str, is_failed: bool) -> None:  # noqa: ARG002
        self._write(self._line(name, outcome))


class _Bars(Progress):
    """A bar for all repositories, and below a line for each running repository; failures stay above."""

    def __init__(self, stream: TextIO, total: int | None, done: int) -> None:
        from rich.console import Console, Group  # here and below: slow to load, and of no use elsewhere
        from rich.live import Live
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars
        from rich.table import Column

        super().__init__(stream, total, done)
        self._console = Console(file=stream, highlight=False, emoji=False, markup=False)
        times = (TimeElapsedColumn(), "left:", TimeRemainingColumn())
        whole = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), *times)
        self._whole = Bars(*whole, console=self._console)
        self._bar = self._whole.add_task("", total=total, completed=done)
        age = TimeElapsedColumn(Column(min_width=7, no_wrap=True))  # however long a name is
        self._flying = Bars(age, TextColumn("{task.description}", markup=False), console=self._console)
        self._tasks: dict[str, TaskID] = {}
        self._surveyed = 0
        self._live = Live(
            Group(self._whole, self._flying),
            console=self._console,
            refresh_per_second=_REFRESHES,
            redirect_stdout=False,
            redirect_stderr=False,
            transient=True,
        )

    def __enter__(self) -> Progress:
        self._live.__enter__()
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._live.__exit__(kind, error, trace)

    @contextmanager
    def hidden(self) -> Iterator[None]:
        self._live.stop()
        try:
            yield
        finally:
            self._live.start(refresh=True)

    def started(self, name: str) -> None:
        self._landed(name)
        self._tasks[name] = self._flying.add_task(plain_line(name))

    def surveyed(self, name: str) -> None:
        self._landed(name)
        self._surveyed += 1
        self._whole.update(self._bar, description=f"({self._surveyed} read)")

    def _landed(self, name: str) -> None:
        if name in self._tasks:
            self._flying.remove_task(self._tasks.pop(name))

    def _show(self, name: str, outcome: str, is_failed: bool) -> None:
        self._landed(name)
        self._whole.update(self._bar, completed=self._done)
        super()._show(name, outcome, is_failed)

    def _write(self, text: str) -> None:
        from rich.text import Text

        self._console.print(Text(plain_line(text)))


def progress(total: int | None, *, done: int = 0, is_quiet: bool = False, stream: TextIO | None = None) -> Progress:
    """The form of `Progress` that suits ``stream``, standard error by default."""
    stream = stream or sys.stderr
    if is_quiet:
        return Progress(stream, total, done)
    return (_Bars if _is_terminal(stream) else _Lines)(stream, total, done)


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown")


@contextmanager
def counting(*, is_quiet: bool = False) -> Iterator[Callable[[str, int], None]]:
    """Yield a function that receives the counts of objects read; shown on a terminal only."""
    if is_quiet or not _is_terminal(sys.stderr):
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(file=sys.stderr, highlight=False, emoji=False, markup=False)
    with Bars(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console) as bars:
        task = bars.add_task("signing in")
        yield lambda what, count: bars.update(task, description=f"{what}: {count}")


@contextmanager
def waiting(what: str, patience: float = 1.0) -> Iterator[None]:
    """Show ``what`` and the time on a terminal, if the block takes longer than ``patience`` seconds."""
    if not _is_terminal(sys.stderr):
        yield
        return
    is_over = threading.Event()

    def show() -> None:
        if is_over.wait(patience):
            return
        from rich.console import Console  # here: most runs are over before
        from rich.progress import Progress as Bars
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

        console = Console(file=sys.stderr, highlight=False, emoji=False, markup=False)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Bars(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as bars:
            bars.add_task(what)
            is_over.wait()

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
