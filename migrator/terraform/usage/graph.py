"""The references in a repository: locals, variables, data, module calls, outputs, and the values of variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from migrator.regex import regex
from migrator.syntax.hcl.scanner import is_text
from migrator.terraform.usage.declarations import (
    Assignment,
    Node,
    Piece,
    arguments,
    called_by,
    declarations,
    test_values,
)
from migrator.terraform.usage.references import References, Use
from migrator.workspace.discover import Kind

if TYPE_CHECKING:
    from migrator.workspace.document import Document
    from migrator.workspace.workspace import Workspace

_FILE = regex(r"[\w-]+(?:\.[\w-]+)+")


class UsageGraph:
    """The nodes of one repository; ``sources`` find values for root variables from outside.

    ``siblings`` are the modules that get Terraform code from a file, for example by Terragrunt, by the file's path;
    None if the modules are unknown.
    """

    def __init__(
        self,
        workspace: Workspace,
        sources: Sequence[Callable[[str], Iterable[Assignment]]],
        siblings: Mapping[str, frozenset[str] | None],
    ) -> None:
        self.workspace = workspace
        self._sources = sources
        self._siblings = siblings
        self.references = References()
        self._pieces: dict[Node, tuple[Piece, ...]] = {}
        self._assignments: dict[str, dict[str, list[Assignment]]] = {}

    def pieces(self, node: Node) -> tuple[Piece, ...]:
        """All pieces of a node in the configuration and its tests; none if the node is not declared."""
        if node not in self._pieces:
            module = self.workspace.modules.get(node.module)
            declared_pieces = [] if module is None else list(declarations(module, node))
            if module is not None and declared_pieces and node.kind == "var":
                declared_pieces += [*arguments(self.workspace, node), *test_values(module, node.name)]
            self._pieces[node] = tuple(declared_pieces)
        return self._pieces[node]

    def assignments_of(self, node: Node) -> Iterator[Assignment]:
        """The values of a variable from outside."""
        if node.kind == "var":
            yield from self.assignments_by_reader(node.name).get(node.module, ())

    def assignments_by_reader(self, name: str) -> Mapping[str, list[Assignment]]:
        """The values for variables of that name, by the modules that read the values."""
        if name not in self._assignments:
            by_reader = self._assignments[name] = dict[str, list[Assignment]]()
            for argument in (argument for source in self._sources for argument in source(name)):
                for reader in argument.readers if argument.readers is not None else self.workspace.modules:
                    by_reader.setdefault(reader, []).append(argument)
        return self._assignments[name]

    def variables_called(self, name: str) -> Mapping[str, Node]:
        """The variables of that name in all modules, by the modules' paths."""
        return self._variables.get(name, {})

    @cached_property
    def _variables(self) -> dict[str, dict[str, Node]]:
        by_name: dict[str, dict[str, Node]] = {}
        for module in self.workspace.modules.values():
            for _, block in module.blocks("variable"):
                for name in block.labels[:1]:
                    by_name.setdefault(name, {})[module.path] = Node(module.path, f"var.{name}")
        return by_name

    def neighbours(self, node: Node) -> Iterator[Node]:
        """The nodes that ``node`` refers to."""
        settings = (
            argument.piece for argument in self.assignments_of(node) if argument.piece.document.kind is Kind.CONFIG
        )
        for piece in (*self.pieces(node), *settings):
            for use in self.references.uses_within(piece.document, piece.element.span):
                yield from self.nodes(piece.module, use)

    def modules_of(self, use: Use) -> Collection[str]:
        """The modules that a reference belongs to: for Terragrunt's code, the modules that get the code."""
        if use.document.kind is Kind.TERRAGRUNT:
            is_of_terraform = use.address.startswith(("var.", "data."))
            return self._siblings.get(use.document.path) or () if is_of_terraform else ()
        return [module.path for module in self.workspace.modules_of(use.document)]

    def nodes(self, module: str, use: Use) -> Iterator[Node]:
        """The nodes of a reference in a module: an output of a module of the repository is a node of that module."""
        parts = use.address.split(".")
        if parts[0] == "module":
            called = {path for path, _ in called_by(self.workspace, module, parts[1])}
            yield from (Node(path, f"output.{parts[2]}") for path in called if len(parts) == 3)
            if called and len(parts) == 3:
                return
        yield Node(module, use.address)

    def uses(self, node: Node) -> Iterator[Use]:
        """The references to a node."""
        yield from self.references.uses_of(self.workspace.modules[node.module], {node.address})
        for path, modules in self._siblings.items() if node.kind in ("var", "data", "local") else ():
            if modules is None or node.module in modules:
                file_uses = self.references.in_file(self.workspace.documents[path], {node.address})
                yield from (use for use in file_uses if node.kind != "local" or is_text(use.document.text, use.offset))
        for document in self._templates:
            yield from self.references.in_file(document, {node.address})
        if node.kind == "output":
            for call in self.workspace.calls.get(node.module, ()):
                label = f"module.{call.block.labels[0] if call.block.labels else ''}"
                yield from self.references.uses_of(call.caller, {label, f"{label}.{node.name}"})

    @cached_property
    def _templates(self) -> list[Document]:
        """The files that may be the source of Terragrunt's Terraform code."""
        texts = [self.workspace.documents[path].text for path in self._siblings]
        named = sorted({re.escape(name) for text in texts if "file(" in text for name in _FILE.findall(text)})
        pattern = rf"(?:^|/)(?:{'|'.join(named)})$|\.(?:tpl|tmpl|tftpl)$"
        return list(self.workspace.others(re.compile(pattern))) if named else []
