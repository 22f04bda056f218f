"""The scopes of a module: one scope for each call of the module, and for each key of its `for_each`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from migrator.errors import MigrateError
from migrator.syntax.hcl.strings import quote
from migrator.terraform.expressions.evaluate import Expression, Function, Scope
from migrator.terraform.expressions.functions import FUNCTIONS

if TYPE_CHECKING:
    from migrator.syntax.terraform import Block
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module
    from migrator.workspace.workspace import Workspace

_SCOPES = 10_000


class ModuleScope(Scope, frozen=True, eq=False):
    """The scope of a module, with its variables and locals."""

    @property
    def functions(self) -> Mapping[str, Function]:
        """Terraform's functions."""
        return FUNCTIONS

    def root(self, name: str) -> Expression | None:
        """The expression of ``var.name`` or ``local.name``; None if it is unknown."""
        kind, _, name = name.partition(".")
        if kind == "var":
            return self._variable(name)
        return self._last(name, self.module.blocks("locals")) if kind == "local" else None

    def _variable(self, name: str) -> Expression | None:
        """The value by the call of the module or by a file with values, else the variable's default."""
        declarations = list(self.module.blocks("variable", name))
        constraint = self._last("type", declarations)
        expression = None
        if self.call is not None and self.caller is not None:
            expression = self.caller.argument(self.call.document, self.call.block, name)
        elif value := self.module.value(name):
            document, attribute = value
            if attribute is None:
                return None
            expression = Expression(
                document.expression(attribute), self
            )  # without its place: values are not edited there
        expression = expression or self._last("default", declarations)
        return (
            replace(expression, type_=constraint.text)
            if expression is not None and constraint is not None
            else expression
        )

    def _last(self, name: str, blocks: Iterable[tuple[Document, Block]]) -> Expression | None:
        """The argument ``name`` of the first block that has it, or of the last override file that has it."""
        definitions = [(document, block) for document, block in blocks if block.attribute(name)]
        overriding = [definition for definition in definitions if definition[0].is_override]
        chosen = overriding[-1:] or definitions[:1]
        return self.argument(*chosen[0], name) if chosen else None


def instances(document: Document, block: Block, scope: Scope) -> list[tuple[str | None, Scope]]:
    """The keys of a block's ``for_each``, each with its scope; one scope without a key if the keys are unknown."""
    for_each = scope.argument(document, block, "for_each")
    names = {name: expression for name, expression in scope.names.items() if not name.startswith("each.")}
    bare = scope if len(names) == len(scope.names) else replace(scope, names=names)
    entries = None if for_each is None else for_each.entries
    if for_each is None or entries is None:
        return [(None, bare)]
    return [
        (key, bare.with_names(**{"each.key": for_each.derived(quote(key)), "each.value": value}))
        for key, value in entries
    ]


def scopes_of(workspace: Workspace, module: Module) -> list[Scope]:
    """The scopes of ``module``: one for each call in the repository, or a scope without a call."""
    return _KNOWN.setdefault(workspace, _Scopes(workspace)).of(module)


class _Scopes:
    """The cached scopes of the modules of a repository: calls may lead to a module in very many ways."""

    def __init__(self, workspace: Workspace) -> None:
        self._calls = workspace.calls
        self._known: dict[str, list[Scope]] = {}

    def of(self, module: Module) -> list[Scope]:
        """A scope for each call of ``module`` in the repository, or a scope without a call.

        Raises `MigrateError` for too many scopes: no scope is left out.
        """
        if module.path not in self._known:
            self._known[module.path] = []  # for a module that calls itself, during its evaluation
            scopes = list(islice(self._called(module), _SCOPES + 1))
            if len(scopes) > _SCOPES:
                del self._known[module.path]
                raise MigrateError(
                    f"The module {module.path or '.'} is called in more than {_SCOPES} ways, so nothing was changed."
                )
            self._known[module.path] = scopes or [ModuleScope(module)]
        return self._known[module.path]

    def _called(self, module: Module) -> Iterator[Scope]:
        for call in self._calls.get(module.path, ()):
            for outer in self.of(call.caller):
                yield from (
                    ModuleScope(module, call, inner) for _, inner in instances(call.document, call.block, outer)
                )


_KNOWN: WeakKeyDictionary[Workspace, _Scopes] = WeakKeyDictionary()
