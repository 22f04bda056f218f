"""The declarations that lose their last use by the edits, through locals, data, module calls and outputs.

The candidates are the declarations that removed text refers to, and the declarations that these refer to in turn. A
candidate stays if a place that stays uses it, and then its own references may stay, too. Only other candidates use the
remaining ones.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.config.config import ROLE_VARIABLE
from migrator.model.findings import LeftAlone
from migrator.regex import regex
from migrator.secret.names import STATIC_KEYS
from migrator.span import Cover, Edit
from migrator.terraform.published import is_published
from migrator.terraform.usage import diagnostics
from migrator.terraform.usage.declarations import (
    Assignment,
    Node,
    Piece,
    called_by,
)
from migrator.terraform.usage.graph import UsageGraph
from migrator.terraform.usage.references import Use, addresses, argument_at
from migrator.workspace.diagnostics import EXCLUDED, IGNORED_BY_COMMENT
from migrator.workspace.discover import Kind

if TYPE_CHECKING:
    from migrator.model.findings import Place
    from migrator.syntax.terraform import Attribute, Block
    from migrator.terraform.usage.variable_values import VariableValues
    from migrator.workspace.document import Document
    from migrator.workspace.workspace import Workspace

_KEY_ON_LINE = regex(rf"(?<!\w)(?:{'|'.join(sorted(STATIC_KEYS))})\"?\s*[=:][^=:,]*$")
_CHOOSES = regex(r"[^?:,\n]*\?")
_READ = (Kind.CONFIG, Kind.TEST, Kind.TERRAGRUNT)


class Flow(Struct):
    """The use of a candidate: whether its value went on to removed text, and whether to an argument for a key."""

    is_value: bool = False
    is_key: bool = False


class Orphans:
    """The candidates of one repository; ``edits`` are the planned edits by file, ``roots`` the known root modules.

    ``values`` and ``value_sources`` find values for root variables from outside. ``siblings`` are the modules that get
    Terraform code from a file, for example by Terragrunt; None if the modules are unknown.
    """

    def __init__(
        self,
        workspace: Workspace,
        edits: Mapping[str, Sequence[Edit]],
        roots: Collection[str],
        values: VariableValues,
        value_sources: Sequence[Callable[[str], Iterable[Assignment]]],
        siblings: Mapping[str, frozenset[str] | None],
    ) -> None:
        self.workspace = workspace
        self._edits = edits
        self._roots = roots
        self.graph = UsageGraph(workspace, (values.in_files, *value_sources), siblings)
        self._by_environment: dict[str, Place | None] = {}
        self.values = values
        self.flows = self._candidates()
        self.reasons_to_stay = self._find_reasons_to_stay()

    @cached_property
    def nodes(self) -> dict[Node, Flow]:
        """The nodes that are removed."""
        return {node: flow for node, flow in self.flows.items() if node not in self.reasons_to_stay}

    def assigned_pieces(self, node: Node) -> tuple[list[Piece], list[Piece]]:
        """The values of a variable: the pieces to remove, and the pieces that another module may still read."""
        removed: list[Piece] = []
        remaining: list[Piece] = []
        for argument in self.graph.assignments_of(node):
            (removed if self._goes_along(argument, node, self.reasons_to_stay) else remaining).append(argument.piece)
        return removed, remaining

    def _goes_along(self, assignment: Assignment, node: Node, staying: Collection[Node]) -> bool:
        if (
            assignment.readers is None
            or assignment.objection
            or self._objection(assignment.piece.document, assignment.piece.element)
        ):
            return False
        declared = self.graph.variables_called(node.name)
        variables = (declared[path] for path in assignment.readers if path in declared)
        return all(node in self.flows and node not in staying for node in variables)

    # --- who may go -------------------------------------------------------------------------------------------------

    def _candidates(self) -> dict[Node, Flow]:
        flows: dict[Node, Flow] = {}
        pending: list[tuple[Node, Flow]] = []
        for path in self._edits:
            document = self.workspace.documents.get(path)
            for use in (
                self.graph.references.uses_in(document) if document is not None and document.kind in _READ else ()
            ):
                if self._is_gone(use):
                    flow = Flow(not _is_condition(use), _is_for_key(use) and not _is_condition(use))
                    pending += (
                        (node, flow) for module in self.graph.modules_of(use) for node in self.graph.nodes(module, use)
                    )
        while pending:
            node, flow = pending.pop()
            known_flow = flows.get(node)
            merged = Flow(
                flow.is_value or bool(known_flow and known_flow.is_value),
                flow.is_key or bool(known_flow and known_flow.is_key),
            )
            if merged != known_flow and self.graph.pieces(node):
                flows[node] = merged
                goes_on = node.kind in ("var", "local", "output")
                passed = Flow(merged.is_value and goes_on, merged.is_key and goes_on)
                pending += ((neighbour, passed) for neighbour in self.graph.neighbours(node) if neighbour != node)
        return flows

    def _is_gone(self, use: Use) -> bool:
        path = use.document.path
        return path in self._covered and use.offset in self._covered[path] and use.address not in self._written[path]

    @cached_property
    def _covered(self) -> dict[str, Cover]:
        """The spans that the edits remove, by file."""
        return {path: Cover(edit.span for edit in edits) for path, edits in self._edits.items()}

    @cached_property
    def _written(self) -> dict[str, set[str]]:
        """The addresses that the edits refer to, by file."""
        return {
            path: {address for edit in edits for address in addresses(edit.text)} for path, edits in self._edits.items()
        }

    # --- who stays --------------------------------------------------------------------------------------------------

    def _find_reasons_to_stay(self) -> dict[Node, LeftAlone]:
        staying = {node: reason for node in self.flows if (reason := self._reason_to_stay(node))}
        order = {node: number for number, node in enumerate(self.flows)}
        pending = set(self.flows)
        while pending:
            nodes = sorted(pending - staying.keys(), key=order.__getitem__)
            also_staying = {node: reason for node in nodes if (reason := self._in_use(node, staying))}
            staying |= also_staying
            pending = {holder for node in also_staying for holder in self._served.get(node, ())}
        return staying

    def _in_use(self, node: Node, staying: Mapping[Node, LeftAlone]) -> LeftAlone | None:
        for use in self.graph.uses(node):
            if not self._is_gone(use) and not self._is_removed_with_holder(use, staying):
                return diagnostics.STILL_USED.left_alone(place=use.place)
        for other, reason in self._counterparts(node):
            if other not in self.flows or other in staying:
                return reason
        return None

    def _is_removed_with_holder(self, use: Use, staying: Mapping[Node, LeftAlone]) -> bool:
        holders = ((node, assignment) for node, assignment in self._holders.get(use, ()) if node not in staying)
        return any(assignment is None or self._goes_along(assignment, node, staying) for node, assignment in holders)

    @cached_property
    def _holders(self) -> dict[Use, list[tuple[Node, Assignment | None]]]:
        """The candidates that would take each reference along: as a part of them, or of their values."""
        holders: dict[Use, list[tuple[Node, Assignment | None]]] = {}
        for node in self.flows:
            parts: list[tuple[Piece, Assignment | None]] = [(piece, None) for piece in self.graph.pieces(node)]
            parts += (
                (argument.piece, argument)
                for argument in self.graph.assignments_of(node)
                if argument.piece.document.kind in _READ
            )
            for piece, assignment in parts:
                for use in self.graph.references.uses_within(piece.document, piece.element.span):
                    holders.setdefault(use, []).append((node, assignment))
        return holders

    @cached_property
    def _served(self) -> dict[Node, set[Node]]:
        """The candidates that may have to stay if another candidate stays."""
        served: dict[Node, set[Node]] = {}
        for node in self.flows:
            users = {holder for use in self.graph.uses(node) for holder, _ in self._holders.get(use, ())}
            for counterpart in users.union(other for other, _ in self._counterparts(node)):
                served.setdefault(counterpart, set()).add(node)
        return served

    def _counterparts(self, node: Node) -> Iterator[tuple[Node, LeftAlone]]:
        """The same declaration in the other modules that contain its files and need it, with the reason."""
        for piece in self.graph.pieces(node):
            for module in self.workspace.modules_of(piece.document):
                reason = diagnostics.NEEDED_BY_MODULE.left_alone(module=module.path or ".", file=piece.document.path)
                paths = [module.path] if module.path != piece.module else []
                if paths and piece.parents and piece.parents[-1].type == "module":
                    called = called_by(self.workspace, module.path, piece.parents[-1].labels[0])
                    paths = [path for path, _ in called]
                yield from ((Node(path, node.address), reason) for path in paths)

    def _reason_to_stay(self, node: Node) -> LeftAlone | None:
        """The reason why the node has to stay, apart from references; None without a reason."""
        if node.kind == "var" and node.name.startswith(ROLE_VARIABLE):
            return diagnostics.HOLDS_ROLE.left_alone()
        if node.kind not in ("var", "local", "data", "ephemeral", "output"):
            return (
                diagnostics.CREATES_RESOURCE if node.kind != "module" else diagnostics.OUTPUT_OF_MODULE
            ).left_alone()
        for piece in self.graph.pieces(node):
            if reason := self._objection(piece.document, piece.element):
                return reason
        ignored = (
            argument.piece
            for argument in self.graph.assignments_of(node)
            if argument.piece.document.has_ignored(argument.piece.element.span)
        )
        if ignored_piece := next(ignored, None):
            return diagnostics.VALUE_IGNORED.left_alone(place=ignored_piece.place)
        missing = [path for path in self.workspace.missing if _may_use(path, node)]
        if missing:
            return diagnostics.NOT_IN_WORK_TREE.left_alone(path=missing[0])
        return self._outside_use(node) if node.kind in ("var", "output") else None

    def _objection(self, document: Document, element: Attribute | Block) -> LeftAlone | None:
        if document.is_ignored(element) or document.is_excluded:
            return (EXCLUDED if document.is_excluded else IGNORED_BY_COMMENT).left_alone()
        objection = self.workspace.objection(document.path)
        return LeftAlone(objection.reason, code=objection.code, help=objection.help) if objection else None

    def _outside_use(self, node: Node) -> LeftAlone | None:
        """The possible setter of the variable, or reader of the output, without a visible reference."""
        if node.kind == "var" and (place := self.values.set_outside(node.name)):
            return diagnostics.VALUE_FROM_OUTSIDE.left_alone(place=place)
        if node.kind == "var" and (place := self._from_environment(node)):
            return diagnostics.VALUE_FROM_ENVIRONMENT.left_alone(place=place)
        if node.kind == "output" and not self.workspace.calls.get(node.module):
            return diagnostics.ROOT_OUTPUT.left_alone()
        if frozen := self.workspace.frozen.get(node.module):
            return diagnostics.CALLER_CANNOT_FOLLOW.left_alone(reason=frozen)
        if is_published(self.workspace, node.module, self._roots):
            return diagnostics.PUBLISHED_MODULE.left_alone()
        word = re.compile(rf"\b{re.escape(node.name)}\b")
        for document in self._problems:
            if word.search(document.text):
                return diagnostics.UNPARSED_FILE.left_alone(path=document.path)
        if node.kind == "output":
            pattern = re.compile(rf"\.{re.escape(node.name)}\b")
            test = next((test for test in self._tests if pattern.search(test.text)), None)
            return diagnostics.TEST_MAY_USE.left_alone(path=test.path) if test else None
        tests = (test for test in self.workspace.modules[node.module].tests if test.path.endswith(".json"))
        mentioning_test = next((test for test in tests if word.search(test.text)), None)
        return (
            diagnostics.TEST_MAY_USE.left_alone(path=mentioning_test.path)
            if mentioning_test
            else self._unclear_call(node)
        )

    @cached_property
    def _problems(self) -> list[Document]:
        documents = self.workspace.documents.values()
        return [document for document in documents if document.kind in (Kind.CONFIG, Kind.TEST) and document.problem]

    @cached_property
    def _tests(self) -> list[Document]:
        return [document for module in self.workspace.modules.values() for document in module.tests]

    def _from_environment(self, node: Node) -> Place | None:
        """The place where a program's environment sets the variable, without the values that are removed with it."""
        if node.name not in self._by_environment:
            own_pieces = {
                id(argument): argument.piece
                for arguments in self.graph.assignments_by_reader(node.name).values()
                for argument in arguments
            }
            places = self.values.in_environment(node.name)
            uncovered_places = (
                place for place in places if not any(piece.covers(place) for piece in own_pieces.values())
            )
            self._by_environment[node.name] = next(uncovered_places, None)
        return self._by_environment[node.name]

    def _unclear_call(self, node: Node) -> LeftAlone | None:
        """A module call that sets a variable of this name, for a module that may be a copy of this module."""
        name = posixpath.basename(node.module)
        for place, source in self._unclear.get(node.name, ()):
            if source is None or (name and re.search(rf"/{re.escape(name)}(?:[?]|$)", source)):
                return diagnostics.UNCLEAR_CALL.left_alone(place=place)
        return None

    @cached_property
    def _unclear(self) -> dict[str, list[tuple[Place, str | None]]]:
        """The arguments of calls without a local path, by name, each with its place and the source, if known."""
        arguments: dict[str, list[tuple[Place, str | None]]] = {}
        for module in self.workspace.modules.values():
            for document, block in module.blocks("module"):
                source = block.attribute("source")
                called = document.literal(source)
                if source is not None and (called is None or not called.startswith(("./", "../"))):
                    for argument in block.attributes:
                        arguments.setdefault(argument.name, []).append((document.place(argument), called))
        return arguments


def _may_use(path: str, node: Node) -> bool:
    return node.kind in ("var", "output") or posixpath.dirname(path) == node.module


def _is_for_key(use: Use) -> bool:
    """Whether a reference is in the value of an argument for a key, in a block, or on its line in other text."""
    line = use.document.text[use.document.text.rfind("\n", 0, use.offset) + 1 : use.offset]
    return argument_at(use.document, use.offset) in STATIC_KEYS or _KEY_ON_LINE.search(line) is not None


def _is_condition(use: Use) -> bool:
    """Whether a reference chooses between two values, and is neither of them."""
    return _CHOOSES.match(use.document.text, use.offset) is not None
