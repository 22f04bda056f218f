"""What is attached to a stack: contexts, whose hooks run before the stack's own, and Spacelift's AWS integration.

See https://docs.spacelift.io/concepts/configuration/context and
https://docs.spacelift.io/integrations/cloud-providers/aws.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

from migrator.analysis.expressions import Expression, Scope
from migrator.analysis.hooks import exchanges_token, said_in
from migrator.analysis.stacks import Stack
from migrator.document import Document
from migrator.model import Place
from migrator.syntax.terraform import Block
from migrator.workspace import Module

_INTEGRATIONS = ("spacelift_aws_integration_attachment", "spacelift_aws_role", "spacelift_stack_aws_role")
_CALLS_AWS = re.compile(r"(?m)(?:^|[\s;&|(\"])(?:aws|terraform|tofu|terragrunt)\s+[a-z]")
_ADDRESS = re.compile(r"(?<![\w.-])[\w-]+\.[\w-]+")


@dataclass(frozen=True, eq=False)
class SpaceliftContext:
    """A ``spacelift_context`` that is attached to a stack."""

    document: Document
    block: Block
    scope: Scope

    @property
    def place(self) -> Place:
        """Where the block begins."""
        return self.document.place(self.block)

    @property
    def address(self) -> str:
        """The block's address: ``spacelift_context.shared``."""
        return ".".join(self.block.labels)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The context's labels, as far as they are known."""
        argument = self.scope.argument(self.document, self.block, "labels")
        return argument.strings or () if argument else ()

    def hooks(self, name: str) -> Expression | None:
        """The list of hooks called ``name``, such as ``before_init``."""
        return self.scope.argument(self.document, self.block, name)

    @property
    def runs_too_early(self) -> bool:
        """Whether its hooks before init call AWS or Terraform, and do not sign in themselves."""
        hooks = self.hooks("before_init")
        return hooks is not None and not exchanges_token(hooks) and _CALLS_AWS.search(said_in(hooks)) is not None


class _Beside:
    """What a module attaches to stacks, read once for all of them."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._known: dict[str, tuple[list[tuple[Document, Block]], dict[str, list[int]]]] = {}

    def naming(self, type_: str, addresses: Iterable[str]) -> list[tuple[Document, Block]]:
        """The resources of a type that refer to one of some resources or module calls, in the order of the text."""
        if type_ not in self._known:
            self._known[type_] = (list(self._module.blocks("resource", type_)), {})
            for number, one in enumerate(self._known[type_][0]):
                for address in _addresses(*one):
                    self._known[type_][1].setdefault(address, []).append(number)
        blocks, by_address = self._known[type_]
        return [
            blocks[number] for number in sorted({one for address in addresses for one in by_address.get(address, ())})
        ]

    def contexts_of(self, stack: Stack) -> list[SpaceliftContext]:
        """The contexts that are attached to a stack, in the order of the text."""
        found = {number for label in ("*", *stack.labels) for number in self._by_label.get(label, ())}
        for one in self.naming("spacelift_context_attachment", (stack.address,)):
            found |= {number for address in _addresses(*one) for number in self._by_name.get(address, ())}
        return [self._contexts[number] for number in sorted(found)]

    @cached_property
    def _contexts(self) -> list[SpaceliftContext]:
        scope = Scope(self._module)
        return [SpaceliftContext(*one, scope) for one in self._module.blocks("resource", "spacelift_context")]

    @cached_property
    def _by_name(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, context in enumerate(self._contexts):
            found.setdefault(context.address, []).append(number)
        return found

    @cached_property
    def _by_label(self) -> dict[str, list[int]]:
        """The contexts by the labels that they attach themselves to."""
        found: dict[str, list[int]] = {}
        for number, context in enumerate(self._contexts):
            for label in context.labels:
                if label.startswith("autoattach:"):
                    found.setdefault(label.removeprefix("autoattach:"), []).append(number)
        return found


_KNOWN: WeakKeyDictionary[Module, _Beside] = WeakKeyDictionary()


def _beside(stack: Stack) -> _Beside:
    return _KNOWN.setdefault(stack.module, _Beside(stack.module))


def contexts_of(stack: Stack) -> list[SpaceliftContext]:
    """The contexts of the stack's module that are attached to it, by name or by label."""
    return _beside(stack).contexts_of(stack)


def has_hook(stack: Stack, name: str) -> bool:
    """Whether the stack's list of hooks ``name``, or that of a context attached to it, exchanges a token already."""
    lists = (stack.argument(name), *(context.hooks(name) for context in contexts_of(stack)))
    return any(exchanges_token(one) for one in lists if one is not None)


def integration_of(stack: Stack) -> Place | None:
    """Where Spacelift's AWS integration is attached to the stack, if it is."""
    named = (_beside(stack).naming(type_, (stack.address,)) for type_ in _INTEGRATIONS)
    return next((document.place(block) for found in named for document, block in found), None)


def variables_of(stack: Stack) -> Iterator[tuple[str, Expression]]:
    """The environment variables, by name, that the stack's module sets on it or on a context attached to it.

    See https://search.opentofu.org/provider/spacelift-io/spacelift/latest/docs/resources/environment_variable.
    """
    holders = [stack.address, *(one.address for one in contexts_of(stack))]
    for document, block in _beside(stack).naming("spacelift_environment_variable", holders):
        name = stack.scope.argument(document, block, "name")
        value = stack.scope.argument(document, block, "value")
        if name is not None and name.string is not None and value is not None:
            yield name.string, value


def _addresses(document: Document, block: Block) -> set[str]:
    """The resources and module calls that the arguments of a block refer to."""
    return {one for attribute in block.attributes for one in _ADDRESS.findall(document.expression(attribute))}
