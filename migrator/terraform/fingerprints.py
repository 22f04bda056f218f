"""The fingerprint of an identity: distinct identities of all repositories differ, and no secret is visible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from migrator.terraform.expressions.terms import literal

if TYPE_CHECKING:
    from migrator.terraform.expressions.terms import Term
    from migrator.terraform.providers import Origin
    from migrator.terraform.residues import Identity

ENVIRONMENT = "environment"
"""The fingerprint of unknown credentials in the environment of a run."""


def fingerprint(identity: Identity, *qualifiers: str, root: str | None = None) -> str:
    """The fingerprint of an identity: equal identities with equal ``qualifiers`` have equal fingerprints.

    ``qualifiers`` restrict the equality, for example to one root module. The module at ``root`` counts as if it had no
    path.
    """
    digests: dict[Term, str] = {}
    parts = [f"{name} {_digest(value, root, digests)}" for name, value in identity]
    return _hash("\n".join((*parts, "", *qualifiers)))


def of_arguments(credentials: Mapping[str, str | None], path: str, origin: Origin) -> str:
    """The fingerprint of credential arguments with strings, or None if unknown, in the file at ``path``.

    A value that is not literal is only equal to itself, and so is a shared file, since its path may depend on the
    folder.
    """
    if not credentials:
        return ENVIRONMENT
    known_strings = {name: value for name, value in credentials.items() if value is not None}
    if known_strings.keys() == credentials.keys() and not any(name.startswith("shared_") for name in known_strings):
        return fingerprint(of_strings(known_strings))
    return fingerprint((), path, *(f"{name} {value}" for name, value in origin))


def of_strings(credentials: Mapping[str, str]) -> Identity:
    """The identity of credential arguments with known strings."""
    return tuple((name, literal(value)) for name, value in sorted(credentials.items()))


def _digest(value: Term, root: str | None, digests: dict[Term, str]) -> str:
    if value not in digests:
        scope = "" if value.scope == root else value.scope
        parts = (_digest(part, root, digests) for part in value.parts)
        digests[value] = _hash("\n".join((value.op, value.name, scope, *parts)))
    return digests[value]


def _hash(text: str) -> str:
    from hashlib import sha256  # here: OpenSSL is slow to load, and few repositories have several identities

    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
