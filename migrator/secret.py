"""What a credential looks like, and how to speak of a text without giving one away."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "********"

STATIC_KEYS = frozenset({"access_key", "secret_key", "token"})
"""Arguments of the AWS provider and the S3 backend that hold a credential itself."""

_ACCESS_KEY_ID = re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])")
_SECRET_KEY = re.compile(
    r"(?<![A-Za-z0-9/+])(?=[A-Za-z0-9/+]*[A-Z])(?=[A-Za-z0-9/+]*[a-z])(?=[A-Za-z0-9/+]*[0-9])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
)
_TOKEN = re.compile(
    r"\b(?:gh[pousr]_\w{36,}|github_pat_\w{22,}|glpat-[\w-]{20,}|xox[abeprs]-[\w-]{10,}|npm_\w{36,}|pypi-[\w-]{32,}|"
    r"AIza[\w-]{35}|[rs]k_live_\w{20,}|SG\.[\w-]{16,}\.[\w-]{16,}|hv[sb]\.[\w-]{24,}|\w{14}\.atlasv1\.[\w-]{60,}|"
    r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*|(?:FwoG|FQoG|IQoJ)[\w/+=-]{40,})"
)
"""Tokens that say what they are: GitHub, GitLab, Slack, npm, Python packages, Google, Stripe, SendGrid, Vault, HCP
Terraform, JSON Web Tokens, and session tokens of AWS STS."""
_TELLING = r"access_?key|secret|passw(?:or)?d|passphrase|pass|token|private_?key|api_?key|credential"
_WORDS = ("_key", "sskey", "ekey", "ikey", "secret", "pass", "token", "credential", "\\u")
"""One of them is in whatever `_TELLING` matches, in lower case; what JSON escapes may be any."""
_TELLING_NAME = re.compile(
    rf"""(?ix)
    (?P<name> (?: {_TELLING} ) [\w-]{{0,60}} ["']? \s* [=:] \s* )
    (?P<quote> ["'] ) (?P<value> (?: \\. | (?! (?P=quote) ) [^\n] )+ ) (?P=quote)
    """
)
_SHELL_VARIABLE = re.compile(
    r"(?P<name>\b[A-Z0-9_]{0,60}(?:ACCESS_KEY|SECRET|PASSW(?:OR)?D|TOKEN|API_KEY|CREDENTIAL)[A-Z0-9_]{0,60}=)"
    r"(?!%s)[^\s\"'$`;&|()\\]+"
)
_USER_INFO = re.compile(r"(://[^\s/@:]{1,100}:)[^\s/@]{1,200}@")
_BEARER = re.compile(r"(?i)\b(bearer\s+)[\w.~+/-]{6,}=*")
_PRIVATE_KEY = re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_NO_SECRET = re.compile(r"\$\{[^{}]*\}|/[\w./-]+|true|false|string|null")
_FEW = 50  # values that are looked for one after the other
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def is_telling(name: str) -> bool:
    """Whether an argument or variable called ``name`` may hold a secret."""
    if name.endswith(("_arn", "_file", "_files", "_id", "_name", "_path")):
        return False
    return re.search(_TELLING, name, re.IGNORECASE) is not None


def may_tell(text: str) -> bool:
    """Whether any name in ``text`` could be telling: quick, and true too often rather than not often enough."""
    folded = text.casefold()
    return any(word in folded for word in _WORDS)


def mask(text: str, known: Iterable[str] = ()) -> str:
    """``text`` with every credential in it replaced by `MASK`, line for line.

    Masked are the ``known`` values, AWS access key ids, secret access keys and tokens by their shape, literals given to
    a name that tells (``password = "…"``, ``API_TOKEN=…``), passwords in URLs, bearer tokens, and private keys.
    """
    text = _mask_known(text, set(known))
    text = _PRIVATE_KEY.sub(lambda match: match[1] + re.sub(r"[^\n]+", MASK, match[0][len(match[1]) :]), text)
    text = _ACCESS_KEY_ID.sub(MASK, text)
    text = _TOKEN.sub(MASK, _SECRET_KEY.sub(MASK, text))
    text = _SHELL_VARIABLE.sub(rf"\g<name>{MASK}", text)
    text = _BEARER.sub(rf"\g<1>{MASK}", _USER_INFO.sub(rf"\g<1>{MASK}@", text))
    return _TELLING_NAME.sub(_mask_value, text)


def _mask_known(text: str, known: set[str]) -> str:
    if len(known) <= _FEW:
        for value in sorted(known, key=len, reverse=True):
            text = text.replace(value, MASK)
        return text
    length = min(map(len, known))
    by_beginning: dict[str, list[str]] = {}
    for value in sorted(known, key=len, reverse=True):
        by_beginning.setdefault(value[:length], []).append(value)
    pieces: list[str] = []
    done = place = 0
    while place < len(text):
        candidates = by_beginning.get(text[place : place + length], ())
        found = next((one for one in candidates if text.startswith(one, place)), None)
        if found is None:
            place += 1
        else:
            pieces += text[done:place], MASK
            done = place = place + len(found)
    return "".join(pieces) + text[done:]


def _mask_value(match: re.Match[str]) -> str:
    if _NO_SECRET.fullmatch(match["value"]):
        return match[0]
    return f"{match['name']}{match['quote']}{MASK}{match['quote']}"


def shown_key(key: str) -> str:
    """An AWS access key id with all but its kind and its last four characters left out; ``""`` for anything else."""
    return f"{key[:4]}…{key[-4:]}" if _ACCESS_KEY_ID.fullmatch(key) else ""


def printable(text: str) -> str:
    """``text`` fit for a terminal: control characters and lone surrogates as ``\\x1b``, so that none of them acts."""
    shown = _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
    return shown.encode("utf-8", "backslashreplace").decode()


def plain_line(text: str) -> str:
    """``text`` as `printable`, and in one line."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")
