"""Reading an account: all queries, page by page, into an `Inventory`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from graphql import DocumentNode, GraphQLError, build_client_schema, get_introspection_query, print_ast

from migrator.errors import MigrateError
from migrator.secret.mask import mask
from migrator.spacelift.inventory.account import (
    AwsIntegration,
    Context,
    Data,
    Inventory,
    Module,
    ReadError,
    Space,
    Stack,
)
from migrator.spacelift.inventory.queries import fitted, operations, without
from migrator.spacelift.inventory.session import Answer, Session

PAGE = 50
_MOST_PAGES = 10_000
_Kind = TypeVar("_Kind", bound=Data)


class _Reader:
    """Sends the queries to one account, and records the parts that could not be read."""

    def __init__(self, session: Session, count: Callable[[str, int], None]) -> None:
        self._session = session
        self._count = count
        self._queries = dict(operations())
        self.missing: dict[str, None] = {}
        self.errors: dict[ReadError, None] = {}

    def check(self) -> None:
        """Check the queries with the account's schema, if the account returns the schema."""
        answer = self._session.ask(get_introspection_query(descriptions=False))
        if answer.errors or not answer.data.get("__schema"):
            return
        try:
            schema = build_client_schema(dict(answer.data))  # type: ignore[arg-type]
        except (GraphQLError, TypeError, ValueError):
            return
        for name, query in self._queries.items():
            self._queries[name], missing = fitted(query, schema)
            self.missing.update(dict.fromkeys(missing))

    def listed(self, operation: str, field: str, kind: type[_Kind]) -> tuple[_Kind, ...]:
        """The nodes of a root field that is a list."""
        answer = self._ask(operation, None)
        nodes = answer.data.get(field)
        listed_nodes = tuple(self._nodes(field, nodes if isinstance(nodes, list) else (), kind))
        self._count(field, len(listed_nodes))
        return listed_nodes

    def paged(self, operation: str, field: str, kind: type[_Kind]) -> tuple[_Kind, ...]:
        """The nodes of a search, read in pages of `PAGE`."""
        by_id: dict[str, _Kind] = {}
        after: str | None = None
        for _ in range(_MOST_PAGES):
            answer = self._ask(operation, {"input": {"first": PAGE, "after": after}})
            page = answer.data.get(field) or {}
            if not page and answer.errors:
                self.errors[ReadError(what=field, message="A page was not read, so not all of them were.")] = None
            edges = [edge.get("node") for edge in page.get("edges") or () if isinstance(edge, Mapping)]
            by_id |= {node.id: node for node in self._nodes(field, edges, kind)}  # type: ignore[attr-defined]
            self._count(field, len(by_id))
            info = page.get("pageInfo") or {}
            if not info.get("hasNextPage"):
                return tuple(by_id.values())
            if info.get("endCursor") in (None, "", after):
                break
            after = info["endCursor"]
        self.errors[ReadError(what=field, message="The pages do not end, so not all of them were read.")] = None
        return tuple(by_id.values())

    def _ask(self, operation: str, variables: Mapping[str, Any] | None) -> Answer:
        """The answer to a query, repeated without the fields that the account does not have."""
        while True:
            query = self._queries[operation]
            if not _has_fields(query):
                return Answer({})
            answer = self._session.ask(print_ast(query), variables)
            removed = () if answer.data else self._pruned(operation, answer)
            if not removed:
                break
            self.missing.update(dict.fromkeys(removed))
        for error in answer.errors:
            path = ".".join(str(part) for part in error.get("path") or (operation,))
            self.errors[ReadError(what=path, message=error["message"])] = None
        return answer

    def _pruned(self, operation: str, answer: Answer) -> list[str]:
        unknown = (
            error for error in answer.errors if error["message"].startswith(("Cannot query field", "Unknown type"))
        )
        places = {(at.get("line", 0), at.get("column", 0)) for error in unknown for at in error.get("locations") or ()}
        self._queries[operation], removed = without(self._queries[operation], places)
        return removed

    def _nodes(self, field: str, nodes: Any, kind: type[_Kind]) -> Iterator[_Kind]:
        for number, node in enumerate(nodes):
            try:
                yield msgspec.convert(_without_secrets(node), kind)
            except msgspec.ValidationError as error:  # whose message names a place and types, never a value
                self.errors[ReadError(what=f"{field}.{number}", message=f"The answer is not as expected: {error}")] = (
                    None
                )


def _has_fields(query: DocumentNode) -> bool:
    return all(definition.selection_set.selections for definition in query.definitions)  # type: ignore[attr-defined]


def _without_secrets(value: Any) -> Any:
    """A part of an answer with secrets masked, as commands of hooks may hold some, and without any ``value``."""
    if isinstance(value, Mapping):
        return {name: _without_secrets(child) for name, child in value.items() if name != "value"}
    if isinstance(value, list):
        return [mask(element) if isinstance(element, str) else _without_secrets(element) for element in value]
    return value


def read_account(session: Session, count: Callable[[str, int], None] = lambda *_: None) -> Inventory:
    """The inventory of the account; ``count`` is called with the name and the number of nodes of each field.

    Raises `MigrateError` where the account does not answer, or gives nothing at all.
    """
    reader = _Reader(session, count)
    reader.check()
    inventory = Inventory(
        endpoint=session.endpoint,
        read_at=datetime.now(UTC).isoformat(timespec="seconds"),
        spaces=reader.listed("Spaces", "spaces", Space),
        aws_integrations=reader.listed("Integrations", "awsIntegrations", AwsIntegration),
        contexts=reader.listed("Contexts", "contexts", Context),
        modules=reader.paged("Modules", "searchModules", Module),
        stacks=reader.paged("Stacks", "searchStacks", Stack),
    )
    if not inventory.stacks and not inventory.spaces and reader.errors:
        raise MigrateError(f"{session.endpoint} told nothing: {next(iter(reader.errors)).message}")
    return msgspec.structs.replace(inventory, missing=tuple(reader.missing), errors=tuple(reader.errors))
