"""The web address of a repository, from the URL that git has for a remote."""

from __future__ import annotations

import re

from migrator.regex import regex

_REMOTE = regex(
    r"(?:(?P<scheme>https?|ssh)://(?:[^@/\s]*@)?(?P<host>[A-Za-z0-9.-]+)(?P<port>:\d+)?/|[\w.-]+@(?P<alias>[A-Za-z0-9.-]+):)"
    r"(?P<path>[\w.~-]+(?:/[\w.~-]+)+)",
    re.ASCII,
)
"""A remote's URL, with ``git@host:owner/name`` as the short form of ssh."""


def web_address(url: str) -> str:
    """The web address of the repository with the git URL ``url``, without user, password and the port of ssh.

    ``""`` for a path, and for any address that is no plain https, http or ssh address.
    """
    match = _REMOTE.fullmatch(url.rstrip("/").removesuffix(".git"))
    if match is None:
        return ""
    scheme = "http" if match["scheme"] == "http" else "https"
    port = match["port"] if match["port"] and match["scheme"] in ("http", "https") else ""
    host = (match["host"] or match["alias"]).lower()
    return f"{scheme}://{host}{port}/{match['path']}"
