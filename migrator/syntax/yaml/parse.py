"""YAML: a text, or a part of one, to a tree with spans.

PyYAML's parser returns the events. No object is constructed, so tags are only names. Texts that Go's yaml.v3 and
Terraform's ``yamldecode`` reject are rejected here too: a duplicate key of a mapping, an anchor inside of its own
value. https://yaml.org/spec/1.1/
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from migrator.errors import SyntaxProblem
from migrator.regex import regex
from migrator.span import Span
from migrator.syntax.yaml.tree import Alias, Entry, Mapping, Node, Scalar, Sequence, Tree, resolved

if TYPE_CHECKING:
    from yaml import events

_DEEPEST = 100
_PROPERTY = regex(r"(?:[ \t\r\n]|(?<![^\s])#[^\n]*)*[&!](?:<[^>]*>)?[^\s,\[\]{}]*")
_TRIVIA = regex(r"(?:[ \t\r\n]|(?<![^\s])#[^\n]*)*")
_KEEPS_BLANK_LINES = regex(r"[|>]\d?\+")


@lru_cache(maxsize=16)  # each of a repository's rules asks for the same few
def read(text: str, part: Span | None = None) -> Tree:
    """The YAML document in ``part`` of ``text`` (all of the text if None); the spans refer to ``text``.

    Raises `SyntaxProblem` if the text is no YAML, has several documents, or is nested too deeply.
    """
    part = part or Span(0, len(text))
    if not part.of(text).strip("\n"):
        return Tree(text, part, None)
    import yaml  # here: many repositories have none

    if text.startswith("\ufeff", part.start, part.end):
        part = Span(part.start + 1, part.end)
        if text.startswith("\ufeff", part.start, part.end):
            raise SyntaxProblem(part.start, "YAML does not allow this character")
    try:
        return Tree(text, part, _Builder(text, part).document())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        offset = part.start + (mark.index if mark else 0)
        is_tab = text.startswith("\t", offset)
        raise SyntaxProblem(offset, "YAML is not indented by tabs" if is_tab else "this is not YAML") from None
    except yaml.reader.ReaderError as error:
        raise SyntaxProblem(part.start + error.position, "YAML does not allow this character") from None
    except (yaml.YAMLError, ValueError, OverflowError):
        raise SyntaxProblem(part.start, "the file is not YAML") from None


def verify(known_texts: set[str], after: str) -> None:  # noqa: ARG001 - as HCL's
    """Raise `SyntaxProblem` where ``after`` is no YAML."""
    read(after)


class _Builder:
    """The nodes of PyYAML's events, built without recursion and with the end of each node."""

    def __init__(self, text: str, part: Span) -> None:
        import yaml

        self._text = text
        self._base = part.start
        self._events: Iterator[events.Event] = yaml.parse(part.of(text), Loader=yaml.SafeLoader)
        self._resolvers = yaml.SafeLoader.yaml_implicit_resolvers
        self._anchors: dict[str, Node | None] = {}

    def document(self) -> Node | None:
        from yaml import events

        next(self._events)
        if isinstance(next(self._events), events.StreamEndEvent):
            return None
        root = self._node(next(self._events), 0)
        next(self._events)
        after = next(self._events)
        if not isinstance(after, events.StreamEndEvent):
            raise SyntaxProblem(self._begin(after), "the file holds several documents")
        return root

    def _node(self, event: events.Event, level: int) -> Node:
        from yaml import events

        if level > _DEEPEST:
            raise SyntaxProblem(self._begin(event), "the text is nested too deeply")
        if isinstance(event, events.AliasEvent):
            return self._alias(event)
        if not isinstance(event, events.ScalarEvent | events.CollectionStartEvent):
            raise SyntaxProblem(self._begin(event), "this is not YAML")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        node = self._scalar(event) if isinstance(event, events.ScalarEvent) else self._collection(event, level)
        if node.depth > _DEEPEST:
            raise SyntaxProblem(node.start, "the text is nested too deeply")
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: events.AliasEvent) -> Alias:
        start, end = self._begin(event), self._end(event)
        name = event.anchor or ""
        target = self._anchors.get(name)
        if target is None:
            raise SyntaxProblem(start, "the anchor does not exist, or holds itself")
        return Alias(span=Span(start, end), start=start, depth=target.depth, name=name, target=target)

    def _scalar(self, event: events.ScalarEvent) -> Scalar:
        start, content = self._starts(event)
        end = max(content, self._end(event))
        if event.style in ("|", ">") and not _KEEPS_BLANK_LINES.match(self._text, content):
            end = content + len(self._text[content:end].rstrip())
        is_plain = not event.style
        return Scalar(
            span=Span(content, end),
            start=start,
            anchor=event.anchor,
            tag=event.tag,
            value=event.value,
            is_plain=is_plain,
            is_string=not is_plain or not self._is_implicit(event.value),
        )

    def _is_implicit(self, value: str) -> bool:
        return any(pattern.match(value) for _, pattern in self._resolvers.get(value[:1], ()))

    def _collection(self, event: events.CollectionStartEvent, level: int) -> Sequence | Mapping:
        from yaml import events

        start, content = self._starts(event)
        nodes: list[Node] = []
        while not isinstance(below := next(self._events), events.CollectionEndEvent):
            nodes.append(self._node(below, level + 1))
        end = nodes[-1].span.end if nodes else content
        if self._text.startswith(("[", "{"), content) and event.flow_style:
            end = self._end(below)
        span, depth = Span(content, end), 1 + max((node.depth for node in nodes), default=0)
        flow, anchor, tag = bool(event.flow_style), event.anchor, event.tag
        if isinstance(event, events.SequenceStartEvent):
            items = tuple(nodes)
            return Sequence(span=span, start=start, depth=depth, anchor=anchor, tag=tag, items=items, is_flow=flow)
        entries = tuple(Entry(key=key, value=value) for key, value in zip(nodes[::2], nodes[1::2], strict=True))
        _check_keys(entries)
        return Mapping(span=span, start=start, depth=depth, anchor=anchor, tag=tag, entries=entries, is_flow=flow)

    def _begin(self, event: events.Event) -> int:
        return self._base + (event.start_mark.index if event.start_mark else 0)

    def _end(self, event: events.Event) -> int:
        return self._base + (event.end_mark.index if event.end_mark else 0)

    def _starts(self, event: events.ScalarEvent | events.CollectionStartEvent) -> tuple[int, int]:
        """The offset of the node with anchor and tag, and the offset without."""
        start = content = self._begin(event)
        for written in (event.anchor, event.tag):
            match = _PROPERTY.match(self._text, content) if written is not None else None
            content = match.end() if match else content
        trivia = _TRIVIA.match(self._text, content) if content > start else None
        is_empty = self._end(event) <= content
        return start, content if trivia is None or is_empty else trivia.end()


def _check_keys(entries: tuple[Entry, ...]) -> None:
    seen: set[str] = set()
    for entry in entries:
        name = entry.name
        if name in seen:
            raise SyntaxProblem(entry.key.start, "a mapping has the same key twice")
        seen.update(() if name is None else (name,))
        if entry.is_merge:
            merged = resolved(entry.value)
            sources = merged.items if isinstance(merged, Sequence) else (merged,)
            if not all(isinstance(resolved(source), Mapping) for source in sources):
                raise SyntaxProblem(entry.value.start, "a merge key takes mappings only")
