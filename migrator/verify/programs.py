"""The programs of a verification: engines, shells and spacectl, each with a time limit and a bare environment."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from migrator.errors import MigrateError
from migrator.secret.mask import mask
from migrator.secret.printable import plain_line

_PASSED_ON = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "SYSTEMROOT",
    "TF_REATTACH_PROVIDERS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
_NOWHERE = "http://127.0.0.1:9"
_OFFLINE = {
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), _NOWHERE),
    **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost"),
    **{"GIT_ALLOW_PROTOCOL": "none", "GIT_SSH_COMMAND": "false", "GIT_TERMINAL_PROMPT": "0"},
    **{"TF_REGISTRY_DISCOVERY_RETRY": "0", "TF_REGISTRY_CLIENT_TIMEOUT": "1"},
}
"""Variables for runs without a network: https://pkg.go.dev/net/http#ProxyFromEnvironment."""

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


class CompletedProgram(Struct, frozen=True):
    """The end of a program. ``complaint`` may hold a secret: see `failure`."""

    status: int
    printed: str
    complaint: str

    @property
    def failure(self) -> str:
        """The reason of the failure, in one line, without secrets."""
        text = self.complaint.strip() or self.printed.strip()
        words = " ".join(text.translate({ord(mark): " " for mark in "│╷╵"}).split())
        start = words.find("Error: ")
        return plain_line(mask(words[max(start, 0) :][:800])) or f"exit code {self.status}"


def bare_environment(home: Path, *, with_network: bool = False) -> dict[str, str]:
    """The environment that a program needs, without credentials; ``home`` is an empty folder."""
    names = (*_PASSED_ON, *(_PROXIES if with_network else ()))
    variables = {name: os.environ[name] for name in names if name in os.environ} | ({} if with_network else _OFFLINE)
    return {**variables, "HOME": str(home), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}


def run(command: Sequence[str], cwd: Path, environment: Mapping[str, str], seconds: float = 300) -> CompletedProgram:
    """Run a program for at most ``seconds``; child processes end with the program.

    Raises `MigrateError` if the program does not exist, or does not end.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell but for the one exchange that `exchange` has read
            command,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise MigrateError(f"{Path(command[0]).name} cannot be started: {error.strerror}") from None
    try:
        printed, complaint = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise MigrateError(f"{Path(command[0]).name} did not end within {seconds:g} seconds") from None
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    return CompletedProgram(
        process.returncode, printed.decode("utf-8", "replace"), complaint.decode("utf-8", "replace")
    )
