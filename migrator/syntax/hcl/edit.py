"""Edits of HCL: remove, comment out and add arguments of a block, and put elements first into a list.

Every edit refers to the original text and changes as little as possible. Columns that ``terraform fmt`` would move are
moved by `finish`, only in blocks that were aligned before.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from migrator.regex import regex
from migrator.span import Edit, Moved, Span, apply_edits, settle
from migrator.syntax.hcl import parse as hcl
from migrator.syntax.hcl.comments import COMMENT, is_kept
from migrator.syntax.hcl.layout import align
from migrator.syntax.hcl.new import commented, expression, item_lines, rendered
from migrator.syntax.hcl.scanner import skip_blanks
from migrator.syntax.source import newline_at, with_newlines
from migrator.syntax.terraform import (
    Attribute,
    Block,
    BodyChange,
    Literal,
    NewArgument,
    NewBlock,
    NewComment,
    NewObject,
)

_BLANK_LINE = regex(r"[ \t]*\r?\n")
_BLANK_END = regex(r"\n\r?\n\Z")


def change_body(path: str, text: str, block: Block, change: BodyChange) -> tuple[Edit, ...]:
    """The edits that make ``change`` in ``block`` of the file ``path`` with the text ``text``."""
    if block.span != block.body and "\n" not in COMMENT.sub("", _outline(text, block)):
        return (_open_up(path, text, block, change),)
    removed = _widen([_extent(text, block, element, change.remove) for element in change.remove], text, block)
    edits = [Edit(path, span, "") for span in removed]
    for attribute in change.comment_out:
        edits += _comment_lines(path, text, attribute)
    if change.append:
        edits.append(_append(path, text, block, change, removed))
    return tuple(edits)


def remove_blocks(
    path: str, text: str, items: Sequence[Attribute | Block], removed: Sequence[Block]
) -> tuple[Edit, ...]:
    """The edits that take the blocks ``removed`` out of ``items``, those at the top of the file."""
    file_span = Span(0, len(text))
    return change_body(
        path, text, Block("", (), file_span, file_span, lambda _: tuple(items)), BodyChange(tuple(removed))
    )


def _outline(text: str, block: Block) -> str:
    """The body without the values: a newline outside of comments means that the block has several lines."""
    pieces, position = [], block.body.start
    for element in block.items:
        pieces.append(text[position : element.span.start])
        position = element.span.end
    return "".join(pieces) + text[position : block.body.end]


# --- one line -------------------------------------------------------------------------------------------------------


def _open_up(path: str, text: str, block: Block, change: BodyChange) -> Edit:
    """Move the content of a block on one line to lines of their own, since such a block holds one argument only."""
    newline = newline_at(text, block.span.start)
    outer = indent_at(text, block.span.start)
    inner = outer + _unit(outer)
    lines: list[str] = []
    comments = [comment for comment in COMMENT.findall(_outline(text, block)) if not change.remove]
    for element in block.items:
        if isinstance(element, Attribute) and element in change.comment_out:
            lines += commented(element.span.of(text).splitlines(), inner)
        elif element not in change.remove:
            lines.append(inner + element.span.of(text))
    lines = [inner + comment for comment in comments] + lines
    for addition in change.append:
        lines += [""] if lines and _is_apart(addition, "") else []
        lines += rendered(addition, inner, _unit(outer))
    return Edit(path, block.body, newline + newline.join([*lines, outer]))


# --- removal --------------------------------------------------------------------------------------------------------


def _extent(text: str, block: Block, element: Attribute | Block, removed: Sequence[Attribute | Block]) -> Span:
    """The lines that go with ``element``: the element's lines, and the comment lines right above."""
    before = bisect_right(block.items, element.span.start, key=lambda child: child.span.end)
    previous = block.items[before - 1].span.end if before else block.body.start
    start = element.span.start
    begin = _end_of_element(text, previous) if previous != block.body.start else _first_line(text, block)
    for comment in reversed(list(COMMENT.finditer(text, begin, element.span.start))):
        if text[comment.end() : start].count("\n") > 1 or is_kept(comment, text, block, element, removed):
            break
        start = comment.start()
    return Span(_line_start(text, start), _end_of_element(text, element.span.end))


def comments_of(
    text: str, block: Block, argument: Attribute, removed: Sequence[Attribute | Block], kept: Sequence[Attribute]
) -> tuple[str, ...]:
    """The comments that go with ``argument``, one of the ``removed``, but for those within values that are ``kept``.

    A kept value is the argument itself, or items of its object. The last comment is the trailing one, or ``""``.
    """
    extent = _extent(text, block, argument, removed)
    ends = (offset for attribute in kept for offset in (attribute.value.start, attribute.value.end))
    edges = [max(extent.start, block.body.start), *ends, min(extent.end, block.body.end)]
    *gaps, last = [COMMENT.findall(text, *gap) for gap in zip(edges[::2], edges[1::2], strict=True)]
    behind = "" if argument not in kept or "\n" in "".join(last) else " ".join(last)
    above = [entry for gap in (*gaps, last if not behind else ()) for entry in gap]
    return tuple(entry.rstrip("\r").replace("\r\n", "\n") for entry in (*above, behind))


