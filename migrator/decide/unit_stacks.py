"""One stack with several units of Terragrunt: all its units get the same value of a role variable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.terragrunt.diagnostics import STACK_OF_SEVERAL_IDENTITIES

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.model.findings import Place, Refusal
    from migrator.terraform.providers import Provider


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


def _stack(context: Context, root: str, places: dict[str, Place]) -> str | None:
    """A stack that runs several units of the module ``root``, with values at different ``places``, by file."""
    folders: dict[str, set[str]] = {}
    for unit, runners in zip(context.facts.terragrunt.units, context.facts.unit_runners, strict=True):
        is_given_value = any(config.document.path in places for config in unit.configs)
        if unit.module is not None and unit.module.path == root and is_given_value:
            for stack in (*runners.all, *runners.blueprints):
                folders.setdefault(stack.title, set()).add(unit.folder)
    return next((title for title, units in folders.items() if len(units) > 1), None)
