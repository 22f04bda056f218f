"""What workers are made to do in the tests of the pool: functions of a module, as jobs have to be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from migrator.writing.replace import uninterrupted


def double(number: int) -> int:
    return 2 * number


def pass_on(job: Any) -> Any:
    return job


def die_at(job: tuple[int, frozenset[int]]) -> int:
    """``job`` is a number and those that kill their worker."""
    number, killers = job
    time.sleep(0.01)
    if number in killers:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def leave(code: int) -> None:
    os._exit(code)


def fail(text: str) -> None:
    raise ValueError(text)


def leave_politely(_: int) -> None:
    sys.exit("secret")


def make_what_cannot_be_sent(_: int) -> Any:
    return lambda: None


class Unreadable:
    """Can be sent, and not be received."""

    def __reduce__(self) -> Any:
        return int, ("no number",)


def make_what_cannot_be_read(_: int) -> Unreadable:
    return Unreadable()


def surroundings(name: str) -> tuple[str, str | None]:
    return os.getcwd(), os.environ.get(name)


def is_loaded(module: str) -> bool:
    return module in sys.modules


def session(_: int) -> tuple[int, int]:
    return os.getpid(), os.getsid(0)


def hang(job: tuple[str, float]) -> str:
    """Wait for a child process that takes ``job[1]`` seconds, after its id was written to the file ``job[0]``."""
    file, seconds = job
    with subprocess.Popen(["sleep", str(seconds)]) as child:
        Path(file + ".new").write_text(f"{os.getpid()} {child.pid}")
        os.replace(file + ".new", file)
    return file


def hang_stubbornly(job: tuple[str, float]) -> str:
    """As `hang`, and deaf to interrupts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return hang(job)


def big(_: int) -> bytes:
    return os.urandom(10_000) * 2


def critical(folder: str) -> str:
    """A job that begins, works on undisturbed for a while, and ends."""
    Path(folder, "begun").touch()
    with uninterrupted():
        time.sleep(1)
        Path(folder, "ended").touch()
    return folder


def pause(job: tuple[int, float]) -> int:
    number, seconds = job
    time.sleep(seconds)
    return number
