"""An undo log: the old files, stored on disk before the first change and removed after the last change.

A run that is killed leaves its log behind, and the next run puts everything back by it before it does anything else.
A log that is torn was on its way to the disk when no file had been changed yet.
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

    ``staged`` is the name of the new file beside it, until that is moved there.
    """

    path: str
    before: bytes | None
    after: str
    staged: str

    def __repr__(self) -> str:
        return f"Step({self.path!r})"  # files may hold secrets


class UndoLog(Struct, frozen=True):
    """The files that a run changes, the folders that it makes for new ones, and what ``git`` must put back, if any."""

    steps: tuple[Step, ...]
    folders: tuple[str, ...]
    git: Mapping[str, Any]

    def clear(self, root: Path) -> None:
        """Remove what was staged and not moved."""
        for step in self.steps:
            (_inside(root, step.path).parent / step.staged).unlink(missing_ok=True)
        for folder in sorted(self.folders, reverse=True):
            with suppress(OSError):  # where anything is in it
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
    """The log of a run that is to make ``changes`` below ``root``."""
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

    Returns what waits until it is on disk, where it is on its way meanwhile; both raise `OSError`.
    """
    steps = [[step.path, _encoded(step.before), step.after, step.staged] for step in log.steps]
    plain = {"format": _FORMAT, "steps": steps, "folders": log.folders, "git": log.git}
    file = open(path, "xb", opener=_private)  # noqa: SIM115 - closed where it is synced
    try:
        file.write(json.dumps(plain).encode() + b"\n")
        file.flush()
    except BaseException:
        file.close()
        raise
    return _in_background(partial(_sync, file))


def _sync(file: BinaryIO) -> None:
    with file:
        os.fsync(file.fileno())


def _in_background(work: Callable[[], None]) -> Callable[[], None]:
    """Have a thread do ``work``; returns what waits for its end, and raises what it raised."""
    from concurrent.futures import ThreadPoolExecutor  # here: a run that changes nothing needs none

    pool = ThreadPoolExecutor(max_workers=1)
    future = pool.submit(work)
    pool.shutdown(wait=False)
    return future.result


def recover(
    root: Path,
    path: Path,
    is_standing: Callable[[Mapping[str, Any]], bool] = lambda _: True,
    put_back: Callable[[Mapping[str, Any], bool], None] = lambda *_: None,
) -> None:
    """Undo the changes in the log at ``path``, if the log exists, and remove the log.

    If the repository no longer is where the run had found it, which ``is_standing`` says, the run was through, or a
    person has taken over: then the files stay, but for staged ones. ``put_back`` undoes what is no file's content, and
    is told which of the two it is. Raises `MigrateError` where that fails; the log stays then, for the next run.
    """
    try:
        log = _read(path)
        if log is not None:
            is_untouched = is_standing(log.git)
            if is_untouched:
                log.put_back(root)
            put_back(log.git, is_untouched)
            log.clear(root)
        path.unlink(missing_ok=True)
    except (KeyError, TypeError, ValueError):
        raise MigrateError(_NO_LOG.format(path.name)) from None
    except OSError as error:
        raise MigrateError(f"The changes of an interrupted run cannot be undone: {error.strerror}") from None


def stage(target: Path, staged: Path, data: bytes, *, is_synced: bool = True) -> None:
    """Make ``staged`` a new file with ``data`` and the mode that ``target`` has, or would have if it were new."""
    with open(staged, "xb", opener=_private) as file:
        file.write(data)
        file.flush()
        os.fchmod(file.fileno(), target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask())
        if is_synced:
            os.fsync(file.fileno())


def _read(path: Path) -> UndoLog | None:
    """The log at ``path``; None if there is none, or it is torn. Raises `MigrateError` for anything else."""
    if not os.path.lexists(path):
        return None
    if not stat.S_ISREG(path.lstat().st_mode):
        raise MigrateError(_NO_LOG.format(path.name))
    data = path.read_bytes()
    if not data.endswith(b"\n"):
        return None
    try:
        plain = json.loads(data)
        if plain["format"] != _FORMAT:
            raise ValueError
        steps = tuple(Step(at, _decoded(before), after, _name(staged)) for at, before, after, staged in plain["steps"])
        return UndoLog(steps, tuple(map(str, plain["folders"])), dict(plain["git"]))
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
