"""The syntaxes by file name, with functions to read and to edit a text.

The planner uses a `Language` for any file, and the rules use a `Syntax` for Terraform's files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.regex import regex
from migrator.syntax.hcl import edit as hcl_edit
from migrator.syntax.hcl import object as hcl_object
from migrator.syntax.hcl import parse as hcl
from migrator.syntax.json import edit as tfjson_edit
from migrator.syntax.json import parse as tfjson
from migrator.syntax.python import check as program
from migrator.syntax.yaml import parse as yaml

if TYPE_CHECKING:
    from migrator.span import Edit, Span
    from migrator.syntax.terraform import Attribute, Block, BodyChange, Literal, NewArgument, NewBlock


class Language(Struct, frozen=True):
    """The functions for one kind of file; `hcl` and `hcl_edit` document each function."""

    parse: Callable[[str], tuple[Attribute | Block, ...]]
    check: Callable[[str, Span], None]
    verify: Callable[[set[str], str], None]
    finish: Callable[[str, Sequence[Attribute | Block], Sequence[Edit]], str]


class Syntax(Language, frozen=True):
    """A way to write Terraform."""

    expression: Callable[[str, Span], str]
    list_items: Callable[[str, Span], tuple[Span, ...] | None]
    object_items: Callable[[str, Span], tuple[Attribute, ...] | None]
    interior: Callable[[str, Span], Span | None]
    inside: Callable[[str, Span, str], str]
    comments_on: Callable[[str, Attribute | Block], str]
    comments_of: Callable[[str, Block, Attribute, Sequence[Attribute | Block], Sequence[Attribute]], tuple[str, ...]]
    change_body: Callable[[str, str, Block, BodyChange], tuple[Edit, ...]]
    change_object: Callable[
        [str, str, Span, Sequence[Attribute], Sequence[Attribute], Sequence[NewArgument]], tuple[Edit, ...]
    ]
    remove_blocks: Callable[[str, str, Sequence[Attribute | Block], Sequence[Block]], tuple[Edit, ...]]
    body: Callable[[str], Span]
    values: Callable[[str], tuple[Attribute, ...]]
    add_block: Callable[[str, str, NewBlock], Edit]
    prepend_items: Callable[[str, str, Span, Sequence[Literal]], Edit]
    replace_by_list: Callable[[str, str, Span, Sequence[Literal]], Edit]


HCL = Syntax(
    hcl.parse,
    hcl.check,
    hcl.verify,
    hcl_edit.finish,
    hcl.expression,
    hcl.list_items,
    hcl.object_items,
    hcl.interior,
    hcl.inside,
    hcl.comments_on,
    hcl_edit.comments_of,
    hcl_edit.change_body,
    partial(hcl_object.change_object, hcl_edit.change_body),
    hcl_edit.remove_blocks,
    hcl.body,
    hcl.values,
    hcl_edit.add_block,
    hcl_edit.prepend_items,
    hcl_edit.replace_by_list,
)
JSON = Syntax(
    tfjson.parse,
    tfjson.check,
    tfjson.verify,
    tfjson_edit.finish,
    tfjson.expression,
    tfjson.list_items,
    tfjson.object_items,
    tfjson.interior,
    tfjson.inside,
    tfjson.comments_on,
    tfjson_edit.comments_of,
    tfjson_edit.change_body,
    tfjson_edit.change_object,
    tfjson_edit.remove_blocks,
    tfjson.body,
    tfjson.values,
    tfjson_edit.add_block,
    tfjson_edit.prepend_items,
    tfjson_edit.replace_by_list,
)
PYTHON = Language(program.parse, program.check, program.verify, program.finish)
YAML = Language(program.parse, program.check, yaml.verify, program.finish)
_YAML = regex(r"\.ya?ml(?:\.(?:tftpl|tpl|tmpl))?$")


def language_of(path: str) -> Language:
    """The language of the file at ``path``."""
    if _YAML.search(path):
        return YAML
    return PYTHON if path.endswith(".py") else syntax_of(path)


def syntax_of(path: str) -> Syntax:
    """The syntax of Terraform's file at ``path``."""
    return JSON if path.endswith(".json") else HCL
