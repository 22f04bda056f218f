"""Credentials that are known by their shape."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrator.regex import regex

Piece = tuple[int, int]
"""The start and the end of a piece of a text."""

_ACCESS_KEY_ID = regex(r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])")
_RUN = regex(r"[A-Za-z0-9/+]{40,}")
_LENGTH = 40
_NEAR = 100
_JOINS = (".", "_", "-")
_KINDS = regex(r"[A-Z]+|[a-z]+|[0-9]+|[^A-Za-z0-9]+")
_FEWEST_KINDS = 15
"""In 40 random characters upper case, lower case, digits and signs change 25 times, in a path's words half as often."""
_TOKEN = regex(
    r"\b(?:gh[pousr]_\w{36,}|github_pat_\w{22,}|glpat-[\w-]{20,}|xox[abeprs]-[\w-]{10,}|npm_\w{36,}|pypi-[\w-]{32,}|"
    r"AIza[\w-]{35}|[rs]k_live_\w{20,}|SG\.[\w-]{16,}\.[\w-]{16,}|hv[sb]\.[\w-]{24,}|\w{14}\.atlasv1\.[\w-]{60,}|"
    r"(?<=hooks\.slack\.com/services/)[\w/]{20,}|"
    r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*|(?:FwoG|FQoG|IQoJ)[\w/+=-]{40,})"
)
"""Tokens that say what they are: GitHub, GitLab, Slack, npm, Python packages, Google, Stripe, SendGrid, Vault, HCP
Terraform, JSON Web Tokens, and session tokens of AWS STS."""
_IN_TOKENS = (
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "npm_", "pypi-", "AIza", "k_live_"),
    *("SG.", "hvs.", "hvb.", ".atlasv1.", "hooks.slack.com", "eyJ", "FwoG", "FQoG", "IQoJ"),
)
"""Each match of `_TOKEN` contains one of these texts."""
_VAULT_TOKEN = regex(r"s\.(?<!\w..)[A-Za-z0-9]{24}\b")
_PRIVATE_KEY = regex(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?P<value>.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z))", re.S)


def is_random(text: str) -> bool:
    """Whether ``text`` looks random, not like words."""
    kinds = len(_KINDS.findall(text))
    return len(text) >= 12 and kinds * _LENGTH >= _FEWEST_KINDS * len(text) and re.search(r"\d", text) is not None


def shapes(text: str) -> Iterator[Piece]:
    """The spans of credentials that have a known shape, or are near an access key id."""
    for match in _PRIVATE_KEY.finditer(text) if "PRIVATE KEY-----" in text else ():
        yield match.span("value")
    for match in _TOKEN.finditer(text) if any(part in text for part in _IN_TOKENS) else ():
        yield match.span()
    for match in _VAULT_TOKEN.finditer(text):
        yield match.span()
    if "AKIA" in text or "ASIA" in text:
        for match in _ACCESS_KEY_ID.finditer(text):
            yield match.span()
            before = max(0, match.start() - _NEAR)
            for start, end in ((before, match.start()), (match.end(), match.end() + _NEAR)):
                yield from _keys_in(text, start, end)


def _keys_in(text: str, start: int = 0, end: int | None = None) -> Iterator[Piece]:
    """The spans of possible secret access keys, including adjacent signs."""
    for match in _RUN.finditer(text, start, len(text) if end is None else end):
        run = match[0]
        for first in range(min(len(run) - _LENGTH, _LENGTH) + 1):
            last = first + _LENGTH
            if (first and run[first - 1] not in "/+") or (last < len(run) and run[last] not in "/+"):
                continue
            if is_random(run[first:last]) and _is_mixed(run[first:last]):
                yield match.start() + first, match.start() + last


def _is_mixed(text: str) -> bool:
    return all(re.search(kind, text) for kind in ("[A-Z]", "[a-z]", "[0-9]"))


def unconnected_keys(text: str) -> Iterator[Piece]:
    """The spans of secret access keys that are no part of a path, an address or something longer."""
    for start, end in _keys_in(text):
        is_part = text[max(0, start - 1) : start] in _JOINS or (
            text[end : end + 1] in _JOINS and text[end + 1 : end + 2].isalnum()
        )
        if not is_part and text[max(0, start - 3) : start] != "://":
            yield start, end


def shown_key(key: str) -> str:
    """An AWS access key id of which only the kind and the last four characters are visible; ``""`` for other text."""
    return f"{key[:4]}…{key[-4:]}" if _ACCESS_KEY_ID.fullmatch(key) else ""
