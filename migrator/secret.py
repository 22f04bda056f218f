"""The shapes of credentials, and the masking of credentials in texts."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from migrator.regex import regex

MASK = "********"

STATIC_KEYS = frozenset({"access_key", "secret_key", "token"})
"""Arguments of the AWS provider and the S3 backend that hold a credential itself."""

Piece = tuple[int, int]
"""The start and the end of a piece of a text."""

_TELLING = r"access[_-]?key|secret|passw(?:or)?d|passphrase|pass|pwd|token|private[_-]?key|api[_-]?key|credential|creds"
_WORDS = ("_key", "-key", "sskey", "ekey", "ikey", "secret", "pass", "pwd", "token", "credential", "creds", "\\u")
"""Each match of `_TELLING` contains one of these words in lower case; characters that JSON escapes may be any."""
_NO_TELLING = regex(
    r"(?:(?i:[_-](?:arn|file|id|name|path|type|ttl|length|count|day|duration|version|policy)s?)|(?:Arn|File|Id|Name|Path|Type)s?)\Z"
    r"|(?:\A|[_-])(?:path|Path|PATH)[_-]?(?:to|To|TO)(?:[_-]|(?=[A-Z]))"
)
_PLAIN = r"(?:[^\s\"'`$,;&|<>()\\{}\[\]]|&(?![&\s]|\w+=))"

# --- shapes ---------------------------------------------------------------------------------------------------------

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

# --- contexts -------------------------------------------------------------------------------------------------------

_TELLS = regex(_TELLING, re.IGNORECASE)
_TELLS_IN_LOWER = regex(_TELLING)
"""The same in a text of lower case, which takes a third of the time."""
_GIVEN = r"[\w-]{0,60}[\"']?(?:\s*+\])?[ \t]*+(?:=>|[=:])[ \t]*+"
_QUOTED = regex(
    rf"{_GIVEN}\s*(?P<quote>[\"'])"
    r"(?P<value>(?:\\.|(?!(?P=quote))[^\n\\])++(?=(?P=quote))|(?:(?!(?P=quote))[^\n])++)(?P=quote)"
)
"""A string with escapes; if the escapes leave no end, up to the next quote."""
_SHELL = regex(rf"[A-Z0-9_]{{0,60}}=(?P<value>{_PLAIN}+)")
_UNQUOTED = regex(rf"{_GIVEN}(?P<value>{_PLAIN}++)(?!\()")
_OPTION = regex(rf"[\w-]{{0,60}}[ \t]+(?!-)[\"']?(?P<value>{_PLAIN}+)")
_NAME_SO_FAR = regex(r"(?<![\w-])[\w-]+\Z")
_REST_OF_NAME = regex(r"([\w-]{0,60})[\"']?[ \t]*[=:](?![=:])")
_IS_PASSWORD = regex(r"(?i)(?:passw(?:or)?d|pwd|passphrase|key|token)[\"']?:\Z")
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

# --- spelling -------------------------------------------------------------------------------------------------------

_ESCAPE = regex(
    r"\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\x[0-9a-fA-F]{2}|\\[\\/\"'nrt]|%[0-9a-fA-F]{2}|\$\$\{|%%\{"
    r"|&(?:amp|lt|gt|quot|#39|#x27|#43|#47|#61);"
)
_MEANT = {"n": "\n", "r": "\r", "t": "\t"} | {character: character for character in "\\/\"'"}
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "#39": "'", "#x27": "'", "#43": "+", "#47": "/", "#61": "="}
_CONTROL = regex(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def names_secret(name: str) -> bool:
    """Whether an argument or variable called ``name`` may hold a secret."""
    return _NO_TELLING.search(name) is None and re.search(_TELLING, name, re.IGNORECASE) is not None


def may_name_secret(text: str) -> bool:
    """Whether any name in ``text`` could be telling: quick, and true too often rather than not often enough."""
    folded = text.casefold()
    if not any(word in folded for word in _WORDS):
        return False
    return "\\u" in folded or any(not _names_no_secret(text, tells) for tells in _telling_words(text, folded))


def _telling_words(text: str, folded: str) -> Iterator[re.Match[str]]:
    """The places of words that tell of a secret; ``folded`` is the text in lower case."""
    return _TELLS_IN_LOWER.finditer(folded) if text.isascii() else _TELLS.finditer(text)


def _names_no_secret(text: str, tells: re.Match[str]) -> bool:
    """Whether a telling word is part of a name that is assigned to, and is no secret's: ``token_file = …``."""
    end = _REST_OF_NAME.match(text, tells.end())
    start = _NAME_SO_FAR.search(text, max(0, tells.start() - 64), tells.start())
    return (
        end is not None and _NO_TELLING.search(text, start.start() if start else tells.start(), end.end(1)) is not None
    )


def is_random(text: str) -> bool:
    """Whether ``text`` looks random, not like words."""
    kinds = len(_KINDS.findall(text))
    return len(text) >= 12 and kinds * _LENGTH >= _FEWEST_KINDS * len(text) and re.search(r"\d", text) is not None


