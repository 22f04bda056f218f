"""Spans of a text, edits of spans, and their application; the vocabulary is that of LSP's ``TextEdit``."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from msgspec import Struct
from msgspec.structs import replace

from migrator.errors import EditConflict


class Span(Struct, frozen=True, order=True):
    """Characters ``start`` up to, not including, ``end`` of a decoded text."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The characters that the span covers in ``text``."""
        return text[self.start : self.end]


class Cover:
    """The characters that any of some ``spans`` covers: ``offset in cover``."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._joined: list[Span] = []
        for span in sorted(spans):
            last = self._joined[-1] if self._joined else None
            if last is not None and span.start <= last.end:
                self._joined[-1] = Span(last.start, max(last.end, span.end))
            else:
                self._joined.append(span)

    def __contains__(self, offset: int) -> bool:
        index = bisect_right(self._joined, offset, key=lambda span: span.start)
        return index > 0 and offset < self._joined[index - 1].end

    def touched_by(self, span: Span) -> Span | None:
        """The joined span that has characters in common with ``span``, or contains ``span`` if empty."""
        index = bisect_right(self._joined, max(span.start, span.end - 1), key=lambda joined: joined.start)
        last = self._joined[index - 1] if index else None
        return last if last is not None and last.start < span.end and span.start < last.end else None


class Edit(Struct, frozen=True):
    """Put ``text`` in place of ``span`` in the file ``path`` (relative to the repository, with ``/``).

    An empty text removes; an empty span inserts. Spans always refer to the original text.
    """

    path: str
    span: Span
    text: str


def settle(edits: Iterable[Edit]) -> list[Edit]:
    """The edits of one file in the order of their places, each once.

    Insertions at one place keep their order. Overlapping removals, for example of neighbours with a common blank line,
    become one. Raises `EditConflict` if two edits claim the same characters, or one inserts into a span that another
    replaces.
    """
    ordered: list[Edit] = []
    for edit in sorted(dict.fromkeys(edits), key=lambda edit: edit.span):
        last = ordered[-1] if ordered else None
        if last is None or edit.span.start >= last.span.end:
            ordered.append(edit)
        elif edit.text or last.text or edit.span.start == edit.span.end:
            raise EditConflict("two edits claim the same characters")
        else:
            ordered[-1] = replace(last, span=Span(last.span.start, max(last.span.end, edit.span.end)))
    return ordered


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The ``text`` with all ``edits``. Raises `EditConflict` like `settle`."""
    pieces: list[str] = []
    position = 0
    for edit in settle(edits):
        pieces += text[position : edit.span.start], edit.text
        position = edit.span.end
    return "".join(pieces) + text[position:]


class Moved:
    """The new offsets of a text after the ``edits``, in the order of `settle`: ``moved[offset]``.

    Text inserted at an offset comes after the offset; an offset within an edit moves to the end of the edit's text.
    """

    def __init__(self, edits: Sequence[Edit]) -> None:
        self._edits = edits
        growth = (len(edit.text) - (edit.span.end - edit.span.start) for edit in edits)
        self._shifts = list(accumulate(growth, initial=0))

    def _before(self, offset: int) -> int:
        return bisect_left(self._edits, offset, key=lambda edit: edit.span.start)

    def __getitem__(self, offset: int) -> int:
        count = self._before(offset)
        within = max(offset, self._edits[count - 1].span.end) if count else offset
        return within + self._shifts[count]

    def touches(self, span: Span) -> bool:
        """Whether an edit begins within ``span``, or overlaps ``span``."""
        count = self._before(span.start)
        return self._before(span.end) > count or (count > 0 and self._edits[count - 1].span.end > span.start)
