"""The mentions of AWS credentials in a repository, found in the bytes of the files, independent of the rules.

The names of variables are those that AWS's SDKs, the aws CLI and Terraform read
(https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html), the arguments those of the provider
(https://registry.terraform.io/providers/hashicorp/aws/latest/docs) and of the S3 backend
(https://developer.hashicorp.com/terraform/language/backend/s3), as HCL, YAML, JSON and programs spell them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.census.kinds import FileKind, kind_of_text
from migrator.regex import regex
from migrator.terraform.credential_names import ANY
from migrator.terraform.credential_texts import credential_texts
from migrator.terraform.key_literals import is_mock
from migrator.workspace.discover import Kind

if TYPE_CHECKING:
    from migrator.workspace.workspace import Workspace

KEY = "access key"
"""The word of a mention that is a key itself."""

_PLACES = (
    (b"AWS_", (0,)),
    (b"AKIA", (0,)),
    (b"ASIA", (0,)),
    (b"--profile", (0,)),
    (b"backend-config", (1, 2)),
    (b"ccess_key", (1, 5, 7, 8, 12)),
    (b"ccessKey", (1, 7, 8)),
    (b"ecret_key", (1, 5)),
    (b"ecretKey", (1,)),
    (b"hared_c", (1, 5)),
    (b"haredC", (1,)),
    (b"profile", (0, 4)),
    (b"Profile", (0,)),
    (b"role_arn", (0,)),
    (b"oleArn", (1,)),
)
"""A part of every mention, few in number, and the number of bytes before the part where a mention may begin."""

_ARGUMENTS = (
    rb"(?:aws_)?(?:[aA]ccess_?[kK]ey(?:_?[iI]d)?|[sS]ecret_?(?:[aA]ccess_?)?[kK]ey|[sS]hared_?[cC](?:redentials|onfig)_?[fF]iles?"
    rb"|[pP]rofile)|role_arn|[rR]oleArn"
)
_MENTION = regex(
    rb"(?<![A-Za-z0-9])(?<!TF_VAR_)(?P<name>" + ANY.encode() + rb")(?!\w|=%s)"
    rb"|(?<![A-Za-z0-9])(?P<key>(?:AKIA|ASIA)[A-Z0-9]{16})(?![A-Za-z0-9])"
    rb"|(?<![\w-])(?P<option>--profile(?![\w-])|--?backend-config(?![\w-])"
    rb"(?:[=\s\"',\\]+(?P<what>[^\s\"'=,\]\\]+)(?P<is_pair>=)?)?)"
    rb"|(?:(?<![\w.$-])|(?<=[\w)]\.)(?=\w+\()|(?<=[ \t]\.)(?=\w+\())(?P<argument>"
    + _ARGUMENTS
    + rb")[\"'`]?\s{0,40}(?:=(?![=~>])|:(?!:)|\()"
)
_ASKS = regex(rb"(?:\btest -[nz]|\[ -[nz]|\bunset) [\\\"']*\$?\{?\Z")
"""Before a name that a command asks for, or takes away."""
_COMMENT = regex(rb"[ \t]*(?:#|//|\*|--|;)")
_IN_COMMENT = regex(rb"/\*(?:(?!\*/).)*\Z|\"//\"\s*:[^}\]]*\Z")
_VALUE = regex(rb"(?<![\w-])--?var[=\s\"',]+\Z")
_SIGNING = regex(rb"(?:" + _ARGUMENTS + rb"|token|assume_role(?:_with_web_identity)?|endpoints?)\Z")
_WITH_WEB_IDENTITY = regex(rb"(?:assume_?role_?with_?web_?identity|AssumeRoleWithWebIdentity)[^}\])]*\Z", re.I)
_NEAR = 600
_LONGEST = 200
"""The maximum length of a match after a part."""


class Mention(Struct, frozen=True):
    """A place, by its ``line`` and ``offset`` in bytes, that mentions ``word``.

    ``is_argument``: the word is an argument, not the name of a variable. ``is_value``: ``-var`` sets a variable of that
    name. ``names`` is the file that ``-backend-config`` names.
    """

    line: int
    offset: int
    word: str
    is_argument: bool = False
    is_value: bool = False
    names: str | None = None

    @property
    def is_general(self) -> bool:
        """Whether the word means credentials only in some blocks."""
        return self.is_argument and self.word.lower().replace("_", "") in ("profile", "rolearn")


def mentions(workspace: Workspace) -> Iterator[tuple[str, bytes, FileKind, list[Mention]]]:
    """The files with mentions of AWS credentials in folders that may be changed: path, content, kind and mentions."""
    for path, data, parts in credential_texts(workspace):
        file_mentions = list(in_file(data, parts))
        if not file_mentions:
            continue
        document = workspace.documents.get(path)
        is_terraform = document is not None and document.kind not in (Kind.SCRIPT, Kind.PYTHON)
        yield path, data, FileKind.TERRAFORM if is_terraform else kind_of_text(path, data), file_mentions


def in_file(data: bytes, parts: Collection[bytes] = (b"",)) -> Iterator[Mention]:
    """The mentions in the bytes of one file, each word once a line; commented lines sign nothing in, and count not.

    ``parts``: only mentions with one of these parts are searched for.
    """
    seen: set[tuple[int, str]] = set()
    line, counted = 1, 0
    for match in _matches(data, [place for place in _PLACES if any(part in place[0] for part in parts)]):
        line += data.count(b"\n", counted, match.start())
        counted = match.start()
        mention = _mention(match, data, line)
        if mention is not None and (line, mention.word) not in seen:
            seen.add((line, mention.word))
            yield mention


def _matches(data: bytes, places: Sequence[tuple[bytes, tuple[int, ...]]]) -> Iterator[re.Match[bytes]]:
    """The matches in ``data``, in order; a search starts only near a fixed part of the pattern, for speed."""
    starts: dict[int, int] = {}
    for part, before in places:
        place = data.find(part)
        while place >= 0:
            for start in before:
                if place >= start:
                    starts[place - start] = max(place, starts.get(place - start, 0))
            place = data.find(part, place + 1)
    end = -1
    for start in sorted(starts):
        match = _MENTION.match(data, start, starts[start] + _LONGEST) if start >= end else None
        if match is not None:
            yield match
            end = match.end()


def _mention(match: re.Match[bytes], data: bytes, line: int) -> Mention | None:
    start = match.start()
    if match["key"]:
        return None if is_mock(match["key"]) else Mention(line, start, KEY)
    margin = data.rfind(b"\n", 0, start) + 1
    before = data[max(margin, start - _NEAR) : start]
    if _COMMENT.match(data, margin, start) or _IN_COMMENT.search(before):
        return None
    if match["name"]:
        if _ASKS.search(before):
            return None
        return Mention(line, start, match["name"].decode())
    if match["argument"]:
        is_role = match["argument"].endswith((b"arn", b"Arn"))
        if is_role and _WITH_WEB_IDENTITY.search(data, max(0, start - _NEAR), start):
            return None
        is_value = _VALUE.search(before) is not None
        return Mention(line, start, match["argument"].decode(), is_argument=True, is_value=is_value)
    if match["option"].startswith(b"--profile"):
        return Mention(line, start, "--profile")
    prefix = match["what"] or b""
    if match["is_pair"]:
        return Mention(line, start, f"-backend-config={prefix.decode()}") if _SIGNING.match(prefix) else None
    return Mention(line, start, "-backend-config", names=prefix.decode("utf-8", "replace"))
