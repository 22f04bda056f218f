"""The queries for an account, and the rest of the queries if the account's schema lacks a field."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from importlib.resources import files
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    Visitor,
    parse,
    print_ast,
    validate,
    visit,
)

Location = tuple[int, int]
"""Line and column in GraphQL's errors, both counted from 1."""


@cache
def operations() -> dict[str, DocumentNode]:
    """The queries by the name of the operation, each with all used fragments."""
    document = parse(files(__package__).joinpath("inventory.graphql").read_text(encoding="utf-8"))
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    queries = [definition for definition in document.definitions if isinstance(definition, OperationDefinitionNode)]
    return {_name(query): _as_sent(DocumentNode(definitions=(query, *_used(query, fragments)))) for query in queries}


def _name(query: OperationDefinitionNode) -> str:
    return query.name.value if query.name is not None else ""


def _used(query: OperationDefinitionNode, fragments: dict[str, FragmentDefinitionNode]) -> list[FragmentDefinitionNode]:
    used: dict[str, FragmentDefinitionNode] = {}

    class Spreads(Visitor):
        def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
            used[node.name.value] = fragments[node.name.value]

    visit(query, Spreads())
    return list(used.values())


def _as_sent(document: DocumentNode) -> DocumentNode:
    """The document with the locations in the printed text, which errors in a server's answer use."""
    return parse(print_ast(document))


def fitted(query: DocumentNode, schema: GraphQLSchema) -> tuple[DocumentNode, list[str]]:
    """The query without fields that the account's ``schema`` lacks, and the names of the fields: see `without`."""
    missing: list[str] = []
    while errors := validate(schema, query):
        places = {
            (source_location.line, source_location.column)
            for error in errors
            for source_location in error.locations or ()
        }
        query, removed = without(query, places)
        if not removed:
            break
        missing += removed
    return query, missing


def without(query: DocumentNode, places: Collection[Location]) -> tuple[DocumentNode, list[str]]:
    """The query without the fields and types at ``places`` and without empty selections, and the removed names.

    A field's name is ``Type.field`` in a fragment and ``parent.field`` elsewhere.
    """
    removed: list[str] = []
    parents = ["Query"]

    class Pruning(Visitor):
        def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
            parents.append(node.type_condition.name.value)

        def leave_fragment_definition(self, *_: Any) -> None:
            parents.pop()

        def enter_field(self, node: FieldNode, *_: Any) -> Any:
            if _place(node) in places:
                removed.append(f"{parents[-1]}.{node.name.value}")
                return self.REMOVE
            parents.append(node.name.value)
            return None

        def leave_field(self, node: FieldNode, *_: Any) -> Any:
            parents.pop()
            return self.REMOVE if _is_empty(node.selection_set) else None

        def enter_inline_fragment(self, node: InlineFragmentNode, *_: Any) -> Any:
            condition = node.type_condition
            if condition is not None and _place(condition) in places:
                removed.append(condition.name.value)
                return self.REMOVE
            parents.append(condition.name.value if condition is not None else parents[-1])
            return None

        def leave_inline_fragment(self, node: InlineFragmentNode, *_: Any) -> Any:
            parents.pop()
            return self.REMOVE if _is_empty(node.selection_set) else None

    less = visit(query, Pruning())
    return (_as_sent(less) if removed else query), removed


def _is_empty(selection: SelectionSetNode | None) -> bool:
    return selection is not None and not selection.selections


def _place(node: Node) -> Location:
    start = node.loc.start_token if node.loc is not None else None
    return (start.line, start.column) if start is not None else (0, 0)
