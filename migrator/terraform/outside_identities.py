"""Identities for other repositories are expressions over the variables of a module, without any value.

A caller in another repository evaluates the identity for each of its calls. A value that is equal in all calls of the
module has a name there. A value that depends on variables alone is a function of these. Any other value may differ
between two calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.secret.mask import mask
from migrator.syntax.hcl.strings import quote
from migrator.syntax.source import SourceFile
from migrator.terraform.expressions.terms import NULL, Term, is_taken_as_passed
from migrator.terraform.residues import Identity, Residues, without_nulls
from migrator.workspace.discover import Kind
from migrator.workspace.document import Document
from migrator.workspace.module import Module

if TYPE_CHECKING:
    from migrator.model.fleet import KnownInput, KnownModule
    from migrator.workspace.workspace import Workspace

_UNKNOWN = "unknown.value[{}]"
"""An unknown value of the module, which may differ in each call."""

_FUNCTION = "known_to_its_module"


def plain_identity(module: Module, identity: Identity | None, title: str) -> tuple[tuple[str, str], ...]:
    """An identity of ``module`` as expressions by name, with the name ``title`` in the run; None is an unknown one."""
    if identity is None:
        return (("", _UNKNOWN.format(quote(title))),)
    return tuple((name, _expression(module, value, f"{title}: {name}")) for name, value in identity)


def plain_defaults(module: Module, residues: Residues, title: str) -> Iterator[tuple[str, str]]:
    """The optional variables of a module, each with its default: null, or a name for the default."""
    values_by_name: dict[str, set[Term]] = {}
    for document, block in module.blocks("variable"):
        if block.labels and (default := block.attribute("default")) is not None:
            values_by_name.setdefault(block.labels[0], set()).add(residues.argument(module, document, default))
    for name, defaults in sorted(values_by_name.items()):
        yield name, "null" if defaults == {NULL} else quote(f"{title}: default of {name}")


def stub_of(workspace: Workspace, module: KnownModule) -> Module:
    """A module of another repository, as far as its callers know the module."""
    document = Document(workspace.root, f"{module.key}/variables.tf", Kind.CONFIG)
    text = "".join(f"variable {quote(name)} {{\n  default = {value}\n}}\n" for name, value in module.defaults)
    document.source = SourceFile(document.path, text.encode())
    return Module(module.key, [document])


def identity_of(residues: Residues, stub: Module, known_input: KnownInput) -> Identity:
    """The identity of a role variable of another repository's module, in the terms of that module."""
    return without_nulls({name: residues.value(stub, text) for name, text in known_input.origin})


def _expression(module: Module, value: Term, title: str) -> str:
    if not value.symbols:
        return quote(title)
    if (reference := _reference(module, value)) is not None:
        return reference
    if any(term.op != "var" or term.scope != module.path for term in value.symbols):
        return _UNKNOWN.format(quote(title))
    variables = ", ".join(sorted(f"var.{term.name}" for term in value.symbols))
    return f"{_FUNCTION}({quote(title)}, {variables})"


def _reference(module: Module, value: Term) -> str | None:
    """The expression of a variable, or of its member, if the module takes values without changes."""
    if value.op == "var" and value.scope == module.path and _is_taken_as_it_is(module, value.name):
        return f"var.{value.name}"
    if value.op != "get" or (key := value.parts[1].text) is None or mask(key) != key:
        return None
    base = _reference(module, value.parts[0])
    return None if base is None else f"{base}[{quote(key)}]"


def _is_taken_as_it_is(module: Module, name: str) -> bool:
    for document, block in module.blocks("variable", name):
        type_ = block.attribute("type")
        if block.attribute("nullable") is not None or (type_ and not is_taken_as_passed(document.expression(type_))):
            return False
    return True
