"""Edits of HCL: a block's arguments removed, commented out and added, a list's first element put in.

Every edit is of the text as it was read and touches nothing else than it must; the columns that ``terraform fmt``
would move are moved by `finish`, and only in a block that was aligned before.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from migrator.source import newline_at, with_newlines
from migrator.span import Edit, Span, apply_edits, settle
from migrator.syntax import hcl
from migrator.syntax.layout import align
from migrator.syntax.scanner import skip_blanks
from migrator.syntax.terraform import Attribute, Block

_BLANK_LINE = re.compile(r"[ \t]*\r?\n")
_COMMENT = re.compile(r"(?:#|//)[^\n]*|/\*(?s:.*?)\*/")
_COMMENTED_ARGUMENT = re.compile(r"(?:#|//|/\*)[\s#/]*([A-Za-z_][\w-]*)\s*=(?!=)")


@dataclass(frozen=True, slots=True)
class BodyChange:
    """What is to become of a block's body; ``append`` holds whole arguments or blocks, unindented, with ``\\n``."""

    remove: tuple[Attribute | Block, ...] = ()
    comment_out: tuple[Attribute, ...] = ()
    append: tuple[str, ...] = ()


def change_body(path: str, text: str, block: Block, change: BodyChange) -> tuple[Edit, ...]:
    """The edits that make ``change`` in ``block`` of the file ``path`` with the text ``text``."""
    if "\n" not in _outline(text, block):
        return (_open_up(path, text, block, change),)
    removed = _widen([_extent(text, block, item, change.remove) for item in change.remove], text, block)
    edits = [Edit(path, span, "") for span in removed]
    for item in change.comment_out:
        edits += _comment_lines(path, text, item)
    if change.append:
        edits.append(_append(path, text, block, change, removed))
    return tuple(edits)


def _outline(text: str, block: Block) -> str:
    """The body without its values: whether that has a newline tells a block on one line from the others."""
    pieces, position = [], block.body.start
    for item in block.items:
        pieces.append(text[position : item.span.start])
        position = item.span.end
    return "".join(pieces) + text[position : block.body.end]


# --- one line -------------------------------------------------------------------------------------------------------


def _open_up(path: str, text: str, block: Block, change: BodyChange) -> Edit:
    """A block on one line may hold one argument only: put what it is to hold on lines of its own."""
    newline = newline_at(text, block.span.start)
    outer = _indent_at(text, block.span.start)
    inner = outer + _unit(outer)
    lines: list[str] = []
    kept = [comment for comment in _COMMENT.findall(_outline(text, block)) if not change.remove]
    for item in block.items:
        if isinstance(item, Attribute) and item in change.comment_out:
            lines += _commented(item.span.of(text).splitlines(), inner)
        elif item not in change.remove:
            lines.append(inner + item.span.of(text))
    lines = [inner + comment for comment in kept] + lines
    for number, addition in enumerate(change.append):
        lines += [""] if lines and _is_block(addition) and (number or kept or block.items) else []
        lines += _indented(addition, inner, _unit(outer))
    return Edit(path, block.body, newline + newline.join([*lines, outer]))


# --- removal --------------------------------------------------------------------------------------------------------


def _extent(text: str, block: Block, item: Attribute | Block, removed: Sequence[Attribute | Block]) -> Span:
    """The whole lines that go with ``item``: its own, the comment at its end, and the comment lines right above it."""
    previous = max((one.span.end for one in block.items if one.span.end <= item.span.start), default=block.body.start)
    start = item.span.start
    for comment in reversed(list(_COMMENT.finditer(text, _line_end(text, previous), item.span.start))):
        if text[comment.end() : start].count("\n") > 1 or _belongs_to_another(comment[0], item, removed):
            break
        start = comment.start()
    return Span(_line_start(text, start), _end_with_comment(text, item.span.end))


def _belongs_to_another(comment: str, item: Attribute | Block, removed: Sequence[Attribute | Block]) -> bool:
    """Whether a comment is an argument that someone commented out, and not one of those that go."""
    argument = _COMMENTED_ARGUMENT.match(comment)
    names = {one.name for one in (item, *removed) if isinstance(one, Attribute)}
    return argument is not None and argument[1] not in names


def _widen(spans: Iterable[Span], text: str, block: Block) -> list[Span]:
    """Adjoining ``spans`` joined, each with one of two blank lines that would meet, or the one at the body's edge."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and joined[-1].end >= span.start:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return [_with_blank_line(span, text, block) for span in joined]


def _with_blank_line(span: Span, text: str, block: Block) -> Span:
    first = _line_end(text, block.body.start)
    above = _line_start(text, span.start - 1) if span.start > first else first
    blank_above = span.start <= first or _BLANK_LINE.fullmatch(text[above : span.start]) is not None
    below = _BLANK_LINE.match(text, span.end, block.body.end)
    if below and blank_above:
        return Span(span.start, below.end())
    if blank_above and span.start > first and not text[span.end : block.body.end].strip():
        return Span(above, span.end)
    return span


# --- commenting out -------------------------------------------------------------------------------------------------


def _comment_lines(path: str, text: str, item: Attribute) -> list[Edit]:
    """``# `` before every line of ``item``, in the column where it begins."""
    start, end = item.span.start, _end_with_comment(text, item.span.end)
    indent = _indent_at(text, start)
    edits = [Edit(path, Span(start, start), "# ")]
    line = _line_end(text, start)
    while line < end:
        after = line + len(indent) if text.startswith(indent, line) else line
        edits.append(Edit(path, Span(line, after), indent + ("# " if text[after] not in "\r\n" else "#")))
        line = _line_end(text, line)
    return edits


def _commented(lines: list[str], indent: str) -> list[str]:
    return [
        f"{indent}# {line.strip() if not number else line.removeprefix(indent)}" for number, line in enumerate(lines)
    ]


