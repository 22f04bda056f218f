"""A hook first in the lists of hooks of a stack, in any language of the definition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.spacelift.hooks.diagnostics import (
    HOOK_LIST_IMPORTED,
    HOOK_LIST_UNKNOWN,
    HOOKS_EXPORT_CREDENTIALS,
    SETTING_OF_OTHER_REPOSITORY,
    STACK_HAS_INTEGRATION,
    STACK_IGNORES_HOOKS,
    STACK_OVERRIDDEN,
)
from migrator.spacelift.hooks.in_terraform import Entries, TerraformHooks, TerraformLists
from migrator.spacelift.stacks.exchange import EVERY_LIST, exchanges_token, text_of
from migrator.spacelift.stacks.model import PythonDefinition, StackDefinition, TerraformDefinition, YamlDefinition
from migrator.spacelift.stacks.scripts import export
from migrator.syntax.yaml.parse import read

if TYPE_CHECKING:
    from migrator.model.findings import Place, Refusal
    from migrator.spacelift.stacks.terraform import Stack
    from migrator.span import Edit
    from migrator.workspace.workspace import Workspace

_EXPORTED = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})


class HookExport(Struct, frozen=True):
    """A hook in the list ``name`` that exports the static ``variable``; ``of`` names the list's holder for people."""

    name: str
    of: str
    variable: str
    is_of_context: bool = False


class HookLists:
    """The lists of hooks of all ``stacks``; lists have their names of Terraform, for example ``before_init``.

    ``in_context``: the hook goes into a context, before all other hooks. ``overriding`` are the settings of other
    repositories that override a hook.
    """

    def __init__(
        self,
        workspace: Workspace,
        stacks: Sequence[StackDefinition],
        integrations: Mapping[StackDefinition, Place],
        overriding: Mapping[StackDefinition, str],
        *,
        in_context: bool,
    ) -> None:
        self._workspace = workspace
        self._integrations = integrations
        self._overriding = overriding
        self._in_context = in_context
        self._definitions = {stack.source: stack for stack in stacks if isinstance(stack, TerraformDefinition)}
        self.in_terraform = TerraformLists(list(self._definitions))

    def siblings(self, stack: StackDefinition) -> list[StackDefinition]:
        """The stacks that the block of ``stack`` makes, ``stack`` included."""
        if isinstance(stack, TerraformDefinition):
            return [self._definitions[sibling] for sibling in self.in_terraform.siblings(stack.source)]
        return [stack]

    def has_hook(self, stack: StackDefinition, name: str) -> bool:
        """Whether the list ``name``, or that of an attached context, exchanges a token already, however spelled."""
        if stack.account is not None and name in stack.account.attached_hooks:
            return True
        if isinstance(stack, TerraformDefinition):
            lists = (stack.source.argument(name), *(context.argument(name) for context in stack.contexts.known))
            return any(exchanges_token(expression) for expression in lists if expression is not None)
        if isinstance(stack, PythonDefinition):
            from migrator.spacelift.hooks import (
                in_python as python_hook,  # here: libcst is slow to load, and seldom needed
            )

            return python_hook.has_hook(stack.document.text, stack.source, name)
        if isinstance(stack, YamlDefinition):
            from migrator.spacelift.stacks.exchange import has_hook as yaml_has_hook

            return yaml_has_hook(read(stack.document.text, stack.part), stack.source.hooks(_phase(name)))
        return False

    def commands(self, stack: StackDefinition, name: str) -> tuple[str, ...] | None:
        """The commands of the list ``name``: empty if the stack does not set the list, None if not known."""
        if isinstance(stack, TerraformDefinition):
            argument = stack.source.argument(name)
            return () if argument is None or argument.is_null else argument.strings
        if isinstance(stack, PythonDefinition):
            is_set = stack.source.hook_argument(name) in stack.source.hooks
            return None if is_set or stack.source.objection else ()
        return None

    def objection(self, stack: StackDefinition, names: Sequence[str]) -> Refusal | None:
        """The reason not to change the lists ``names``; None if the lists may be changed."""
        if place := self._integrations.get(stack):
            return STACK_HAS_INTEGRATION.refusal(place=place)
        if reason := self._overriding.get(stack):
            return SETTING_OF_OTHER_REPOSITORY.refusal(reason=reason)
        objection = _terraform_objection(stack.source, names) if isinstance(stack, TerraformDefinition) else None
        return objection or self._exported_later(stack)

    def _exported_later(self, stack: StackDefinition) -> Refusal | None:
        """The reason why a later hook of the stack overrides the exports of the new hook; None if no hook does."""
        for found in self.exports(stack):
            is_earlier = found.is_of_context and found.name == "before_init" and not self._in_context
            if not (is_earlier and found.variable in _EXPORTED):
                return HOOKS_EXPORT_CREDENTIALS.refusal(name=found.name, of=found.of, variable=found.variable)
        return None

    def exports(self, stack: StackDefinition) -> Iterator[HookExport]:
        """The hooks of the stack, and of its contexts, that export static credentials."""
        for name in EVERY_LIST:
            if found := export(self._workspace, self._texts(stack, name)):
                yield HookExport(name, f"of the stack{found.through}", found.variable)
            for context in stack.contexts.known:
                hooks = context.argument(name)
                if hooks is not None and (found := export(self._workspace, (text_of(hooks),))):
                    of = f"of the context at {context.place}{found.through}"
                    yield HookExport(name, of, found.variable, is_of_context=True)

    def _texts(self, stack: StackDefinition, name: str) -> Iterator[str]:
        """The text of the stack's list ``name``, as far as known."""
        if isinstance(stack, TerraformDefinition):
            argument = stack.source.argument(name)
            yield from (text_of(argument),) if argument is not None else ()
        elif isinstance(stack, PythonDefinition):
            from migrator.spacelift.hooks import (
                in_python as python_hook,  # here: libcst is slow to load, and seldom needed
            )

            yield from python_hook.hooks_of(stack.document.text, stack.source, name)
        elif isinstance(stack, YamlDefinition):
            from migrator.spacelift.stacks.exchange import commands

            yield from commands(read(stack.document.text, stack.part), stack.source.hooks(_phase(name)))


