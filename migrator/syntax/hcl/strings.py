"""Strings in HCL: their values, and their spelling."""

from __future__ import annotations

import re

from migrator.regex import regex

_STRING = regex(r'"((?:[^"\\$%\n]|\\[^\n]|\$\$\{|%%\{|\$(?!\{)|%(?!\{))*)"')
_ESCAPE = regex(r"\\(?:([nrt\"\\])|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))|([$%])\4\{")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


def string_value(expression: str) -> str | None:
    """The unescaped value of a quoted string without templates; None for every other expression."""
    match = _STRING.fullmatch(expression)
    try:
        return None if match is None else _ESCAPE.sub(_unescape, match[1])
    except (OverflowError, ValueError):  # \U beyond Unicode
        return None


def _unescape(match: re.Match[str]) -> str:
    if match[4]:
        return match[4] + "{"
    return _ESCAPED[match[1]] if match[1] else chr(int(match[2] or match[3], 16))


def quote(value: str) -> str:
    """The ``value`` as a quoted string: quotes, backslashes, line ends and templates are escaped."""
    return '"' + escaped(value).replace("${", "$${").replace("%{", "%%{") + '"'


def escaped(template: str) -> str:
    """The text of a ``template`` as in a quoted string: quotes, backslashes and line ends are escaped."""
    return (
        template.replace("\\", "\\\\")
        .replace('"', '\\"')
        .replace("\n", "\\n")
        .replace("\r", "\\r")
        .replace("\t", "\\t")
    )