# --- addition -------------------------------------------------------------------------------------------------------


def _append(path: str, text: str, block: Block, change: BodyChange, removed: Sequence[Span]) -> Edit:
    """``change.append`` before the closing brace; a blank line sets a block apart from what stands before it."""
    outer = _indent_at(text, block.span.start)
    inner = _body_indent(text, block)
    place = _line_start(text, block.body.end)
    kept = _kept(text, Span(_line_end(text, block.body.start), place), removed)
    lines: list[str] = []
    for addition in change.append:
        before = lines or kept
        if before and before[-1].strip() and _is_apart(addition, before[-1]):
            lines.append("")
        lines += _indented(addition, inner, inner.removeprefix(outer) or _unit(inner))
    addition_text = "".join(line + "\n" for line in lines)
    if text[place : block.body.end].strip():
        place, addition_text = block.body.end, "\n" + addition_text + outer
    return Edit(path, Span(place, place), with_newlines(addition_text, newline_at(text, place)))


def _kept(text: str, body: Span, removed: Sequence[Span]) -> list[str]:
    cut = [Edit("", Span(span.start - body.start, span.end - body.start), "") for span in removed]
    return apply_edits(body.of(text), cut).splitlines()


def _is_apart(addition: str, before: str) -> bool:
    return _is_block(addition) or before.strip() in ("}", "]", ")")


def _is_block(addition: str) -> bool:
    return "\n" in addition


def append_block(path: str, text: str, block: str) -> Edit:
    """``block`` (with ``\\n``, no newline at its end) as the last of the file, a blank line before it."""
    end = len(text)
    newline = newline_at(text, end)
    gap = "\n" if not text or text.endswith("\n") else "\n\n"
    if text.endswith(("\n\n", "\n\r\n")):
        gap = ""
    return Edit(path, Span(end, end), with_newlines(gap + block + "\n", newline))


def prepend_item(path: str, text: str, value: Span, item: str) -> Edit:
    """``item`` as the first element of the list constructor at ``value``: on a line of its own if the others are."""
    elements = hcl.list_items(text, value) or ()
    inside = Span(value.start + 1, value.end - 1)
    indent = _indent_at(text, value.start)
    newline = newline_at(text, value.start)
    opening = skip_blanks(text, inside.start)
    on_own_lines = text[opening] in "\r\n#/"
    if not elements and not inside.of(text).strip():
        return replace_by_list(path, text, value, item)
    if not on_own_lines:
        return Edit(path, Span(inside.start, inside.start), f"{item}, ")
    place = _line_end(text, inside.start)
    inner = _indent_at(text, elements[0].start) if elements else indent + _unit(indent)
    return Edit(path, Span(place, place), f"{inner}{item},{newline}")


def replace_by_list(path: str, text: str, value: Span, item: str) -> Edit:
    """A list of the one element ``item``, on a line of its own, in place of ``value``."""
    indent, newline = _indent_at(text, value.start), newline_at(text, value.start)
    return Edit(path, value, f"[{newline}{indent}{_unit(indent)}{item},{newline}{indent}]")


# --- the columns of what was touched --------------------------------------------------------------------------------


def finish(text: str, edits: Sequence[Edit]) -> str:
    """``text`` with ``edits`` made, and every top-level block that was aligned before and was touched aligned again.

    Raises `EditConflict` where edits collide, `SyntaxProblem` where the text is no HCL.
    """
    pending = deque(settle(edits))
    made: list[Edit] = []
    for item in hcl.parse(text):
        mine: list[Edit] = []
        while pending and pending[0].span.start < item.span.end:
            edit = pending.popleft()
            (mine if edit.span.start > item.span.start and edit.span.end <= item.span.end else made).append(edit)
        if mine:
            made.append(_realigned(text, item.span, mine))
    after = apply_edits(text, [*made, *pending])
    return after if text else after.lstrip("\n")


def _realigned(text: str, block: Span, edits: Sequence[Edit]) -> Edit:
    before = block.of(text)
    shifted = [replace(edit, span=Span(edit.span.start - block.start, edit.span.end - block.start)) for edit in edits]
    after = apply_edits(before, shifted)
    return Edit(edits[0].path, block, align(after) if align(before) == before else after)


# --- lines ----------------------------------------------------------------------------------------------------------


def _line_start(text: str, offset: int) -> int:
    return text.rfind("\n", 0, max(offset, 0)) + 1


def _line_end(text: str, offset: int) -> int:
    """The place after the newline that ends the line at ``offset``."""
    found = text.find("\n", offset)
    return len(text) if found < 0 else found + 1


def _end_with_comment(text: str, end: int) -> int:
    """The place after the newline that ends the line at ``end``, or the lines of a comment that begins there."""
    position = skip_blanks(text, end)
    return _line_end(text, position)


def _indent_at(text: str, offset: int) -> str:
    start = _line_start(text, offset)
    match = re.compile(r"[ \t]*").match(text, start)
    return match[0] if match else ""


def _unit(indent: str) -> str:
    return "\t" if indent.startswith("\t") else "  "


def _body_indent(text: str, block: Block) -> str:
    for item in block.items:
        if not text[_line_start(text, item.span.start) : item.span.start].strip():
            return _indent_at(text, item.span.start)
    outer = _indent_at(text, block.span.start)
    return outer + _unit(outer)


def _indented(addition: str, indent: str, unit: str) -> list[str]:
    """The lines of ``addition``, which is indented by two spaces a level, at ``indent`` and by ``unit`` a level."""
    lines = []
    for line in addition.split("\n"):
        level = (len(line) - len(line.lstrip(" "))) // 2
        lines.append(indent + unit * level + line[2 * level :] if line else "")
    return lines
