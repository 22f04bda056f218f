"""Contexts that are attached to stacks and modules, by name or by label; their hooks run before the stack's.

See https://docs.spacelift.io/concepts/configuration/context. A context is attached by name, or attaches itself by label
in its own space and in inheriting spaces below. Contexts that are attached by name come first, by their priority, then
the others in reverse alphabetical order: https://docs.spacelift.io/concepts/stack/stack-settings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

from migrator.regex import regex
from migrator.spacelift.stacks.exchange import exchanges_token, text_of
from migrator.spacelift.stacks.model import Contexts
from migrator.spacelift.stacks.resource import Resource, resources
from migrator.spacelift.stacks.scripts import scripts
from migrator.spacelift.stacks.slugs import slug_of
from migrator.spacelift.stacks.spaces import Spaces
from migrator.spacelift.stacks.targets import Target, index_of, targets
from migrator.spacelift.stacks.terraform import Stack, spacelift_stacks

if TYPE_CHECKING:
    from migrator.workspace.workspace import Workspace

_ATTACHMENT = "spacelift_context_attachment"
CALLS_AWS = regex(
    r"(?m)(?:^|[\s;&|(\"'`/])(?:aws|eksctl|chamber|sops|terragrunt|terraform|tofu)\s+(?!fmt\b|version\b)-*[a-z]"
)
"""The pattern of commands that call AWS or Terraform."""

_ALL = "*"


class SpaceliftContext(Resource, frozen=True, eq=False):
    """A ``spacelift_context``, or a single instance of a repeated block."""

    workspace: Workspace | None = None

    @property
    def name(self) -> str:
        """The name of the context; ``""`` if not known."""
        return self.string("name") or ""

    @property
    def labels(self) -> frozenset[str] | None:
        """The labels to which the context attaches itself; None if not known."""
        argument = self.argument("labels")
        if argument is None or argument.is_null:
            return frozenset()
        return None if argument.strings is None else attaching_labels(argument.strings)

    @property
    def signs_in(self) -> bool:
        """Whether hooks of the context before init exchange the run's token."""
        hooks = self.argument("before_init")
        return hooks is not None and exchanges_token(hooks)

    @property
    def calls_aws(self) -> bool:
        """Whether hooks of the context before init call AWS or Terraform, in scripts of the repository too."""
        hooks = self.argument("before_init")
        said = text_of(hooks) if hooks is not None else ""
        run = scripts(self.workspace, said) if self.workspace is not None else ()
        return any(map(CALLS_AWS.search, (said, *run)))


class Attachment(Resource, frozen=True, eq=False, kw_only=True):
    """A ``spacelift_context_attachment``, or a single instance of a repeated block."""

    context: Target | None
    receiver: Target | None
    priority: int | None


T = TypeVar("T", Stack, SpaceliftContext)


