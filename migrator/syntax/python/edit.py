"""Edits of a Python program: items taken out, commented out and added, a name imported, statements put before others.

All edits are spans of the original text, so that unedited code keeps its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from migrator.regex import regex
from migrator.span import Edit, Span
from migrator.syntax.diagnostics import UNCLEAR_NAME
from migrator.syntax.source import newline_at, with_newlines

if TYPE_CHECKING:
    from migrator.model.findings import Refusal
    from migrator.syntax.python.items import Call, Import, Item, Items
    from migrator.syntax.python.program import Program

_END_OF_STATEMENT = regex(r"\n(?![ )])")
_BLANKS = regex(r"[ \t]*")
_REST_OF_LINE = regex(r"[ \t]*,?[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z)")


# --- removal --------------------------------------------------------------------------------------------------------


def remove(path: str, text: str, holder: Items, removed: Sequence[Item]) -> list[Edit]:
    """The edits that remove ``removed`` from ``holder``, each with one comma and with the lines of the argument."""
    return [Edit(path, span, "") for span in _cuts(text, holder, removed)]


def _cuts(text: str, holder: Items, removed: Sequence[Item]) -> Iterator[Span]:
    items = holder.items

    def kind(index: int) -> tuple[bool, bool]:
        return items[index] in removed, _own_lines(text, holder, items[index]) is not None

    for (is_removed, is_own), group in groupby(range(len(items)), kind):
        indices = list(group)
        if is_removed and is_own:
            yield from (span for index in indices if (span := _own_lines(text, holder, items[index])))
        elif is_removed:
            yield _inline_cut(text, holder, indices[0], indices[-1])


def _own_lines(text: str, holder: Items, argument: Item) -> Span | None:
    """The lines of ``argument``, if these lines hold nothing else than a comma and a comment."""
    start = _line_start(text, argument.span.start)
    rest = _REST_OF_LINE.match(text, argument.span.end, holder.interior.end)
    if text[start : argument.span.start].strip() or rest is None or start < holder.interior.start:
        return None
    return Span(start, rest.end()) if rest[0].endswith("\n") else None


def _inline_cut(text: str, holder: Items, first: int, last: int) -> Span:
    """The span that removes several elements, none of which is on lines of its own."""
    items = holder.items
    run = Span(items[first].span.start, items[last].span.end)
    if last + 1 < len(items) and "\n" not in text[run.end : items[last + 1].span.start]:
        return Span(run.start, items[last + 1].span.start)
    if first and "#" not in text[items[first - 1].span.end : run.start]:
        return Span(items[first - 1].span.end, run.end)
    comma = re.compile(r"\s*,[ \t]*").match(text, run.end, holder.interior.end)
    return Span(run.start, comma.end() if comma else run.end)


def remove_arguments(
    path: str, text: str, holder: Items, removed: Sequence[Item], commented: Sequence[Item]
) -> list[Edit]:
    """The edits that take ``removed`` out of ``holder``, and make a comment of ``commented``.

    The comment stays on the lines of the arguments, or goes above the statement if the arguments share a line with
    others.
    """
    alone = [argument for argument in commented if _own_lines(text, holder, argument)]
    shared = [argument for argument in commented if argument not in alone]
    edits = remove(path, text, holder, [*removed, *shared])
    if shared:
        place = _line_start(text, holder.statement)
        indent, newline = _indent_at(text, place), newline_at(text, place)
        lines = ", ".join(argument.span.of(text) for argument in shared).split("\n")
        comment = "".join(f"{indent}# {line.strip()}{newline}" for line in lines)
        edits.append(Edit(path, Span(place, place), comment))
    for argument in alone:
        edits += _comment_lines(path, text, argument.span)
    return edits


def _comment_lines(path: str, text: str, span: Span) -> list[Edit]:
    indent = _indent_at(text, span.start)
    edits = [Edit(path, Span(span.start, span.start), "# ")]
    line = text.find("\n", span.start, span.end) + 1
    while line:
        place = line + len(indent) if text.startswith(indent, line) else line
        edits.append(Edit(path, Span(place, place), "# "))
        line = text.find("\n", line, span.end) + 1
    return edits


# --- addition -------------------------------------------------------------------------------------------------------


def replace(path: str, text: str, holder: Items, argument: Item, new: str) -> list[Edit]:
    """Put ``new`` in place of ``argument``; a trailing comment goes too, if the argument is alone on the line."""
    edits = [Edit(path, argument.span, _at(text, argument.span.start, new))]
    if comment := _comment_behind(text, holder, argument):
        edits.append(Edit(path, Span(*comment.span(1)), ""))
    return edits


def comment_behind(text: str, holder: Items, argument: Item) -> str:
    """The comment after ``argument``, which is alone on the line; ``""`` if the line has no comment."""
    comment = _comment_behind(text, holder, argument)
    return comment[1].strip() if comment else ""


def _comment_behind(text: str, holder: Items, argument: Item) -> re.Match[str] | None:
    lines = _own_lines(text, holder, argument)
    return re.compile(r"(?:[ \t]*,)?([ \t]*#[^\r\n]*)").match(text, argument.span.end, lines.end) if lines else None


def replace_value(path: str, text: str, argument: Item, new: str) -> Edit:
    """Put ``new`` in place of the value of ``argument``."""
    return Edit(path, argument.value, _at(text, argument.value.start, new))


def insert_before(path: str, text: str, argument: Item, new: str) -> Edit:
    """Put ``new`` and a comma before ``argument``, on lines of their own if the argument begins a line."""
    start = argument.span.start
    begins = not text[_line_start(text, start) : start].strip()
    gap = newline_at(text, start) + _indent_at(text, start) if begins else " "
    return Edit(path, Span(start, start), f"{_at(text, start, new)},{gap}")


def append(path: str, text: str, holder: Items, new: str) -> list[Edit]:
    """Put ``new`` after the last item of ``holder``, in the style of the other items."""
    if not holder.items:
        return [Edit(path, Span(holder.interior.start, holder.interior.start), _at(text, holder.interior.start, new))]
    last = holder.items[-1].span
    tail = text[last.end : holder.interior.end]
    begins = not text[_line_start(text, last.start) : last.start].strip()
    newline, indent = newline_at(text, last.start), _indent_at(text, last.start)
    has_comma = re.match(r"\s*,", _without_comments(tail)) is not None
    rest = _REST_OF_LINE.match(text, last.end, holder.interior.end)
    if begins and rest and rest[0].endswith("\n"):
        edits = [] if has_comma else [Edit(path, Span(last.end, last.end), ",")]
        added = f"{indent}{_at(text, last.start, new)}{',' * has_comma}{newline}"
        return [*edits, Edit(path, Span(rest.end(), rest.end()), added)]
    gap = newline + indent if begins else " "
    place = last.end + _without_comments(tail).index(",") + 1 if has_comma else last.end
    comma = "" if has_comma else ","
    return [Edit(path, Span(place, place), f"{comma}{gap}{_at(text, last.start, new)}{',' * has_comma}")]


def prepend(path: str, text: str, holder: Items, new: Sequence[tuple[str, str]]) -> list[Edit]:
    """Put ``new`` first into a list with elements: on lines of their own, if the first element begins a line.

    Each element is an expression with a comment, ``""`` for none; the comment goes above an element on a line of its
    own.
    """
    first = holder.items[0].span.start
    begins = not text[_line_start(text, first) : first].strip()
    newline, indent = newline_at(text, first), _indent_at(text, first)
    if not begins:
        return [Edit(path, Span(first, first), "".join(f"{argument}, " for argument, _ in new))]
    lines = element_lines(new)
    place = _line_start(text, _lead(text, holder.interior.start, first))
    return [Edit(path, Span(place, place), "".join(f"{indent}{line}{newline}" for line in lines))]


def element_lines(elements: Sequence[tuple[str, str]]) -> list[str]:
    """The lines of a list's elements; the comment of an element is on the line above."""
    return [line for element, comment in elements for line in ([f"# {comment}"] if comment else []) + [f"{element},"]]


