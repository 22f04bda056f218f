"""An emulated STS and S3 on this machine, and the signers of the requests.

moto (https://docs.getmoto.org, extra ``verify``) answers. Each verified run gets an address of its own, so that
requests of different runs are never confused.
"""

from __future__ import annotations

import threading
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from msgspec import Struct, field

from migrator.errors import MigrateError
from migrator.regex import regex

MISSING = "moto is not installed"
_SIGNED = regex(r"Credential=(?P<key>[^/]+)/\d+/[^/]+/(?P<service>[^/]+)/")
_KEY = regex(r"<AccessKeyId>([^<]+)</AccessKeyId>")
_START = Callable[..., Any]
_App = Callable[[dict[str, Any], _START], Iterable[bytes]]


class RecordedRun(Struct):
    """The requests of one run to the emulated AWS at ``url``: the owners of keys, and the signers for S3, in order."""

    url: str = ""
    sessions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The roles that were assumed for the session of an access key, the first with the token."""
    states: list[tuple[str, ...]] = field(default_factory=list)
    """Of each request to S3 the roles of the session that signed."""

    def roles_of(self, key: str) -> tuple[str, ...]:
        """The roles that were assumed for the session of an access key; none of a key that is no session's."""
        return self.sessions.get(key, ())

    def note(self, environ: dict[str, Any], body: bytes, answer: bytes) -> None:
        """Record a request and the answer."""
        signed = _SIGNED.search(environ.get("HTTP_AUTHORIZATION", ""))
        parameters = urllib.parse.parse_qs(body.decode("utf-8", "replace"))
        action, role = (parameters.get(name, [""])[0] for name in ("Action", "RoleArn"))
        new_key = _KEY.search(answer.decode("utf-8", "replace")) if action.startswith("AssumeRole") else None
        if new_key and action == "AssumeRoleWithWebIdentity":
            self.sessions[new_key[1]] = (role,)
        elif new_key and signed:
            self.sessions[new_key[1]] = (*self.roles_of(signed["key"]), role)
        elif signed and signed["service"] == "s3":
            self.states.append(self.roles_of(signed["key"]))


class LocalAws:
    """The emulated AWS. Raises `MigrateError` if moto is not installed."""

    def __init__(self) -> None:
        try:
            import moto.server  # noqa: F401 - here, as moto is an extra and slow to load
            from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        except ImportError:
            raise MigrateError(MISSING) from None
        self._app: _App = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.Lock()
        self._buckets: set[str] = set()

    @contextmanager
    def run(self) -> Iterator[RecordedRun]:
        """An address that is served until the end of the block."""
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Quiet(WSGIRequestHandler):
            def log(self, *_: Any) -> None:
                pass

        record = RecordedRun()
        server = make_server("127.0.0.1", 0, self._recording(record), threaded=True, request_handler=Quiet)
        record.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)
        thread.start()
        try:
            yield record
        finally:
            server.shutdown()
            server.server_close()

    def _recording(self, record: RecordedRun) -> _App:
        def application(environ: dict[str, Any], start: _START) -> Iterable[bytes]:
            import io

            length = int(environ.get("CONTENT_LENGTH") or 0)
            body = environ["wsgi.input"].read(length) if length else b""
            environ["wsgi.input"] = io.BytesIO(body)
            with self._lock:  # moto is one state for all, and not made for threads
                self._have_bucket(environ)
                try:
                    answer = b"".join(self._app(environ, start))
                except Exception:  # moto cannot answer this: the engine is told, and says so in its row
                    start("500 Internal Server Error", [])
                    return []
            record.note(environ, body, answer)
            return [answer]

        return application

    def _have_bucket(self, environ: dict[str, Any]) -> None:
        """Make the bucket of a request to S3, since the bucket exists in AWS."""
        signed = _SIGNED.search(environ.get("HTTP_AUTHORIZATION", ""))
        name = environ.get("PATH_INFO", "/").lstrip("/").partition("/")[0]
        if signed is None or signed["service"] != "s3" or not name or name in self._buckets:
            return
        from moto.backends import get_backend
        from moto.s3.exceptions import S3ClientError

        self._buckets.add(name)
        with suppress(S3ClientError):  # an earlier verification of this process has made the bucket
            get_backend("s3")["123456789012"]["aws"].create_bucket(name, "us-east-1")
