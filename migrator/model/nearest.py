"""A name that a user may have meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence with the name among the ``known`` ones that looks most like ``name``; ``""`` if none does."""
    from difflib import get_close_matches  # here: needed after a mistake only

    matches = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean `{matches[0]}`?" if matches else ""
