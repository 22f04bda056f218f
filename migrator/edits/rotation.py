"""Keys that stood in a repository are in its history for good, and must be rotated."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.analysis.backends import S3Backend
from migrator.analysis.providers import Provider
from migrator.history import ROTATE
from migrator.model import Note
from migrator.secret import STATIC_KEYS, shown_key


def rotate(holder: Provider | S3Backend) -> Iterator[Note]:
    """A note of the first literal key that ``holder`` has, with its id as far as it may be shown."""
    keys = [one for one in holder.credentials if one.name in STATIC_KEYS]
    literal = [one for one in keys if _has_literal(holder.document.expression(one))]
    if literal:
        ids = (shown_key(holder.document.literal(one) or "") for one in literal)
        shown = next((f" ({one})" for one in ids if one), "")
        yield Note(ROTATE, (f"{holder.document.place(literal[0])}{shown}",))


def _has_literal(expression: str) -> bool:
    return '"' in expression or expression.startswith("<<")
