"""What is known of the engine that runs a root module: evidence, and the versions that it leaves possible."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

Version = tuple[int, int, int]

FIRST_NATIVE: Version = (1, 6, 0)
"""From here on Terraform's and OpenTofu's S3 backend signs in by web identity itself."""

FIRST_WITHOUT_FLAT_ROLE: Version = (1, 10, 0)
"""From here on Terraform's S3 backend rejects the flat ``role_arn``; OpenTofu's does not: its CHANGELOG, #35721."""

_CLAUSE = re.compile(r"\s*(~>|>=|<=|!=|\^|>|<|==?|)\s*v?(\d+)(?:\.(\d+|x|\*))?(?:\.(\d+|x|\*))?(?=[\s,]|$)\s*,?")
_GREATEST: Version = (10**6, 0, 0)


@dataclass(frozen=True, slots=True)
class Evidence:
    """``said`` at ``place`` (both for people) leaves versions from ``low`` up to and without ``high``.

    ``is_tofu`` says whether it leaves OpenTofu alone.
    """

    said: str
    place: str
    low: Version = (0, 0, 0)
    high: Version = _GREATEST
    is_tofu: bool = False

    def __str__(self) -> str:
        return f"{self.said} at {self.place}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the backend can sign in by itself for certain, and the evidence that says so, or not.

    ``contradiction`` are two that cannot both be right.
    """

    is_native: bool
    why: Evidence | None = None
    contradiction: tuple[Evidence, Evidence] | None = None


@dataclass(frozen=True, slots=True)
class Engine:
    """What a root module's repository tells of its engine: the ``code``, and the runtime configuration beside it.

    That has ``entries`` for stacks by their slugs, which count more than what a stack says itself, and ``defaults``.
    """

    code: tuple[Evidence, ...] = ()
    entries: tuple[tuple[str, tuple[Evidence, ...]], ...] = ()
    defaults: tuple[Evidence, ...] = ()

    def of_stack(self, slug: str | None, own: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
        """All evidence on the engine of a stack that runs the root module, and says ``own`` of it."""
        return (*self.code, *(dict(self.entries).get(slug or "") or own or self.defaults))


def verdict(evidence: Iterable[Evidence]) -> Verdict:
    """What all ``evidence`` on one engine comes to: native where a version from `FIRST_NATIVE` on is certain."""
    known = list(evidence)
    lowest = max(known, key=lambda one: one.low, default=None)
    highest = min(known, key=lambda one: one.high, default=None)
    if lowest is None or highest is None:
        return Verdict(False)
    if lowest.low >= highest.high:
        return Verdict(False, None, (lowest, highest))
    if lowest.low >= FIRST_NATIVE:
        return Verdict(True, lowest)
    return Verdict(False, highest if highest.high <= FIRST_NATIVE else None)


def bounds(constraint: str) -> tuple[Version, Version]:
    """The versions that a constraint admits, from the first up to and without the second.

    Understood are https://developer.hashicorp.com/terraform/language/expressions/version-constraints and the ``1.5.x``
    and ``^1.5`` of version ranges; what is anything else bounds nothing.
    """
    low, high, position = (0, 0, 0), _GREATEST, 0
    while position < len(constraint):
        clause = _CLAUSE.match(constraint, position)
        if clause is None:
            return (0, 0, 0), _GREATEST
        first, behind = _clause(clause)
        low, high, position = max(low, first), min(high, behind), clause.end()
    return low, high


def _clause(match: re.Match[str]) -> tuple[Version, Version]:
    operator, parts = match[1], [int(part) for part in match.groups()[1:] if part and part.isdigit()]
    is_range = any(part in ("x", "*") for part in match.groups()[1:])
    version = _whole(parts)
    after = _whole([*version[:2], version[2] + 1])
    if is_range and operator in ("", "=", "=="):
        return version, _whole([*parts[:-1], parts[-1] + 1])
    if operator == "~>":  # all but the last part stay, the one before it may grow no more
        fixed = parts[:-1] or parts
        return version, _whole([*fixed[:-1], fixed[-1] + 1]) if len(parts) > 1 else _GREATEST
    if operator == "^":
        return version, (version[0] + 1, 0, 0)
    found = {">=": (version, _GREATEST), ">": (after, _GREATEST), "<": ((0, 0, 0), version), "<=": ((0, 0, 0), after)}
    return ((0, 0, 0), _GREATEST) if operator == "!=" else found.get(operator, (version, after))


def _whole(parts: list[int]) -> Version:
    padded = [*parts, 0, 0][:3]
    return padded[0], padded[1], padded[2]
