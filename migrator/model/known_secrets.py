"""Values that are known to be secret, wherever else they stand: whole, cut, escaped, or in base64."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator

from migrator.regex import regex
from migrator.secret import Piece, Plain

_SHORTEST = 8
_MUCH = 12
"""As much of a secret gives it away."""

_GRAM, _STRIDE = 5, 4
_LONGEST = 4096
_MOST_ALIKE = 16

_WORDS = regex(r"[A-Za-z]++(?:[-_./: ][A-Za-z]++)*+\d{0,4}")
_LONGEST_WORDS = 15
_IDENTIFIER = regex(r"[A-Z]+(?:_[A-Z]+)+|[a-z]+(?:_[a-z]+)+")
_OPAQUE = regex(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9+/=_-]{16,}")
_TURNS = regex(r"(?<=[a-z])[^a-z]|(?<=[A-Z])[^A-Za-z]|(?<=[0-9])[^0-9]|(?<=[^A-Za-z0-9])[A-Za-z0-9]")
_FEWEST_TURNS = 3


def is_unmistakable(value: str) -> bool:
    """Whether ``value`` is no word that other things may be called, too: such a one is masked where it comes from."""
    is_word = (len(value) <= _LONGEST_WORDS and _WORDS.fullmatch(value)) or _IDENTIFIER.fullmatch(value)
    return (
        len(value) >= _SHORTEST
        and not is_word
        and not value.startswith("-----")
        and not value.isspace()
        and len(set(value)) > 2
    )


class Known:
    """Secret ``values``, looked for all at once, in one pass over a text; those that are called like ``names`` are not.

    What is too short, or a word, says nothing about where else it stands. Whatever is as long as `_SHORTEST` has all of
    a gram at a place that `_STRIDE` divides: only these are looked up, and what agrees around one is compared.
    """

    def __init__(self, values: Iterable[str] = (), names: Iterable[str] = ()) -> None:
        secrets = {line.strip()[:_LONGEST] for value in values for line in value.splitlines()}
        self.values = frozenset(filter(is_unmistakable, secrets - set(names)))
        self._grams: dict[str, list[tuple[str, int]]] = {}
        for spelling in sorted({spelling for value in self.values for spelling in _spellings(value)}):
            for offset in range(len(spelling) - _GRAM + 1):
                places = self._grams.setdefault(spelling[offset : offset + _GRAM], [])
                if len(places) < _MOST_ALIKE:
                    places.append((spelling, offset))

    def pieces(self, text: str) -> Iterator[Piece]:
        """Where the values, or much of one, stand in ``text``, whatever escapes are in it."""
        if self.values:
            yield from self._found(text)
            plain = Plain(text)
            if plain.text != text:
                yield from map(plain.place, self._found(plain.text))

    def _found(self, text: str) -> Iterator[Piece]:
        grams = self._grams
        done: dict[tuple[str, int], int] = {}
        for place in range(0, len(text) - _GRAM + 1, _STRIDE):
            for spelling, offset in grams.get(text[place : place + _GRAM], ()):
                if done.get((spelling, place - offset), -1) < place:
                    start, end = _agreement(text, place, spelling, offset)
                    done[spelling, place - offset] = end
                    if _gives_away(spelling, text[start:end]):
                        yield start, end


def _agreement(text: str, place: int, spelling: str, offset: int) -> Piece:
    """How far ``text`` and ``spelling`` agree around a place in each."""
    begin = place - offset
    if begin >= 0 and text.startswith(spelling, begin):
        return begin, begin + len(spelling)
    start, end = place, place + _GRAM
    while start > max(begin, 0) and text[start - 1] == spelling[start - 1 - begin]:
        start -= 1
    while end < min(begin + len(spelling), len(text)) and text[end] == spelling[end - begin]:
        end += 1
    return start, end


def _gives_away(spelling: str, part: str) -> bool:
    """Whether a part of a secret is all of it, or so much that it is no word that it has in common with others."""
    if len(part) == len(spelling):
        return True
    is_opaque = _OPAQUE.fullmatch(spelling) is not None
    return len(part) >= _MUCH and (is_opaque or len(_TURNS.findall(part)) >= _FEWEST_TURNS)


def _spellings(value: str) -> Iterator[str]:
    """The value, and what base64 makes of it at the beginning, in the middle and at the end of other bytes."""
    yield value
    data = value.encode("utf-8", "surrogateescape")
    for encode in (b64encode, urlsafe_b64encode):
        for shift, skipped in enumerate((0, 2, 3)):
            yield encode(b"\0" * shift + data).decode()[skipped : (shift + len(data)) * 8 // 6]
