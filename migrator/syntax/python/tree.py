"""The tree of a Python program by libcst: places of nodes, bindings of names, and values of strings."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import fields
from functools import cache

import libcst as cst
from libcst import metadata

from migrator.span import Span
from migrator.syntax.python.items import Import, Item, Items, Statement

_DEPTH = 8


class Tree:
    """A parsed program; all places refer to ``text``."""

    def __init__(self, text: str, wrapper: metadata.MetadataWrapper) -> None:
        self.text = text
        self._module = wrapper.module
        self._bytes = wrapper.resolve(metadata.ByteSpanPositionProvider)
        self._scopes = wrapper.resolve(metadata.ScopeProvider)
        self._parents = _parents(self._module)
        self._data = b"" if text.isascii() else text.encode()
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._line_bytes = [0, *(match.end() for match in re.finditer(b"\n", self._data))]

    # --- places ---------------------------------------------------------------------------------------------------

    def _span(self, node: cst.CSTNode) -> Span:
        code_span = self._bytes[node]
        start, end = code_span.start, code_span.start + code_span.length
        return Span(self._characters(start), self._characters(end)) if self._data else Span(start, end)

    def _characters(self, offset: int) -> int:
        """The number of characters in the first ``offset`` bytes."""
        line = bisect_right(self._line_bytes, offset) - 1
        return self._line_starts[line] + len(self._data[self._line_bytes[line] : offset].decode())

    def _length(self, *nodes: cst.CSTNode) -> int:
        return sum(len(self._module.code_for_node(node)) for node in nodes)

    def line(self, offset: int) -> int:
        """The line, from 1, that holds the character at ``offset``."""
        return bisect_right(self._line_starts, offset)

    def _ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        while (parent := self._parents.get(node)) is not None:
            yield parent
            node = parent

    def _statements(self, node: cst.CSTNode) -> tuple[Statement, ...]:
        """The statements of blocks around ``node`` in its function, class or module, from the outermost.

        A statement after a ``;`` or a ``:`` on a line counts as a statement of its own.
        """
        statements: list[Statement] = []
        line: cst.CSTNode | None = None
        for ancestor in (node, *self._ancestors(node)):
            if isinstance(ancestor, cst.FunctionDef | cst.ClassDef) and ancestor is not node:
                break
            block = self._parents.get(ancestor)
            if isinstance(block, cst.SimpleStatementSuite):
                span = self._span(ancestor)
                statements.append(Statement(span, span.start, self._span(block), is_loop=False))
            elif isinstance(block, cst.SimpleStatementLine) and ancestor is not block.body[0]:
                span, line = self._span(ancestor), block
                statements.append(Statement(span, span.start, self._span(self._parents[block]), is_loop=False))
            elif (
                isinstance(ancestor, cst.SimpleStatementLine | cst.BaseCompoundStatement)
                and isinstance(block, cst.IndentedBlock | cst.Module)
                and ancestor is not line
            ):
                span = self._span(ancestor)
                is_loop = isinstance(ancestor, cst.For | cst.While)
                statements.append(Statement(span, self._lead(ancestor, span.start), self._span(block), is_loop))
        return tuple(reversed(statements))

    def _lead(self, statement: cst.SimpleStatementLine | cst.BaseCompoundStatement, start: int) -> int:
        for empty in reversed(getattr(statement, "leading_lines", ())):
            if empty.comment is None:
                break
            start = self._span(empty.comment).start
        return start

    def _frames(self, node: cst.CSTNode) -> tuple[Span | None, Span | None]:
        """The spans of the innermost function around ``node``, and of the class around the function or ``node``."""
        function = class_ = None
        for ancestor in self._ancestors(node):
            if isinstance(ancestor, cst.FunctionDef) and function is None:
                function = self._span(ancestor)
            if isinstance(ancestor, cst.ClassDef):
                class_ = self._span(ancestor)
                break
        return function, class_

    def _statement_start(self, node: cst.CSTNode) -> int:
        statements = self._statements(node)
        return statements[-1].span.start if statements else self._span(node).start

    # --- names ----------------------------------------------------------------------------------------------------

    def _full_names(self, node: cst.CSTNode) -> set[str]:
        return {qualified_name.name for qualified_name in self._qualified(node)}

    def _qualified(self, node: cst.CSTNode) -> Collection[metadata.QualifiedName]:
        scope = self._scopes.get(node)
        return () if scope is None else scope.get_qualified_names_for(node)

    def _assignments(self, node: cst.Name) -> list[metadata.BaseAssignment]:
        scope = self._scopes.get(node)
        return [] if scope is None else list(scope[node.value])

    def _binding(self, node: cst.Name) -> tuple[metadata.Assignment, cst.BaseExpression] | None:
        """The only assignment of a name, and the value."""
        assignments = self._assignments(node)
        if len(assignments) != 1 or not isinstance(assignments[0], metadata.Assignment):
            return None
        target = assignments[0].node
        holder = self._parents.get(target)
        statement = self._parents.get(holder) if isinstance(holder, cst.AssignTarget) else holder
        if isinstance(statement, cst.Assign) and len(statement.targets) == 1:
            return assignments[0], statement.value
        if isinstance(statement, cst.AnnAssign) and statement.value is not None and statement.target is target:
            return assignments[0], statement.value
        return None

    def _binder(self, target: cst.CSTNode) -> str:
        if isinstance(target, cst.Param) or isinstance(self._parents.get(target), cst.Param):
            return "parameter"
        for node in self._ancestors(target):
            if isinstance(node, cst.For | cst.While | cst.CompFor):
                return "loop"
            if isinstance(node, cst.FunctionDef | cst.ClassDef):
                return ""
        return ""

    def _extends(self, func: cst.BaseExpression, class_name: str) -> bool:
        targets = self._assignments(func) if isinstance(func, cst.Name) else []
        nodes = [getattr(base_assignment, "node", None) for base_assignment in targets]
        return any(isinstance(node, cst.ClassDef) and self._has_base(node, class_name, _DEPTH) for node in nodes)

    def _has_base(self, node: cst.ClassDef, class_name: str, depth: int) -> bool:
        bases = [argument.value for argument in node.bases]
        if any(class_name in self._full_names(base) for base in bases):
            return True
        base_nodes = [
            getattr(base_assignment, "node", None)
            for base in bases
            if isinstance(base, cst.Name)
            for base_assignment in self._assignments(base)
        ]
        return depth > 0 and any(
            isinstance(base, cst.ClassDef) and self._has_base(base, class_name, depth - 1) for base in base_nodes
        )

    # --- items and their values

    def _arguments(self, node: cst.Call, uses: int = 1) -> Items:
        span = self._span(node)
        start = span.start + self._length(node.func, node.whitespace_after_func) + 1
        items = tuple(
            self._item(argument, argument.keyword.value if argument.keyword else None, argument.value, argument.star)
            for argument in node.args
        )
        return Items(Span(start, span.end - 1), items, self._statement_start(node), uses=uses)

    def _item(self, node: cst.CSTNode, name: str | None, value: cst.BaseExpression, star: str = "") -> Item:
        span = self._span(node)
        return Item(span, Span(span.end - self._length(value), span.end), name, star, value)

    def _dict(self, node: cst.Dict, uses: int) -> Items:
        span = self._span(node)
        items = []
        for base_dict_element in node.elements:
            name = self._string(base_dict_element.key, 0) if isinstance(base_dict_element, cst.DictElement) else None
            items.append(
                self._item(
                    base_dict_element,
                    name,
                    base_dict_element.value,
                    "" if isinstance(base_dict_element, cst.DictElement) else "**",
                )
            )
        interior = Span(span.start + 1, span.end - 1)
        return Items(interior, tuple(items), self._statement_start(node), is_dict=True, uses=uses)

    def _string(self, node: cst.CSTNode, depth: int) -> str | None:
        if isinstance(node, cst.SimpleString):
            value = node.evaluated_value
            return value if isinstance(value, str) else None
        if isinstance(node, cst.ConcatenatedString | cst.BinaryOperation):
            is_sum = isinstance(node, cst.ConcatenatedString) or isinstance(node.operator, cst.Add)
            return self._joined((node.left, node.right), depth - 1) if is_sum and depth > -_DEPTH else None
        if isinstance(node, cst.FormattedString):
            return self._joined(node.parts, depth)
        if isinstance(node, cst.FormattedStringText):
            return node.value.replace("{{", "{").replace("}}", "}") if "\\" not in node.value else None
        if isinstance(node, cst.FormattedStringExpression):
            is_plain = not node.conversion and not node.format_spec and not node.equal
            return self._string(node.expression, depth) if is_plain else None
        if isinstance(node, cst.Name) and depth > 0:
            bound = self._binding(node)
            return self._string(bound[1], depth - 1) if bound else None
        return None

    def _joined(self, nodes: Sequence[cst.CSTNode], depth: int) -> str | None:
        parts = [self._string(node, depth) for node in nodes]
        return None if None in parts else "".join(part or "" for part in parts)

    def _meant(self, node: cst.CSTNode) -> cst.CSTNode:
        for _ in range(_DEPTH):
            bound = self._binding(node) if isinstance(node, cst.Name) else None
            if bound is None:
                break
            node = bound[1]
        return node

    def _import(self, node: cst.CSTNode) -> Import | None:
        function, class_ = self._frames(node)
        if not isinstance(node, cst.ImportFrom | cst.Import):
            return None
        module = ""
        if isinstance(node, cst.ImportFrom):
            dotted = self._module.code_for_node(node.module) if node.module else ""
            module = "." * len(node.relative) + dotted
        start = self._statement_start(node)
        if isinstance(node.names, cst.ImportStar):
            nothing = Items(Span(start, start), (), start)
            return Import(module, nothing, {}, function or class_, is_star=True)
        items = tuple(
            Item(
                self._span(import_alias),
                self._span(import_alias.name),
                self._module.code_for_node(import_alias.name),
                "",
                import_alias,
            )
            for import_alias in node.names
        )
        interior = Span(items[0].span.start, items[-1].span.end)
        if isinstance(node, cst.ImportFrom) and node.lpar and node.rpar:
            interior = Span(self._span(node.lpar).start + 1, self._span(node).end - 1)
        local = {
            import_alias.evaluated_name: import_alias.evaluated_alias or import_alias.evaluated_name
            for import_alias in node.names
        }
        return Import(module, Items(interior, items, start), local, function or class_)


def _parents(module: cst.Module) -> dict[cst.CSTNode, cst.CSTNode]:
    """The parent of each node; outer nodes come first. A visitor of libcst would create all nodes again."""
    parents: dict[cst.CSTNode, cst.CSTNode] = {}
    pending: list[cst.CSTNode] = [module]
    while pending:
        node = pending.pop()
        for name in _fields(type(node)):
            value = getattr(node, name)
            for child in value if isinstance(value, list | tuple) else (value,):
                if isinstance(child, cst.CSTNode) and child not in parents:
                    parents[child] = node
                    pending.append(child)
    return parents


@cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


class _Leaves(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.nodes: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.SimpleString | cst.FormattedStringText | cst.Name):
            self.nodes.append(node)
        return True


def strings_and_names(node: cst.CSTNode) -> list[cst.CSTNode]:
    """The literal texts and the names in an expression."""
    leaves = _Leaves()
    node.visit(leaves)
    return leaves.nodes


def names_below(node: cst.CSTNode) -> Iterable[cst.Name]:
    """The names in an expression."""
    return (literal for literal in strings_and_names(node) if isinstance(literal, cst.Name))
