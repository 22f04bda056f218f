"""Edits of YAML: entries of mappings and items of lists taken out, and nothing else moved.

Every edit is checked: the new text is parsed, and only the named keys may be missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as SequenceABC
from typing import TYPE_CHECKING

from migrator.errors import EditConflict, SyntaxProblem
from migrator.regex import regex
from migrator.span import Edit, Span, apply_edits
from migrator.syntax.diagnostics import UNEDITABLE
from migrator.syntax.yaml.compare import Difference, are_equal, differences
from migrator.syntax.yaml.parse import read
from migrator.syntax.yaml.tree import MERGE, Keys, Mapping, Node, Scalar, Sequence, Tree
from migrator.syntax.yaml.write import line_start

if TYPE_CHECKING:
    from migrator.model.findings import Refusal

_TELLING = regex(r"(?i)key|credential|secret|token|profile|aws")
_COMMA = regex(r"\s*,")
_COMMENT_LINE = regex(r"[ \t]*#[^\n]*\n")


def remove(path: str, tree: Tree, removed: SequenceABC[Keys], final: Tree | None = None) -> tuple[Edit, ...] | Refusal:
    """The edits after which ``tree``, of the file ``path``, has nothing at the keys ``removed``.

    Mappings and lists that become empty are removed too, and so are comments right above about credentials. ``final``
    is the tree after the additions of others: what they add to stays.
    """
    removals = _with_empty_holders(final or tree, set(removed))
    try:
        edits = tuple(edit for keys in sorted(removals, key=str) for edit in _edits(path, tree, keys, removals))
        after = apply_edits(tree.text, edits)
        part = Span(tree.part.start, tree.part.end + len(after) - len(tree.text))
        if not all(_is_removal(difference, removals) for difference in differences(tree, read(after, part))):
            return UNEDITABLE.refusal(reason="other entries share the value, or depend on the value")
    except (SyntaxProblem, EditConflict) as problem:
        return UNEDITABLE.refusal(reason=str(problem) or "the value cannot be removed")
    return edits


def _with_empty_holders(tree: Tree, removed: set[Keys]) -> set[Keys]:
    """The ``removed`` keys, with parents that become empty instead of all their children; the root stays."""
    removals = set(removed)
    only = list(_held(tree.root))
    for keys in removed:
        holder = keys[:-1]
        while holder:
            below = {(*holder, key) for key in _held(_own_value(tree.root, holder))}
            if not below or not below <= removals or list(holder) == only:
                break
            removals = (removals - below) | {holder}
            holder = holder[:-1]
    return removals


def _held(node: Node | None) -> Iterator[str | int]:
    """The keys inside of a written value, except for merge keys."""
    if isinstance(node, Mapping):
        yield from (entry.name or MERGE for entry in node.entries)
    elif isinstance(node, Sequence):
        yield from range(len(node.items))


def _own_value(root: Node | None, keys: Keys) -> Node | None:
    """The value at ``keys``, if the text has the value there and does not merge or share the value."""
    node = root
    for key in keys:
        if isinstance(node, Mapping) and isinstance(key, str):
            entry = node.own_entries(key)
            node = entry.value if entry else None
        elif isinstance(node, Sequence) and isinstance(key, int) and key < len(node.items):
            node = node.items[key]
        else:
            return None
    return node


def _edits(path: str, tree: Tree, keys: Keys, removals: set[Keys]) -> list[Edit]:
    holder, key = _own_value(tree.root, keys[:-1]), keys[-1]
    if isinstance(holder, Mapping) and isinstance(key, str) and (entry := holder.own_entries(key)):
        spans = [Span(entry.key.start, max(entry.key.span.end, entry.value.span.end)) for entry in holder.entries]
        index = holder.entries.index(entry)
        is_gone = [(*keys[:-1], entry.name or "") in removals for entry in holder.entries]
    elif isinstance(holder, Sequence) and isinstance(key, int):
        spans, index = [Span(node.start, node.span.end) for node in holder.items], key
        is_gone = [(*keys[:-1], number) in removals for number in range(len(spans))]
    else:
        raise SyntaxProblem(0, "the value is merged in, or shared with other entries")
    span = _in_flow(tree.text, spans, index, is_gone) if holder.is_flow else _lines(tree, spans[index])
    return [Edit(path, span, "")] if span else []


def _in_flow(text: str, spans: list[Span], index: int, is_gone: list[bool]) -> Span | None:
    """The span that removes the first of several items between brackets that are removed together."""
    if index and is_gone[index - 1]:
        return None
    last = next((number for number in range(index, len(spans)) if not is_gone[number]), len(spans)) - 1
    if index:
        return Span(spans[index - 1].end, spans[last].end)
    if last + 1 < len(spans):
        return Span(spans[0].start, spans[last + 1].start)
    comma = _COMMA.match(text, spans[last].end)
    return Span(spans[0].start, comma.end() if comma else spans[last].end)


def _lines(tree: Tree, span: Span) -> Span:
    """The lines of an entry or item in block style, with the line end above instead of the last line end."""
    text = tree.text
    start = line_start(text, span.start)
    if text[start : span.start].strip(" -") or text[start : span.start].count("-") > 1:
        raise SyntaxProblem(span.start, "the value shares the line with others")
    end = text.find("\n", max(span.start, span.end - 1)) + 1 or len(text)
    while start > tree.part.start:
        above = line_start(text, start - 1)
        comment = _COMMENT_LINE.fullmatch(text, above, start)
        if comment is None or not _TELLING.search(comment[0]):
            break
        start = above
    end = min(end, tree.part.end)
    return (
        Span(start, end)
        if start <= tree.part.start
        else Span(_without_newline(text, start), _without_newline(text, end))
    )


def _without_newline(text: str, offset: int) -> int:
    """The end of the line before ``offset``: there additions are made, which must not collide."""
    return offset - 2 if text.endswith("\r\n", 0, offset) else offset - text.endswith("\n", 0, offset)


def _is_removal(difference: Difference, removals: set[Keys]) -> bool:
    if difference.keys in removals:
        return difference.after is None
    if isinstance(difference.before, Mapping) and isinstance(difference.after, Scalar) and difference.after.is_null:
        return all((*difference.keys, key) in removals for key in _held(difference.before))
    if not isinstance(difference.before, Sequence) or not isinstance(difference.after, Sequence):
        return False
    remaining = [
        element for number, element in enumerate(difference.before.items) if (*difference.keys, number) not in removals
    ]
    return len(remaining) == len(difference.after.items) and all(map(are_equal, remaining, difference.after.items))
