"""The sign-in of Terragrunt's units by their stacks: all units of a stack get the same value of a role variable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.terragrunt.diagnostics import STACK_OF_SEVERAL_IDENTITIES
from migrator.terragrunt.unit_credentials import credentials_by_unit

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.model.findings import Place, Refusal
    from migrator.model.fleet import KnownStack
    from migrator.spacelift.stacks.model import StackDefinition
    from migrator.terraform.providers import Provider
    from migrator.terragrunt.generated import Generated
    from migrator.terragrunt.unit import Unit


def one_stack_refusal(context: Context, provider: Provider) -> Refusal | None:
    """The refusal if one stack runs units, and their inputs give ``provider`` different credentials; None otherwise."""
    if not context.facts.terragrunt.units:
        return None
    values = context.role_mappings.values
    for root, identity in context.role_mappings.instances(provider) or ():
        title = _stack(context, root, {place.path: place for place in values.varying_places(root, identity)})
        if title is not None:
            return STACK_OF_SEVERAL_IDENTITIES.refusal(stack=title)
    return None


def generated_refusal(context: Context, part: Generated) -> Refusal | None:
    """The refusal if one stack runs units in which a provider has different credentials; None otherwise."""
    sign_in = context.generated_sign_in
    runners = dict(zip(context.facts.terragrunt.units, context.facts.unit_runners, strict=True))
    for provider, _ in sign_in.role_variables(part):
        by_stack: dict[StackDefinition | KnownStack, set[tuple[str, ...]]] = {}
        for unit, credentials in credentials_by_unit(part, provider, sign_in.units(part)).items():
            if credentials is not None:
                for stack in (*runners[unit].all, *runners[unit].blueprints):
                    by_stack.setdefault(stack, set()).add(credentials)
        for stack, different in by_stack.items():
            if len(different) > 1:
                return STACK_OF_SEVERAL_IDENTITIES.refusal(stack=stack.title)
    return None


def signs_in(context: Context, unit: Unit) -> bool:
    """Whether a hook, a role or web identity signs in for the unit's state and providers without static variables."""
    if unit.iam_role is not None or unit.needs_hook(context.config.include_ambient):
        return True
    if any(part.providers for part in unit.generated):
        return True
    if unit.providers and all(provider.credentials or provider.has_web_identity for provider in unit.providers):
        return True
    runners = dict(zip(context.facts.terragrunt.units, context.facts.unit_runners, strict=True))[unit]
    is_here = all(
        context.strategies.has_hook(stack) or stack in context.facts.integrations for stack in runners.definitions
    )
    is_elsewhere = all(stack.has_hook or stack.has_integration for stack in runners.known_stacks)
    return bool(runners.all) and is_here and is_elsewhere


def _stack(context: Context, root: str, places: dict[str, Place]) -> str | None:
    """A stack that runs several units of the module ``root``, with values at different ``places``, by file."""
    folders: dict[str, set[str]] = {}
    for unit, runners in zip(context.facts.terragrunt.units, context.facts.unit_runners, strict=True):
        is_given_value = any(config.document.path in places for config in unit.configs)
        if unit.module is not None and unit.module.path == root and is_given_value:
            for stack in (*runners.all, *runners.blueprints):
                folders.setdefault(stack.title, set()).add(unit.folder)
    return next((title for title, units in folders.items() if len(units) > 1), None)
