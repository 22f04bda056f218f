"""Edits of an object constructor ``{…}`` in HCL: items removed and commented out.

Items on lines of their own are edited like the arguments of a block, with their commas. Items that share a line are
removed from the line, or put into a ``/* */`` comment: https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from msgspec.structs import replace

from migrator.errors import SyntaxProblem
from migrator.span import Edit, Span
from migrator.syntax.hcl import parse as hcl
from migrator.syntax.hcl.new import expression
from migrator.syntax.hcl.scanner import skip_blanks, skip_trivia
from migrator.syntax.terraform import Attribute, Block, BodyChange, NewArgument, NewObject

ChangeBody = Callable[[str, str, Block, BodyChange], tuple[Edit, ...]]
"""The edits of a block's body: `migrator.syntax.hcl.edit.change_body`."""


def change_object(
    change_body: ChangeBody,
    path: str,
    text: str,
    value: Span,
    remove: Sequence[Attribute],
    comment_out: Sequence[Attribute] = (),
    append: Sequence[NewArgument] = (),
) -> tuple[Edit, ...]:
    """The edits after which the object at ``value`` has no items ``remove``, ``comment_out`` as comments, and more.

    ``remove`` and ``comment_out`` are items of `hcl.object_items`. Items on lines of their own are edited by
    ``change_body``, like arguments. Raises `SyntaxProblem` if the object cannot be edited in this way.
    """
    items = hcl.object_items(text, value)
    if items is None:
        raise SyntaxProblem(value.start, "the value is not a literal object")
    arguments = [_with_comma(text, argument) for argument in items]
    chosen = {
        argument: attribute
        for argument, attribute in zip(items, arguments, strict=True)
        if argument in remove or argument in comment_out
    }
    if not all(_is_on_own_lines(text, attribute) for attribute in chosen.values()) or (
        append and "\n" not in value.of(text)
    ):
        if append:
            return (
                _in_one_line(path, text, value, [argument for argument in items if argument not in remove], append),
            )
        comments = (
            _commented(path, text, attribute) for argument, attribute in chosen.items() if argument in comment_out
        )
        return (*comments, *(Edit(path, span, "") for span in _cuts(text, value, items, remove, comment_out)))
    body = Span(value.start + 1, value.end - 1)
    change = BodyChange(
        tuple(chosen[argument] for argument in remove if argument in chosen),
        tuple(chosen[argument] for argument in comment_out if argument in chosen),
        tuple(append),
    )
    block = Block("", (), value, body, lambda _: tuple(arguments))
    return change_body(path, text, block, change)


def _in_one_line(
    path: str, text: str, value: Span, arguments: Sequence[Attribute], append: Sequence[NewArgument]
) -> Edit:
    """The object with the kept ``arguments`` and the new ones, for an object that has no lines of its own."""
    if "\n" in value.of(text) or "/*" in value.of(text):
        raise SyntaxProblem(value.start, "the items of the object share their lines")
    added = (expression(NewObject((new_argument,)))[2:-2] for new_argument in append)
    return Edit(path, value, f"{{ {', '.join([*(argument.span.of(text) for argument in arguments), *added])} }}")


def _with_comma(text: str, argument: Attribute) -> Attribute:
    comma = skip_trivia(text, argument.span.end)
    return replace(argument, span=Span(argument.span.start, comma + 1)) if text.startswith(",", comma) else argument


def _is_on_own_lines(text: str, argument: Attribute) -> bool:
    """Whether nothing but blanks and comments shares the lines of ``argument``."""
    before = skip_blanks(text, text.rfind("\n", 0, argument.span.start) + 1)
    after = skip_blanks(text, argument.span.end)
    return before >= argument.span.start and (after == len(text) or text[after] in "\n#/")


def _commented(path: str, text: str, argument: Attribute) -> Edit:
    """``argument`` in a comment, with the comma that follows."""
    if any(mark in argument.span.of(text) for mark in ("*/", "<<")):
        raise SyntaxProblem(argument.span.start, f"{argument.name} cannot be put into a comment")
    return Edit(path, argument.span, f"/* {argument.span.of(text)} */")


def _cuts(
    text: str, value: Span, items: Sequence[Attribute], remove: Sequence[Attribute], comment_out: Sequence[Attribute]
) -> Iterator[Span]:
    """The spans that take ``remove`` out with one comma each; a comment that they share a line with goes too."""
    for is_removed, group in groupby(enumerate(items), lambda indexed: indexed[1] in remove):
        indices = [index for index, _ in group]
        first, last = indices[0], indices[-1]
        if not is_removed:
            continue
        if last + 1 < len(items):
            yield Span(items[first].span.start, items[last + 1].span.start)
        elif first > 0:
            ends = items[first - 1], items[last]
            if items[first - 1] in comment_out:
                ends = _with_comma(text, ends[0]), _with_comma(text, ends[1])
            yield Span(ends[0].span.end, ends[1].span.end)
        else:
            yield Span(value.start + 1, value.end - 1)
