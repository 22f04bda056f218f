"""Blueprints and templates in Terraform, from which Spacelift makes stacks later.

A change does not reach stacks that exist already, and a published version of a template never changes:
https://docs.spacelift.io/concepts/template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.regex import regex
from migrator.span import Span
from migrator.syntax.languages import HCL

if TYPE_CHECKING:
    from migrator.syntax.terraform import Block
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module
    from migrator.workspace.workspace import Workspace

VERSION = "spacelift_template_version"
_TYPES = ("spacelift_blueprint", VERSION)
_HEREDOC = regex(r"<<-?(?P<marker>[\w-]+)[ \t]*\r?\n(?P<body>.*\n)[ \t]*(?P=marker)", re.DOTALL)
_FILE = regex(r"file\(\"(?:\$\{path\.(?:module|root)\}/)?[^\"]*\.ya?ml\"\)")


def blueprints(module: Module) -> Iterator[tuple[Document, Block]]:
    """The resources of a module that hold a template."""
    for type_ in _TYPES:
        yield from (block for block in module.blocks("resource", type_) if not block[0].is_override)


def heredoc_of(document: Document, block: Block) -> Span | None:
    """The template of a blueprint, if the template is a heredoc."""
    template = block.attribute("template")
    if template is None or document.syntax is not HCL:
        return None
    heredoc = _HEREDOC.fullmatch(document.text, template.value.start, template.value.end)
    return None if heredoc is None else Span(*heredoc.span("body"))


def is_published(document: Document, block: Block) -> bool:
    """Whether the template is, or may be, a published version, which cannot change."""
    return block.labels[0] == VERSION and document.literal(block.attribute("state")) != "DRAFT"


def unread_blueprints(workspace: Workspace) -> Iterator[tuple[Document, Block]]:
    """The resources with a template that is neither a heredoc nor a plain YAML file."""
    for module in workspace.interesting_modules():
        for document, block in blueprints(module):
            template = block.attribute("template")
            is_file = template is not None and _FILE.fullmatch(document.expression(template)) is not None
            if template is not None and not is_file and heredoc_of(document, block) is None:
                yield document, block
