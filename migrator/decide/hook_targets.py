"""The root modules, CDKTF programs and Terragrunt units that sign in by a hook, each with the role of the hook."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from migrator.config.config import ROLE_VARIABLE, BackendAuth, Config, is_role_arn
from migrator.decide.hook_diagnostics import (
    HOOK_ONLY,
    HOOK_ROLE_NOT_LITERAL,
    ROLE_VARIABLE_TAKEN,
    SEVERAL_BACKEND_ROLES,
    STACK_OF_SEVERAL_ROLES,
    TERRAGRUNT_NEEDS_HOOK,
)
from migrator.decide.role_purpose import is_for_sign_in
from migrator.decide.stack_roles import runners_by_role
from migrator.model.findings import Refusal
from migrator.model.partitions import region_to_name
from migrator.spacelift.hooks.command import SHELL_ROLE
from migrator.syntax.hcl.strings import string_value
from migrator.terraform.expressions.defaults import resolve

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.facts import Facts
    from migrator.decide.roots import Root, Runners
    from migrator.model.engine import Engine
    from migrator.model.findings import Place
    from migrator.model.fleet import KnownStack
    from migrator.spacelift.stacks.model import StackDefinition
    from migrator.terraform.backends import S3Backend
    from migrator.terraform.providers import Provider
    from migrator.terragrunt.unit import Unit

_HOOK_ONLY = HOOK_ONLY.refusal()
_VARIABLE_TAKEN = ROLE_VARIABLE_TAKEN.refusal(variable=f"var.{ROLE_VARIABLE}")


class Target(Struct, frozen=True, eq=False):
    """A root module, unit or CDKTF program of the migration that signs in by a hook; its backend is at ``place``.

    ``role`` is the hook's. The parts of a ``group`` are changed together: `Finding.group`. ``engine`` is that of
    `KnownRoot`, and so are ``is_native`` and ``region``.
    """

    path: str
    place: Place
    group: str
    role: str | Refusal
    runners: Runners
    engine: Engine | None = None
    is_native: bool = False
    region: str = ""

    @property
    def title(self) -> str:
        """The name of the target in its repository."""
        return self.path or "."


def hook_targets(context: Context) -> tuple[Target, ...]:
    """The targets that need a hook, and those that only stacks of other repositories may give a hook."""
    regions = dict(_regions(context.facts))
    return tuple(
        replace(target, region=region_to_name(target.role, regions.get(target.path, "")))
        if isinstance(target.role, str)
        else target
        for target in (*_roots(context), *_programs(context), *_units(context))
    )


def _roots(context: Context) -> Iterator[Target]:
    config, strategies = context.config, context.strategies
    for root in context.facts.roots:
        is_native = strategies.of(root).is_native if root.is_migrated(config.include_ambient) else False
        if strategies.needs_hook(root) or (is_native and strategies.is_open(root, root.runners)):
            mapped_roles = {
                role for backend in root.backends if (role := context.role_mappings.role(backend)) is not None
            }
            engine = strategies.engine(root) if strategies.is_open(root, root.runners) else None
            arns: set[str | None] = {string_value(role_arn) for role_arn in root.role_arns}
            for assumed, runners in runners_by_role(context, root, _assumed_role).items():
                role = _hook_role(arns if assumed is None else {assumed}, config.at(root.module.path), mapped_roles)
                if role == SHELL_ROLE and not is_for_sign_in(context, root.module, ROLE_VARIABLE):
                    role = _VARIABLE_TAKEN
                role = (context.shared_roles.backend_refusal(root) if isinstance(role, str) else None) or role
                yield Target(root.module.path, root.backend.place, root.group, role, runners, engine, is_native)


def _programs(context: Context) -> Iterator[Target]:
    config, strategies = context.config, context.strategies
    for program, runners in context.facts.programs:
        if program.is_migrated(config.include_ambient):
            is_open = strategies.is_open(program, runners)
            is_native = strategies.of_program(program, runners).is_native
            if is_open or not is_native:
                is_for_environment = config.backend_auth is BackendAuth.ENV or config.has_integration
                role = _HOOK_ONLY if is_for_environment else _hook_role(program.role_arns, config.at(program.folder))
                engine = strategies.program_engine(program) if is_open else None
                place = program.backends[0].place
                yield Target(program.folder, place, program.group, role, runners, engine, is_native)


def _assumed_role(backend: S3Backend) -> str | None:
    return string_value(backend.role_arn) if backend.role_arn is not None else None


def _units(context: Context) -> Iterator[Target]:
    """The units of Terragrunt; one stack may run several units."""
    config, terragrunt_units = context.config, context.facts.terragrunt
    targets = [
        Target(unit.folder, unit.place, group, _unit_role(context, unit), runners)
        for unit, group, runners in zip(
            terragrunt_units.units, terragrunt_units.groups, context.facts.unit_runners, strict=True
        )
        if unit.needs_hook(config.include_ambient)
    ]
    if config.backend_auth is BackendAuth.ENV or config.has_integration:
        targets = [replace(target, role=_HOOK_ONLY) for target in targets]
    state_places = {unit.folder: unit.states[0].place for unit in terragrunt_units.units if unit.states}
    identities = {unit.folder: context.shared_roles.unit_identity(unit) for unit in terragrunt_units.units}
    roles: dict[StackDefinition | KnownStack, set[tuple[str, str | None]]] = {}
    for target in targets:
        for stack in target.runners.all:
            roles.setdefault(stack, set()).add((str(target.role), identities[target.path]))
    for target in targets:
        if any(len(roles[stack]) > 1 for stack in target.runners.all):
            several = STACK_OF_SEVERAL_ROLES.refusal()
            target = replace(target, role=several)
        is_refused = isinstance(target.role, Refusal)
        yield replace(target, place=state_places.get(target.path, target.place)) if is_refused else target


def _unit_role(context: Context, unit: Unit) -> str | Refusal:
    """The role of a unit's hook, which Terragrunt's own requests for the bucket use, too."""
    config = context.config.at(unit.folder)
    if config.backend_auth is BackendAuth.NATIVE:
        return TERRAGRUNT_NEEDS_HOOK.refusal()
    return context.shared_roles.unit_refusal(unit) or _hook_role(unit.role_arns, config)


def _hook_role(
    role_arns: set[str | None], config: Config, mapped_roles: AbstractSet[str | Refusal] = frozenset()
) -> str | Refusal:
    """The role for the state: by the option, the role that it assumes today, the mapped role, or the shell's."""
    if config.backend_role_arn is not None:
        return config.backend_role_arn
    if len(role_arns) > 1:
        return SEVERAL_BACKEND_ROLES.refusal(how="assumes one of several")
    for role in role_arns:
        if role is None or not is_role_arn(role):
            return HOOK_ROLE_NOT_LITERAL.refusal()
        return role
    if len(mapped_roles) > 1:
        return SEVERAL_BACKEND_ROLES.refusal(how="is mapped to several")
    return next(iter(mapped_roles), config.role_arn or SHELL_ROLE)


def _regions(facts: Facts) -> Iterator[tuple[str, str]]:
    """The region of each state's bucket, or else of the provider, by the path of the code with the state."""
    for unit in facts.terragrunt.units:
        for state in unit.states:
            value = state.item_value("region")
            if value is not None and value.string is not None:
                yield unit.folder, value.string
    for program, _ in facts.programs:
        for call in program.backends:
            argument = call.call.keyword("region")
            if argument is not None and (region := call.program.string(argument)) is not None:
                yield program.folder, region
    for root in facts.roots:
        if region := region_of(root):
            yield root.module.path, region


def region_of(root: Root) -> str:
    """The region of a root module's state, or else of its provider; ``""`` if the region is unknown."""
    providers = (provider for provider in root.providers if provider.alias is None)
    blocks: list[S3Backend | Provider] = [*reversed(root.backends), *providers]
    arguments = ((block.document, block.block.attribute("region")) for block in blocks)
    regions = (
        resolve(root.module, document.expression(region)) for document, region in arguments if region is not None
    )
    return next(filter(None, regions), "")
