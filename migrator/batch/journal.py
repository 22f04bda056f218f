"""The journal of a run: a file with a line of JSON for each event of a job, written as the event happens.

A line is whole or it does not count, so that the file tells the truth wherever the run was broken off. Only a crash of
the whole machine may cost it its newest lines, and what was done then is seen by its branch:

- the first one says what the run is: format, version, settings, ids of its jobs;
- before a job ``{"started": id, "at": time}``;
- after it ``{"finished": id, "at": time, "failed": bool, "result": {...}}``.

Of each job its newest line counts. Results stay in the file; memory holds their places.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, TypeGuard

from migrator.errors import MigrateError

_FORMAT = "tf-oidc-migrate"
_VERSION = 1
_SOON = 1.0  # seconds


class Journal:
    """An open journal; a context manager. No second process can open the journal meanwhile.

    The only error is `MigrateError`: the file cannot be read or written, is in use, or is no journal of this run.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        """Use `create` or `open`."""
        self._path = path
        self._file = file
        self._end = 0
        self._synced = -_SOON
        self._started: dict[str, None] = {}
        self._finished: dict[str, tuple[int, int]] = {}
        self._failed: set[str] = set()
        self.settings: dict[str, Any] = {}
        self.jobs: tuple[str, ...] = ()

    @classmethod
    def create(cls, path: Path, settings: Mapping[str, Any], jobs: Iterable[str]) -> Journal:
        """Begin a journal in a new file that only its owner can read; ``settings`` are plain data."""
        journal = cls(path, _opened(path, os.O_CREAT | os.O_EXCL))
        try:
            journal.settings, journal.jobs = dict(settings), tuple(jobs)
            journal._append(
                {"journal": _FORMAT, "version": _VERSION, "at": _now(), "settings": settings, "jobs": journal.jobs}
            )
            _sync_folder(path.parent)
        except BaseException:
            journal.close()
            raise
        return journal

    @classmethod
    def open(cls, path: Path, settings: Mapping[str, Any] | None = None) -> Journal:
        """Continue a journal with the same ``settings``, if any are given; an incomplete last line is removed."""
        journal = cls(path, _opened(path))
        try:
            journal._read()
            if settings is not None:
                journal._require_same(settings)
        except BaseException:
            journal.close()
            raise
        return journal

    @property
    def path(self) -> Path:
        """The path of the journal."""
        return self._path

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, with all lines on disk."""
        with suppress(OSError, ValueError):  # the disk is full, as reported before; or the file is closed already
            os.fsync(self._file.fileno())
        self._file.close()

    # --- writing ----------------------------------------------------------------------------------------------------

    def start(self, job: str) -> None:
        """Note that a job starts; a crash of the whole machine may lose the note."""
        self._append({"started": job, "at": _now()}, is_cheap=True)
        self._note_start(job)

    def finish(self, job: str, result: Mapping[str, Any], *, is_failed: bool = False, is_cheap: bool = False) -> None:
        """Note the result of a job as plain data; put on disk once in `_SOON`, unless the result is cheap to repeat."""
        record = {"finished": job, "at": _now(), "failed": is_failed, "result": result}
        place = self._append(record, is_cheap=is_cheap)
        self._note_finish(job, place, is_failed=is_failed)

    def _append(self, record: Mapping[str, Any], *, is_cheap: bool = False) -> tuple[int, int]:
        line = json.dumps(record, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        place = (self._end, len(line))
        try:
            if os.write(self._file.fileno(), line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if not is_cheap and time.monotonic() > self._synced + _SOON:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            self._cut_off(self._end)
            raise MigrateError(f"The journal {self._path} cannot be written: {error.strerror}") from None
        self._end += len(line)
        return place

    # --- asking -----------------------------------------------------------------------------------------------------

    def finished(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every job that is finished, failed or not, with its result, in the order in which they finished."""
        for job, (offset, length) in [*self._finished.items()]:
            yield job, json.loads(os.pread(self._file.fileno(), length, offset))["result"]

    def failed(self) -> frozenset[str]:
        """The jobs that finished and failed."""
        return frozenset(self._failed)

    def started_only(self) -> tuple[str, ...]:
        """The jobs that were started and have not finished: those in flight when the run was broken off."""
        return tuple(self._started)

    def pending(self) -> list[str]:
        """The jobs of the run that were never started."""
        return [job for job in self.jobs if job not in self._started and job not in self._finished]

    # --- reading ----------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        self._file.seek(0)
        header = _record(self._file.readline())
        if header is None:
            raise MigrateError(
                f"{self._path} is not a journal, or its first line is incomplete. help: name another file with --state"
            )
        self._read_header(header)
        self._end = self._file.tell()
        cut = 0
        for number, line in enumerate(self._file, 2):
            if cut:
                raise MigrateError(f"Line {cut} of the journal {self._path} is damaged")
            record = _record(line)
            if record is None or not self._note(record, (self._end, len(line))):
                cut = number
            else:
                self._end += len(line)
        if cut:
            self._cut_off(self._end)

    def _read_header(self, header: dict[str, Any]) -> None:
        version, settings, jobs = header.get("version"), header.get("settings"), header.get("jobs")
        is_journal = header.get("journal") == _FORMAT and isinstance(version, int)
        if is_journal and isinstance(version, int) and version > _VERSION:
            raise MigrateError(f"A newer version of tf-oidc-migrate wrote the journal {self._path}")
        if not is_journal or not isinstance(settings, dict) or not _is_list_of_text(jobs):
            raise MigrateError(f"{self._path} is not a journal")
        self.settings, self.jobs = settings, tuple(jobs)

    def _note(self, record: dict[str, Any], place: tuple[int, int]) -> bool:
        """Read a line; False if the line is no line of a journal."""
        if isinstance(job := record.get("started"), str):
            self._note_start(job)
        elif isinstance(job := record.get("finished"), str) and isinstance(record.get("result"), dict):
            self._note_finish(job, place, is_failed=record.get("failed") is True)
        else:
            return False
        return True

    def _note_start(self, job: str) -> None:
        self._finished.pop(job, None)
        self._failed.discard(job)
        self._started[job] = None

    def _note_finish(self, job: str, place: tuple[int, int], *, is_failed: bool) -> None:
        self._note_start(job)
        del self._started[job]
        self._finished[job] = place
        if is_failed:
            self._failed.add(job)

    def _require_same(self, settings: Mapping[str, Any]) -> None:
        now = json.loads(json.dumps(settings))
        if now != self.settings:
            raise MigrateError(
                f"The journal {self._path} belongs to a run with other repositories or options. "
                "help: repeat the command of that run, or name another file with --state"
            )

    def _cut_off(self, end: int) -> None:
        try:
            os.ftruncate(self._file.fileno(), end)
            os.fsync(self._file.fileno())
        except OSError:
            return  # an incomplete line does not count, and is removed when the journal is opened again


