"""The properties that stacks in any language share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from migrator.model.account import AccountStack
    from migrator.model.engine import Evidence
    from migrator.model.findings import Place
    from migrator.model.fleet import Code
    from migrator.spacelift.stacks.contexts import SpaceliftContext
    from migrator.spacelift.stacks.python import PythonStack
    from migrator.spacelift.stacks.terraform import Stack
    from migrator.spacelift.stacks.yaml import YamlStack
    from migrator.span import Span
    from migrator.workspace.document import Document


class Contexts(Struct, frozen=True, eq=False):
    """The contexts that a stack has, in the order in which their hooks run.

    ``doubts`` are about other contexts that the stack may have. ``priority`` is the lowest one of the contexts that are
    attached by name and may call AWS: a context with a lower priority runs first.
    """

    known: tuple[SpaceliftContext, ...] = ()
    doubts: tuple[str, ...] = ()
    priority: int | None = None

    @property
    def too_early(self) -> list[SpaceliftContext]:
        """The contexts with hooks that call AWS or Terraform before any hook has signed in."""
        contexts: list[SpaceliftContext] = []
        for context in self.known:
            if context.signs_in:
                break
            if context.calls_aws:
                contexts.append(context)
        return contexts


class StackDefinition(Struct, frozen=True, eq=False):
    """A stack that the ``document`` defines at ``place``, in some language.

    ``is_plain``: the definition is one stack, whatever the context of the code. ``manages_state`` and ``waits`` (for
    confirmation, after the plan) are None if not known. ``evidence`` is about the engine, ``contexts`` are attached to
    the stack. A blueprint makes stacks later; ``is_published``: the blueprint cannot be changed. ``account`` has the
    inventory's facts on the stack.
    """

    document: Document
    place: Place
    title: str
    code: Code
    slug: str | None = None
    labels: frozenset[str] = frozenset()
    is_ignored: bool = False
    is_plain: bool = True
    manages_state: bool | None = None
    waits: bool | None = None
    evidence: tuple[Evidence, ...] = ()
    contexts: Contexts = field(default_factory=Contexts)
    is_blueprint: bool = False
    is_published: bool = False
    account: AccountStack | None = None


class TerraformDefinition(StackDefinition, frozen=True, eq=False, kw_only=True):
    """A stack that is defined in Terraform."""

    source: Stack


class PythonDefinition(StackDefinition, frozen=True, eq=False, kw_only=True):
    """A stack that a CDKTF or Pulumi program defines."""

    source: PythonStack


class YamlDefinition(StackDefinition, frozen=True, eq=False, kw_only=True):
    """A stack that a blueprint or a stack file in YAML defines, which may be a ``part`` of its document.

    ``is_template``: the part is in a template of HCL.
    """

    source: YamlStack
    part: Span | None = None
    is_template: bool = False
