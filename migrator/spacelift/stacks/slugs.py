"""Spacelift's slug of a name: https://github.com/spacelift-io/spacelift-operator calls a library for slugs.

The library is https://github.com/gosimple/slug with English words; emoji are named before the call. A renamed stack
keeps the slug, so that a slug which is derived from a name is a guess.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from migrator.regex import regex

_LONGEST = 256
_WORDS = str.maketrans(
    {"&": "and", "@": "at", '"': "", "'": "", "’": "", **dict.fromkeys("‒–—―", "-")}  # noqa: RUF001 (each as written)
)
_EMOJI = regex("[\u2600-\u27bf\u2b50-\u2b55\U0001f300-\U0001faff]")
_COMPOSED = regex("[\u200d\ufe0f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]")
"""The code points that join several code points into one emoji, which has no name in Python's tables."""


def named_slug(slugs: Mapping[str, str], title: str, slug: str | None) -> str:
    """The slug that the user sets for a stack, by ``title`` or by the name that ``slug`` is made of; or ``""``."""
    by_name = (slug_set for stack, slug_set in slugs.items() if slug is not None and slug_of(stack) == slug)
    return slugs.get(title) or next(by_name, "")


def slug_of(name: str | None) -> str | None:
    """The slug of a stack, a context or a space called ``name``; None if that is not known."""
    if not name or _COMPOSED.search(name):
        return None
    if name.isascii():
        text = name
    else:
        from text_unidecode import unidecode  # here: few names need this module

        text = _EMOJI.sub(lambda match: f"-emoji-{unicodedata.name(match[0], '')}-", name).strip()
        text = unidecode(text.translate(_WORDS))
    slug = re.sub(r"[^a-z0-9_-]", "-", text.strip().translate(_WORDS).lower())
    return re.sub("-+", "-", slug).strip("-_")[:_LONGEST] or None
