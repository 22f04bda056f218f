"""The targets of ids: resources of the repository, through outputs of modules and data sources, or literals."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from msgspec import Struct

from migrator.regex import regex
from migrator.terraform.expressions.scopes import ModuleScope

if TYPE_CHECKING:
    from migrator.spacelift.stacks.resource import Resource
    from migrator.terraform.expressions.evaluate import Expression, Scope
    from migrator.workspace.module import ModuleCall
    from migrator.workspace.workspace import Workspace

_KEY = r"(?:\[(?P<key>[^\[\]]+)\])?"
_RESOURCE = regex(
    r"(?!(?:each|count|var|local)\.)(?P<address>(?:data\.)?[a-z]\w*\.[\w-]+)"
    rf"{_KEY}(?:\[\*\]|\.\*)?(?:\.[\w-]+)*"
)
_OUTPUT = regex(rf"module\.(?P<name>[\w-]+){_KEY}\.(?P<output>[\w-]+)(?P<steps>(?:\.[\w-]+|\[[^\[\]]+\])*)")
_STEP = regex(r"\.([\w-]+)|\[([^\[\]]+)\]")
_WRAPPED = regex(r'(?:one|tostring|nonsensitive|trimspace)\((.*)\)|"\$\{([^{}]+)\}"', re.DOTALL)
_REPEATED = regex(r"(?:spacelift_\w+|module)\.[\w-]+")
_NUMBERED = regex(r"([\w.-]+)\[count\.index\]")
_NAMING = {
    "spacelift_context": "context_id",
    "spacelift_module": "module_id",
    "spacelift_space": "space_id",
    "spacelift_stack": "stack_id",
}
"""The argument with the id in a data source."""

_DEEPEST = 20


class Target(Struct, frozen=True):
    """The ``literal`` id, or the resource at an ``address`` in a ``scope``; with a ``key``, one of several."""

    literal: str | None = None
    scope: Scope | None = None
    address: str = ""
    key: str | None = None

    @property
    def index(self) -> tuple[str, str]:
        """The key for look-ups: see `index_of`."""
        return ("", self.literal or "") if self.scope is None else (self.scope.module.path, self.address)


def index_of(scope: Scope, address: str) -> tuple[str, str]:
    """The key for the resource at ``address``."""
    return scope.module.path, address


class Targets:
    """The resources that ids in a repository refer to."""

    def __init__(self, workspace: Workspace) -> None:
        calls_by_path = ((path, call) for path, calls in workspace.calls.items() for call in calls)
        self._called: dict[int, tuple[str, ModuleCall]] = {id(call.block): (path, call) for path, call in calls_by_path}
        self._modules = workspace.modules

    def named(self, resource: Resource, argument: str) -> Target | None:
        """The resource that an argument refers to; ``each.value`` of a repeated resource refers to each instance."""
        reference, for_each = resource.argument(argument), resource.block.attribute("for_each")
        if reference is None:
            return None
        repeated = resource.document.expression(for_each) if for_each is not None else ""
        if reference.text.startswith("each.value") and _REPEATED.fullmatch(repeated):
            reference = reference.derived(reference.text.replace("each.value", repeated, 1))
        return self.of(reference)

    def each_named(self, resource: Resource, argument: str) -> list[Target | None]:
        """The resources that an argument refers to, one for each element of the list behind a repeated resource."""
        reference, for_each = resource.argument(argument), resource.argument("for_each")
        numbered = _NUMBERED.fullmatch(reference.text) if reference is not None else None
        if reference is not None and numbered is not None:
            listed: Expression | None = reference.derived(numbered[1]).origin
        else:
            is_element = reference is not None and reference.text in ("each.key", "each.value")
            is_open = is_element and resource.key is None  # else the resource is a known instance
            listed = for_each.origin if is_open and for_each is not None else None
        elements = listed.elements if listed is not None else None
        return [self.named(resource, argument)] if elements is None else list(map(self.of, elements))

    def of(self, expression: Expression) -> Target | None:
        """The target of an id; None if not known."""
        for _ in range(_DEEPEST):
            origin = expression.resolved
            if (literal := origin.string) is not None:
                return Target(literal)
            text = origin.text.strip()
            if wrapped := _WRAPPED.fullmatch(text):
                expression = origin.derived(wrapped[1] or wrapped[2])
                continue
            followed = self._output(origin, text) or self._data(origin, text)
            if followed is None:
                return _resource(origin, text)
            expression = followed
        return None

    def _output(self, expression: Expression, text: str) -> Expression | None:
        """The value of a module's output."""
        match = _OUTPUT.fullmatch(text)
        for _, block in expression.scope.module.blocks("module", match["name"]) if match else ():
            path, call = self._called.get(id(block), ("", None))
            module = self._modules.get(path) if call is not None else None
            for document, output in module.blocks("output", match["output"]) if module and match else ():
                value = (
                    ModuleScope(module, call, expression.scope).argument(document, output, "value") if module else None
                )
                for step in _STEP.finditer(match["steps"]) if match else ():
                    name = step[1] or expression.derived(step[2]).string or step[2]
                    value = value.member(name) if value is not None and value.items is not None else value
                return value
        return None

    def _data(self, expression: Expression, text: str) -> Expression | None:
        """The value of a data source, found by the id in the data source."""
        _, _, address = text.partition("data.")
        type_, _, rest = address.partition(".")
        argument = _NAMING.get(type_) if text.startswith("data.") else None
        name = re.match(r"[\w-]*", rest)
        for document, block in expression.scope.module.blocks("data", type_) if argument and name else ():
            if argument and name and block.labels[1:] == (name[0],):
                return expression.scope.argument(document, block, argument)
        return None


def _resource(expression: Expression, text: str) -> Target | None:
    match = _OUTPUT.fullmatch(text)
    address = f"module.{match['name']}" if match else ""
    match = match or _RESOURCE.fullmatch(text)
    if match is None:
        return None
    key = expression.derived(match["key"]).string if match["key"] else None
    return Target(None, expression.scope, address or match["address"], key)


def targets(workspace: Workspace) -> Targets:
    """The targets of ``workspace``."""
    if workspace not in _KNOWN:
        _KNOWN[workspace] = Targets(workspace)
    return _KNOWN[workspace]


_KNOWN: WeakKeyDictionary[Workspace, Targets] = WeakKeyDictionary()
