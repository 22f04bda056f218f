"""AWS access keys in the text of any file of a repository.

A file is searched closely only if it contains the prefix of a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.model.account import checksum
from migrator.model.findings import Place
from migrator.regex import regex
from migrator.terraform.credential_texts import KEY_BEGINS, credential_texts

if TYPE_CHECKING:
    from migrator.workspace.workspace import Workspace

_BEGINS = frozenset(begin.encode() for begin in KEY_BEGINS)
_KEY_ID = regex(rb"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])")
_SECRET = regex(rb"(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
_MOCK = regex(rb"EXAMPLE|SAMPLE|DUMMY|FAKE|MOCK|TEST|PLACEHOLDER|REDACTED|YOUR|CHANGE|XXXX|0123456|1234567|ABCDEFG")
_FEWEST_CHARACTERS = 6
_NEAR = 400
_MOST_IN_A_FILE = 50


class KeyLiteral(Struct, frozen=True):
    """An access key at ``place``: ``masked`` shows only the last four characters of the id.

    ``checksums`` are those of the id, and of a likely secret near the id: see `migrator.model.account.checksum`.
    """

    place: Place
    masked: str
    has_secret: bool
    checksums: tuple[str, ...] = ()


def key_literals(workspace: Workspace) -> Iterator[KeyLiteral]:
    """The keys in the files of the folder that may be changed, each once a line, by path and line."""
    for path, data, parts in credential_texts(workspace):
        if not parts.isdisjoint(_BEGINS):
            yield from keys_in(path, data)


def keys_in(path: str, data: bytes) -> Iterator[KeyLiteral]:
    """The keys in the bytes of one file."""
    literals: dict[tuple[int, bytes], KeyLiteral] = {}
    for match in _KEY_ID.finditer(data):
        if is_mock(match[0]):
            continue
        line = data.count(b"\n", 0, match.start()) + 1
        near = data[max(0, match.start() - _NEAR) : match.end() + _NEAR]
        masked = f"…{match[0][-4:].decode()}"
        literals.setdefault((line, match[0]), _literal(Place(path, line), masked, match[0], near))
        if len(literals) == _MOST_IN_A_FILE:
            break
    yield from literals.values()


def _literal(place: Place, masked: str, key_id: bytes, near: bytes) -> KeyLiteral:
    values = (key_id, *(secret for secret in _SECRET.findall(near) if _is_mixed(secret)))
    return KeyLiteral(place, masked, has_secret(near), tuple(checksum(value.decode()) for value in values))


def is_mock(key_id: bytes) -> bool:
    """Whether an access key id is one of AWS's documentation, or obviously a placeholder."""
    return _MOCK.search(key_id) is not None or len(set(key_id[4:])) < _FEWEST_CHARACTERS


def has_secret(text: bytes) -> bool:
    """Whether the text near an id contains a likely secret: 40 characters of all kinds."""
    return any(_is_mixed(secret) for secret in _SECRET.findall(text))


def _is_mixed(text: bytes) -> bool:
    return all(re.search(kind, text) for kind in (rb"[A-Z]", rb"[a-z]", rb"[0-9]"))
