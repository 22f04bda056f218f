"""The variables that stacks must set; the runtime configuration holds some of these."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.config.config import HookPlace
from migrator.decide.role_values import PREFIX
from migrator.spacelift.attached.variables import Variable

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.model.findings import Place
    from migrator.model.fleet import KnownStack
    from migrator.spacelift.settings.model import SetVariable
    from migrator.spacelift.stacks.model import StackDefinition


class RequiredVariable(Struct, frozen=True, eq=False):
    """A ``variable`` for a stack, since it runs ``code``; other repositories' stacks have no ``definition``.

    ``needs`` and ``group`` are as in `Finding`. ``refusal`` is the reason why the stack's code is not migrated, if any.
    ``is_vital`` says that the runs sign in by the variable: without it the group is not migrated. The code is at
    ``place``, if this repository has it.
    """

    variable: Variable
    code: str
    definition: StackDefinition | None
    known_stack: KnownStack | None = None
    is_local: bool = True
    needs: frozenset[str] = frozenset()
    group: str | None = None
    is_vital: bool = False
    place: Place | None = None
    refusal: str = ""
    is_in_runtime_config: bool = False

    @property
    def slug(self) -> str:
        """The stack's slug; ``""`` if it is unknown."""
        return (self.definition.slug or "") if self.definition else self.known_stack.slug if self.known_stack else ""


def required_variables(context: Context) -> Iterator[RequiredVariable]:
    """The variables for stacks that run root modules of this repository, and for its stacks that run others."""
    for role_value in context.sign_ins.values:
        needs = (
            frozenset(place.key for place in role_value.users) if len(set(role_value.users)) == 1 else frozenset[str]()
        )
        runners, variable = (
            context.facts.runners_of(role_value.root),
            Variable(role_value.environment_variable, role_value.role),
        )
        for stack in runners.definitions:
            yield RequiredVariable(variable, role_value.root or ".", stack, needs=needs)
        for known_stack in runners.known_stacks:
            yield RequiredVariable(variable, role_value.root or ".", None, known_stack, needs=needs)
    for environment_root in context.environment_roots.roots:
        for name, value in environment_root.variables:
            variable, code, group = Variable(name, value), environment_root.title, environment_root.group
            for stack in environment_root.runners.definitions:
                yield RequiredVariable(variable, code, stack, group=group, is_vital=True)
            for known_stack in environment_root.runners.known_stacks:
                yield RequiredVariable(
                    variable, code, None, known_stack, group=group, is_vital=True, place=environment_root.place
                )
    yield from _of_others(context)


def _of_others(context: Context) -> Iterator[RequiredVariable]:
    """The variables that root modules of other repositories need on stacks of this one."""
    for stack, root in context.facts.serving:
        for name, value in root.variables:
            yield RequiredVariable(
                Variable(name, value),
                root.title,
                stack,
                is_local=False,
                refusal=root.refusal,
                is_in_runtime_config=stack.slug in root.in_runtime_config,
                group=f"root module {root.title}" if root.is_migrated else None,
                is_vital=root.is_migrated and not name.startswith(PREFIX),
            )


def set_at(context: Context, required: RequiredVariable) -> SetVariable | None:
    """The existing setting of the variable for its stack."""
    if required.definition is None:
        variables = context.facts.variables.in_runtime_config(required.slug)
    else:
        variables = context.facts.variables.of(required.definition)
    set_variable = next((variable for variable in variables if variable.name == required.variable.name), None)
    stack = required.definition or required.known_stack
    if set_variable is not None or stack is None or stack.account is None:
        return set_variable
    return context.account.set_at(stack.account, required.variable.name, required.variable.value)


def is_for_runtime_config(context: Context, required: RequiredVariable) -> bool:
    """Whether the variable goes into the runtime configuration of this repository."""
    if context.config.hook_in is not HookPlace.RUNTIME_CONFIG or not required.is_local or not required.slug:
        return False
    if required.definition is not None and context.strategies.runtime_stack(required.definition) is None:
        return False
    return not context.hook_plan.runtime.variable_objection(required.slug)


def runtime_variables(context: Context) -> list[tuple[str, str, str]]:
    """The slug, the name and the value of each variable that goes into the runtime configuration."""
    required_here = (required for required in required_variables(context) if is_for_runtime_config(context, required))
    missing = (required for required in required_here if set_at(context, required) is None)
    return list(dict.fromkeys((required.slug, required.variable.name, required.variable.value) for required in missing))
