"""Keys in a repository stay in its history, and must be rotated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from migrator.model.notes import ROTATE, SET_REGION
from migrator.regex import regex
from migrator.secret.names import STATIC_KEYS, names_secret
from migrator.secret.shapes import shown_key
from migrator.terraform.diagnostics import CHOOSE_WEB_IDENTITY
from migrator.terraform.endpoints import is_mock
from migrator.terraform.secrets import literals

if TYPE_CHECKING:
    from migrator.model.diagnostics import Diagnostic
    from migrator.model.findings import Note
    from migrator.syntax.terraform import Attribute
    from migrator.terraform.backends import S3Backend
    from migrator.terraform.providers import Provider
    from migrator.workspace.document import Document

_PLACEHOLDER = regex(r"\$\w+|\{\{.*\}\}|<[^<>]*>|%\w+%|__\w+__|@\w+@|#\{\w+\}#?")
"""A name that a program replaces before Terraform reads the file."""
_INDEX = regex(r'\[\s*\\?"[^"\]]*"\s*\]')


def rotate(holder: Provider | S3Backend) -> Iterator[Note]:
    """A note of the first literal key that ``holder`` has, with its id as far as it may be shown."""
    keys = [attribute for attribute in holder.credentials if attribute.name in STATIC_KEYS]
    literal = [
        attribute
        for attribute in keys
        if not is_mock(text := holder.document.literal(attribute)) and not _PLACEHOLDER.fullmatch(text or "")
        if _has_literal(holder.document.expression(attribute))
    ]
    if literal:
        yield _note(holder.document, literal[0], literal)


def region_notes(holder: Provider) -> Iterator[Note]:
    """A note that the region may come from the profile, or from a shared file, that is removed."""
    family = holder.family
    names_profile = any(
        attribute.name == "profile" or attribute.name.startswith("shared_")
        for block in family
        for attribute in block.credentials
    )
    has_region = any(body.attribute("region") for provider in family for body in provider.bodies)
    if holder.is_lead and names_profile and not has_region:
        yield SET_REGION.note(str(holder.place))


def condition_notes(provider: Provider) -> Iterator[Note]:
    """A note that a provider without its credentials has only conditional web identity."""
    if provider.is_lead and provider.credentials and provider.has_conditional_web_identity:
        yield CHOOSE_WEB_IDENTITY.note(str(provider.place))


def rotate_value(document: Document, value: Attribute, kind: Diagnostic = ROTATE) -> Iterator[Note]:
    """A note about a literal that is, or was, the value of an argument for a key.

    In an object, only items with the name of a secret count. ``kind`` says whether the literal is removed or stays.
    """
    items = document.object_items(value)
    for argument in items:
        if document.object_items(argument) or names_secret(argument.name) or STATIC_KEYS & {argument.name}:
            yield from rotate_value(document, argument, kind)
    if not items and _has_literal(document.expression(value)):
        yield _note(document, value, [value], kind)


def _note(document: Document, first: Attribute, keys: Sequence[Attribute], kind: Diagnostic = ROTATE) -> Note:
    ids = (shown_key(document.literal(attribute) or "") for attribute in keys)
    id_text = next((f" ({key_id})" for key_id in ids if key_id), "")
    return kind.note(f"{document.place(first)}{id_text}")


def _has_literal(expression: str) -> bool:
    """Whether the expression contains a text that is no index."""
    return any(text.strip() for text in literals(_INDEX.sub("", expression)))