class RequiredHooks:
    """Edits of the ``lists``: ``entries`` are the new first entries for the lists of some stacks."""

    def __init__(self, lists: HookLists, entries: Mapping[StackDefinition, Entries]) -> None:
        in_terraform = {
            stack.source: first for stack, first in entries.items() if isinstance(stack, TerraformDefinition)
        }
        self._in_terraform = TerraformHooks(lists.in_terraform, in_terraform)
        self._entries = entries

    def prepend(self, stack: StackDefinition, name: str) -> tuple[Edit, ...] | Refusal:
        """The edits that put the new entries first into the list ``name``."""
        if isinstance(stack, TerraformDefinition):
            return self._in_terraform.prepend(stack.source, name)
        if isinstance(stack, PythonDefinition):
            from migrator.spacelift.hooks import in_python as python_hook

            return python_hook.prepend_hooks(stack.document.text, stack.source, name, self._entries[stack])
        if isinstance(stack, YamlDefinition):
            return _in_yaml(stack, _phase(name), self._entries[stack])
        return HOOK_LIST_UNKNOWN.refusal()


def _phase(name: str) -> str:
    return name.removeprefix("before_")


def _in_yaml(stack: YamlDefinition, phase: str, entries: Entries) -> tuple[Edit, ...] | Refusal:
    from migrator.syntax.yaml.edit import prepend_items  # here: PyYAML is seldom needed
    from migrator.syntax.yaml.write import Item

    tree, keys = read(stack.document.text, stack.part), stack.source.hooks(phase)
    if stack.source.may_replace and tree.find(keys) is None:
        return HOOK_LIST_IMPORTED.refusal(name=f"before_{phase}")
    items = [Item(entry.text, entry.comment) for entry in entries]
    escape = _escape_template if stack.is_template else str
    return prepend_items(stack.document.path, tree, keys, items, escape=escape)


def _escape_template(text: str) -> str:
    """The ``text`` with escapes for a heredoc of HCL."""
    return text.replace("${", "$${").replace("%{", "%%{")


def _terraform_objection(stack: Stack, names: Sequence[str]) -> Refusal | None:
    if stack.is_overridden:
        return STACK_OVERRIDDEN.refusal()
    ignored = next((name for name in names if stack.ignores(name)), None)
    return STACK_IGNORES_HOOKS.refusal(name=ignored) if ignored else None
