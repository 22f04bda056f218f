"""An undo log: the old files, stored on disk before the first change and removed after the last change.

A killed run leaves the log behind, and the next run first restores everything by the log. An incomplete log was written
before any file changed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from msgspec import Struct

from migrator.errors import MigrateError

if TYPE_CHECKING:
    from migrator.model.findings import Change

_FORMAT = "tf-oidc-migrate undo"
_NO_LOG = "{} is not an undo log of tf-oidc-migrate. help: remove the file"
_STAGED = ".tf-oidc-migrate-"


class Step(Struct, frozen=True):
    """A file that is replaced: the old content (None for a new file), and the hash of the new content.

    ``staged`` is the name of the new file in the same folder, until the file is moved.
    """

    path: str
    before: bytes | None
    after: str
    staged: str

    def __repr__(self) -> str:
        return f"Step({self.path!r})"  # files may hold secrets


class UndoLog(Struct, frozen=True):
    """The files that a run changes, the new folders, and the facts that ``git`` needs to put things back."""

    steps: tuple[Step, ...]
    folders: tuple[str, ...]
    git: Mapping[str, Any]

    def clear(self, root: Path) -> None:
        """Remove staged files that were not moved."""
        for step in self.steps:
            (_inside(root, step.path).parent / step.staged).unlink(missing_ok=True)
        for folder in sorted(self.folders, reverse=True):
            with suppress(OSError):  # if the folder is not empty
                _inside(root, folder).rmdir()

    def put_back(self, root: Path) -> None:
        """Restore every file, except files that somebody has changed since."""
        for step in self.steps:
            target = _inside(root, step.path)
            staged = target.parent / step.staged
            staged.unlink(missing_ok=True)
            if not target.is_file() or _hash(target.read_bytes()) != step.after:
                continue
            if step.before is None:
                target.unlink()
            else:
                stage(target, staged, step.before)
                os.replace(staged, target)
        self.clear(root)


def undo_log(root: Path, changes: Iterable[Change], git: Mapping[str, Any]) -> UndoLog:
    """The log of a run that will make ``changes`` below ``root``."""
    token = secrets.token_hex(6)
    changes = tuple(changes)
    steps = (
        Step(change.path, change.before, _hash(change.after), f"{_STAGED}{token}-{number}")
        for number, change in enumerate(changes)
    )
    new = (PurePosixPath(change.path).parents for change in changes if change.before is None)
    folders = {str(folder) for parents in new for folder in parents if not (root / folder).exists()}
    return UndoLog(tuple(steps), tuple(sorted(folders)), git)


def write(path: Path, log: UndoLog) -> Callable[[], None]:
    """Write ``log``, readable by its owner only because the files may hold credentials.

    Returns a function that waits until the log is on disk; the write continues meanwhile. Both raise `OSError`.
    """
    steps = [[step.path, _encoded(step.before), step.after, step.staged] for step in log.steps]
    document = {"format": _FORMAT, "steps": steps, "folders": log.folders, "git": log.git}
    file = open(path, "xb", opener=_private)  # noqa: SIM115 - closed where it is synced
    try:
        file.write(json.dumps(document).encode() + b"\n")
        file.flush()
    except BaseException:
        file.close()
        raise
    return _in_background(partial(_sync, file))


def _sync(file: BinaryIO) -> None:
    with file:
        os.fsync(file.fileno())


def _in_background(work: Callable[[], None]) -> Callable[[], None]:
    """Let a thread do ``work``; returns a function that waits for the end, and raises the thread's error."""
    from concurrent.futures import ThreadPoolExecutor  # here: a run that changes nothing needs none

    pool = ThreadPoolExecutor(max_workers=1)
    future = pool.submit(work)
    pool.shutdown(wait=False)
    return future.result


def recover(
    root: Path,
    path: Path,
    is_unchanged: Callable[[Mapping[str, Any]], bool] = lambda _: True,
    restore: Callable[[Mapping[str, Any], bool], None] = lambda *_: None,
) -> None:
    """Undo the changes in the log at ``path``, if the log exists, and remove the log.

    ``is_unchanged`` says whether the repository is still as the run found it. If not, the run had finished, or a person
    has taken over: then the files stay, except for staged ones. ``restore`` restores everything besides the files, and
    gets the same fact. Raises `MigrateError` if this fails; the log then stays for the next run.
    """
    try:
        log = _read(path)
        if log is not None:
            is_untouched = is_unchanged(log.git)
            if is_untouched:
                log.put_back(root)
            restore(log.git, is_untouched)
            log.clear(root)
        path.unlink(missing_ok=True)
    except (KeyError, TypeError, ValueError):
        raise MigrateError(_NO_LOG.format(path.name)) from None
    except OSError as error:
        raise MigrateError(f"The changes of an interrupted run cannot be undone: {error.strerror}") from None


def stage(target: Path, staged: Path, data: bytes, *, is_synced: bool = True) -> None:
    """Make ``staged`` a new file with ``data`` and the mode of ``target``, or the default mode if ``target`` is new."""
    with open(staged, "xb", opener=_private) as file:
        file.write(data)
        file.flush()
        os.fchmod(file.fileno(), target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask())
        if is_synced:
            os.fsync(file.fileno())


def _read(path: Path) -> UndoLog | None:
    """The log at ``path``; None for a missing or incomplete log. Raises `MigrateError` for any other file."""
    if not os.path.lexists(path):
        return None
    if not stat.S_ISREG(path.lstat().st_mode):
        raise MigrateError(_NO_LOG.format(path.name))
    data = path.read_bytes()
    if not data.endswith(b"\n"):
        return None
    try:
        document = json.loads(data)
        if document["format"] != _FORMAT:
            raise ValueError
        steps = tuple(
            Step(at, _decoded(before), after, _name(staged)) for at, before, after, staged in document["steps"]
        )
        return UndoLog(steps, tuple(map(str, document["folders"])), dict(document["git"]))
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        raise MigrateError(_NO_LOG.format(path.name)) from None


def _inside(root: Path, path: str) -> Path:
    """The file at ``path``. Raises `MigrateError` for one that lies elsewhere, as only a forged log could say."""
    target = root / path
    is_odd = not {".git", ".."}.isdisjoint(target.parts[len(root.parts) :])
    if is_odd or not target.parent.resolve().is_relative_to(root.resolve()):
        raise MigrateError("The undo log names a file outside of the repository. help: remove the undo log")
    return target


def _name(text: str) -> str:
    if not text.startswith(_STAGED) or "/" in text:
        raise ValueError
    return text


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _encoded(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _decoded(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text, validate=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
