"""Edits of Terraform's JSON: an object's properties removed, turned into a comment and added, an array's first element.

Indentation, order, escapes and line endings of everything else stay. A comment can only be a ``"//"`` property.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby

from migrator.errors import SyntaxProblem
from migrator.span import Edit, Span, settle
from migrator.syntax.json import parse as tfjson
from migrator.syntax.json.parse import Member, Node
from migrator.syntax.json.write import flat, indent_at, indented, labelled, pretty, property_of, strings, unit_of
from migrator.syntax.source import newline_at, with_newlines
from migrator.syntax.terraform import (
    Attribute,
    Block,
    BodyChange,
    Literal,
    NewArgument,
    NewBlock,
)


def change_body(path: str, text: str, block: Block, change: BodyChange) -> tuple[Edit, ...]:
    """The edits that make ``change`` in ``block`` of the file ``path`` with the text ``text``."""
    node = tfjson.read(text, block.body.start - 1)
    commented = [member for member in node.members if _names(change.comment_out, member)]
    removed = [member for member in node.members if _names(change.remove, member) or member in commented[1:]]
    edits = [Edit(path, span, "") for span in _cuts(node.members, removed)]
    if removed and len(removed) == len(node.members) and not change.append:
        return (Edit(path, Span(node.span.start + 1, node.span.end - 1), ""),)
    if commented:
        comment = ", ".join(member.span.of(text) for member in commented)
        edits.append(Edit(path, commented[0].span, f'"{tfjson.COMMENT}": {{{comment}}}'))
    if change.append:
        edits.append(_append(path, text, node, removed, [property_of(addition) for addition in change.append]))
    return tuple(edits)


def change_object(
    path: str,
    text: str,
    value: Span,
    remove: Sequence[Attribute],
    comment_out: Sequence[Attribute] = (),
    append: Sequence[NewArgument] = (),
) -> tuple[Edit, ...]:
    """The edits after which the object at ``value`` has neither ``remove`` nor ``comment_out``, and ``append``.

    In an expression ``"//"`` would be one more key, so the comment is put into the block around the object.
    """
    node = tfjson.read(text, value.start)
    commented = [member for member in node.members if _names(comment_out, member)]
    removed = [member for member in node.members if _names(remove, member) or member in commented]
    edits = [Edit(path, span, "") for span in _cuts(node.members, removed)]
    blocks_around = [
        child
        for child in tfjson.parse(text)
        if isinstance(child, Block) and child.body.start < value.start < child.body.end
    ]
    if commented and blocks_around:
        comment = ", ".join(member.span.of(text) for member in commented)
        holder = tfjson.read(text, blocks_around[0].body.start - 1)
        first = holder.members[0].span.start
        gap = text[holder.span.start + 1 : first] if _is_spread(text, holder) else " "
        edits.append(Edit(path, Span(first, first), f'"{tfjson.COMMENT}": {{{comment}}},{gap}'))
    if append:
        edits.append(_append(path, text, node, removed, [property_of(new_argument) for new_argument in append]))
    return tuple(edits)


def comments_of(
    text: str,  # noqa: ARG001 - as HCL's
    block: Block,  # noqa: ARG001
    argument: Attribute,  # noqa: ARG001
    removed: Sequence[Attribute | Block],  # noqa: ARG001
    kept: Sequence[Attribute],  # noqa: ARG001
) -> tuple[str, ...]:
    """No comments: a ``"//"`` is a member of the block, and stays there."""
    return ("",)


def remove_blocks(
    path: str,
    text: str,
    items: Sequence[Attribute | Block],  # noqa: ARG001 - as HCL's
    removed: Sequence[Block],
) -> tuple[Edit, ...]:
    """The edits that take the blocks ``removed`` out of the file; `finish` takes out the labels that this empties."""
    spans = {block.span for block in removed}
    edits: list[Edit] = []
    pending = [tfjson.read(text)]
    while pending:
        node = pending.pop()
        children = node.members or node.elements
        edits += (
            Edit(path, span, "") for span in _cuts(children, [child for child in children if child.span in spans])
        )
        pending += (_node(child) for child in children if child.span not in spans)
    return tuple(edits)


def _names(attributes: Sequence[Attribute | Block], member: Member) -> bool:
    return any(attribute.span == member.span for attribute in attributes)


def _cuts(members: Sequence[Member | Node], removed: Sequence[Member | Node]) -> Iterator[Span]:
    """The spans that take ``removed`` out together with one comma each."""
    for is_removed, group in groupby(enumerate(members), lambda indexed: indexed[1] in removed):
        indices = [index for index, _ in group]
        first, last = indices[0], indices[-1]
        if not is_removed:
            continue
        if first > 0:
            yield Span(members[first - 1].span.end, members[last].span.end)
        elif last + 1 < len(members):
            yield Span(members[0].span.start, members[last + 1].span.start)
        else:
            yield Span(members[0].span.start, members[last].span.end)


def _append(path: str, text: str, node: Node, removed: Sequence[Member], properties: list[str]) -> Edit:
    children = node.members or node.elements
    remaining = [child for child in children if child not in removed]
    outer = indent_at(text, node.span.start)
    newline = newline_at(text, node.span.start)
    if remaining and _is_spread(text, node):
        indent = indent_at(text, children[0].span.start)
        added = "".join(f",\n{indented(member, indent, indent.removeprefix(outer))}" for member in properties)
        return Edit(path, Span(remaining[-1].span.end, remaining[-1].span.end), with_newlines(added, newline))
    if remaining:
        added = "".join(f", {flat(member)}" for member in properties)
        return Edit(path, Span(remaining[-1].span.end, remaining[-1].span.end), added)
    if node.members and _is_spread(text, node):
        indent = indent_at(text, node.members[0].span.start)
        lines = f",\n{indent}".join(
            indented(member, indent, indent.removeprefix(outer)).lstrip() for member in properties
        )
        return Edit(path, Span(node.members[0].span.start, node.members[0].span.start), with_newlines(lines, newline))
    place = node.members[0].span.start if node.members else node.span.start + 1
    if "\n" not in text or node.members:
        return Edit(path, Span(place, place), ", ".join(flat(member) for member in properties))
    unit = unit_of(text)
    lines = ",\n".join(indented(member, outer + unit, unit) for member in properties)
    end = "" if "\n" in text[place : node.span.end] else f"\n{outer}"
    return Edit(path, Span(place, place), with_newlines(f"\n{lines}{end}", newline))


def _is_spread(text: str, node: Node) -> bool:
    children = node.members or node.elements
    return bool(children) and "\n" in text[node.span.start : children[0].span.start]


def add_block(path: str, text: str, block: NewBlock) -> Edit:
    """Add ``block`` next to blocks of the same type and labels, or as the last property of the file."""
    root = tfjson.read(text)
    holder = root.elements[-1] if root.elements else root
    names, content = [block.type, *block.labels], {block.type: labelled(block)}
    while len(names) > 1 and holder.kind == "object":
        values = [member.value for member in holder.members if member.name == names[0]]
        if not values or values[-1].kind not in ("object", "array"):
            break
        holder, content = values[-1], content[names.pop(0)]
    block_text = pretty(content)
    if holder.kind == "object":
        block_text = f"{json.dumps(names[0])}: {pretty(content[names[0]])}"
    return _append(path, text, holder, (), [block_text])


def prepend_items(path: str, text: str, value: Span, items: Sequence[Literal]) -> Edit:
    """Put ``items`` first into the array at ``value``: on lines of their own, if the other elements are."""
    node = tfjson.read(text, value.start)
    if not node.elements:
        return replace_by_list(path, text, value, items)
    first = node.elements[0].span.start
    gap = text[value.start + 1 : first] if "\n" in text[value.start : first] else " "
    return Edit(path, Span(first, first), "".join(f"{element},{gap}" for element in strings(items)))


def replace_by_list(path: str, text: str, value: Span, items: Sequence[Literal]) -> Edit:
    """An array of ``items`` in place of ``value``."""
    if "\n" not in text:
        return Edit(path, value, f"[{', '.join(strings(items))}]")
    indent, newline = indent_at(text, value.start), newline_at(text, value.start)
    inner = newline + indent + unit_of(text)
    return Edit(path, value, f"[{inner}{f',{inner}'.join(strings(items))}{newline}{indent}]")


def finish(text: str, items: Sequence[Attribute | Block], edits: Sequence[Edit]) -> str:  # noqa: ARG001 - as HCL's
    """The ``text`` with ``edits``, without labels that the edits emptied or wrote twice.

    Raises `EditConflict` if edits collide.
    """
    text = text or "{}\n"
    pieces: list[str] = []
    position, place = 0, None
    for edit in settle(edits):
        pieces.append(text[position : edit.span.start])
        last_piece = next((piece.rstrip() for piece in reversed(pieces) if piece.strip()), "")
        if edit.text.startswith(",") and last_piece.endswith(("{", "[")):
            pieces.append(edit.text[1:].lstrip())
        elif (
            edit.span == place and edit.text[:1] not in ("", ",") and not last_piece.endswith(",")
        ):  # the second addition to an empty object or array
            pieces[-2:] = pieces[-2].rstrip(), "," if edit.text[0].isspace() else ", ", edit.text
        else:
            pieces.append(edit.text)
        position, place = edit.span.end, edit.span
    after = "".join(pieces) + text[position:]
    after = after if any(_empty_labels(text)) else _without_empty_labels(after)
    return after if any(_labels_twice(text)) else _with_labels_once(after)


def _without_empty_labels(text: str) -> str:
    while cut := next(_empty_labels(text), None):
        text = text[: cut.start] + text[cut.end :]
    return text


def _empty_labels(text: str) -> Iterator[Span]:
    """The spans of types and labels without any block, which Terraform rejects; the outermost of each first."""
    with suppress(SyntaxProblem):
        root = tfjson.read(text)
        for holder in root.elements or (root,):
            yield from _cuts(
                holder.members, [member for member in holder.members if _is_empty(member.value, _labels(member))]
            )
            for member in holder.members:
                yield from _empty_below(member.value, _labels(member))


def _with_labels_once(text: str) -> str:
    while (repetition := next(_labels_twice(text), None)) is not None:
        first, second, cut = repetition
        end, inside = first.members[-1].span.end, text[second.span.start + 1 : second.members[-1].span.end]
        gap = " " if inside.startswith('"') else ""
        text = f"{text[:end]},{gap}{inside}{text[end : cut.start]}{text[cut.end :]}"
    return text


def _labels_twice(text: str) -> Iterator[tuple[Node, Node, Span]]:
    """The types and labels that an object has twice: both values, and the span that removes the second."""
    with suppress(SyntaxProblem):
        root = tfjson.read(text)
        for holder in root.elements or (root,):
            yield from _twice_below(holder, None)


def _twice_below(node: Node, labels: int | None) -> Iterator[tuple[Node, Node, Span]]:
    for element in node.elements:
        yield from _twice_below(element, labels)
    before: dict[str, Node] = {}
    for member in node.members:
        labels_left = _labels(member) if labels is None else labels - 1
        if labels_left > 0:
            first = before.setdefault(member.name, member.value)
            if first is not member.value and first.members and member.value.members:
                yield first, member.value, next(_cuts(node.members, [member]))
            yield from _twice_below(member.value, labels_left)


def _labels(member: Member) -> int:
    return tfjson.LABELS.get(member.name, 0)


def _empty_below(node: Node, labels: int) -> Iterator[Span]:
    if labels:
        labels_left = labels - bool(node.members)
        children = node.members or node.elements
        yield from _cuts(children, [child for child in children if _is_empty(_node(child), labels_left)])
        for child in children:
            yield from _empty_below(_node(child), labels_left)


def _is_empty(node: Node, labels: int) -> bool:
    """Whether the value at ``node`` has no block below ``labels`` labels."""
    if node.kind == "array":
        return all(_is_empty(element, labels) for element in node.elements)
    return labels > 0 and node.kind == "object" and all(_is_empty(member.value, labels - 1) for member in node.members)


def _node(child: Member | Node) -> Node:
    return child.value if isinstance(child, Member) else child
