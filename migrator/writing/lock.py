"""A lock between runs on a repository, which ends with the process; the next run handles a killed run's undo log."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from migrator.errors import MigrateError

LOG = ".tf-oidc-migrate-undo"
"""The name of the undo log in a folder that is no repository."""

_PATIENCE = 3.0
"""Seconds to wait for another run: the workers of one that was killed end by themselves."""

_TICK = 0.05


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep every other run out of ``folder`` for the length of the block; nothing is written there.

    Raises `MigrateError` if another run holds the lock for more than a few seconds. A file system without locks gives
    no protection.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _acquire(handle)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise MigrateError(
                    "Another run of tf-oidc-migrate is working here. help: try again when that run has ended"
                ) from None
            time.sleep(_TICK)
        except OSError:
            return
        else:
            return
