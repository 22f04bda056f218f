"""The forge of a host, and the token for the forge: from the environment or git's credential helpers, never elsewhere.

A variable's token goes only to its hosts: github.com, gitlab.com, and hosts that the environment names. A host with a
similar name, for example github.example.com, gets the token of the user's credential helper for that host.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from migrator.errors import MigrateError, UsageError
from migrator.git.command import Deadline
from migrator.git.network import run_git

if TYPE_CHECKING:
    from migrator.remotes.url import GitUrl

GITHUB, GITLAB = "github", "gitlab"

_TOKENS = {GITHUB: ("GH_TOKEN", "GITHUB_TOKEN"), GITLAB: ("GITLAB_TOKEN",)}
_SERVERS = {GITHUB: ("GITHUB_API_URL", "GITHUB_SERVER_URL"), GITLAB: ("GITLAB_URL", "CI_SERVER_URL")}
_PUBLIC = {GITHUB: "https://github.com", GITLAB: "https://gitlab.com"}
_USERS = {GITHUB: "x-access-token", GITLAB: "oauth2"}


class ForgeHost(Struct, frozen=True):
    """A server with pull requests. ``root`` is the URL of its web pages; ``is_named``: the environment names it."""

    kind: str
    root: str
    is_named: bool

    @property
    def address(self) -> str:
        """The host, with the port if the port is not the default."""
        return urlsplit(self.root).netloc

    @property
    def base_url(self) -> str:
        """The URL of the API for the client libraries."""
        if self.kind == GITLAB:
            return self.root
        if self.address == "github.com" or self.address.endswith(".ghe.com"):
            return f"https://api.{self.address}"
        return f"{self.root}/api/v3"

    @property
    def token_variable(self) -> str | None:
        """The environment's variable that holds the token for this host."""
        names = _TOKENS[self.kind] if self.is_named else ()
        return next((name for name in names if os.environ.get(name)), None)


def default_host(kind: str) -> ForgeHost:
    """The host that the environment names for ``kind``, else the public one."""
    return next(host for host in _named_hosts() if host.kind == kind)


def host_of(url: GitUrl) -> ForgeHost | None:
    """The forge of ``url``: a named forge, else by the host's name; None if not known."""
    for host in _named_hosts():
        if url.address == host.address or (url.scheme == "ssh" and url.host == urlsplit(host.root).hostname):
            return host
    kinds = {GITHUB, GITLAB} & set(url.host.split("."))
    if url.host.endswith(".ghe.com"):
        return ForgeHost(GITHUB, f"https://{url.host}", is_named=True)
    if len(kinds) != 1 or url.scheme not in ("https", "ssh"):
        return None
    return ForgeHost(kinds.pop(), f"https://{url.host if url.scheme == 'ssh' else url.address}", is_named=False)


def _named_hosts() -> Iterator[ForgeHost]:
    for kind in (GITHUB, GITLAB):
        for variable in _SERVERS[kind]:
            if os.environ.get(variable):
                yield ForgeHost(kind, _root(variable, os.environ[variable]), is_named=True)
        yield ForgeHost(kind, _PUBLIC[kind], is_named=True)


def _root(variable: str, url: str) -> str:
    """The web root for the URL of a server or API."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        raise UsageError(f"{variable} must be a URL, for example https://git.example.com")
    address, path = parts.netloc.lower(), parts.path.rstrip("/")
    if variable == "GITHUB_API_URL":
        address, path = address.removeprefix("api."), path.removesuffix("/api/v3")
    return f"{parts.scheme}://{address}{path}"


def token(host: ForgeHost) -> str:
    """The token for ``host``. Raises `MigrateError` with the places that were searched."""
    if host.token_variable:
        return os.environ[host.token_variable].strip()
    root = urlsplit(host.root)
    query = f"protocol={root.scheme}\nhost={root.netloc}\n\n"
    answer = run_git(("credential", "fill"), Deadline(30), cwd=Path("/"), stdin=query)
    for line in answer.printed.splitlines():
        if line.startswith("password="):
            return line.removeprefix("password=")
    places = [*(_TOKENS[host.kind] if host.is_named else ()), f"git's credential helper for {host.address}"]
    raise MigrateError(f"No token for {host.address} was found in {' or '.join(places)}")


def git_options(url: GitUrl | None) -> tuple[str, ...]:
    """Options that let git sign in to ``url`` with the environment's token, if there is one for its host.

    The options hold the variable's name, never its value, and keep the user's helpers from storing the token.
    """
    host = host_of(url) if url is not None else None
    if url is None or host is None or host.token_variable is None or not host.root.startswith(f"{url.scheme}://"):
        return ()
    section = f"credential.{url.scheme}://{url.address}"
    script = f'test "$1" = get && printf "%s\\n" username={_USERS[host.kind]} "password=${host.token_variable}"'
    return "-c", f"{section}.helper=", "-c", f"{section}.helper=!f() {{ {script}; }}; f"
