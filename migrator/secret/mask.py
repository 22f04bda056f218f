"""Texts with a mask in place of each secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from migrator.secret.contexts import contexts
from migrator.secret.shapes import Piece, shapes, unconnected_keys
from migrator.secret.spelling import UnescapedText

MASK = "********"


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
    yield from unconnected_keys(text)
    plain = UnescapedText(text)
    if plain.text != text:
        yield from map(plain.place, unconnected_keys(plain.text))
