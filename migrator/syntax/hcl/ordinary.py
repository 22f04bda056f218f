"""Whether a text is written in the most ordinary part of HCL, of which nothing but the form of each line must be known.

A line is blank, the header of a block, an argument, an element of a list, or a bracket that closes. Values are
strings, numbers, references and lists of these. What has expressions is not ordinary, and no more is what spreads
otherwise over lines: a whole parser is asked about that.
"""

from __future__ import annotations

from migrator.regex import regex

_WORD = r"(?!(?:for|if|in|else|endif|endfor|null|true|false)\b)[A-Za-z_][A-Za-z0-9_]*(?![A-Za-z0-9_-])"
_REFERENCE = rf"{_WORD}(?:\.{_WORD})*"
_TEXT = r"[^\"\\$%\n]|[$%](?![{$%])"
_STRING = rf"\"(?:{_TEXT}|\\[nrt\"\\]|\$\$\{{|%%\{{|\$\{{(?:{_REFERENCE}|\"(?:{_TEXT})*\")\}})*+\""
_ATOM = rf"(?:{_STRING}|-?(?:0|[1-9]\d{{0,17}})(?:\.\d{{1,9}})?|true|false|null|{_REFERENCE})"
_LIST = rf"\[[ \t]*(?:{_ATOM}(?:[ \t]*,[ \t]*{_ATOM})*)?[ \t]*\]"
_LINE = regex(
    rf"[ \t]*(?:(?P<block>{_WORD}(?:[ \t]+(?:{_WORD}|\"(?:{_TEXT})*\"))*[ \t]*\{{)"
    rf"|{_WORD}[ \t]*=[ \t]*(?:(?P<object>\{{)|(?P<list>\[)|(?P<argument>{_ATOM}|{_LIST}|\{{[ \t]*\}}))"
    rf"|(?P<element>{_ATOM}[ \t]*,)|(?P<last>{_ATOM})"
    r"|(?P<brace>\})|(?P<bracket>\]))?[ \t]*(?:(?:#|//)[^\n]*)?"
)
_PLACES = {
    "block": ("", "block"),
    "object": ("", "block", "object"),
    "list": ("", "block", "object"),
    "argument": ("", "block", "object"),
    "element": ("list",),
    "last": ("list",),
    "brace": ("block", "object"),
    "bracket": ("list", "last"),
}
"""What each kind of line may stand in; after the last element of a list, the list must end."""


def is_ordinary(text: str) -> bool:
    """Whether each line of ``text`` has an ordinary form, and stands where this form may."""
    opened = [""]
    for line in text.split("\n"):
        match = _LINE.fullmatch(line)
        if match is None:
            return False
        kind = match.lastgroup
        if kind is None:
            continue
        if opened[-1] not in _PLACES[kind]:
            return False
        if kind == "last":
            opened[-1] = kind
        elif kind in ("brace", "bracket"):
            opened.pop()
        elif kind not in ("argument", "element"):
            opened.append(kind)
    return opened == [""]