def _widen(spans: Iterable[Span], text: str, block: Block) -> list[Span]:
    """The ``spans`` joined over blank lines; each takes one of two blank lines that would meet, or that at an edge."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and not text[joined[-1].end : span.start].strip():
            joined[-1] = Span(joined[-1].start, span.end)
        else:
            joined.append(span)
    return [_with_blank_line(span, text, block) for span in joined]


def _with_blank_line(span: Span, text: str, block: Block) -> Span:
    is_first = span.start <= _first_line(text, block)
    above = _line_start(text, span.start - 1)
    blank_above = is_first or _BLANK_LINE.fullmatch(text[above : span.start]) is not None
    below = _BLANK_LINE.match(text, span.end, block.body.end)
    if below and blank_above:
        return Span(span.start, below.end())
    if blank_above and not is_first and not text[span.end : block.body.end].strip():
        return Span(above, span.end)
    return span


# --- commenting out -------------------------------------------------------------------------------------------------


def _comment_lines(path: str, text: str, attribute: Attribute) -> list[Edit]:
    """The edits that put ``# `` before every line of ``argument``, in the column where the argument begins."""
    start, end = attribute.span.start, _end_of_element(text, attribute.span.end)
    indent = indent_at(text, start)
    edits = [Edit(path, Span(start, start), "# ")]
    line = _line_end(text, start)
    while line < end:
        after = line + len(indent) if text.startswith(indent, line) else line
        edits.append(Edit(path, Span(line, after), indent + ("# " if text[after] not in "\r\n" else "#")))
        line = _line_end(text, line)
    return edits


# --- addition -------------------------------------------------------------------------------------------------------


def _append(path: str, text: str, block: Block, change: BodyChange, removed: Sequence[Span]) -> Edit:
    """Add ``change.append`` before the closing brace; a blank line separates a block from the code above."""
    outer = indent_at(text, block.span.start)
    inner = _body_indent(text, block)
    place = _line_start(text, block.body.end)
    kept_lines = _kept(text, Span(_first_line(text, block), place), removed)
    lines: list[str] = []
    for addition in change.append:
        before = lines or kept_lines
        if before and before[-1].strip() and _is_apart(addition, before[-1]):
            lines.append("")
        lines += rendered(addition, inner, inner.removeprefix(outer) or _unit(inner))
    addition_text = "".join(line + "\n" for line in lines)
    if text[place : block.body.end].strip():
        place, addition_text = block.body.end, "\n" + addition_text + outer
    return Edit(path, Span(place, place), with_newlines(addition_text, newline_at(text, place)))


def _kept(text: str, body: Span, removed: Sequence[Span]) -> list[str]:
    cut = [Edit("", Span(span.start - body.start, span.end - body.start), "") for span in removed]
    return apply_edits(body.of(text), cut).splitlines()


def _is_apart(addition: NewArgument | NewBlock | NewComment, before: str) -> bool:
    is_one_line = isinstance(addition, NewArgument) and not isinstance(addition.value, tuple | NewObject)
    return not is_one_line or before.strip() in ("}", "]", ")")


def add_block(path: str, text: str, block: NewBlock) -> Edit:
    """Add ``block`` at the end of the file, after a blank line."""
    end = len(text)
    gap = "\n" if not text or text.endswith("\n") else "\n\n"
    if text.endswith(("\n\n", "\n\r\n")):
        gap = ""
    lines = rendered(block, "", "  ")
    return Edit(path, Span(end, end), with_newlines(gap + "\n".join(lines) + "\n", newline_at(text, end)))


def prepend_items(path: str, text: str, value: Span, items: Sequence[Literal]) -> Edit:
    """Put ``items`` first into the list at ``value``: on lines of their own, if the other elements are."""
    elements = hcl.list_items(text, value) or ()
    inside = Span(value.start + 1, value.end - 1)
    indent = indent_at(text, value.start)
    newline = newline_at(text, value.start)
    opening = skip_blanks(text, inside.start)
    on_own_lines = text[opening] in "\r\n#/"
    if not elements and not inside.of(text).strip():
        return replace_by_list(path, text, value, items)
    if not on_own_lines:
        return Edit(path, Span(inside.start, inside.start), "".join(f"{expression(literal)}, " for literal in items))
    place = _end_of_element(text, inside.start)
    inner = indent_at(text, elements[0].start) if elements else indent + _unit(indent)
    return Edit(path, Span(place, place), "".join(line + newline for line in item_lines(items, inner)))


