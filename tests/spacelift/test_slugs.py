"""The slugs that Spacelift makes of names, by what gosimple/slug makes of the same, and emoji by their names."""

from __future__ import annotations

import pytest

from migrator.spacelift.stacks.slugs import slug_of

SLUGS = {
    "app": "app",
    "My App": "my-app",
    "net_prod": "net_prod",
    "_private_": "private",
    "R&D": "randd",
    "R & D": "r-and-d",
    "ops@home": "opsathome",
    "café": "cafe",
    "Straße 1": "strasse-1",
    "Ærø": "aero",
    "Łódź": "lodz",
    "Київ": "kiyiv",
    "日本": "ri-ben",
    "1,000": "1-000",
    "v1.2": "v1-2",
    "it's": "its",
    "it\u2019s": "its",
    'the "one"': "the-one",
    "a \u2013 b": "a-b",
    "a/b\\c": "a-b-c",
    "a--b": "a-b",
    "a  b": "a-b",
    " (live) ": "live",
    "½ off": "1-2-off",
    "Rocket 🚀 go": "rocket-emoji-rocket-go",
    "😀": "emoji-grinning-face",
    "x" * 300: "x" * 256,
}


@pytest.mark.parametrize(("name", "slug"), SLUGS.items())
def test_a_slug_is_what_spacelift_makes_of_the_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug


@pytest.mark.parametrize("name", [None, "", "---", "👨‍👩‍👧", "🇪🇺", "👍🏽"])
def test_a_name_without_a_certain_slug_has_none(name: str | None) -> None:
    assert slug_of(name) is None
