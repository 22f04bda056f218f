"""Resources that refer to the stacks of a repository in Terraform: a resource for each stack, or a shared resource.

The resources refer to the stack, are repeated like the stack, and go to the end of the stack's file. The stack's
definition stays unchanged. See https://search.opentofu.org/provider/spacelift-io/spacelift/latest for all resources of
stacks.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from migrator.model.findings import Refusal
from migrator.regex import regex
from migrator.spacelift.attached.diagnostics import (
    NEW_FILE_EXISTS,
    STACK_ID_UNKNOWN,
    STACK_IN_CALLED_MODULE,
    STACK_NOT_IN_TERRAFORM,
    STACK_SPACE_VARIES,
)
from migrator.spacelift.stacks.model import StackDefinition, TerraformDefinition
from migrator.spacelift.stacks.terraform import Stack, spacelift_stacks
from migrator.span import Edit, Span
from migrator.syntax.hcl.edit import indent_at
from migrator.syntax.hcl.strings import quote
from migrator.syntax.languages import HCL
from migrator.syntax.source import newline_at
from migrator.syntax.terraform import NewArgument, NewBlock, Reference

if TYPE_CHECKING:
    from migrator.syntax.terraform import Block
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module
    from migrator.workspace.workspace import Workspace

NEW_FILE = "aws_oidc.tf"
"""The file for the resources of a stack that is written in JSON."""

_ACCOUNT = regex(r":(\d{12}):")


def objection(definition: StackDefinition) -> Refusal | None:
    """The reason why no resource can refer to a stack; None if a resource can."""
    if not isinstance(definition, TerraformDefinition):
        return STACK_NOT_IN_TERRAFORM.refusal()
    return None if definition.source.is_resource else STACK_ID_UNKNOWN.refusal()


def sharing_objection(definition: StackDefinition) -> Refusal | None:
    """The reason why a stack cannot use a resource that several stacks share; None if the stack can."""
    if (refusal := objection(definition)) or not isinstance(definition, TerraformDefinition):
        return refusal
    if definition.source.scope.call is not None:
        return STACK_IN_CALLED_MODULE.refusal()
    space = space_of(definition.source)
    return STACK_SPACE_VARIES.refusal() if space is not None and "each." in space else None


def space_of(stack: Stack) -> str | None:
    """The expression of the stack's space; None if the stack names no space."""
    attribute = stack.block.attribute("space_id")
    return None if attribute is None else stack.document.expression(attribute)


def home_of(document: Document, block: Block) -> tuple[str, str]:
    """The provider and the space of a resource, as expressions: stacks of other homes do not share the resource."""
    provider, space = (block.attribute(name) for name in ("provider", "space_id"))
    return (
        document.expression(provider).strip('"') if provider is not None else "",
        document.expression(space) if space is not None else "",
    )


def _home(stack: Stack) -> tuple[str, str]:
    return home_of(stack.document, stack.block)


def of_same_provider(stack: Stack, block: NewBlock) -> NewBlock:
    """The block with the provider of a stack: another provider may be for another Spacelift account."""
    provider, _ = _home(stack)
    chosen = (NewArgument("provider", Reference(provider)),) if provider else ()
    return replace(block, arguments=(*chosen, *block.arguments))


def free_label(module: Module, type_: str, name: str) -> str:
    """The ``name``, with a number if another resource of the type has that name."""
    used = {block.labels[1] for _, block in module.blocks("resource", type_)}
    return next(label for label in chain((name,), (f"{name}_{number}" for number in count(2))) if label not in used)


def identifier(text: str) -> str:
    """The ``text`` as a part of a resource's name."""
    return re.sub(r"\W+", "_", text).strip("_").lower()


def repeated(stack: Stack, keys: Iterable[str | None]) -> tuple[list[NewArgument], str]:
    """The arguments that repeat a resource like its stack, for known ``keys``, and the address of each stack."""
    if stack.block.attribute("count") is not None:
        return [NewArgument("count", Reference(f"length({stack.address})"))], f"{stack.address}[count.index]"
    known_keys = [key for key in keys if key is not None]
    if known_keys:
        key_list = ", ".join(quote(key) for key in known_keys)
        return [NewArgument("for_each", Reference(f"toset([{key_list}])"))], f"{stack.address}[each.key]"
    if stack.is_repeated:
        return [NewArgument("for_each", Reference(stack.address))], "each.value"
    return [], stack.address


def block_edits(
    workspace: Workspace, blocks: Iterable[tuple[Stack, NewBlock]], new_file: str = NEW_FILE
) -> tuple[Edit, ...] | Refusal:
    """The edits that write each of ``blocks`` into the file of its stack, or into ``new_file`` if that file is JSON."""
    edits: list[Edit] = []
    for stack, block in blocks:
        home = _file_for(workspace, stack, new_file)
        if isinstance(home, Refusal):
            return home
        path, document = home
        text = document.text if document is not None else ""
        edits.append(HCL.add_block(path, text, of_same_provider(stack, block)))
        edits += _destroyed_after(stack, block)
    return tuple(edits)