def _record(line: bytes) -> dict[str, Any] | None:
    """The object that a complete line holds; None for any other line."""
    if not line.endswith(b"\n"):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _is_list_of_text(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(element, str) for element in value)


def _opened(path: Path, flags: int = 0) -> BinaryIO:
    """The file, locked: appended to at once, without a buffer of this process."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NONBLOCK | flags, 0o600)
    except FileExistsError:
        raise MigrateError(
            f"The journal {path} exists already. help: use --resume, or name another file with --state"
        ) from None
    except OSError as error:
        advice = "name another file with --state" if path.parent.is_dir() else f"make the folder {path.parent} first"
        raise MigrateError(f"The journal {path} cannot be opened: {error.strerror}. help: {advice}") from None
    file = open(handle, "rb", buffering=-1)  # noqa: SIM115 - the journal closes it
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise MigrateError(f"{path} is not a regular file, so it cannot be a journal")
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise MigrateError(f"Another run uses the journal {path}") from None
    except OSError as error:
        file.close()
        raise MigrateError(f"The journal {path} cannot be locked: {error.strerror}") from None
    except MigrateError:
        file.close()
        raise
    return file


def _sync_folder(folder: Path) -> None:
    """Make a new file's name as durable as its content."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # not every file system can
            os.fsync(handle)
    finally:
        os.close(handle)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
