"""Version constraints: the versions that they admit, and how they read once they admit the ones needed.

The operators are those of https://developer.hashicorp.com/terraform/language/expressions/version-constraints. For an
engine, ``~> 1`` has no upper bound, and Spacelift takes ``1.5.x``, ``^1.5`` and spaces between clauses as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from migrator.regex import regex

Version = tuple[int, int, int]

_CLAUSE = regex(
    r"(?P<before>\s*)(?P<operator>~>|>=|<=|!=|\^|>|<|==?|)(?P<gap>\s*)v?(?P<first>\d{1,5})"
    r"(?:\.(?P<second>\d{1,5}|x|\*))?(?:\.(?P<third>\d{1,5}|x|\*))?(?P<early>-[0-9A-Za-z.-]+)?(?P<after>\s*)",
    re.ASCII,
)
_BETWEEN = regex(r",|(?<=[\w*])\s+(?=[~<>=!^v\d])", re.ASCII)
_LAST = 10**6
GREATEST: Version = (_LAST, 0, 0)
"""What comes after every version."""

_MINORS = 20


class _Clause(Struct, frozen=True):
    match: re.Match[str]

    @property
    def operator(self) -> str:
        return self.match["operator"].replace("==", "=") or "="

    @property
    def parts(self) -> list[int]:
        return [int(part) for part in self.match.group("first", "second", "third") if (part or "x").isdigit()]

    @property
    def has_wildcard(self) -> bool:
        return not all((part or "0").isdigit() for part in self.match.group("second", "third"))

    @property
    def is_for_providers(self) -> bool:
        return not self.has_wildcard and self.match["operator"] not in ("^", "==")

    @property
    def version(self) -> Version:
        return _whole(self.parts)

    def bounds(self, *, is_engine: bool) -> tuple[Version, Version]:
        """The first version that it admits, and the first one after all of them; ``!=`` bounds nothing."""
        operator, parts, version, is_early = self.operator, self.parts, self.version, bool(self.match["early"])
        after = version if is_early else (*version[:2], version[2] + 1)
        first = _before(version) if is_early else version
        if operator == "=" and self.has_wildcard:
            return version, _whole([*parts[:-1], parts[-1] + 1])
        if operator == "~>":  # all but the last part stay, the one before it may grow no more
            fixed = parts[:-1] or parts
            return first, GREATEST if is_engine and len(parts) == 1 else _whole([*fixed[:-1], fixed[-1] + 1])
        return {
            "=": (first, after),
            "^": (first, (version[0] + 1, 0, 0)),
            "!=": ((0, 0, 0), GREATEST),
            ">=": (first, GREATEST),
            ">": (first if is_early else after, GREATEST),
            "<": ((0, 0, 0), version),
            "<=": ((0, 0, 0), after),
        }[operator]

    def raised(self, first: Version) -> str:
        """The clause with ``first`` as the least that it admits, or as one below its upper bound."""
        low, high = self.bounds(is_engine=False)
        if self.operator in ("<", "<=") and high <= first:
            return self._written("<", (first[0] + 1, 0, 0), len(self.parts))
        if self.operator in ("=", "~>", ">=", ">") and low < first:
            operator = ">=" if self.operator == ">" else self.operator
            return self._written(operator, first, max(len(self.parts), 2))
        return self.match[0]

    def _written(self, operator: str, version: Version, parts: int) -> str:
        before, written, gap, after = self.match.group("before", "operator", "gap", "after")
        return f"{before}{operator if written else ''}{gap}{'.'.join(map(str, version[:parts]))}{after}"


def minor(version: Version) -> str:
    """The major and minor number of a version, for people."""
    return f"{version[0]}.{version[1]}"


def is_constraint(text: str) -> bool:
    """Whether Terraform takes ``text`` as a constraint on a provider."""
    return bool(_of_provider(text))


def bounds(constraint: str) -> tuple[Version, Version]:
    """The versions of an engine that a constraint admits, from the first up to and without the second.

    What is not understood bounds nothing.
    """
    return _common(_clauses(_BETWEEN.split(constraint)), is_engine=True)


def excludes(constraint: str, first: Version) -> bool:
    """Whether a constraint on a provider keeps every release from ``first`` on out, and admits one before."""
    clauses = _of_provider(constraint)
    low, high = _common(clauses, is_engine=False)
    without = _left_out(clauses)
    return not _is_some(max(low, first), high, without) and _is_some(low, min(high, first), without)


def admits_before(constraint: str, first: Version) -> bool:
    """Whether a constraint on a provider admits releases before ``first``, and can be raised."""
    return least(constraint) < first and raised(constraint, first) != constraint


def least(constraint: str) -> Version:
    """The least release of a provider that a constraint may admit."""
    return _common(_of_provider(constraint), is_engine=False)[0]


def major_of(constraint: str) -> int:
    """The highest major release that a constraint on a provider admits, as far as it says so; 0 if it does not."""
    low, high = _common(_of_provider(constraint), is_engine=False)
    return low[0] if high == GREATEST else max(high[0] - (not any(high[1:])), 0)


def raised(constraint: str, first: Version) -> str:
    """The constraint in its own style, with ``first`` as the least that it admits, and an upper bound beyond that.

    Where that would admit no release any more, as what it keeps out is just this one, it is that of the next minor
    release. One that is not understood stays as it is.
    """
    minors = [(first[0], first[1] + number, 0 if number else first[2]) for number in range(_MINORS)]
    tried = [
        (version, _raised(constraint, version)) for version in (minors if excludes(constraint, first) else [first])
    ]
    return next((text for version, text in tried if _has_release(text, version)), tried[0][1])


def _raised(constraint: str, first: Version) -> str:
    clauses = _of_provider(constraint)
    if not clauses:
        return constraint
    has_least = any(clause.operator not in ("<", "<=", "!=") for clause in clauses)
    return ("" if has_least else f">= {minor(first)}, ") + ",".join(clause.raised(first) for clause in clauses)


def _has_release(constraint: str, first: Version) -> bool:
    """Whether a constraint admits one of the releases that there are for certain: a minor one, or one it names."""
    clauses = _of_provider(constraint)
    low, high = _common(clauses, is_engine=False)
    named = [clause.version for clause in clauses if clause.operator not in ("!=", "<")]
    minors = [(first[0], first[1] + number, 0) for number in range(_MINORS)]
    sure = [version for version in (*minors, (first[0] + 1, 0, 0)) if version >= first]
    return any(low <= version < high and version not in _left_out(clauses) for version in (*sure, *named))


def _clauses(texts: Iterable[str]) -> tuple[_Clause, ...]:
    """The clauses of a constraint; none if one of them is not understood."""
    matches = [_CLAUSE.fullmatch(text) for text in texts]
    return () if None in matches else tuple(_Clause(match) for match in matches if match is not None)


def _of_provider(constraint: str) -> tuple[_Clause, ...]:
    clauses = _clauses(constraint.split(","))
    return clauses if all(clause.is_for_providers for clause in clauses) else ()


def _common(clauses: Iterable[_Clause], *, is_engine: bool) -> tuple[Version, Version]:
    """From where up to where all clauses admit versions, but for those that ``!=`` leaves out."""
    lows, highs = zip(((0, 0, 0), GREATEST), *(clause.bounds(is_engine=is_engine) for clause in clauses), strict=False)
    return max(lows), min(highs)


def _left_out(clauses: Iterable[_Clause]) -> set[Version]:
    return {clause.version for clause in clauses if clause.operator == "!=" and not clause.match["early"]}


def _is_some(low: Version, high: Version, without: set[Version]) -> bool:
    """Whether there can be a version from ``low`` up to and without ``high`` that is not left out."""
    patches = ((*low[:2], low[2] + number) for number in range(len(without) + 1))
    return any(version < high and version not in without for version in patches)


def _whole(parts: list[int]) -> Version:
    first, second, third, *_ = [*parts, 0, 0]
    return first, second, third


def _before(version: Version) -> Version:
    """What comes after every release before ``version``, where its own early releases stand."""
    first, second, third = version
    if third:
        return first, second, third - 1
    return (first, second - 1, _LAST) if second else (first - 1, _LAST, 0)
