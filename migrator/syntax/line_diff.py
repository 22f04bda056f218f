"""The lines that differ between two texts, found in time that grows with the number of lines alone.

`difflib` takes quadratic time and more for long texts. Long texts are first split at the lines that occur once in both
texts, in the same order, like in a patience diff: https://bramcohen.livejournal.com/73318.html.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal

Opcode = tuple[Literal["equal", "insert", "delete", "replace"], int, int, int, int]
"""An opcode of `difflib.SequenceMatcher.get_opcodes`."""

_SHORT = 1000  # lines that difflib compares in less than a second, whatever they are


class LineMatcher(SequenceMatcher[str]):
    """A `SequenceMatcher` of lines for texts of any length.

    Between two lines that occur once in both texts, long parts without any common line count as replaced.
    """

    def __init__(self, before: Sequence[str], after: Sequence[str]) -> None:
        self._is_short = max(len(before), len(after)) <= _SHORT
        super().__init__(None, before if self._is_short else (), after if self._is_short else ())
        self._before, self._after = before, after

    def get_opcodes(self) -> list[Opcode]:
        """The steps that turn one text into the other."""
        if self._is_short:
            return list(super().get_opcodes())
        return _joined(_stretches(self._before, self._after))


def _stretches(before: Sequence[str], after: Sequence[str]) -> Iterator[Opcode]:
    i = j = 0
    for next_i, next_j in [*_anchors(before, after), (len(before), len(after))]:
        yield from _between(before, after, i, next_i, j, next_j)
        if next_i < len(before):
            yield "equal", next_i, next_i + 1, next_j, next_j + 1
        i, j = next_i + 1, next_j + 1


def _between(before: Sequence[str], after: Sequence[str], i1: int, i2: int, j1: int, j2: int) -> Iterator[Opcode]:
    head = _common(before[i1:i2], after[j1:j2])
    tail = _common(before[i1 + head : i2][::-1], after[j1 + head : j2][::-1])
    if head:
        yield "equal", i1, i1 + head, j1, j1 + head
    i, j, end_i, end_j = i1 + head, j1 + head, i2 - tail, j2 - tail
    if max(end_i - i, end_j - j) <= _SHORT:
        for kind, a, b, c, d in SequenceMatcher(None, before[i:end_i], after[j:end_j]).get_opcodes():
            yield kind, i + a, i + b, j + c, j + d
    else:
        yield "delete" if j == end_j else "insert" if i == end_i else "replace", i, end_i, j, end_j
    if tail:
        yield "equal", end_i, i2, end_j, j2


def _common(before: Sequence[str], after: Sequence[str]) -> int:
    """The number of equal lines at the beginning."""
    differing = (number for number, (line, other) in enumerate(zip(before, after, strict=False)) if line != other)
    return next(differing, min(len(before), len(after)))


def _anchors(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
    """The longest sequence of pairs of places, one in each text, of lines that occur once in both texts."""
    counts, others = Counter(before), Counter(after)
    places = {line: number for number, line in enumerate(after) if others[line] == 1}
    pairs = [(i, places[line]) for i, line in enumerate(before) if counts[line] == 1 and line in places]
    lowest: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for number, (_, j) in enumerate(pairs):
        length = bisect_left(lowest, j)
        lowest[length : length + 1] = [j]
        ends[length : length + 1] = [number]
        previous.append(ends[length - 1] if length else -1)
    chain: list[tuple[int, int]] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        chain.append(pairs[at])
        at = previous[at]
    return chain[::-1]


def _joined(stretches: Iterator[Opcode]) -> list[Opcode]:
    """Equal lines that follow on equal lines as one stretch, and so are changed ones."""
    joined: list[Opcode] = []
    for kind, i1, i2, j1, j2 in stretches:
        if joined and (joined[-1][0] == "equal") == (kind == "equal"):
            _, i1, _, j1, _ = joined.pop()
            kind = kind if kind == "equal" else "delete" if j1 == j2 else "insert" if i1 == i2 else "replace"
        joined.append((kind, i1, i2, j1, j2))
    return joined