def replace_by_list(path: str, text: str, value: Span, items: Sequence[Literal]) -> Edit:
    """Replace ``value`` by a list of ``items``: on lines of their own, unless the value is in brackets on a line."""
    if re.search(r"[{(\[][^})\]]*$", text[_line_start(text, value.start) : value.start]):
        return Edit(path, value, f"[{', '.join(map(expression, items))}]")
    indent, newline = indent_at(text, value.start), newline_at(text, value.start)
    return Edit(path, value, newline.join(["[", *item_lines(items, indent + _unit(indent)), f"{indent}]"]))


def replace_value(path: str, text: str, value: Span, expression: str) -> tuple[Edit, ...]:
    """Put ``expression`` in place of ``value``; further lines begin in the column of the line of ``value``."""
    lines = expression.split("\n")
    return (Edit(path, value, f"{newline_at(text, value.start)}{indent_at(text, value.start)}".join(lines)),)


# --- the columns of what was touched --------------------------------------------------------------------------------


def finish(text: str, items: Sequence[Attribute | Block], edits: Sequence[Edit]) -> str:
    """The ``text`` with ``edits``; changed ``items`` are aligned again, if they were aligned before.

    All edits are made first. Then the changed regions are aligned, since an edit may reach from one region into
    another. Raises `EditConflict` if edits collide.
    """
    edits_made = list(_set_apart(text, settle(edits)))
    after = apply_edits(text, edits_made)
    moved = Moved(edits_made)
    pieces: list[str] = []
    position = 0
    for region in _regions(text, items):
        if moved.touches(region) and align(region.of(text)) == region.of(text):
            image = Span(moved[region.start], moved[region.end])
            pieces += after[position : image.start], align(image.of(after))
            position = image.end
    return _without_new_blank_edges(text, "".join(pieces) + after[position:])


def _set_apart(text: str, edits: Iterable[Edit]) -> Iterator[Edit]:
    """The ``edits`` with one blank line between the blocks that are added to the end of ``text``."""
    has_added = False
    for edit in edits:
        is_added = edit.span.start == len(text)
        yield replace(edit, text=newline_at(text, len(text)) + edit.text.lstrip("\r\n")) if has_added else edit
        has_added = is_added


def _without_new_blank_edges(before: str, after: str) -> str:
    """``after`` without blank lines at its beginning and end, unless there were such ``before``."""
    if not before.startswith(("\n", "\r")):
        after = after.lstrip("\r\n")
    while _BLANK_END.search(after) and not _BLANK_END.search(before):
        after = after.removesuffix("\n").removesuffix("\r")
    return after


def _regions(text: str, items: Sequence[Attribute | Block]) -> list[Span]:
    """The whole lines of the items, those on adjoining lines together: columns reach from one to the next."""
    regions: list[Span] = []
    for element in items:
        lines = Span(_line_start(text, element.span.start), _end_of_element(text, element.span.end))
        if regions and not text[regions[-1].end : lines.start]:
            regions[-1] = Span(regions[-1].start, lines.end)
        else:
            regions.append(lines)
    return regions


# --- lines ----------------------------------------------------------------------------------------------------------


def _line_start(text: str, offset: int) -> int:
    return text.rfind("\n", 0, offset) + 1


def _first_line(text: str, block: Block) -> int:
    """The offset where the first line of a body begins: after the line of the brace, if that line has more code."""
    return block.body.start if block.span == block.body else _end_of_element(text, block.body.start)


def _line_end(text: str, offset: int) -> int:
    """The place after the newline that ends the line at ``offset``."""
    end = text.find("\n", offset)
    return len(text) if end < 0 else end + 1


def _end_of_element(text: str, end: int) -> int:
    """The place after the newline that ends the line at ``end``, or the lines of a comment that begins there."""
    position = skip_blanks(text, end)
    return _line_end(text, position)


def indent_at(text: str, offset: int) -> str:
    """The blanks with which the line of ``offset`` begins."""
    start = _line_start(text, offset)
    match = re.compile(r"[ \t]*").match(text, start)
    return match[0] if match else ""


def _unit(indent: str) -> str:
    return "\t" if indent.startswith("\t") else "  "


def _body_indent(text: str, block: Block) -> str:
    for element in block.items:
        if not text[_line_start(text, element.span.start) : element.span.start].strip():
            return indent_at(text, element.span.start)
    outer = indent_at(text, block.span.start)
    return outer + _unit(outer)
