"""URLs of repositories in git's forms, with the short form of ssh, ``git@host:owner/name.git``."""

from __future__ import annotations

import os
import re
from urllib.parse import SplitResult, unquote, urlsplit

from msgspec import Struct

from migrator.errors import UsageError
from migrator.regex import regex

TRANSPORTS = ("https", "http", "ssh", "git", "file")
"""Git's own transports; any other transport is a program that a URL would start, ``ext::`` first of all."""

_DEFAULT_PORTS = {"https": 443, "http": 80, "ssh": 22, "git": 9418}
_SCHEME = regex(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HELPER = regex(r"([A-Za-z0-9][A-Za-z0-9+.-]*)::")
_SHORT_SSH = regex(r"(?:(?P<user>[^@/:]+)@)?(?P<host>[^@/:\s]+):(?P<path>.+)")
_TOKEN_AS_USER = regex(r"gh[a-z]_|github_pat_|gl(?:pat|dt|cbt|oas)-|[A-Za-z0-9_-]{36,}")


class GitUrl(Struct, frozen=True):
    """A repository's URL without user names; ``text`` is the URL for git."""

    scheme: str
    host: str
    port: int | None
    path: str

    @property
    def address(self) -> str:
        """The host, with the port if the port is not the default."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def shown(self) -> str:
        """The URL for people."""
        return f"{self.scheme}://{self.address}/{self.path}"

    @property
    def name(self) -> str:
        """``owner/name``, with all groups in between; for a file URL the last two parts."""
        parts = self.path.removesuffix("/").removesuffix(".git").split("/")
        return "/".join(parts[-2:] if self.scheme == "file" else parts)

    @property
    def key(self) -> tuple[str, str]:
        """The key that all URLs of the same repository share, whatever the transport."""
        if self.scheme == "file":
            return "", os.path.realpath(f"/{unquote(self.path)}")
        path = self.path.removesuffix("/").removesuffix(".git")
        return self.address, path.lower() if self.host == "github.com" else path


def parse_url(text: str) -> GitUrl | None:
    """The URL in ``text``; None if ``text`` is a path.

    Raises `UsageError`, without the URL, for a URL that has a password or token, names no repository, or has a
    transport that git does not have.
    """
    if text.startswith("-"):
        raise UsageError("The name of a repository must not begin with a dash")
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise UsageError("The name of a repository must not contain control characters")
    if match := _HELPER.match(text):
        raise _refused(match[1])
    if match := _SCHEME.match(text):
        return _of_url(match[1].lower(), text)
    match = _SHORT_SSH.fullmatch(text)
    if match is None or os.path.exists(text):
        return None
    if "@" in match["path"]:
        raise UsageError(_SIGNED_IN)
    return GitUrl("ssh", _host(match["host"]), None, _path(match["path"]))


def without_user(text: str) -> str:
    """``text`` without a user and password, for a URL that comes from the user's own configuration."""
    return re.sub(r"^([A-Za-z0-9+.-]+://)[^/]*@", r"\1", text)


_SIGNED_IN = (
    "A repository's URL must not contain a password or token. help: use the environment or git's credential helper"
)


def _of_url(scheme: str, text: str) -> GitUrl:
    if scheme not in TRANSPORTS:
        raise _refused(scheme)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise UsageError("A repository's URL cannot be parsed") from None
    if _holds_password(scheme, parts):
        raise UsageError(_SIGNED_IN)
    if parts.query or parts.fragment:
        raise UsageError("A repository's URL must not contain a query or fragment")
    if scheme == "file":
        if parts.netloc not in ("", "localhost"):
            raise UsageError("A file URL needs three slashes: file:///path")
        return GitUrl(scheme, "", None, _path(parts.path))
    return GitUrl(scheme, _host(parts.hostname), None if port == _DEFAULT_PORTS[scheme] else port, _path(parts.path))


def _holds_password(scheme: str, parts: SplitResult) -> bool:
    user = unquote(parts.netloc.rpartition("@")[0])
    return ":" in user or (scheme != "ssh" and _TOKEN_AS_USER.match(user) is not None)


def _refused(transport: str) -> UsageError:
    return UsageError(f"The transport {transport} is not supported. help: use https, ssh or file")


def _host(text: str | None) -> str:
    if not text or text.startswith("-"):
        raise UsageError("A repository's URL must name a host")
    return f"[{text.lower()}]" if ":" in text else text.lower()


def _path(text: str) -> str:
    path = text.lstrip("/")
    if not path.strip("/"):
        raise UsageError("A repository's URL must name a repository")
    return path
