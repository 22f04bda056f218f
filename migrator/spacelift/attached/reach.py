"""The stacks that get a setting: by the id that the setting names, or by the context that holds the setting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from migrator.spacelift.stacks.contexts import attaching_labels, attachments
from migrator.spacelift.stacks.model import StackDefinition, TerraformDefinition
from migrator.spacelift.stacks.resource import Resource
from migrator.spacelift.stacks.targets import Target, targets

if TYPE_CHECKING:
    from migrator.model.fleet import KnownReceiver
    from migrator.spacelift.stacks.terraform import Stack
    from migrator.workspace.workspace import Workspace


class Reach(Struct, frozen=True, eq=False):
    """The ``stacks`` that get a setting; ``unknown`` is a sentence on why there may be others, ``""`` if not.

    ``labels`` are the labels by which a context attaches itself, to stacks of other repositories too. ``others`` are
    stacks with other code and modules of the registry, ``elsewhere`` the stacks of other repositories, ``slugs`` the
    ids that no stack of the repository has. ``contexts`` are the known names of the contexts with the setting.
    """

    stacks: tuple[StackDefinition, ...] = ()
    unknown: str = ""
    labels: tuple[str, ...] = ()
    others: tuple[Stack, ...] = ()
    elsewhere: tuple[KnownReceiver, ...] = ()
    slugs: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()


_RECEIVERS = ("stack_id", "module_id")


class Reaches:
    """The ``stacks`` of a repository and all that is attached to them."""

    def __init__(self, workspace: Workspace, stacks: Iterable[StackDefinition]) -> None:
        self._stacks = tuple(stacks)
        self._definitions = {stack.source: stack for stack in self._stacks if isinstance(stack, TerraformDefinition)}
        self._others = [stack for stack in self._stacks if not isinstance(stack, TerraformDefinition)]
        self._targets = targets(workspace)
        self._attached = attachments(workspace)

    def of(self, resource: Resource) -> Reach:
        """The stacks that get a resource, by the stack, module or context that the resource names."""
        block, named = resource.block, self._targets.named
        for argument in _RECEIVERS:
            if block.attribute(argument) is not None:
                return self._by_id(named(resource, argument), argument)
        if block.attribute("stack_dependency_id") is not None:
            return self._by_dependency(named(resource, "stack_dependency_id"))
        if block.attribute("context_id") is not None:
            return self._by_context(named(resource, "context_id"))
        return Reach(unknown="The setting names neither a stack nor a context.")

    def _by_id(self, target: Target | None, argument: str = "") -> Reach:
        if target is None:
            return Reach(unknown="The stack that gets the setting cannot be determined.")
        slug = target.literal
        others = [stack for stack in self._others if slug is not None and stack.slug == slug]
        reach = self._reach(self._attached.stacks(target), others)
        kind = "module" if argument == "module_id" else "stack"
        missing = f"The {kind} that gets the setting is not defined in this repository."
        unknown = Reach(unknown=missing, slugs=(slug,) if slug is not None else ())
        return reach if reach.stacks or reach.others else unknown

    def _by_dependency(self, target: Target | None) -> Reach:
        """The stack that gets the outputs of another stack."""
        dependencies = (
            target.scope.module.blocks("resource", "spacelift_stack_dependency") if target and target.scope else ()
        )
        for document, block in dependencies:
            if target is not None and target.scope is not None and ".".join(block.labels) == target.address:
                return self._by_id(self._targets.named(Resource(document, block, target.scope), "stack_id"))
        return Reach(unknown="The stack dependency of the setting is not defined in this repository.")

    def _reach(self, sources: Iterable[Stack], definitions: Iterable[StackDefinition] = ()) -> Reach:
        stacks = list(sources)
        receivers = [self._definitions[stack] for stack in stacks if stack in self._definitions]
        return Reach(
            (*receivers, *definitions), others=tuple(stack for stack in stacks if stack not in self._definitions)
        )

    def of_context(self, context: Resource) -> Reach:
        """The stacks that get a context."""
        return self._by_context(Target(None, context.scope, context.address, context.key))

    def _by_context(self, target: Target | None) -> Reach:
        if target is None:
            return Reach(unknown="The context of the setting cannot be determined.")
        reaches = [self._by_id(attachment.receiver) for attachment in self._attached.of_context(target)]
        for context in self._attached.contexts(target):
            argument = context.argument("labels")
            if context.labels is None:
                reaches.append(Reach(unknown="The labels of the setting's context cannot be read here."))
            elif context.labels and argument is not None:
                reaches.append(self.labelled(context, argument.strings or ()))
        names = tuple(dict.fromkeys(context.name for context in self._attached.contexts(target) if context.name))
        if not reaches:
            return Reach(
                unknown="Nothing in this repository attaches the setting's context to a stack.", contexts=names
            )
        reach = union(reaches)
        if not reach.stacks and not reach.others and not reach.unknown:
            unknown = "The labels and the space of the setting's context reach no stack in this repository."
            return replace(reach, unknown=unknown, contexts=names)
        return replace(reach, contexts=names)

    def labelled(self, resource: Resource, labels: Iterable[str]) -> Reach:
        """The stacks that a resource with ``labels`` attaches itself to."""
        labels = tuple(labels)
        attached_labels = attaching_labels(labels)
        receivers = list(self._attached.labelled(resource, labels))
        certain = [stack for stack, doubt in receivers if not doubt]
        others = [
            other for other in self._others if "*" in attached_labels or not attached_labels.isdisjoint(other.labels)
        ]
        reach = self._reach(certain, others)
        unknown = next((doubt for _, doubt in receivers if doubt), "")
        return Reach(reach.stacks, unknown, tuple(sorted(attached_labels)), reach.others)


def union(reaches: Iterable[Reach]) -> Reach:
    """The union of several reaches."""
    parts = list(reaches)
    return Reach(
        tuple(dict.fromkeys(stack for reach in parts for stack in reach.stacks)),
        next((reach.unknown for reach in parts if reach.unknown), ""),
        tuple(dict.fromkeys(label for reach in parts for label in reach.labels)),
        tuple(dict.fromkeys(stack for reach in parts for stack in reach.others)),
        slugs=tuple(dict.fromkeys(slug for reach in parts for slug in reach.slugs)),
        contexts=tuple(dict.fromkeys(name for reach in parts for name in reach.contexts)),
    )
