"""A migration in a process of its own, killed as by ``kill -9``, or disturbed by another program, at a given moment.

Python's audit events say when: https://docs.python.org/3/library/audit_events.html. Nothing is patched.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from migrator.config.config import Config
from migrator.git.branch import Checkout  # noqa: F401 - loaded once, in the server that the processes are forked from
from migrator.migrate.pipeline import migrate_repo
from migrator.model.results import Mode, RepoResult

_CHANGING = {"os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_READING = {"check-ref-format", "config", "ls-files", "ls-tree", "rev-parse", "var", "worktree"}
"""Commands of git between which a repository stays as it is."""


def run_killed(repo: str, config: Config, number: int) -> bool:
    """Migrate ``repo``, killed before operation ``number`` of those that change it, from 1; whether it came to that."""
    code = _exit_code(_run_killed, repo, config, number)
    assert code in (0, -signal.SIGKILL), code
    return code != 0


def run_disturbed(repo: str, config: Config, moment: str, script: str) -> str:
    """Migrate ``repo``, with a shell ``script`` run in it right before the first git command, or the first opening of a
    file, that ends in ``moment``; the run's error.
    """
    said = os.path.join(os.path.dirname(repo), "said")
    assert _exit_code(_run_disturbed, repo, config, moment, script, said) == 0
    with open(said, encoding="utf-8") as file:
        return file.read()


def run_as(user: int, repo: str, config: Config, home: str) -> RepoResult:
    """Migrate ``repo`` with the rights of a ``user`` who lives at ``home``; only root can be somebody else."""
    ours, theirs = get_context("forkserver").Pipe(duplex=False)
    assert _exit_code(_run_as, user, repo, config, home, theirs) == 0
    result: RepoResult = ours.recv()
    return result


def _run_as(user: int, repo: str, config: Config, home: str, channel: Connection) -> None:
    _load_all(repo, config)
    os.environ["HOME"] = home
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    channel.send(migrate_repo(repo, config))


def _load_all(repo: str, config: Config) -> None:
    """Load every module that a run needs, which a user without rights may not: by runs that need them."""
    import git  # noqa: F401 - loaded by a run that changes something

    migrate_repo(repo, replace(config, mode=Mode.PREVIEW))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "main.tf").write_text('provider "aws" {\n  profile = "shop"\n}\n')
        assert migrate_repo(folder, Config(mode=Mode.IN_PLACE)).changed


def _exit_code(target: Callable[..., None], *arguments: object) -> int | None:
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=target, args=arguments)
    process.start()
    process.join(60)
    return process.exitcode


def _run_disturbed(repo: str, config: Config, moment: str, script: str, said: str) -> None:
    is_done = False

    def disturb(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal is_done
        is_git = event == "subprocess.Popen" and moment in arguments[1]
        is_file = event == "open" and str(arguments[0]).endswith(moment)
        if not is_done and (is_git or is_file):
            is_done = True
            subprocess.run(["/bin/sh", "-ec", script], cwd=repo, check=True, capture_output=True)

    sys.addaudithook(disturb)
    error = migrate_repo(repo, config).error
    with open(said, "w", encoding="utf-8") as file:
        file.write(error)
    os._exit(0 if is_done else 1)


def _run_killed(repo: str, config: Config, number: int) -> None:
    left = number

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if _is_change(event, arguments, repo):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    error = migrate_repo(repo, config).error
    os._exit(1 if error else 0)


def _is_change(event: str, arguments: tuple[Any, ...], repo: str) -> bool:
    if event == "subprocess.Popen":
        return arguments[1][0] != "git" or _READING.isdisjoint(arguments[1])
    if event == "os.chmod" and isinstance(arguments[0], int):  # of a file that is open
        return True
    if not arguments or not str(arguments[0]).startswith(repo) or (event == "os.mkdir" and os.path.isdir(arguments[0])):
        return False
    return event in _CHANGING or (event == "open" and arguments[1] is None and bool(arguments[2] & _WRITING))