def _destroyed_after(stack: Stack, block: NewBlock) -> Iterator[Edit]:
    """The edits that keep a new resource until the stack's own resources are destroyed.

    https://search.opentofu.org/provider/spacelift-io/spacelift/latest/docs/resources/stack_destructor.
    """
    address = ".".join(block.labels)
    for document, destructor in stack.module.blocks("resource", "spacelift_stack_destructor"):
        stack_id, depends_on = destructor.attribute("stack_id"), destructor.attribute("depends_on")
        is_of_stack = re.compile(rf"{re.escape(stack.address)}(?![\w-])").match
        if stack_id is None or depends_on is None or not is_of_stack(document.expression(stack_id)):
            continue
        text, start = document.text, depends_on.value.start + 1
        rest = text[start : depends_on.value.end]
        reference = f'"{address}"' if document.syntax is not HCL else address
        gap = re.match(r"[ \t]*\r?\n[ \t]*(?=[^\s\]])", rest)
        if gap is None and document.syntax is HCL and not rest.strip(" \t\r\n]"):  # others may add to the list as well
            line = newline_at(text, start) + indent_at(text, start)
            yield Edit(document.path, Span(start, start), f"{line}  {reference},")
            yield Edit(document.path, Span(start, depends_on.value.end), f"{line}]")
        else:
            added = f"{gap[0]}{reference}," if gap else f"{reference}, " if rest.strip(" \t\r\n]") else reference
            yield Edit(document.path, Span(start, start), added)


def _file_for(workspace: Workspace, stack: Stack, new_file: str) -> tuple[str, Document | None] | Refusal:
    """The file for the blocks: the stack's file, or a new one if that file is JSON."""
    if stack.document.syntax is HCL:
        return stack.document.path, stack.document
    path = posixpath.join(stack.module.path, new_file)
    if path not in workspace.documents and (workspace.root / path).exists():
        return NEW_FILE_EXISTS.refusal(path=path)
    return path, workspace.documents.get(path)


class Shared(Struct, frozen=True):
    """A type of resource that stacks share: its attachment, the argument of the attachment, and the label."""

    type: str
    attachment: str
    argument: str
    name: str


class Sharing:
    """The resources of a ``kind`` that stacks share: the stacks of a module with the same role, provider and space.

    ``roles`` pairs the stacks with their roles. Stacks that are not defined in Terraform share nothing.
    """

    def __init__(self, workspace: Workspace, kind: Shared, roles: Sequence[tuple[StackDefinition, str]]) -> None:
        self._workspace = workspace
        self._kind = kind
        self._roles = [(stack.source, role) for stack, role in roles if isinstance(stack, TerraformDefinition)]

    def label(self, stack: Stack, role: str) -> str:
        """A free label in the module, with the role's name if the module needs several resources."""
        name, home = self._kind.name, _home(stack)
        kinds = {(role, _home(other)) for other, role in self._roles if other.module is stack.module}
        if len(kinds) > 1:
            short = role.rpartition("/")[2]
            homonyms = {other for other, _ in kinds if other.rpartition("/")[2] == short}
            account = _ACCOUNT.search(role) if len(homonyms) > 1 else None
            name += f"_{identifier(short)}" + (f"_{account[1]}" if account else "")
        homes = {other for other_role, other in kinds if other_role == role}
        for here, all_there in zip(home, zip(*homes, strict=True), strict=True):
            name += f"_{identifier(here)}" if here and len(set(all_there)) > 1 else ""
        return free_label(stack.module, self._kind.type, name)

    def name(self, stack: Stack, label: str) -> str:
        """The name in Spacelift, unique in an account: with the repository, and the path of one module of several."""
        is_alone = len({other.module.path for other in spacelift_stacks(self._workspace)}) == 1
        path = "" if is_alone else identifier(stack.module.path)
        repository = identifier(self._workspace.identity.name)
        return "-".join(filter(None, (label, repository, path))).replace("_", "-")

    def stacks(self, stack: Stack, role: str) -> list[Stack]:
        """The stacks that share a resource with ``stack``, including ``stack``; the first one's file has the block."""
        alike = (other for other, stack_role in self._roles if stack_role == role and other.module is stack.module)
        return [other for other in alike if _home(other) == _home(stack)]

    def attachment(self, stack: Stack, role: str, label: str, *arguments: NewArgument) -> NewBlock:
        """The block that attaches the resource ``label`` to all stacks of the stack's block."""
        kind = self._kind
        keys = [other.key for other, stack_role in self._roles if other.block is stack.block and stack_role == role]
        repetition, address = repeated(stack, keys)
        suffix = label.removeprefix(kind.name) if repetition else ""
        attachment_label = free_label(stack.module, kind.attachment, f"{kind.name}_{stack.block.labels[1]}{suffix}")
        shared = NewArgument(kind.argument, Reference(f"{kind.type}.{label}.id"))
        stack_id = NewArgument("stack_id", Reference(f"{address}.id"))
        return NewBlock("resource", (kind.attachment, attachment_label), (*repetition, shared, stack_id, *arguments))