class UnescapedText:
    """A text without escapes, whatever the language: `text`, with a map to the places in the raw text."""

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self.text = raw
        self._ends, self._lags, self._lengths, self._begins = [0], [0], [0], [0]
        if "\\" in raw or "%" in raw or "$${" in raw or "&" in raw:
            self._decode()

    def _decode(self) -> None:
        pieces: list[str] = []
        done = length = 0
        for match in _ESCAPE.finditer(self.raw):
            character = _meaning(match[0])
            pieces += self.raw[done : match.start()], character
            length += match.start() - done + len(character)
            done = match.end()
            self._ends.append(length)
            self._lags.append(done - length)
            self._lengths.append(len(character))
            self._begins.append(match.start())
        self.text = "".join((*pieces, self.raw[done:]))

    def at(self, place: int) -> int:
        """The offset in the raw text of the character at a ``place`` of `text`, or of the character's escape."""
        index = bisect_right(self._ends, place) - 1
        is_escape = index + 1 < len(self._ends) and place >= self._ends[index + 1] - self._lengths[index + 1]
        return self._begins[index + 1] if is_escape else place + self._lags[index]

    def place(self, piece: Piece) -> Piece:
        """The span in the raw text of a piece of `text`."""
        start, end = piece
        index = bisect_right(self._ends, end) - 1
        inside = index + 1 < len(self._ends) and end > self._ends[index + 1] - self._lengths[index + 1]
        return self.at(start), self._begins[index + 1] if inside else end + self._lags[index]


def _meaning(escape: str) -> str:
    kind = escape[1]
    if escape[0] == "&":
        return _ENTITIES[escape[1:-1]]
    if escape[0] == "%" and kind != "%":
        return chr(int(escape[1:], 16))
    if escape[0] != "\\":
        return escape[1:]
    if kind in "uUx":
        code = int(escape[2:], 16)
        return chr(code) if code <= 0x10FFFF else "?"
    return _MEANT[kind]


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


def _bare_keys(text: str) -> Iterator[Piece]:
    for start, end in _keys_in(text):
        is_part = text[max(0, start - 1) : start] in _JOINS or (
            text[end : end + 1] in _JOINS and text[end + 1 : end + 2].isalnum()
        )
        if not is_part and text[max(0, start - 3) : start] != "://":
            yield start, end


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
    if any(word in folded for word in _WORDS):
        yield from _assigned_to_names(text, folded, is_text)


def _assigned_to_names(text: str, folded: str, is_text: Callable[[int], bool] | None) -> Iterator[Piece]:
    """The spans of values of a name that indicates a secret; ``folded`` is the text in lower case."""
    for tells in _telling_words(text, folded):
        for pattern in (_QUOTED, _SHELL, _UNQUOTED, _OPTION):
            value = pattern.match(text, tells.end())
            if value and not refers(value["value"]) and _is_assigned(pattern, text, tells, value, is_text):
                yield value.span("value")
                break


def _is_assigned(
    pattern: re.Pattern[str],
    text: str,
    name: re.Match[str],
    value: re.Match[str],
    is_text: Callable[[int], bool] | None,
) -> bool:
    """Whether the code at this place may assign a value to a name."""
    start, end = value.span("value")
    first = _NAME_SO_FAR.search(text, max(0, name.start() - 64), name.start())
    if not names_secret(text[first.start() if first else name.start() : start].rstrip(" \t\"':=>]")):
        return False
    if pattern is _QUOTED:
        return True
    if is_text is None:
        return pattern is _SHELL and text[name.start() : name.end()].isupper()
    if pattern is _OPTION and not _IS_OPTION.search(text, max(0, name.start() - 64), name.start()):
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


def hide(text: str, pieces: Iterable[Piece]) -> str:
    """The ``text`` with `MASK` in place of the ``pieces``; the lines stay the same."""
    lines_shown: list[str] = []
    position = 0
    for start, end in joined(pieces):
        lines_shown += text[position:start], re.sub(r"[^\s][^\r\n]*", MASK, text[start:end])
        position = end
    return "".join((*lines_shown, text[position:]))


def joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces in their order, those that touch or overlap as one."""
    current: Piece | None = None
    for start, end in sorted(set(pieces)):
        if start == end:
            continue
        if current is None or start > current[1]:
            if current:
                yield current
            current = (start, end)
        else:
            current = (current[0], max(current[1], end))
    if current:
        yield current


def mask_shapes(text: str) -> str:
    """The ``text``, for example a path, in which only certain credentials are masked."""
    return hide(text, shapes(text))


@lru_cache(maxsize=4096)
def mask(text: str) -> str:
    """The ``text`` with `MASK` in place of every recognised credential; the lines stay the same.

    AWS access key ids, secret access keys and tokens are recognised by their shape. Other secrets are literals of a
    telling name (``password = "…"``, ``API_TOKEN=…``), passwords in URLs, bearer tokens, and private keys.
    """
    return hide(text, (*assigned_pieces(text), *bare_keys(text)))


def assigned_pieces(text: str, is_text: Callable[[int], bool] | None = None) -> Iterator[Piece]:
    """The spans of recognised secrets in ``text``, with or without escapes; see `contexts`."""
    yield from (*shapes(text), *contexts(text, is_text))
    plain = UnescapedText(text)
    if plain.text != text:
        inside = None if is_text is None else lambda place: is_text(plain.at(place))
        yield from map(plain.place, (*shapes(plain.text), *contexts(plain.text, inside)))


def bare_keys(text: str) -> Iterator[Piece]:
    """The spans of secret access keys on their own, which are no part of a path, an address or something longer."""
    yield from _bare_keys(text)
    plain = UnescapedText(text)
    if plain.text != text:
        yield from map(plain.place, _bare_keys(plain.text))


def shown_key(key: str) -> str:
    """An AWS access key id of which only the kind and the last four characters are visible; ``""`` for other text."""
    return f"{key[:4]}…{key[-4:]}" if _ACCESS_KEY_ID.fullmatch(key) else ""


def printable(text: str) -> str:
    """The ``text`` for a terminal: control characters and lone surrogates as ``\\x1b``, without any effect."""
    escaped = _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
    return escaped.encode("utf-8", "backslashreplace").decode()


def plain_line(text: str) -> str:
    """The ``text`` as `printable`, in one line."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")