class Attachments:
    """The attachments of a repository's contexts to stacks and modules."""

    def __init__(self, workspace: Workspace) -> None:
        self.receivers = spacelift_stacks(workspace)
        self._spaces = Spaces(workspace)
        self._receivers = _index(self.receivers)
        contexts = [
            SpaceliftContext(resource.document, resource.block, resource.scope, resource.key, workspace)
            for resource in resources(workspace, "spacelift_context")
        ]
        self._contexts = _index(contexts)
        self._by_label: dict[str, list[SpaceliftContext]] = {}
        self._with_unknown_labels: list[SpaceliftContext] = []
        for context in contexts:
            if context.labels is None:
                self._with_unknown_labels.append(context)
            for label in context.labels or ():
                self._by_label.setdefault(label, []).append(context)
        self._labelled: dict[str, list[Stack]] = {}
        for stack in self.receivers:
            for label in stack.labels:
                self._labelled.setdefault(label, []).append(stack)
        self._astray: list[Attachment] = []
        self._by_receiver: dict[tuple[str, str], list[Attachment]] = {}
        self._by_context: dict[tuple[str, str], list[Attachment]] = {}
        for attachment in _attachments(workspace):
            if attachment.receiver is None:
                self._astray.append(attachment)
            for target, by_index in ((attachment.receiver, self._by_receiver), (attachment.context, self._by_context)):
                if target is not None:
                    by_index.setdefault(target.index, []).append(attachment)

    def stacks(self, target: Target) -> list[Stack]:
        """The stacks and modules that an id refers to, including stacks that a called module makes."""
        if target.address.startswith("module."):
            made_by_module = [stack for stack in self.receivers if _is_made_by(stack, target)]
            if made_by_module:
                return made_by_module
        return [stack for stack in self._receivers.get(target.index, ()) if _refers_to(stack, target)]

    def contexts(self, target: Target) -> list[SpaceliftContext]:
        """The contexts that an id leads to."""
        return [
            spacelift_context
            for spacelift_context in self._contexts.get(target.index, ())
            if _refers_to(spacelift_context, target)
        ]

    def attached_to(self, slug: str) -> list[tuple[int, SpaceliftContext]]:
        """The contexts that are attached to the stack called ``slug``, which another place defines, with priorities."""
        by_priority = (
            (attachment.priority or 0, attachment.context) for attachment in self._by_receiver.get(("", slug), ())
        )
        attached = [
            (priority, each) for priority, target in by_priority if target is not None for each in self.contexts(target)
        ]
        return sorted(attached, key=lambda entry: entry[0])

    def of_context(self, target: Target) -> list[Attachment]:
        """The attachments of the context that an id leads to, under any of its names."""
        attachments = [*self._by_context.get(target.index, ())]
        for context in self.contexts(target):
            for index in _indices(context):
                attachments += (
                    attachment
                    for attachment in self._by_context.get(index, ())
                    if attachment.context and _refers_to(context, attachment.context)
                )
        return list(dict.fromkeys(attachments))

    def labelled(self, resource: Resource, labels: Iterable[str]) -> Iterator[tuple[Stack, str]]:
        """The stacks and modules to which a resource with ``labels`` attaches itself; with why that is not certain."""
        attached_labels = attaching_labels(labels)
        if not attached_labels:
            return
        by_label = [stack for label in sorted(attached_labels) for stack in self._labelled.get(label, ())]
        unknown = [receiver for receiver in self.receivers if not receiver.has_known_labels]
        for stack in self.receivers if _ALL in attached_labels else dict.fromkeys((*by_label, *unknown)):
            reason = self._reason(resource, stack)
            if reason is not None:
                is_certain = _ALL in attached_labels or not attached_labels.isdisjoint(stack.labels)
                yield stack, reason if is_certain else f"The labels of {stack.title} cannot be read here."

    def _reason(self, holder: Resource, stack: Stack) -> str | None:
        """The reason why a label may not reach a stack; ``""`` if the label does, None if the label does not."""
        reaches = self._spaces.reaches(self._spaces.of(holder), self._spaces.of(stack))
        if reaches is False:
            return None
        if holder.provider != stack.provider:
            return f"Whether the provider {holder.provider} is for the account of {stack.title} cannot be determined."
        unknown = f"Whether the context's space includes the space of {stack.title} cannot be determined."
        return "" if reaches else unknown

    def _may_reach(self, attachment: Attachment, stack: Stack) -> bool:
        """Whether an attachment to an unknown stack may be one to ``stack``."""
        contexts = self.contexts(attachment.context) if attachment.context is not None else []
        return not contexts or any(self._reason(context, stack) is not None for context in contexts)

    def of(self, stack: Stack) -> Contexts:
        """The contexts of a stack."""
        doubts: list[str] = []
        by_name: list[tuple[int, SpaceliftContext]] = []
        callers: list[int] = []
        attached = [attachment for index in _indices(stack) for attachment in self._by_receiver.get(index, ())]
        for attachment in dict.fromkeys(attached):
            if attachment.receiver is not None and _refers_to(stack, attachment.receiver):
                contexts = self.contexts(attachment.context) if attachment.context is not None else []
                by_name += ((attachment.priority or 0, context) for context in contexts)
                if not contexts or any(context.calls_aws and not context.signs_in for context in contexts):
                    callers.append(attachment.priority or 0)
                if not contexts:
                    unknown = (
                        "cannot be determined" if attachment.context is None else "is not defined in this repository"
                    )
                    doubts.append(
                        f"The context that {attachment.place} attaches {unknown}. "
                        "The context's hooks run before the stack's."
                    )
        by_label: list[SpaceliftContext] = []
        matching = [
            spacelift_context
            for label in (*sorted(stack.labels), _ALL)
            for spacelift_context in self._by_label.get(label, ())
        ]
        for context in dict.fromkeys(matching):
            reason = self._reason(context, stack)
            if reason:
                doubts.append(f"The context at {context.place} may attach itself to the stack. {reason}")
            elif reason is not None:
                by_label.append(context)
        doubts += (
            f"The context at {spacelift_context.place} may attach itself to the stack. Its labels cannot be read."
            for spacelift_context in self._with_unknown_labels
            if self._reason(spacelift_context, stack) is not None
        )
        doubts += (
            f"The stack to which {attachment.place} attaches a context cannot be determined."
            for attachment in self._astray
            if self._may_reach(attachment, stack)
        )
        by_name.sort(key=lambda entry: entry[0])
        by_label.sort(key=lambda spacelift_context: spacelift_context.name, reverse=True)
        attached_contexts = dict.fromkeys((*(context for _, context in by_name), *by_label))
        return Contexts(tuple(attached_contexts), tuple(dict.fromkeys(doubts)), min(callers, default=None))


