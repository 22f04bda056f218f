"""The rules, and the registry of all rules."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator import rules
from migrator.model.findings import Finding, Fix, Note, Place

if TYPE_CHECKING:
    from migrator.decide.context import Context

Check = Callable[["Context"], Iterator[Finding]]


class Rule(Struct, frozen=True):
    """A rule: ``id`` is its name for people and reports, ``summary`` one line, ``check`` finds its findings.

    Rules of a later ``phase`` read the findings of earlier phases, and cannot change them. Rules of one phase have no
    order: the findings of a rule do not depend on other rules of the phase.
    """

    id: str
    summary: str
    check: Check
    phase: int = 0

    def finding(
        self,
        place: Place,
        message: str,
        fix: Fix,
        group: str | None = None,
        notes: Iterable[Note] = (),
        *,
        subject: str = "",
        names: Iterable[str] = (),
    ) -> Finding:
        """A `Finding` of this rule."""
        return Finding(
            self.id, place, message, fix, group, tuple(notes), subject=subject or message, names=tuple(names)
        )


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by id: the object called ``RULE`` of each module in this folder."""
    names = sorted(module.name for module in pkgutil.iter_modules(rules.__path__))
    modules = [import_module(f"{rules.__name__}.{name}") for name in names]
    return tuple(sorted((module.RULE for module in modules if hasattr(module, "RULE")), key=attrgetter("id")))