def _lead(text: str, start: int, first: int) -> int:
    """The offset of the comment lines right above the first element."""
    line = _line_start(text, first)
    while (
        line > start and text[(above := _line_start(text, line - 1)) : line].lstrip().startswith("#") and above > start
    ):
        line = above
    return line


def insert_statement(path: str, text: str, place: int, code: str) -> Edit:
    """Put the statements ``code`` before the one at ``place``: on lines of their own, if that one begins a line."""
    indent, newline = _indent_at(text, place), newline_at(text, place)
    line = _line_start(text, place)
    if text[line:place].strip() or text[:line].rstrip("\r\n").endswith("\\"):
        return Edit(path, Span(place, place), _at(text, place, _END_OF_STATEMENT.sub("; ", code)) + "; ")
    return Edit(path, Span(place, place), _at(text, place, code) + newline + indent)


def imported(path: str, program: Program, call: Call, module: str, name: str) -> tuple[str, list[Edit]] | Refusal:
    """The expression for ``name`` of ``module`` in the scope of ``call``, and the edits that add a missing import."""
    text = program.text
    visible = [
        import_ for import_ in program.imports if import_.frame in (None, call.frame) and _begins_before(import_, call)
    ]
    for import_ in visible:
        if import_.module == module and name in import_.local:
            return import_.local[name], []
    for import_ in visible:
        if import_.module == "" and module in import_.local:
            return f"{import_.local[module]}.{name}", []
    if not program.is_free(call, name):
        return UNCLEAR_NAME.refusal(reason=f"{name} has another meaning in this file")
    for import_ in visible:
        if import_.module == module and not import_.is_star:
            return name, append(path, text, import_.names, name)
    place = min(
        (import_.names.statement for import_ in program.imports if import_.frame is None and _is_late(import_)),
        default=None,
    )
    if place is None:
        return UNCLEAR_NAME.refusal(reason=f"the file imports nothing at its top, so {name} cannot be imported")
    return name, [insert_statement(path, text, place, f"from {module} import {name}")]


