"""What a rule is, and which there are."""

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
    """A rule: ``id`` is its name for people and reports, ``summary`` one line, ``check`` what it finds.

    Rules of a later ``phase`` look at what those before have settled, and can change nothing of it. Rules of one phase
    have no order: what one finds does not depend on which others have run.
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
    """Every rule, by id: the object called ``RULE`` of each module in this folder that has one."""
    names = sorted(module.name for module in pkgutil.iter_modules(rules.__path__))
    modules = [import_module(f"{rules.__name__}.{name}") for name in names]
    return tuple(sorted((module.RULE for module in modules if hasattr(module, "RULE")), key=attrgetter("id")))
