"""New arguments and blocks in HCL, in the layout of ``terraform fmt``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migrator.syntax.hcl.strings import quote
from migrator.syntax.terraform import Copied, Literal, NewArgument, NewBlock, NewComment, NewObject, Reference


def rendered(addition: NewArgument | NewBlock | NewComment, indent: str, unit: str) -> list[str]:
    """The lines of ``addition`` in the layout of ``terraform fmt``, except for ``indent`` and ``unit``."""
    if isinstance(addition, NewComment):
        return commented(rendered(addition.of, indent, unit), indent)
    if isinstance(addition, NewBlock):
        header = " ".join([addition.type, *(f'"{label}"' for label in addition.labels)])
        *lines, brace = _braces(f"{indent}{header} {{", addition.arguments, indent, unit)
        inner = [line for new_block in addition.blocks for line in rendered(new_block, indent + unit, unit)]
        return [*lines, *inner, brace]
    return _argument(addition, indent, unit, len(addition.name))


def commented(lines: Sequence[str], indent: str) -> list[str]:
    """The ``lines`` as comments in the column ``indent``."""
    return [
        f"{indent}# {line.strip() if not number else line.removeprefix(indent)}" for number, line in enumerate(lines)
    ]


def _braces(header: str, arguments: Sequence[NewArgument], indent: str, unit: str) -> list[str]:
    columns: list[list[NewArgument]] = []
    for new_argument in arguments:
        if new_argument.comments or not columns:  # a comment ends a column
            columns.append([])
        columns[-1].append(new_argument)
    body = []
    for column in columns:
        width = max(len(new_argument.name) for new_argument in column)
        body += [line for new_argument in column for line in _argument(new_argument, indent + unit, unit, width)]
    return [header, *body, f"{indent}}}"]


def _argument(argument: NewArgument, indent: str, unit: str, width: int) -> list[str]:
    above = [line for comment in argument.comments for line in f"{indent}{comment}".split("\n")]
    *lines, last = _bare(argument, indent, unit, width)
    return [*above, *lines, f"{last} {argument.behind}".rstrip()]


def _bare(argument: NewArgument, indent: str, unit: str, width: int) -> list[str]:
    if isinstance(argument.value, tuple):
        return [f"{indent}{argument.name} = [", *item_lines(argument.value, indent + unit), f"{indent}]"]
    if isinstance(argument.value, NewObject):
        opening = f"{indent}{argument.name} = {argument.value.condition}{{"
        return _braces(opening, argument.value.items, indent, unit)
    first, *rest = expression(argument.value).split("\n")
    if not rest or not rest[-1].lstrip().startswith(
        ("]", "}", ")")
    ):  # the indentation of a heredoc's lines has a meaning
        return [f"{indent}{argument.name:{width}} = {first}", *rest]
    return [f"{indent}{argument.name} = {first}", *_moved(rest, indent)]


def _moved(rest: Sequence[str], indent: str) -> Iterator[str]:
    """The further lines of a value with brackets; the last line begins in the column ``indent``."""
    old = rest[-1][: len(rest[-1]) - len(rest[-1].lstrip())]
    return (indent + line.removeprefix(old) if line.startswith(old) and line.strip() else line for line in rest)


def item_lines(items: Sequence[Literal], indent: str) -> Iterator[str]:
    """The elements of a list, each on a line with its comment above it."""
    for literal in items:
        if literal.comment:
            yield f"{indent}# {literal.comment}"
        yield f"{indent}{expression(literal)},"


def expression(value: Literal | Reference | Copied | NewObject) -> str:
    """The text of ``value``, on one line if the value has no line ends."""
    if isinstance(value, NewObject):
        items = (
            f"{new_argument.name} = {expression(new_argument.value)}"
            for new_argument in value.items
            if not isinstance(new_argument.value, tuple)
        )
        return f"{{ {', '.join(items)} }}"
    if isinstance(value, Copied):
        return value.text
    return value.address if isinstance(value, Reference) else quote(value.text)
