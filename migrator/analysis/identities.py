"""Which providers of a module are the same identity, and what to call each: two identities never share a role."""

from __future__ import annotations

import re
from collections.abc import Sequence

from migrator.analysis.providers import Origin, Provider


def identities(providers: Sequence[Provider], first_role: str) -> dict[Origin, str | None]:
    """A name for every origin of credentials among the providers of one module.

    None is the name of the first identity, that of the default provider, whose role is the expression ``first_role``.
    It is not given away where a provider that was migrated before may have that role. The others are called by their
    alias.
    """
    migrating = [one for one in providers if not one.has_web_identity and one.foreign is None]
    migrating.sort(key=lambda one: one.alias is not None)
    is_taken = any(_may_have(one, first_role) for one in providers if one.has_web_identity)
    names: dict[Origin, str | None] = {}
    for provider in migrating:
        if provider.origin not in names:
            is_first = not names and not is_taken
            names[provider.origin] = None if is_first else _unused(_name(provider), set(names.values()))
    return names


def _may_have(provider: Provider, role: str) -> bool:
    """Whether the provider's web identity is ``role``, or is no literal that could be told from it."""
    roles = provider.web_identity_roles
    return not roles or any(one == role or not one.startswith('"') for one in roles)


def _name(provider: Provider) -> str:
    return re.sub(r"[^\w-]+", "_", provider.alias or "default")


def _unused(name: str, used: set[str | None]) -> str:
    if name not in used:
        return name
    return next(f"{name}_{number}" for number in range(2, len(used) + 3) if f"{name}_{number}" not in used)
