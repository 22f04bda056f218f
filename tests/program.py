"""The program in a process of its own, forked from one that has loaded it, as to load it takes ten times its work.

Output, exit code, folder and environment are those of ``python -m migrator``. Only what the interpreter reads when it
starts (``PYTHON…``) is not read again. Tests of the start, of signals and of limits start an interpreter of their own.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAIN = ROOT / "migrator" / "__main__.py"
SECONDS = 300


def run(
    *arguments: object, cwd: Path | None = None, env: dict[str, str] | None = None, errors: str = "strict"
) -> subprocess.CompletedProcess[str]:
    """Run the program with ``arguments``, as `subprocess.run` would, with its output as text."""
    words = list(map(str, arguments))
    asked = json.dumps([words, str(cwd or Path.cwd()), dict(env or os.environ)]).encode()
    server, process = _server()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        socket.send_fds(server, [len(asked).to_bytes(4, "big")], [out.fileno(), err.fileno()])
        server.sendall(asked)
        try:
            code = int.from_bytes(_received(server, 4), "big", signed=True)
        except OSError:
            os.killpg(process.pid, signal.SIGKILL)
            _server.cache_clear()
            raise
        texts = [_text(file.fileno(), errors) for file in (out, err)]
    return subprocess.CompletedProcess(words, code, *texts)


def _text(file: int, errors: str) -> str:
    os.lseek(file, 0, os.SEEK_SET)
    with open(file, encoding="utf-8", errors=errors, closefd=False) as text:
        return text.read()


@cache
def _server() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """A process that has loaded the program, and the connection to it, with which it ends."""
    here, there = socket.socketpair()
    here.settimeout(SECONDS)
    command = [sys.executable, "-m", "tests.program", str(there.fileno())]
    with there:
        process = subprocess.Popen(
            command, cwd=ROOT, pass_fds=[there.fileno()], stdin=subprocess.DEVNULL, start_new_session=True
        )
    atexit.register(process.wait)
    atexit.register(here.close)  # which comes before
    return here, process


def _received(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        if not (more := connection.recv(length - len(data))):
            raise ConnectionError
        data += more
    return data


def _serve(connection: socket.socket) -> None:
    """Fork for each run that is asked for, until nobody asks any more; in a child this returns."""
    while True:
        length, files, _, _ = socket.recv_fds(connection, 4, 2)
        if not length:
            sys.exit()
        asked = json.loads(_received(connection, int.from_bytes(length, "big")))
        child = os.fork()
        if not child:
            connection.close()
            _become(files, *asked)
            return
        for file in files:
            os.close(file)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        with suppress(OSError):
            connection.sendall(code.to_bytes(4, "big", signed=True))


def _become(files: list[int], words: list[str], folder: str, environment: dict[str, str]) -> None:
    """Let this process be as if it had just been started."""
    for number, file in enumerate(files, 1):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [str(MAIN), *words]
    sys.path[0] = folder


if __name__ == "__main__":
    import migrator.__main__
    import migrator.batch.preload
    import migrator.batch.run
    import migrator.cli.run
    from migrator.cli.commands import COMMANDS, load

    for name in COMMANDS:
        load(name)
    sys.modules["__main__"] = migrator.__main__  # by whose name workers are started
    _serve(socket.socket(fileno=int(sys.argv[1])))
    migrator.__main__.main()
