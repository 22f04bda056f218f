"""The web identity of a provider, and the edits that add and remove it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.span import Edit, Span
from migrator.syntax.terraform import (
    Block,
    BodyChange,
    Literal,
    NewArgument,
    NewBlock,
    NewComment,
    NewObject,
    Reference,
)
from migrator.terraform.providers import AWSCC, WEB_IDENTITY, Provider
from migrator.terraform.role_names import RoleVariable

if TYPE_CHECKING:
    from migrator.config.config import Config
    from migrator.workspace.document import Document


def web_identity_block(provider: Provider, role: Literal | RoleVariable, config: Config) -> NewBlock | NewArgument:
    """The web identity of a provider with ``role``: a block, in awscc an argument.

    A portable block depends on whether the variable is set, so that the code also runs outside of Spacelift.
    """
    variable = role if isinstance(role, RoleVariable) and config.portable else None
    role_arn = role.reference if isinstance(role, RoleVariable) else role
    token_file = NewArgument("web_identity_token_file", Literal(config.token_file))
    arguments = (NewArgument("role_arn", role_arn), token_file)
    if provider.kind == AWSCC:
        condition = f"{variable.reference.address} == null ? null : " if variable else ""
        return NewArgument(WEB_IDENTITY, NewObject(arguments, condition))
    if variable is None:
        return NewBlock(WEB_IDENTITY, (), arguments)
    for_each = NewArgument("for_each", Reference(f"{variable.reference.address}[*]"))
    return NewBlock("dynamic", (WEB_IDENTITY,), (for_each,), (NewBlock("content", (), arguments),))


def section_edits(provider: Provider, comment: NewComment) -> Iterator[Edit]:
    """The edits that comment out a provider's web identity, in all blocks that Terraform merges.

    JSON has no comments on lines, and gets the ``comment`` instead.
    """
    for member in provider.family:
        document = member.document
        for body in member.bodies:
            argument = body.attribute(WEB_IDENTITY)
            if argument is not None:
                yield from document.change(body, BodyChange(comment_out=(argument,)))
            for block in body.blocks():
                if block.type != WEB_IDENTITY and block.labels != (WEB_IDENTITY,):
                    continue
                if member.is_in_json:
                    yield from document.change(body, BodyChange(remove=(block,), append=(comment,)))
                else:
                    yield from _commented_lines(document, block)


def _commented_lines(document: Document, block: Block) -> Iterator[Edit]:
    position = block.span.start
    column = position - document.text.rfind("\n", 0, position) - 1
    for line in block.span.of(document.text).splitlines(keepends=True):
        indent = min(column, len(line) - len(line.lstrip())) if position > block.span.start else 0
        start = position + indent
        if line.strip():
            yield Edit(document.path, Span(start, start), "# ")
        position += len(line)


def sign_in_edits(provider: Provider, added: tuple[NewBlock | NewArgument | NewComment, ...]) -> Iterator[Edit]:
    """The edits that remove a provider's credentials, and append ``added`` to its block."""
    for body in provider.bodies:
        removed = tuple(attribute for attribute in provider.credentials if attribute in tuple(body.attributes))
        change = BodyChange(remove=removed, append=added if body is provider.block else ())
        if change != BodyChange():
            yield from provider.document.change(body, change)
