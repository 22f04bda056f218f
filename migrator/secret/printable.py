"""Texts as a terminal may show them."""

from __future__ import annotations

from migrator.regex import regex

_CONTROL = regex(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """The ``text`` for a terminal: control characters and lone surrogates as ``\\x1b``, without any effect."""
    escaped = _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
    return escaped.encode("utf-8", "backslashreplace").decode()


def plain_line(text: str) -> str:
    """The ``text`` as `printable`, in one line."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")
