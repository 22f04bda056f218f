"""The stacks of a verification, from any source, with the hooks and variables of their runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from migrator.errors import SyntaxProblem
from migrator.spacelift.inventory.known import SESSION_TAGS
from migrator.spacelift.stacks.contexts import CALLS_AWS, SpaceliftContext
from migrator.spacelift.stacks.exchange import EXCHANGE
from migrator.spacelift.stacks.model import StackDefinition, TerraformDefinition, YamlDefinition
from migrator.spacelift.stacks.runtime_config import IGNORES, PATH, RuntimeConfig, parse
from migrator.syntax.yaml.parse import read
from migrator.verify.hook_lists import Lists, address_of

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.model.engine import Evidence
    from migrator.model.fleet import Code
    from migrator.spacelift.stacks.terraform import Stack
    from migrator.workspace.workspace import Workspace

ENGINE = "the engine"
READER = "the reader of lists"
_INIT = "before_init"


class HookCommand(Struct, frozen=True):
    """A command before init; ``where`` names the list of the command."""

    text: str
    where: str

    @property
    def is_exchange(self) -> bool:
        """Whether the command exchanges the run's token."""
        return EXCHANGE in self.text and not self.text.lstrip().startswith("#")

    @property
    def calls_aws(self) -> bool:
        """Whether the command calls AWS or Terraform."""
        return CALLS_AWS.search(self.text) is not None


