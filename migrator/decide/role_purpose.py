"""The purpose of a variable with the name of a role variable: only strings for the sign-in of providers count."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.terraform.identities import is_in_use
from migrator.terraform.providers import WEB_IDENTITY

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.span import Span
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module
    from migrator.workspace.workspace import Workspace


def is_free(context: Context, module: Module, name: str) -> bool:
    """Whether the variable ``name`` is unused: if it is declared, no code uses the variable or sets it."""
    if is_in_use(module, f"var.{name}") or not _is_string(module, name):
        return False
    if not any(module.blocks("variable", name)):
        return True
    is_passed = any(call.block.attribute(name) for call in context.workspace.calls.get(module.path, ()))
    return not is_passed and not context.role_mappings.values.has_value_in_files(module, name)


def is_for_sign_in(context: Context, module: Module, name: str) -> bool:
    """Whether ``module``, and all modules that it passes the variable to, use it only for the roles of providers."""
    pending, seen = [(module, name)], set[tuple[str, str]]()
    while pending:
        current, name_here = pending.pop()
        if (current.path, name_here) in seen or is_free(context, current, name_here):
            continue
        seen.add((current.path, name_here))
        if not _is_string(current, name_here):
            return False
        pattern = re.compile(rf"\bvar\.{re.escape(name_here)}(?![\w-])")
        uses = [
            (document, match.start()) for document in current.documents for match in pattern.finditer(document.text)
        ]
        passed = list(_passed(context.workspace, current, name_here))
        allowed = [*_signing(current), *((document, span) for document, span, _, _ in passed)]
        if not uses or any(not any(_holds(span, use) for span in allowed) for use in uses):
            return False
        pending += [(called, argument) for _, _, called, argument in passed]
    return True


def _is_string(module: Module, name: str) -> bool:
    """Whether the variable may be a string, and has no default."""
    for document, block in module.blocks("variable", name):
        type_, default = block.attribute("type"), block.attribute("default")
        if type_ is not None and document.expression(type_).strip() not in ("string", '"string"'):
            return False
        if default is not None and document.expression(default).strip() != "null":
            return False
    return True


def _signing(module: Module) -> Iterator[tuple[Document, Span]]:
    """The places where providers name the role of their sign-in."""
    for document, provider in module.blocks("provider"):
        for body in (provider, *provider.blocks("_")):
            for block in body.blocks():
                if WEB_IDENTITY in (block.type, *block.labels):
                    yield document, block.span
            if (argument := body.attribute(WEB_IDENTITY)) is not None:
                yield document, argument.span


def _passed(workspace: Workspace, module: Module, name: str) -> Iterator[tuple[Document, Span, Module, str]]:
    """The modules of the repository that get the variable unchanged, each with its name there."""
    for path, calls in workspace.calls.items():
        for call in calls:
            if call.caller is module and path in workspace.modules:
                for attribute in call.block.attributes:
                    if call.document.expression(attribute).strip() == f"var.{name}":
                        yield call.document, attribute.span, workspace.modules[path], attribute.name


def _holds(place: tuple[Document, Span], use: tuple[Document, int]) -> bool:
    return place[0] is use[0] and place[1].start <= use[1] < place[1].end
