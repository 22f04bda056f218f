"""Runs of git with a time limit, for commands that use the network.

Git has a session of its own, so that all child processes (ssh, git-remote-https, credential helpers) end with git, and
none of them can ask on the terminal.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from migrator.errors import MigrateError
from migrator.git.command import SAFE, SURROUNDING, Deadline
from migrator.secret.mask import mask
from migrator.secret.printable import printable

_REMOTE = ("-c", "protocol.ext.allow=never", "-c", "submodule.recurse=false", "-c", "fetch.recurseSubmodules=false")
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_PROXY_COMMAND": "",
    "GIT_TERMINAL_PROMPT": "0",
    "LANGUAGE": "C",
    "LC_ALL": "C",
}
_GRACE = 2.0
_LONGEST = 10_000
"""The number of bytes of git's error messages to read."""


class Outcome(Struct, frozen=True):
    """The end of a git command. ``complaint`` may hold URLs with tokens: to be recognised, never to be shown."""

    status: int
    printed: str
    complaint: str

    @property
    def reason(self) -> str:
        """The reason of the failure, as a sentence without any URL."""
        for pattern, sentence in _REASONS:
            if re.search(pattern, self.complaint, re.IGNORECASE):
                return sentence
        lines = [line for line in self.complaint.splitlines() if line.startswith(("fatal: ", "error: "))]
        words = [word for word in " ".join(lines[:1]).split() if not re.search(r"://|@", word)]
        return printable(mask(" ".join(words)))[:200] or f"git ended with exit code {self.status}"


_REASONS = (
    (r"No space left on device|Disk quota exceeded", "the disk is full"),
    (r"SSL certificate|certificate verif|server certificate", "the server's certificate is not trusted"),
    (r"\.lock': File exists", "another git process uses the repository, or was killed there"),
    (r"repository not exported", "no such repository, or no access to it"),
    (
        r"Could not resolve host|Name or service not known|Temporary failure in name resolution",
        "the host does not exist",
    ),
    (r"Host key verification failed", "the host's key is not in ssh's known_hosts"),
    (
        r"Authentication failed|could not read (?:Username|Password)|Permission denied \(|terminal prompts disabled"
        r"|returned error: 40[13]|HTTP 40[13]|Invalid username or password|access denied|not allowed to push",
        "access denied: the credentials are missing, wrong, or lack a right",
    ),
    (r"dubious ownership", "the repository belongs to another user, so git does not trust the repository"),
    (
        r"Repository .{0,300}not found|does not appear to be a git repository|returned error: 404"
        r"|repository .{0,300} does not exist|project you were looking for could not be found|no such repository"
        r"|not valid: is this a git repository",
        "no such repository, or no access to it",
    ),
    (r"Remote branch .{0,300} not found|couldn't find remote ref|Could not find remote branch", "no such branch"),
    (r"transport '.{0,50}' not allowed", "the transport is not allowed"),
    (
        r"Connection refused|Failed to connect|Could not connect|Connection timed out|unable to connect"
        r"|Connection reset|hung up unexpectedly|early EOF|unable to access",
        "the server cannot be reached, or does not answer",
    ),
)


def run_git(
    arguments: Sequence[str],
    deadline: Deadline,
    *,
    cwd: Path | None = None,
    stdin: str = "",
    options: Sequence[str] = (),
) -> Outcome:
    """Run git with ``arguments`` in ``cwd``, with ``options`` first; git asks nobody and runs no hook.

    Raises `MigrateError` if git is missing, the disk is full, or ``deadline`` passes. Then git and all child processes
    are killed, as after an interrupt of this process.
    """
    command = ["git", *SAFE, *_REMOTE, *options, *arguments]
    environment = {name: value for name, value in os.environ.items() if name not in SURROUNDING} | _ENVIRONMENT
    with (
        tempfile.TemporaryFile() as standard_input,
        tempfile.TemporaryFile() as printed,
        tempfile.TemporaryFile() as complaint,
    ):
        standard_input.write(stdin.encode())
        standard_input.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603 - no shell, and what is a URL or branch never begins with a dash
                command,
                stdin=standard_input,
                stdout=printed,
                stderr=complaint,
                cwd=cwd,
                env=environment,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            is_git = error.filename == command[0]
            raise MigrateError(
                "The program git is not installed" if is_git else "The folder of the repository does not exist any more"
            ) from None
        try:
            status = _ended(process, deadline.seconds_left)
        except subprocess.TimeoutExpired:
            raise MigrateError(f"git took longer than {deadline.seconds:g} seconds") from None
        finally:
            _end(process)
        printed.seek(0)
        complaint.seek(0)
        return Outcome(status, _decoded(printed.read()), _decoded(complaint.read(_LONGEST)))


def _ended(process: subprocess.Popen[bytes], seconds: float) -> int:
    """The exit code. Waits for the process itself where the system can; else looks for its end again and again.

    Raises `subprocess.TimeoutExpired`.
    """
    with suppress(AttributeError, OSError):  # not every system or sandbox has process descriptors
        handle = os.pidfd_open(process.pid)
        try:
            waiting = select.poll()
            waiting.register(handle, select.POLLIN)
            waiting.poll(seconds * 1000)
            seconds = 0.0
        finally:
            os.close(handle)
    return process.wait(seconds)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the remaining processes of the session: first by the signal on which git removes lock files."""
    if process.returncode is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace")
