"""Texts without the escapes of their language."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from migrator.regex import regex

if TYPE_CHECKING:
    from migrator.secret.shapes import Piece

_ESCAPE = regex(
    r"\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\x[0-9a-fA-F]{2}|\\[\\/\"'nrt]|%[0-9a-fA-F]{2}|\$\$\{|%%\{"
    r"|&(?:amp|lt|gt|quot|#39|#x27|#43|#47|#61);"
)
_MEANT = {"n": "\n", "r": "\r", "t": "\t"} | {character: character for character in "\\/\"'"}
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "#39": "'", "#x27": "'", "#43": "+", "#47": "/", "#61": "="}


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
