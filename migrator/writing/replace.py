"""Files replaced all together: written to temporary files, moved into place, and restored if anything fails."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrator.errors import MigrateError
from migrator.writing import undo_log

if TYPE_CHECKING:
    from migrator.model.findings import Change


class Replacement:
    """The new contents of files in temporary files; nothing is replaced until `commit`.

    Use as a context manager, within `uninterrupted`; its ``checkpoint`` is called between files as long as the work can
    be undone. The old state is written to ``log`` first; ``git`` has the facts beyond the files. If the block fails,
    ``recover`` restores the files by the log, as the next run would after a kill. Raises `MigrateError` if a file
    cannot be written, or has changed since the plan. ``is_kept``: the contents are safe elsewhere, for example in a
    commit, so that no sync to disk is needed.
    """

    def __init__(
        self,
        root: Path,
        changes: Sequence[Change],
        checkpoint: Callable[[], None],
        log: Path,
        recover: Callable[[], None],
        *,
        git: Mapping[str, Any] | None = None,
        is_kept: bool = False,
    ) -> None:
        self._root = root
        self._changes = changes
        self._checkpoint = checkpoint
        self._path = log
        self._await_log: Callable[[], None] = lambda: None
        self._log = undo_log.undo_log(root, changes, git or {})
        self._recover = recover
        self._is_kept = is_kept

    def __enter__(self) -> Replacement:
        try:
            for change in self._changes:
                _require_inside(self._root, change)
            with self._telling_of_log():
                self._await_log = undo_log.write(self._path, self._log)
            for change, step in zip(self._changes, self._log.steps, strict=True):
                self._checkpoint()
                self._stage(change, step.staged)
        except BaseException as error:
            self._restore(error)
            raise
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            self._path.unlink()
        else:
            self._restore(error)

    def commit(self) -> None:
        """Move every file to its place, after the log is on disk. Raises `MigrateError` if one cannot be moved."""
        with self._telling_of_log():
            self._await_log()
        for change, step in zip(self._changes, self._log.steps, strict=True):
            target = self._root / change.path
            try:
                _require_unchanged(target, change)
                os.replace(target.parent / step.staged, target)
            except OSError as error:
                raise MigrateError(f"{change.path} cannot be replaced: {error.strerror}. Nothing was changed") from None

    @contextmanager
    def _telling_of_log(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = f"{self._path.parent} is not writable: {error.strerror}. Nothing was changed"
            raise MigrateError(reason) from None

    def _stage(self, change: Change, name: str) -> None:
        target = self._root / change.path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            undo_log.stage(target, target.parent / name, change.after, is_synced=not self._is_kept)
        except OSError as error:
            raise MigrateError(f"{change.path} cannot be written: {error.strerror}. Nothing was changed") from None

    def _restore(self, error: BaseException) -> None:
        try:
            self._recover()
        except (OSError, MigrateError) as problem:
            before = f"{error}. Then: " if isinstance(error, MigrateError) else ""
            raise MigrateError(f"{before}{problem}. The next run undoes the rest of this run's changes") from None


def _require_inside(root: Path, change: Change) -> None:
    """A file must not be led out of the repository by a folder that is a link."""
    parent = (root / change.path).parent
    if not parent.resolve().is_relative_to(root.resolve()):
        raise MigrateError(f"{change.path} would be outside of the repository. Nothing was changed")


def _require_unchanged(target: Path, change: Change) -> None:
    content = target.read_bytes() if target.is_file() else None
    if content != change.before:
        raise MigrateError(f"Another program changed {change.path} during the run. Nothing was changed")


@contextmanager
def uninterrupted() -> Iterator[Callable[[], None]]:
    """Hold back SIGINT and SIGTERM until the block is done, then let the first one held back act.

    Yields a function that raises `KeyboardInterrupt` after a signal; call the function only while the work can be
    undone.
    """
    received: list[int] = []

    def checkpoint() -> None:
        if received:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield checkpoint
        return
    before = {
        signals: signal.signal(signals, lambda number, _: received.append(number))
        for signals in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield checkpoint
    finally:
        for signals, handler in before.items():
            signal.signal(signals, handler)
    if received:
        signal.raise_signal(received[0])


def write_new(path: str | Path, pieces: Iterable[str], mode: int = 0o666) -> None:
    """Write a new file, whole or not at all. Raises `OSError`, for example `FileExistsError`."""
    with open(path, "x", encoding="utf-8", newline="\n", opener=partial(os.open, mode=mode)) as file:
        try:
            file.writelines(pieces)
            file.flush()
        except BaseException:
            os.unlink(path)
            raise