def attaching_labels(labels: Iterable[str]) -> frozenset[str]:
    """The labels that a resource with ``labels`` attaches itself to."""
    return frozenset(label.removeprefix("autoattach:") for label in labels if label.startswith("autoattach:"))


def attachments(workspace: Workspace) -> Attachments:
    """The attachments of contexts in ``workspace``."""
    if workspace not in _KNOWN:
        _KNOWN[workspace] = Attachments(workspace)
    return _KNOWN[workspace]


def _attachments(workspace: Workspace) -> Iterator[Attachment]:
    follow = targets(workspace)
    for resource in resources(workspace, _ATTACHMENT):
        named = (follow.each_named(resource, name) for name in ("stack_id", "module_id"))
        receivers = next((targets for targets in named if targets != [None]), [None])
        argument = resource.argument("priority")
        is_default = argument is None or argument.is_null
        text = "0" if is_default else argument.origin.text.strip('"') if argument and argument.origin else ""
        priority = int(text) if re.fullmatch(r"-?\d{1,9}", text) else None
        where = (resource.document, resource.block, resource.scope)
        contexts = follow.each_named(resource, "context_id")
        pairs = zip(  # a reference to the same context or stack is repeated for each instance
            contexts * len(receivers) if len(contexts) == 1 else contexts,
            receivers * len(contexts) if len(receivers) == 1 else receivers,
            strict=False,
        )
        for context, receiver in pairs:
            yield Attachment(*where, context=context, receiver=receiver, priority=priority)


def _indices(holder: Stack | SpaceliftContext) -> Iterator[tuple[str, str]]:
    yield index_of(holder.scope, holder.address)
    if slug := _slug(holder):
        yield "", slug


def _index(holders: Iterable[T]) -> dict[tuple[str, str], list[T]]:
    index: dict[tuple[str, str], list[T]] = {}
    for holder in holders:
        for key in _indices(holder):
            index.setdefault(key, []).append(holder)
    return index


def _slug(stack: Stack | SpaceliftContext) -> str | None:
    return stack.slug if isinstance(stack, Stack) else slug_of(stack.name)


def _refers_to(holder: Stack | SpaceliftContext, target: Target) -> bool:
    """Whether the target, which has the same index, refers to this instance."""
    if target.scope is None:
        return True
    return holder.scope.call is target.scope.call and (target.key is None or holder.key in (None, target.key))


def _is_made_by(stack: Stack, target: Target) -> bool:
    """Whether a call of a module of the repository, which the target leads to, makes the stack."""
    call, scope = stack.scope.call, target.scope
    if call is None or scope is None or call.caller is not scope.module:
        return False
    return f"module.{'.'.join(call.block.labels)}" == target.address


_KNOWN: WeakKeyDictionary[Workspace, Attachments] = WeakKeyDictionary()