def _begins_before(import_: Import, call: Call) -> bool:
    return import_.names.statement < call.span.start or call.function is not None


def _is_late(import_: Import) -> bool:
    return import_.module != "__future__"


# --- layout ---------------------------------------------------------------------------------------------------------


def quote(program: Program, string: str) -> str:
    """A literal for ``string``, in the quotes that the program prefers."""
    mark = "'" if program.text.count("'") > program.text.count('"') else '"'
    if mark in string and "'" not in string + mark:
        mark = "'"
    elif mark in string and '"' not in string:
        mark = '"'
    escaped = string.replace("\\", "\\\\").replace(mark, f"\\{mark}")
    escaped = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in escaped
    )
    return f"{mark}{escaped}{mark}"


def _at(text: str, place: int, code: str) -> str:
    """The ``code`` for the line of ``place``: four spaces a level become the file's indentation."""
    indent = _indent_at(text, place)
    unit = _unit(text, indent)
    lines = code.split("\n")
    levels = [(len(line) - len(line.lstrip(" "))) // 4 for line in lines]
    spread = [
        lines[0],
        *(indent + unit * level + line.lstrip(" ") for line, level in zip(lines[1:], levels[1:], strict=True)),
    ]
    return with_newlines("\n".join(spread), newline_at(text, place))


def _unit(text: str, indent: str) -> str:
    """One level of indentation: a tab if ``indent`` has a tab, else the indent of the program's first block."""
    match = re.search(r":[ \t]*\r?\n([ ]+)[^\s#]", text)
    if "\t" in indent:
        return "\t"
    return match[1] if match and len(match[1]) <= len("        ") else "    "


def _line_start(text: str, offset: int) -> int:
    return text.rfind("\n", 0, offset) + 1


def _indent_at(text: str, offset: int) -> str:
    match = _BLANKS.match(text, _line_start(text, offset))
    return match[0] if match else ""


def _without_comments(tail: str) -> str:
    return re.sub(r"#[^\n]*", lambda match: " " * len(match[0]), tail)
