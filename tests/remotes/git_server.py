"""Real git servers on loopback: ``git daemon``, and ``git http-backend`` behind a small HTTP server."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def daemon(root: Path) -> Iterator[str]:
    """The URL of a ``git daemon`` that serves all repositories below ``root``, and takes pushes."""
    port = free_port()
    flags = ["--reuseaddr", "--export-all", "--informative-errors", "--enable=receive-pack", "--listen=127.0.0.1"]
    command = ["git", "daemon", *flags, f"--port={port}", f"--base-path={root}", str(root)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as server:
        try:
            _wait_for(port)
            yield f"git://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, 15)


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the git daemon does not answer")


class GitHandler(BaseHTTPRequestHandler):
    """Answers as a git server does; a subclass says of which repositories, and to whom."""

    root: Path
    password: str | None
    dumb: bool

    def do_GET(self) -> None:
        if not self._is_let_in():
            return
        if not self.dumb:
            self._backend(b"")
            return
        file = self.root / self.path.split("?")[0].lstrip("/")
        self._answer(200, [], file.read_bytes()) if file.is_file() else self._answer(404, [], b"")

    def do_POST(self) -> None:
        body = self._body()
        if self._is_let_in():
            self._backend(body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"]))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        return body

    def _is_let_in(self) -> bool:
        given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        if self.password is None or given.partition(":")[2] == self.password:
            return True
        self._answer(403 if given else 401, [("WWW-Authenticate", 'Basic realm="git"')], b"")
        return False

    def _backend(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        environment = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": "somebody",
            "CONTENT_LENGTH": str(len(body)),
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=False)
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self._answer(int(fields.pop("Status", "200").split()[0]), list(fields.items()), answer)

    def _answer(self, status: int, fields: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def over_http(root: Path, password: str | None = None, *, dumb: bool = False) -> Iterator[str]:
    """The URL of a server of the repositories below ``root``; ``dumb`` for one that serves nothing but their files."""
    attributes = {"root": root, "password": password, "dumb": dumb}
    with serving(type("Handler", (GitHandler,), attributes)) as url:
        yield url


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The URL of an HTTP server on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def silence() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        yield listener.getsockname()[1]
