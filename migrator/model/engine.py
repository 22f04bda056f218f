"""The evidence on the engine that runs a root module, and the versions that the evidence allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from migrator.model.version_constraints import GREATEST, Version

FIRST_NATIVE: Version = (1, 6, 0)
"""From here on Terraform's and OpenTofu's S3 backend signs in by web identity itself."""

FIRST_WITHOUT_FLAT_ROLE: Version = (1, 10, 0)
"""From here on Terraform's S3 backend rejects the flat ``role_arn``; OpenTofu's does not: its CHANGELOG, #35721."""


class Evidence(Struct, frozen=True):
    """Evidence for an engine from version ``low`` up to and without ``high``; ``said`` at ``place`` is for people.

    ``is_tofu``: only OpenTofu remains. ``is_soft``: tools of people read the version, and a run need not.
    ``is_default``: the stack does not name the version, which is assumed without other evidence.
    """

    said: str
    place: str
    low: Version = (0, 0, 0)
    high: Version = GREATEST
    is_tofu: bool = False
    is_soft: bool = False
    is_default: bool = False

    def __str__(self) -> str:
        return f"{self.said} ({self.place})"


class Verdict(Struct, frozen=True):
    """Whether the backend can sign in by itself for certain, and the evidence that says so, or not.

    ``contradiction`` are two entries that cannot both be right.
    """

    is_native: bool
    why: Evidence | None = None
    contradiction: tuple[Evidence, Evidence] | None = None


class Engine(Struct, frozen=True):
    """The evidence on a root module's engine: the ``code``, and the runtime configuration of the repository.

    The runtime configuration has ``entries`` for stacks by slug, which override the stack's settings, and ``defaults``.
    """

    code: tuple[Evidence, ...] = ()
    entries: tuple[tuple[str, tuple[Evidence, ...]], ...] = ()
    defaults: tuple[Evidence, ...] = ()

    def of_stack(self, slug: str | None, stack_evidence: tuple[Evidence, ...]) -> Iterator[tuple[Evidence, ...]]:
        """All evidence on the engine of a stack that runs the root module; ``stack_evidence`` is from the stack.

        Each tuple is one possible combination. The pages on the runtime configuration do not agree whether the defaults
        or the stack come first, and a stack without a known slug (None) may have any entry.
        """
        code = tuple(evidence for evidence in self.code if not evidence.is_soft)
        entries = [found for name, found in self.entries if found and name == (slug or name)]
        others = () if slug and entries else (stack_evidence, *([self.defaults] if self.defaults else ()))
        yield from ((*code, *own_evidence) for own_evidence in (*entries, *others))

    def of_no_stack(self) -> Iterator[tuple[Evidence, ...]]:
        """The same where no stack is known to run the root module."""
        entries = [found for _, found in self.entries if found]
        yield from ((*self.code, *entry) for entry in entries or [self.defaults])


def verdict(evidence: Iterable[Evidence]) -> Verdict:
    """The conclusion from all ``evidence`` on one engine: native if a version from `FIRST_NATIVE` on is certain."""
    entries = list(evidence)
    firm = [evidence for evidence in entries if not evidence.is_soft]
    certain = _verdict(firm)
    return certain if certain.is_native or certain.contradiction else _verdict(entries)


def _verdict(entries: list[Evidence]) -> Verdict:
    lowest = max(entries, key=lambda evidence: evidence.low, default=Evidence("", ""))
    limits = [evidence for evidence in entries if not evidence.is_default or evidence.high > lowest.low]
    highest = min(limits, key=lambda evidence: evidence.high, default=Evidence("", ""))
    if lowest.low >= highest.high:
        return Verdict(False, None, (lowest, highest))
    if lowest.low >= FIRST_NATIVE:
        return Verdict(True, lowest)
    return Verdict(False, highest if highest.high <= FIRST_NATIVE else lowest if lowest.said else None)
