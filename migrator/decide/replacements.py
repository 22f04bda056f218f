"""What signs in instead of static credentials in the environment of stacks, and who still needs the credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.config.config import BackendAuth, HookPlace
from migrator.model.findings import Ignored, Place, Refusal
from migrator.model.results import code_in_words
from migrator.terraform.commands import uses_environment

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.roots import ModuleWithStaticKeys, Root
    from migrator.spacelift.stacks.model import StackDefinition


class Replacement(Struct, frozen=True):
    """The sign-in of a stack or root module without the setting.

    ``needs`` are the groups and places that must be migrated (`Finding.needs`). ``reason_to_keep`` is a sentence on why
    the setting is still needed, ``""`` if nothing needs it.
    """

    needs: frozenset[str] = frozenset()
    reason_to_keep: str = ""


def replacement_of_stack(context: Context, stack: StackDefinition) -> Replacement:
    """The sign-in of a stack without static keys: all its code must be migrated, here or elsewhere."""
    if stack.is_ignored:
        return Replacement(reason_to_keep=f"{stack.title} is excluded from the migration.")
    if reason := context.hook_plan.objection_to_template(stack) or _early(context, stack):
        return Replacement(reason_to_keep=reason)
    replacements = [
        replacement_of_root(context, root)
        for root in context.facts.roots
        if stack in (*root.runners.definitions, *root.runners.blueprints)
    ]
    replacements += [
        replacement_of_module(context, module, is_hooked=False)
        for module in context.facts.modules_with_static_keys
        if stack in module.stacks
    ]
    for serving_stack, known_root in context.facts.serving:
        if serving_stack is stack and known_root.is_migrated:
            runs = f"{stack.title} runs {code_in_words(known_root.title)}, which is not migrated."
            reason = f"{runs} {known_root.refusal}" if known_root.refusal else ""
            replacements.append(Replacement(frozenset({f"root module {known_root.title}"}), reason))
    if not replacements:
        return Replacement(reason_to_keep=_unknown_code(context, stack))
    reason_to_keep = next((way.reason_to_keep for way in replacements if way.reason_to_keep), "")
    return Replacement(frozenset(name for way in replacements for name in way.needs), reason_to_keep)


def _unknown_code(context: Context, stack: StackDefinition) -> str:
    """The reason to keep the keys of a stack without a known sign-in of its code: units may need the environment."""
    units = zip(context.facts.terragrunt.units, context.facts.unit_runners, strict=True)
    own_units = [unit for unit, runners in units if stack in (*runners.definitions, *runners.blueprints)]
    if not own_units:
        return f"{stack.title} runs code that this run does not migrate."
    if context.config.include_ambient or any(unit.names_credentials for unit in own_units):
        why = "The code of the units may use the credentials of the environment."
        return f"{stack.title} runs units of Terragrunt without a hook. {why}"
    return f"{stack.title} runs units of Terragrunt that name no credentials. `--include-ambient` migrates the units."


def _early(context: Context, stack: StackDefinition) -> str:
    """The hooks that call AWS before the stack's hook, for people; ``""`` without such hooks, or without a hook."""
    config = context.config
    is_first = config.has_integration or config.backend_auth is BackendAuth.ENV or config.hook_in is HookPlace.CONTEXT
    if is_first:
        return ""
    for name in stack.account.early if stack.account is not None else ():
        return (
            f"Hooks of the context {name} call AWS before the hook of {stack.title} runs. "
            "The option `--hook-in context` runs the hook first."
        )
    if not stack.contexts.too_early:
        return ""
    place = stack.contexts.too_early[0].place
    return (
        f"Hooks of the context at {place} call AWS before the hook of {stack.title} runs. "
        "The option `--hook-in context` runs the hook first."
    )


def replacement_of_root(context: Context, root: Root) -> Replacement:
    """The sign-in of a root module without static keys, by a hook if the module is migrated."""
    return replacement_of_module(context, root, is_hooked=root.is_migrated(context.config.include_ambient))


def replacement_of_module(context: Context, root: Root | ModuleWithStaticKeys, *, is_hooked: bool) -> Replacement:
    """The sign-in of a root module without static keys: all its providers, backends and states need another."""
    paths = {root.module.path, *context.workspace.reached_from(root.module.path)}
    providers = [
        provider for path in sorted(paths) for provider in context.facts.in_module(context.workspace.modules[path])
    ]
    kept_providers = [
        provider
        for provider in providers
        if provider.is_lead and not provider.has_web_identity and isinstance(provider.skip_reason, Refusal | Ignored)
    ]
    states = [
        remote_state
        for remote_state in context.facts.remote_states
        if remote_state.module.path in paths and remote_state.skip_reason is None
    ]
    if kept_providers:
        return Replacement(reason_to_keep=f"The provider at {kept_providers[0].place} is not migrated.")
    reading = [remote_state for remote_state in states if not remote_state.has_web_identity]
    if reading and not is_hooked and context.environment_roots.at(root.module.path) is None:
        return Replacement(reason_to_keep=f"The remote state at {reading[0].place} has no hook to sign in with.")
    if not context.environment_roots.has_credentials(root.module.path):
        for path in sorted(paths):
            for (document, part, title), what in uses_environment(context.workspace.modules[path]):
                place = Place(document.path, document.source.line(part.start))
                return Replacement(reason_to_keep=f"{title} at {place} calls AWS too ({what}), and no hook signs in.")
    places = [provider.place.key for provider in providers] + [remote_state.place.key for remote_state in states]
    return Replacement(frozenset((root.group, *places)))


def replacement_in_account(context: Context, receiver: str) -> Replacement:
    """The sign-in without static keys of a stack or module of the account, by its id."""
    if receiver in context.fleet.migrated:
        return Replacement()
    for stack in context.facts.stacks:
        if stack.account is not None and stack.account.id == receiver:
            return replacement_of_stack(context, stack)
    for known_stack in context.facts.by_hand:
        if known_stack.slug_in_account == receiver and not known_stack.refusal:
            path, with_static_keys = known_stack.code.project_root, context.facts.modules_with_static_keys
            replacements = [
                replacement_of_root(context, root) for root in context.facts.roots if root.module.path == path
            ]
            modules = (module for module in with_static_keys if module.module.path == path)
            replacements += [replacement_of_module(context, module, is_hooked=False) for module in modules]
            reason = next((way.reason_to_keep for way in replacements if way.reason_to_keep), "")
            if replacements:
                return Replacement(frozenset(name for way in replacements for name in way.needs), reason)
    return Replacement(reason_to_keep=f"{receiver} of the Spacelift account gets the credentials too.")
