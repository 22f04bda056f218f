"""The number of requests to a forge, and the waiting time between requests."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Self

from urllib3 import BaseHTTPResponse, Retry
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import InvalidHeader, MaxRetryError

from migrator.errors import MigrateError

TRIES = 4
PASSING = frozenset({429, 502, 503, 504})
"""Temporary statuses: the server is overloaded or restarts, or limits the rate of requests."""

_WORTH_TELLING = 1.0
_LOG = logging.getLogger(__name__)


class Patient(Retry):
    """Asks again after ``Retry-After``, up to `TRIES` times, if that is at most ``longest`` seconds away.

    Raises `MigrateError` if the wait is too long, or if the server keeps failing. As a base class before another
    `Retry` class, this class limits the waits of the other.
    """

    longest = 300.0

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        """The next try. Raises `MigrateError` if there is none."""
        host = _pool.host if _pool is not None else "the server"
        wait = 0.0 if response is None else self._asked_for(response)
        try:
            if wait > self.longest:
                raise MigrateError(f"{host} limits the rate of requests. help: try again in {wait:.0f} seconds")
            after = super().increment(method, url, response, error, _pool, _stacktrace)
        except Exception as problem:
            if response is not None:
                response.close()  # which urllib3 does only before errors of its own
            if not isinstance(problem, MaxRetryError):
                raise
            answer = "cannot be reached" if response is None else f"answered {response.status} {TRIES + 1} times"
            raise MigrateError(f"{host} {answer}; try later") from None
        wait = max(wait, after.get_backoff_time())
        if wait >= _WORTH_TELLING:
            _LOG.warning("%s limits the rate of requests: waiting for %.0f s", host, wait)
        return after

    def new(self, **kw: object) -> Self:
        """The same patience with other counts."""
        other = super().new(**kw)
        other.longest = self.longest
        return other

    def _asked_for(self, response: BaseHTTPResponse) -> float:
        try:
            return self.get_retry_after(response) or 0.0
        except InvalidHeader:
            return 0.0
