"""A name that a user may have meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, names: Iterable[str]) -> str:
    """A sentence with the one of ``names`` that is most similar to ``name``; ``""`` without a similar name."""
    from difflib import get_close_matches  # here: needed after a mistake only

    matches = get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f" Did you mean `{matches[0]}`?" if matches else ""
