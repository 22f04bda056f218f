"""Every code that a message can have: all `Diagnostic` constants of the package, by their codes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module

import migrator
from migrator.errors import UsageError
from migrator.model.diagnostics import Diagnostic
from migrator.model.nearest import nearest

_OF_EXTRAS = frozenset({"distributed", "github", "gitlab", "psutil", "requests", "urllib3"})
"""The libraries of extras that modules import as they are loaded; none of these modules defines a `Diagnostic`."""


@cache
def catalogue() -> dict[str, Diagnostic]:
    """All kinds of messages by their codes, in alphabetical order.

    Every module of the package is imported, except for modules of extras that are not installed.
    """
    from pkgutil import walk_packages  # here: few runs ask for codes

    diagnostics: dict[str, Diagnostic] = {}
    for module in walk_packages(migrator.__path__, f"{migrator.__name__}."):
        if module.name.rpartition(".")[2].startswith("__"):
            continue
        try:
            names = vars(import_module(module.name)).values()
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in _OF_EXTRAS:
                raise
            continue
        diagnostics.update((value.code, value) for value in names if isinstance(value, Diagnostic))
    return dict(sorted(diagnostics.items()))


def require_codes(codes: Iterable[str], source: str) -> None:
    """Check that each of ``codes``, which were read at ``source``, is a code. Raises `UsageError` otherwise."""
    for code in codes:
        if code not in catalogue():
            raise UsageError(f"{source}: The code `{code}` does not exist.{nearest(code, catalogue())}")
