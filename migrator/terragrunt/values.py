"""The values of Terragrunt's expressions: Terraform's evaluator, with the files and functions of Terragrunt in scope.

Locals, ``include`` and ``read_terragrunt_config`` are followed through the files of the repository, with the functions
that find those: https://terragrunt.gruntwork.io/docs/reference/built-in-functions. Paths begin with ``/`` at the
repository's root.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from migrator.regex import regex
from migrator.syntax.hcl.strings import quote
from migrator.syntax.terraform import Attribute, Block
from migrator.terraform.expressions.budget import EvaluationBudget, MissingError, UnknownError
from migrator.terraform.expressions.evaluate import (
    Expression,
    Function,
    Scope,
    if_known,
    string_of,
    strings_of,
)
from migrator.terraform.expressions.forms import call
from migrator.terraform.expressions.functions import FUNCTIONS
from migrator.workspace.module import Module

if TYPE_CHECKING:
    from migrator.span import Span
    from migrator.workspace.document import Document
    from migrator.workspace.workspace import Workspace

_READS_FILE = regex(r"(?:file|templatefile)\(")


class Config(Scope, frozen=True, eq=False, kw_only=True, dict=True):
    """The file ``document`` as the unit in ``folder`` reads it; ``parent`` is its own folder if it is included."""

    workspace: Workspace
    document: Document
    folder: str
    parent: str

    @property
    def functions(self) -> Mapping[str, Function]:
        """Terraform's functions, and Terragrunt's own."""
        return _FUNCTIONS

    def root(self, name: str) -> Expression | None:
        """The expression of ``local.name`` or ``include``."""
        if name == "include":
            unlabelled = self.includes.get("")
            return _File("{}", unlabelled) if unlabelled is not None else _Includes("{}", self)
        kind, _, name = name.partition(".")
        return self.local(name) if kind == "local" else None

    def value(self, attribute: Attribute) -> Expression:
        """The value of an argument or item of the file."""
        return self.expression(self.document, attribute)

    def attribute(self, name: str) -> Attribute | None:
        """The argument ``name`` at the top of the file, if there is one."""
        attributes = (entry for entry in self.document.items if isinstance(entry, Attribute) and entry.name == name)
        return next(attributes, None)

    def blocks(self, type_: str) -> Iterator[Block]:
        """The blocks of one type at the top of the file."""
        return (entry for entry in self.document.items if isinstance(entry, Block) and entry.type == type_)

    def local(self, name: str) -> Expression | None:
        """The local called ``name``."""
        attributes = (block.attribute(name) for block in self.blocks("locals"))
        return next((self.value(attribute) for attribute in attributes if attribute is not None), None)

    @cached_property
    def includes(self) -> dict[str, Config | None]:
        """The included files, by label; None for a file that cannot be found."""
        by_label = self.__dict__["includes"] = dict[str, Config | None]()  # a path may name the other includes
        for block in self.blocks("include"):
            path = block.attribute("path")
            document = self._file(self.value(path).string) if path else None
            label = block.labels[0] if block.labels else ""
            by_label[label] = config_of(self.workspace, document, self.folder) if document else None
        return by_label

    def read(self, path: str | None) -> Config | None:
        """The value of ``read_terragrunt_config`` for the file at ``path``, if the file exists."""
        document = self._file(path)
        return config_of(self.workspace, document) if document is not None else None

    def found_above(self, *names: str) -> str | None:
        """The path of the nearest file of one of the ``names`` in a folder above the unit's."""
        folder = self.folder
        while folder:
            folder = posixpath.dirname(folder)
            for name in names:
                path = posixpath.join(folder, name)
                if self.workspace.terragrunt_file(path) is not None:
                    return f"/{path}"
        return None

    def _file(self, path: str | None) -> Document | None:
        if path is None:
            return None
        absolute_path = path if path.startswith("/") else f"/{self.folder}/{path}"
        document = self.workspace.terragrunt_file(posixpath.normpath(absolute_path).lstrip("/"))
        return document if document is not None and document.path != self.document.path else None


def config_of(workspace: Workspace, document: Document, folder: str | None = None) -> Config:
    """A file as the unit in ``folder`` reads it; by default as a unit of its own folder."""
    parent = posixpath.dirname(document.path)
    own_folder = parent if folder is None else folder
    return Config(Module(parent, [document]), workspace=workspace, document=document, folder=own_folder, parent=parent)


class _Part(Expression, frozen=True, eq=False):
    """A part of the configuration with members, but without an object constructor."""

    @property
    def items(self) -> None:
        return None

    @property
    def parts(self) -> None:
        return None


class _Includes(_Part, frozen=True, eq=False):
    """``include`` of a file: the included files by label."""

    def object_item(self, name: str) -> Expression | None:
        included = _config(self).includes.get(name)
        return _File("{}", included) if included is not None else None


class _File(_Part, frozen=True, eq=False):
    """A file: its ``locals``, and the arguments at its top."""

    def object_item(self, name: str) -> Expression | None:
        if name == "locals":
            return _Locals("{}", self.scope)
        argument = _config(self).attribute(name)
        return _config(self).value(argument) if argument is not None else None


