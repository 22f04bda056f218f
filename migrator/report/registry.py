"""The formats of reports, and the function that writes a report to a file."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from migrator.errors import MigrateError, UsageError
from migrator.report import html, json, junit, markdown, sarif
from migrator.report.collected import Collected
from migrator.report.rollout import rollout

if TYPE_CHECKING:
    from migrator.model.results import RepoResult

Write = Callable[[Collected, TextIO], None]

REPORTS: dict[str, Write] = {
    ".html": html.write,
    ".json": json.write,
    ".md": markdown.write,
    ".sarif": sarif.write,
    ".xml": junit.write,
}
"""The writer of each kind of report, by the ending of its file's name."""


def writer_for(path: str) -> Write:
    """The writer that the ending of ``path`` names. Raises `UsageError` for an ending that none has."""
    ending = os.path.splitext(path)[1].lower()
    if ending not in REPORTS:
        endings = ", ".join(REPORTS)
        raise UsageError(f"{path!r} names no kind of report. The name of a report ends in one of {endings}")
    return REPORTS[ending]


def require_writable(path: str) -> None:
    """Check that a file can be written at ``path``, before any work is done. Raises `UsageError`."""
    try:
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if os.path.exists(path) and not os.path.isfile(path):
            return  # a device or a pipe, which may not be opened twice
        staged = f"{os.path.realpath(path)}.{secrets.token_hex(4)}.part"
        os.close(os.open(staged, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.unlink(staged)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}. Nothing was done.") from None


def write_report(path: str, results: Iterable[RepoResult] | Collected) -> None:
    """Write the report that the ending of ``path`` names, whole or not at all.

    Several reports on the same results share one `Collected`, so that the work is done once. Raises `UsageError` for an
    unknown ending, and `MigrateError` if the file cannot be written.
    """
    write = writer_for(path)
    collected = results if isinstance(results, Collected) else Collected(results)
    _write_whole(path, lambda file: write(collected, file))


def write_rollout(path: str, results: Iterable[RepoResult] | Collected) -> None:
    """Write the order of rollout after ``results``. Raises `MigrateError` where the file cannot be written."""
    collected = results if isinstance(results, Collected) else Collected(results)
    _write_whole(path, lambda file: file.write(rollout(collected)))


def _write_whole(path: str, write: Callable[[TextIO], object]) -> None:
    if os.path.exists(path) and not os.path.isfile(path):
        _write_through(path, write)
        return
    target = os.path.realpath(path)
    staged = f"{target}.{secrets.token_hex(4)}.part"
    try:
        try:
            with open(staged, "x", encoding="utf-8", newline="\n") as file:
                write(file)
            os.replace(staged, target)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(staged)
    except OSError as error:
        raise MigrateError(f"{path} cannot be written: {error.strerror or 'output failed'}") from None


def _write_through(path: str, write: Callable[[TextIO], object]) -> None:
    """Write to a device or a pipe, which is no file to be replaced."""
    try:
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            write(file)
    except OSError as error:
        raise MigrateError(f"{path} cannot be written: {error.strerror or 'output failed'}") from None
