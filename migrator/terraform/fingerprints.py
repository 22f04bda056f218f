"""A name for an identity that tells two identities apart, also those of two repositories, and shows no secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from migrator.terraform.expressions.terms import literal

if TYPE_CHECKING:
    from migrator.terraform.expressions.terms import Term
    from migrator.terraform.providers import Origin
    from migrator.terraform.residues import Identity

ENVIRONMENT = "environment"
"""The fingerprint of credentials that a run finds in its environment, of which nothing is known."""


def fingerprint(identity: Identity, *qualifiers: str, root: str | None = None) -> str:
    """The fingerprint of an identity: the same for two identities if these are equal, and ``where`` is.

    ``where`` says for what else the identity is only equal to itself, such as its root module. What stands in the
    module at ``root`` counts as if that module had no path.
    """
    digests: dict[Term, str] = {}
    parts = [f"{name} {_digest(made, root, digests)}" for name, made in identity]
    return _hash("\n".join((*parts, "", *qualifiers)))


def of_arguments(credentials: Mapping[str, str | None], path: str, origin: Origin) -> str:
    """The fingerprint of credential arguments whose strings are known, or None, in the file at ``path``.

    What is not written out is only equal to itself, and so is a shared file, whose path may be of the folder.
    """
    if not credentials:
        return ENVIRONMENT
    known_strings = {name: value for name, value in credentials.items() if value is not None}
    if known_strings.keys() == credentials.keys() and not any(name.startswith("shared_") for name in known_strings):
        return fingerprint(of_strings(known_strings))
    return fingerprint((), path, *(f"{name} {said}" for name, said in origin))


def of_strings(credentials: Mapping[str, str]) -> Identity:
    """The identity that credential arguments with known strings come to."""
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
