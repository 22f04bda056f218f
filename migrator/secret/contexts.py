"""Secrets that are known by what stands before them: a name, an option, an address."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from migrator.regex import regex
from migrator.secret.names import names_secret, start_of_name, telling_words
from migrator.secret.shapes import Piece, is_random

_PLAIN = r"(?:[^\s\"'`$,;&|<>()\\{}\[\]]|&(?![&\s]|\w+=))"
_GIVEN = r"[\w-]{0,60}[\"']?(?:\s*+\])?[ \t]*+(?:=>|[=:])[ \t]*+"
_QUOTED = regex(
    rf"{_GIVEN}\s*(?P<quote>[\"'])"
    r"(?P<value>(?:\\.|(?!(?P=quote))[^\n\\])++(?=(?P=quote))|(?:(?!(?P=quote))[^\n])++)(?P=quote)"
)
"""A string with escapes; if the escapes leave no end, up to the next quote."""
_SHELL = regex(rf"[A-Z0-9_]{{0,60}}=(?P<value>{_PLAIN}+)")
_UNQUOTED = regex(rf"{_GIVEN}(?P<value>{_PLAIN}++)(?!\()")
_OPTION = regex(rf"[\w-]{{0,60}}[ \t]+(?!-)[\"']?(?P<value>{_PLAIN}+)")
_IS_PASSWORD = regex(r"(?i)(?:passw(?:or)?d|pwd|passphrase|key|token)[\"']?:\Z")
_STRING = regex(r"(?P<call>(?:env|lookup)\((?:[\w.]+,)?[ \t]*)?\"(?P<value>[^\"\n]*)\"")
_NEAR = 64
_LONGEST_TEMPLATE = 1000
_VERSION = regex(r"v?\d+(?:\.\d+)+|latest")
_IS_OPTION = regex(r"(?<!\S)--?[\w-]{0,60}\Z")
_GIVES = r"[\"']?\s*+[=:]\s*+[\"']?"
_NEXT = r"[\"']?\s*+,?\s*+[\"']?\b"
_TITLE = rf"\b(?:name|key|variable){_GIVES}(?P<name>[\w-]{{1,80}}+)"
_TITLED = rf"\b(?:value|content|default){_GIVES}(?P<value>{_PLAIN}++)"
_PAIR = regex(rf"(?i){_TITLE}{_NEXT}{_TITLED}")
_RIAP = regex(rf"(?i){_TITLED}{_NEXT}{_TITLE}")
_CURL = regex(rf"(?<!\S)(?:-u|--user|--proxy-user)(?:[ \t]+|=)?[\"']?[^\s:\"'$@]{{1,100}}:(?P<value>{_PLAIN}+)")
_LOGIN = regex(rf"\b(?:sshpass|(?:mysql\w*|login)\b[^|;&\n]{{0,100}}?)[ \t]-p[ \t]*[\"']?(?P<value>{_PLAIN}+)")
_QUERY = regex(rf"[?&](?:sig|X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token)=(?P<value>{_PLAIN}+)")
_NETRC = regex(r"\blogin\s+\S+\s+password\s+(?P<value>" + _PLAIN + "+)")
_USER_INFO = regex(r"://[^\s/@:\"']{0,100}:(?!\d{1,5}/)(?![${])(?P<value>[^\s@\"'<>]{1,200})@")
_LONE_USER = regex(r"://(?P<value>[\w.~-]{16,200})@")
_BEARER = regex(r"(?i)\b(?:bearer|authorization:\s*(?:basic|token))\s+(?P<value>[\w.~+/-]{6,}=*)")
_ANYWHERE = (
    (_NETRC, ("password",)),
    (_USER_INFO, ("://",)),
    (_BEARER, ("bearer", "author")),
    (_CURL, ("-u",)),
    (_LOGIN, ("-p",)),
    (_QUERY, ("sig=", "x-amz-")),
)
"""Patterns of secrets in any text, with words of which each match contains one in lower case."""
_NO_SECRET = regex(
    r"(?i)\$\{[^{}]*\}|\$?\{\{\s*[\w-]*(?:\.[\w-]+)+\s*\}\}|(?:/[\w.-]+){2,}/?|(?:\.{1,2}|~)(?:/[\w.-]+)+/?"
    r"|arn:.*|true|false|string|bool|number|any|null|none|~"
    r"|(?:var|local|data|module|each|self|secrets|env|os|std|vault)\.[\w.\[\]\"'-]*|:.*|[|>][+-]?\d?|!\w.*|\*+|%s"
)


def contexts(text: str, is_text: Callable[[int], bool] | None = None) -> Iterator[Piece]:
    """The spans of values of a name, an option or an address that only secrets have.

    ``is_text``: the file is no code, so that a value may have no quotes.
    """
    folded = text.casefold()
    for pattern, words in _ANYWHERE:
        if any(word in folded for word in words):
            yield from (match.span("value") for match in pattern.finditer(text) if not refers(match["value"]))
    if "://" in text:
        yield from (match.span("value") for match in _LONE_USER.finditer(text) if is_random(match["value"]))
    for pattern in (_PAIR, _RIAP) if is_text else ():
        for match in pattern.finditer(text):
            if names_secret(match["name"]) and not refers(match["value"]) and is_text and is_text(match.start("value")):
                yield match.span("value")
    yield from _assigned_to_names(text, is_text)


def _assigned_to_names(text: str, is_text: Callable[[int], bool] | None) -> Iterator[Piece]:
    """The spans of values of a name that indicates a secret."""
    for word in telling_words(text):
        for pattern in (_QUOTED, _SHELL, _UNQUOTED, _OPTION):
            value = pattern.match(text, word.end())
            if value and not refers(value["value"]) and _is_assigned(pattern, text, word, value, is_text):
                yield from _literal_parts(text, *value.span("value"))
                break


def _literal_parts(text: str, start: int, end: int) -> Iterator[Piece]:
    """The value itself, or the literals of a template: the value ends at their first quote, as in ``"${f("…")}"``.

    The key of ``get_env`` or ``lookup`` is a name.
    """
    opened, closed = text.rfind("${", start, end), text.find("}", end, end + _LONGEST_TEMPLATE)
    is_template = opened >= 0 and closed >= 0 and "}" not in text[opened:end]
    strings = list(_STRING.finditer(text, opened, closed)) if is_template else []
    if start < (opened if strings else end):
        yield start, opened if strings else end
    yield from (string.span("value") for string in strings if string["value"] and not string["call"])


def _is_assigned(
    pattern: re.Pattern[str],
    text: str,
    name: re.Match[str],
    value: re.Match[str],
    is_text: Callable[[int], bool] | None,
) -> bool:
    """Whether the code at this place may assign a value to a name."""
    start, end = value.span("value")
    if not names_secret(text[start_of_name(text, name) : start].rstrip(" \t\"':=>]")):
        return False
    if pattern is _QUOTED:
        return True
    if is_text is None:
        return pattern is _SHELL and text[name.start() : name.end()].isupper()
    if pattern is _OPTION and not _IS_OPTION.search(text, max(0, name.start() - _NEAR), name.start()):
        return False
    between = text[name.end() : start]
    if between.endswith(":") and not _IS_PASSWORD.search(text[name.start() : start]):
        return False  # part of an ARN, an image, an address
    is_prose = ":" in between and value["value"].isalpha() and re.match(r"[ \t]+\w", text[end : end + 9])
    return is_text(start) and not is_prose and not _VERSION.fullmatch(value["value"])


def refers(value: str) -> bool:
    """Whether a value is none itself, but a reference to one, a path, or a word of the language."""
    is_path = value.startswith(("/", "./", "../", "~/"))
    return not (is_path and is_random(value)) and _NO_SECRET.fullmatch(value) is not None