class _Locals(_Part, frozen=True, eq=False):
    """The ``locals`` of a file."""

    def object_item(self, name: str) -> Expression:
        local = _config(self).local(name)
        if local is None:
            raise MissingError
        return local


def _config(value: Expression) -> Config:
    return cast("Config", value.scope)


class LiteralObject(Struct, frozen=True, eq=False):
    """An object constructor at ``span`` of a file, and its ``items``."""

    expression: Expression
    document: Document
    span: Span
    items: tuple[Attribute, ...]

    def value(self, argument: Attribute) -> Expression:
        """The value of one of its items."""
        return self.expression.part(argument.name, argument)

    @property
    def local(self) -> str | None:
        """The local that is, or contains, the object; None for an object in place."""
        for block in _config(self.expression).blocks("locals"):
            for attribute in block.attributes:
                if attribute.value.start <= self.span.start < attribute.value.end:
                    return attribute.name
        return None


def objects(value: Expression) -> tuple[LiteralObject, ...] | None:
    """The literal objects that a value is merged of; None if some are unknown."""
    return if_known(lambda: tuple(_objects(value, EvaluationBudget())))


def _objects(value: Expression, budget: EvaluationBudget) -> Iterator[LiteralObject]:
    origin, budget = value.origin, budget.after_step()
    if origin is None:
        raise UnknownError
    function_call = call(origin.text)
    if function_call is not None and function_call.function == "merge" and not function_call.suffix:
        for argument in origin.arguments(function_call):
            yield from _objects(argument, budget)
    elif origin.document is not None and origin.span is not None and origin.items is not None:
        yield LiteralObject(origin, origin.document, origin.span, tuple(origin.items.values()))
    else:
        raise UnknownError


def is_file(value: Expression) -> bool:
    """Whether a value comes from ``file`` or ``templatefile``."""
    origin = value.origin
    return origin is not None and _READS_FILE.match(origin.text) is not None


def file_of(value: Expression) -> Document | None:
    """The file that ``file`` or ``templatefile`` reads, if the file belongs to this repository."""
    origin = value.origin
    function_call = call(origin.text) if origin is not None and _READS_FILE.match(origin.text) else None
    if origin is None or function_call is None or not function_call.arguments:
        return None
    path, config = origin.derived(function_call.arguments[0]).string, _config(origin)
    if path is None:
        return None
    absolute_path = posixpath.normpath(posixpath.join("/", config.parent, path)).lstrip("/")
    return config.workspace.documents.get(absolute_path) or config.workspace.other(absolute_path)


def _read(expression: Expression, arguments: list[Expression], budget: EvaluationBudget) -> Expression:
    path = string_of(arguments[0], budget) if arguments else None
    if path is None:
        raise UnknownError
    config = _config(expression).read(path)
    if config is None:
        raise MissingError
    return _File("{}", config)


def _of_strings(make: Callable[[Config, list[str]], str | None]) -> Function:
    """A function of strings: all arguments must be known."""

    def apply(expression: Expression, arguments: list[Expression], budget: EvaluationBudget) -> Expression:
        strings = [string_of(argument, budget) for argument in arguments]
        known_strings = [string for string in strings if string is not None]
        result = make(_config(expression), known_strings) if len(known_strings) == len(strings) else None
        if result is None:
            raise UnknownError
        return expression.derived(quote(result))

    return apply


def _join(expression: Expression, arguments: list[Expression], budget: EvaluationBudget) -> Expression:
    parts = strings_of(arguments[1], budget) if len(arguments) == 2 else None
    separator = string_of(arguments[0], budget) if arguments else None
    if parts is None or separator is None:
        raise UnknownError
    return expression.derived(quote(separator.join(parts)))


def _find_in_parent_folders(config: Config, arguments: list[str]) -> str:
    path = config.found_above(*(arguments[:1] or ["terragrunt.hcl", "root.hcl"]))
    if path is None and len(arguments) < 2:
        raise MissingError  # Terragrunt fails, except inside of ``try``
    return path or arguments[1]


def _format(_: Config, arguments: list[str]) -> str | None:
    text, values = (arguments[0], arguments[1:]) if arguments else ("", [])
    is_plain = text.count("%s") == text.count("%") == len(values)
    return text % tuple(values) if is_plain else None


_OF_STRINGS: dict[str, Callable[[Config, list[str]], str | None]] = {
    "abspath": lambda _, arguments: arguments[0] if arguments else None,
    "basename": lambda _, arguments: posixpath.basename(arguments[0]) if arguments else None,
    "dirname": lambda _, arguments: posixpath.dirname(arguments[0]) if arguments else None,
    "find_in_parent_folders": _find_in_parent_folders,
    "format": _format,
    "get_original_terragrunt_dir": lambda config, _: f"/{config.folder}",
    "get_parent_terragrunt_dir": lambda config, _: f"/{config.parent}",
    "get_path_to_repo_root": lambda config, _: posixpath.relpath("/", f"/{config.folder}"),
    "get_repo_root": lambda *_: "",
    "get_terragrunt_dir": lambda config, _: f"/{config.folder}",
}
_FUNCTIONS: Mapping[str, Function] = {
    **FUNCTIONS,
    "join": _join,
    "read_terragrunt_config": _read,
    **{name: _of_strings(make) for name, make in _OF_STRINGS.items()},
}