class RunStack(Struct, frozen=True, eq=False):
    """A stack, with the hooks and variables of the runs.

    ``commands`` are the commands before init in the order of execution, None if not known, and then ``unknown`` is the
    reason. ``read_by`` names the evaluators. ``slug`` and ``space`` are ``""`` if not known; ``is_guess``: the slug is
    derived from the name. ``variables`` are the variables about roles, None for an unknown value. ``doubts`` are about
    contexts that may run first, ``overrides`` are mounted files that override the code.
    """

    title: str
    place: str
    code: Code
    slug: str = ""
    space: str = ""
    is_guess: bool = True
    kind: str = "stack"
    labels: frozenset[str] = frozenset()
    commands: tuple[HookCommand, ...] | None = ()
    unknown: str = ""
    read_by: str = ""
    variables: Mapping[str, str | None] = field(default_factory=dict)
    has_static_keys: bool = False
    has_integration: bool = False
    doubts: tuple[str, ...] = ()
    overrides: tuple[tuple[str, str], ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @property
    def has_session_tags(self) -> bool:
        """Whether the sessions of the stack's runs are tagged."""
        return SESSION_TAGS in self.labels

    @property
    def known_variables(self) -> dict[str, str]:
        """The variables with a known value."""
        return {name: value for name, value in self.variables.items() if value is not None}

    @property
    def early_caller(self) -> str:
        """The command that calls AWS or Terraform before the exchange; ``""`` if there is none."""
        for command in self.commands or ():
            if command.is_exchange:
                return ""
            if command.calls_aws:
                return command.where
        return ""


def defined_stacks(context: Context, evaluated: Mapping[str, Lists]) -> Iterator[tuple[StackDefinition, RunStack]]:
    """The stacks that a repository defines; ``evaluated`` are lists that the engine evaluated, by root module."""
    facts = context.facts
    keyed = {stack for setting in facts.settings if not setting.is_ignored for stack in setting.reach.stacks}
    lists = {address: commands for lists_of_file in evaluated.values() for address, commands in lists_of_file.items()}
    for stack in facts.stacks:
        if stack.is_blueprint or not context.workspace.in_scope(stack.place.path):
            continue
        commands, unknown, reader = _commands(stack, lists)
        won = [override for override in facts.overrides if stack in override.reach.stacks]
        run = RunStack(
            stack.title,
            str(stack.place),
            stack.code,
            stack.slug or "",
            _space(stack),
            not (isinstance(stack, TerraformDefinition) and stack.source.has_explicit_slug),
            labels=stack.labels,
            commands=commands,
            unknown=unknown,
            read_by=reader,
            variables={variable.name: variable.value for variable in facts.variables.of(stack)},
            has_static_keys=stack in keyed,
            has_integration=stack in facts.integrations,
            doubts=stack.contexts.doubts,
            overrides=tuple(
                (override.title, override.refusal.reason)
                for override in won
                if not override.holds_values and not override.ignored
            ),
            evidence=stack.evidence,
        )
        yield stack, run


def _space(stack: StackDefinition) -> str:
    argument = stack.source.argument("space_id") if isinstance(stack, TerraformDefinition) else None
    return (argument.string if argument is not None else None) or ""


def _commands(stack: StackDefinition, lists: Lists) -> tuple[tuple[HookCommand, ...] | None, str, str]:
    """The commands before init, the reason if they are not known, and the evaluators."""
    if isinstance(stack, YamlDefinition):
        from migrator.spacelift.stacks.exchange import commands

        init_commands = commands(read(stack.document.text, stack.part), stack.source.hooks("init"))
        return tuple(HookCommand(text, f"the stack at {stack.place}") for text in init_commands), "", READER
    if not isinstance(stack, TerraformDefinition):
        return None, "a program in Python makes the list.", ""
    all_commands: list[HookCommand] = []
    readers: dict[str, None] = {}
    items: tuple[SpaceliftContext | Stack, ...] = (*stack.contexts.known, stack.source)
    for holder in items:
        is_context = isinstance(holder, SpaceliftContext)
        list_title = f"the context at {holder.place}" if is_context else f"the stack at {holder.place}"
        texts: tuple[str, ...] | None = lists.get(address_of(holder))
        expression = holder.argument(_INIT)
        if texts is None and expression is not None and not expression.is_null:
            texts = expression.strings
            readers[READER] = None
            if texts is None:
                return None, f"{list_title} makes the list with values that only a run knows.", ""
        else:
            readers[ENGINE] = None
        all_commands += (HookCommand(text, list_title) for text in texts or ())
    return tuple(all_commands), "", " and ".join(readers)


def with_runtime_config(stack: RunStack, workspace: Workspace) -> RunStack:
    """The stack with the runtime configuration of the code: a list there replaces the stack's list."""
    document = workspace.documents.get(workspace.scoped(PATH))
    if document is None or IGNORES in stack.labels or not stack.slug:
        return stack
    try:
        config = parse(document.text)
    except SyntaxProblem:
        return replace(stack, commands=None, unknown=f"{PATH} cannot be read.")
    variables = {**stack.variables, **_environment(config, stack.slug)}
    stack = replace(stack, variables=variables)
    stack_keys, default_keys = ("stacks", stack.slug, _INIT), ("stack_defaults", _INIT)
    chosen = stack_keys if config.sets(stack_keys) else default_keys if config.sets(default_keys) else None
    if chosen is None or stack.commands is None:
        return stack
    before = tuple(command for command in stack.commands if not command.where.startswith("the stack "))
    commands = tuple(HookCommand(text, PATH) for text in config.commands(chosen))
    has_own_list = len(before) < len(stack.commands)
    if chosen == default_keys and has_own_list:
        exchanges = [
            any(command.is_exchange for command in commands_of_list)
            for commands_of_list in (commands, stack.commands[len(before) :])
        ]
        if not all(exchanges):
            reason = f"{PATH} and the stack both set the list, and Spacelift's pages do not agree which one counts."
            return replace(stack, commands=None, unknown=reason)
    return replace(stack, commands=(*before, *commands), read_by=f"{stack.read_by} and {READER}")


def _environment(config: RuntimeConfig, slug: str) -> dict[str, str | None]:
    from migrator.syntax.yaml.tree import string_at

    entries = [config.stack_defaults, *(entry for name, entry in config.stacks.items() if name == slug)]
    root = config.tree.root
    variables = {
        variable.name: string_at(root, *variable.keys) if root else None
        for entry in entries
        for variable in entry.environment
    }
    return {
        name: value for name, value in variables.items() if re.match(r"(?:ro_|wo_)?TF_VAR_|AWS_ROLE_ARN|AWS_WEB", name)
    }
