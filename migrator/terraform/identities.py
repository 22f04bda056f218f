"""The identities of the providers of a module, and their names: two identities never share a role."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import TYPE_CHECKING, TypeVar

from migrator.config.config import ROLE_VARIABLE
from migrator.syntax.terraform import Literal
from migrator.terraform.expressions.defaults import resolve
from migrator.terraform.identity_diagnostics import IDENTITY_COLLISION, NAME_ROLES
from migrator.terraform.providers import AWS, Provider
from migrator.terraform.role_names import RoleVariable, role_variable

if TYPE_CHECKING:
    from migrator.model.findings import Refusal
    from migrator.workspace.module import Module

T = TypeVar("T", bound=Hashable)


def identities(
    module: Module,
    providers: Sequence[Provider],
    first_role: str,
    origin: Callable[[Provider], T],
    taken_names: Collection[str | None] = (),
    mapped_providers: Collection[Provider] = (),
) -> dict[T, str | None]:
    """A name for every ``origin`` of credentials of the ``providers`` of ``module``, without the ``mapped_providers``.

    None is the name of the first identity, that of the default provider. Its role is the expression ``first_role``. The
    name None is not used if that role is, or may be, in use already. The other names are the provider's alias, or a
    profile that several providers share. Names in ``taken_names``, and names of existing role variables, are not used:
    the earlier identity of such a variable is unknown.
    """
    needing = [provider for provider in providers if provider not in mapped_providers]
    migrating = [provider for provider in needing if not provider.has_web_identity and provider.skip_reason is None]
    migrating.sort(key=lambda provider: provider.alias is not None)
    is_taken = (
        None in taken_names
        or is_in_use(module, first_role)
        or any(_may_have(provider, first_role) for provider in providers)
    )
    declared = {
        block.labels[0].removeprefix(f"{ROLE_VARIABLE}_") for _, block in module.blocks("variable") if block.labels
    }
    by_origin: dict[T, list[Provider]] = {}
    for provider in migrating:
        by_origin.setdefault(origin(provider), []).append(provider)
    names: dict[T, str | None] = {}
    used_names = {*declared, *taken_names}
    for identity, sharing in by_origin.items():
        is_first = not names and not is_taken
        names[identity] = None if is_first else unused(_name(sharing), used_names)
        used_names.add(names[identity])
    return names


def role_of(
    name: str | None,
    own_fingerprint: str,
    role_arn: str | None,
    other_user: Callable[[str, Collection[str]], str | None],
) -> Literal | RoleVariable | Refusal:
    """The role of the identity that `identities` calls ``name``: a variable, or ``role_arn`` if the user names a role.

    ``other_user`` finds the place of an identity with a role that is not among the fingerprints.
    """
    if role_arn is None:
        return role_variable(name)
    if name is not None:
        return IDENTITY_COLLISION.refusal(other="another provider", remedy=NAME_ROLES)
    if place := other_user(role_arn, {own_fingerprint}):
        return IDENTITY_COLLISION.refusal(other=f"the provider at {place}", remedy=NAME_ROLES)
    return Literal(role_arn)


def is_in_use(module: Module, reference: str) -> bool:
    """Whether the configuration refers to a variable, for example in a call of another module."""
    pattern = re.compile(rf"\b{re.escape(reference)}(?![\w-])")
    return reference.startswith("var.") and any(
        reference in document.text and pattern.search(document.text) for document in (*module.documents, *module.tests)
    )


def _may_have(provider: Provider, role: str) -> bool:
    """Whether the provider has web identity with ``role``, or with a role that may be the same."""
    roles = provider.web_identity_roles
    return (provider.has_web_identity and not roles) or any(
        expression == role or not expression.startswith('"') for expression in roles
    )


def _name(providers: Sequence[Provider]) -> str:
    """The alias of an identity's provider, or the profile that several of them share."""
    first = providers[0]
    is_shared = first.alias is not None and len({provider.alias for provider in providers}) > 1
    profile = dict(first.origin).get("profile") if is_shared else None
    if profile and (shared := resolve(first.module, profile)):
        return re.sub(r"\W+", "_", shared, flags=re.ASCII)
    return re.sub(r"\W+", "_", first.alias or ("default" if first.kind == AWS else first.kind), flags=re.ASCII)


def unused(name: str, used_names: Collection[object]) -> str:
    """The name, with a number after the name if ``used_names`` has it."""
    if name not in used_names:
        return name
    return next(f"{name}_{number}" for number in range(2, len(used_names) + 3) if f"{name}_{number}" not in used_names)
