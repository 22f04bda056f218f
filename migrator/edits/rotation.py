"""Keys that stood in a repository are in its history for good, and must be rotated."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.analysis.backends import S3Backend
from migrator.analysis.providers import Provider
from migrator.model import Note
from migrator.secret import STATIC_KEYS


def rotate(holder: Provider | S3Backend) -> Iterator[Note]:
    """A note of the first literal key that ``holder`` has."""
    for attribute in holder.credentials:
        if attribute.name in STATIC_KEYS and _has_literal(holder.document.expression(attribute)):
            place = str(holder.document.place(attribute))
            yield Note("rotate the keys, which git's history keeps, at", (place,))
            return


def _has_literal(expression: str) -> bool:
    return '"' in expression or expression.startswith("<<")
