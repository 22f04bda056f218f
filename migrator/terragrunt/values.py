"""The values of Terragrunt's expressions, as far as they are known without a run, and the places of the values.

Locals, ``include`` and ``read_terragrunt_config`` are followed through the files of the repository, with the functions
that find those: https://terragrunt.gruntwork.io/docs/reference/built-in-functions. Paths begin with ``/`` at the
repository's root.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.errors import SyntaxProblem
from migrator.regex import regex
from migrator.span import Span
from migrator.syntax.hcl import parse as hcl
from migrator.syntax.hcl.scanner import skip_balanced
from migrator.syntax.hcl.strings import quote, string_value
from migrator.syntax.terraform import Attribute, Block

if TYPE_CHECKING:
    from migrator.workspace.document import Document
    from migrator.workspace.workspace import Workspace

_DEPTH = 16
_STEPS = r'(?:\.[\w-]+|\["[^"$\\]*"\])*'
_STEP = regex(r'\.([\w-]+)|\["([^"]*)"\]')
_TRAVERSAL = regex(rf"(?P<kind>local|include)(?P<steps>{_STEPS})")
_CALL = regex(r"(?P<function>\w+)\(")
_READS_FILE = regex(r"(?:file|templatefile)\(")
_AFTER_CALL = regex(_STEPS)
_TEMPLATE = regex(r"(?<!\$)\$\{\s*([^{}]+?)\s*\}")


class Value(Struct, frozen=True, eq=False):
    """An expression of ``config``: its ``text``, and its place where it is written in the file as it is."""

    text: str
    config: Config
    span: Span | None = None

    def derived(self, text: str) -> Value:
        """Another expression of the same file."""
        return Value(text, self.config)

    @property
    def origin(self) -> Value | None:
        """The expression behind all references; None where that is not known."""
        found = _followed(self)
        return found if isinstance(found, Value) else None

    @property
    def string(self) -> str | None:
        """The string that it is; None where that is not known."""
        return _string(self, _DEPTH)

    @property
    def objects(self) -> tuple[Value, ...] | None:
        """The literal objects, with their places, that it is merged of; None where they are not all known."""
        try:
            return tuple(_objects(self, _DEPTH))
        except (LookupError, SyntaxProblem):
            return None

    @property
    def is_file(self) -> bool:
        """Whether the value comes from ``file`` or ``templatefile``."""
        found = _followed(self)
        return isinstance(found, Value) and _READS_FILE.match(found.text.strip()) is not None

    @property
    def file(self) -> Document | None:
        """The file that ``file`` or ``templatefile`` reads, if it is one of this repository."""
        found = _followed(self)
        call = _READS_FILE.match(found.text.strip()) if isinstance(found, Value) else None
        if call is None or not isinstance(found, Value):
            return None
        path = (_arguments(found, found.text.strip()[call.end() - 1 :]) or [found])[0].string
        if path is None:
            return None
        whole = posixpath.normpath(posixpath.join("/", posixpath.dirname(found.config.document.path), path)).lstrip("/")
        return self.config.workspace.documents.get(whole) or self.config.workspace.other(whole)

    @property
    def items(self) -> tuple[Attribute, ...]:
        """The items of the literal object that it is."""
        document = self.config.document
        return (hcl.object_items(document.text, self.span) or ()) if self.span else ()

    @property
    def local(self) -> str | None:
        """The local that it is, or is a part of; None where it is written in place."""
        for block in self.config.blocks("locals") if self.span else ():
            for attribute in block.attributes:
                if self.span and attribute.value.start <= self.span.start < attribute.value.end:
                    return attribute.name
        return None

    def item(self, attribute: Attribute) -> Value:
        """The value of one of its `items`."""
        return self.config.value(attribute)


class Config(Struct, frozen=True, eq=False, dict=True):
    """The file ``document`` as the unit in ``folder`` reads it; ``parent`` is its own folder where it is included."""

    workspace: Workspace
    document: Document
    folder: str
    parent: str

    def value(self, attribute: Attribute) -> Value:
        """The value of an argument or item of the file."""
        return Value(attribute.value.of(self.document.text), self, attribute.value)

    def argument(self, name: str) -> Attribute | None:
        """The argument ``name`` at the top of the file, if there is one."""
        return next(
            (child for child in self.document.items if isinstance(child, Attribute) and child.name == name), None
        )

    def blocks(self, type_: str) -> Iterator[Block]:
        """The blocks of one type at the top of the file."""
        return (child for child in self.document.items if isinstance(child, Block) and child.type == type_)

    def local(self, name: str) -> Value | None:
        """The local called ``name``."""
        found = (block.attribute(name) for block in self.blocks("locals"))
        return next((self.value(attribute) for attribute in found if attribute is not None), None)

    @cached_property
    def includes(self) -> dict[str, Config | None]:
        """What the file includes, by label; None for what cannot be found."""
        found: dict[str, Config | None] = {}
        for block in self.blocks("include"):
            path = block.attribute("path")
            document = self._file(self.value(path).string) if path else None
            label = block.labels[0] if block.labels else ""
            parent = posixpath.dirname(document.path) if document else ""
            found[label] = Config(self.workspace, document, self.folder, parent) if document else None
        return found

    def read(self, path: str | None) -> Config | None:
        """The value of ``read_terragrunt_config`` for the file at ``path``, if the file exists."""
        document = self._file(path)
        if document is None:
            return None
        folder = posixpath.dirname(document.path)
        return Config(self.workspace, document, folder, folder)

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
        whole = path if path.startswith("/") else f"/{self.folder}/{path}"
        found = self.workspace.terragrunt_file(posixpath.normpath(whole).lstrip("/"))
        return found if found is not None and found.path != self.document.path else None


def _followed(value: Value, depth: int = _DEPTH) -> Value | Config | None:
    text = value.text.strip()
    if depth == 0:
        return None
    if text.startswith("(") and skip_balanced(text, 0) == len(text):
        return _followed(value.derived(text[1:-1]), depth - 1)
    if text.startswith('"') and (inner := hcl.interior(text, Span(0, len(text)))) is not None:
        return _followed(value.derived(inner.of(text)), depth - 1)
    if traversal := _TRAVERSAL.fullmatch(text):
        return _walked(value.config, f".{traversal['kind']}{traversal['steps']}", depth - 1)
    call = _CALL.match(text)
    end = skip_balanced(text, call.end() - 1) if call else 0
    if call is None or not _AFTER_CALL.fullmatch(text, end):
        return value
    if call["function"] == "read_terragrunt_config":
        path = _arguments(value, text[call.end() - 1 : end])[:1]
        return _walked(value.config.read(_string(path[0], depth - 1)) if path else None, text[end:], depth - 1)
    return value if end == len(text) else None


def _walked(start: Config | None, steps: str, depth: int) -> Value | Config | None:
    """What stands at ``steps`` from a file: ``.local.name`` of its own, ``.locals.name`` of one that is read."""
    names = [match[1] or match[2] for match in _STEP.finditer(steps)]
    found: Value | Config | None = start
    while names and isinstance(found, Config):
        kind = names.pop(0)
        if kind in ("local", "locals"):
            found = found.local(names.pop(0)) if names else None
        elif kind == "include":
            found = found.includes.get("" if "" in found.includes else names.pop(0)) if names else None
        else:
            argument = found.argument(kind)
            found = found.value(argument) if argument is not None else None
        found = _followed(found, depth - 1) if isinstance(found, Value) else found
    for name in names:
        member = _member(found, name, depth) if isinstance(found, Value) else None
        found = None if member is None else _followed(member, depth - 1)
    return found


def _member(value: Value, name: str, depth: int) -> Value | None:
    try:
        objects = list(_objects(value, depth - 1))
    except (LookupError, SyntaxProblem):
        return None
    found = [entry.item(item) for entry in objects for item in entry.items if item.name == name]
    return found[-1] if found else None


def _objects(value: Value, depth: int) -> Iterator[Value]:
    found = _followed(value, depth)
    if depth == 0 or not isinstance(found, Value):
        raise LookupError
    text = found.text.strip()
    if text.startswith("merge(") and skip_balanced(text, 5) == len(text):
        for argument in _arguments(found, text[5:]):
            yield from _objects(argument, depth - 1)
    elif found.span is not None and hcl.object_items(found.config.document.text, found.span) is not None:
        yield found
    else:
        raise LookupError


def _arguments(value: Value, parenthesis: str) -> list[Value]:
    """The arguments of a call; with their places if it has one."""
    listed = "[" + parenthesis[1:-1] + "]"
    spans = hcl.list_items(listed, Span(0, len(listed))) or ()
    if value.span is None:
        return [value.derived(span.of(listed)) for span in spans]
    start = value.span.of(value.config.document.text).index(parenthesis) + value.span.start
    return [
        Value(span.of(listed), value.config, Span(start + span.start, start + span.end))
        for span in spans
        if value.config.document.text[start + span.start : start + span.end] == span.of(listed)
    ]


def _string(value: Value, depth: int) -> str | None:
    try:
        found = _followed(value, depth)
        if depth == 0 or not isinstance(found, Value):
            return None
        text = found.text.strip()
        literal = string_value(text)
        if literal is not None:
            return literal
        if text.startswith('"'):
            return _filled(found, text, depth)
        if re.fullmatch(r"\d+", text):
            return text
        call = _CALL.match(text)
        function = (
            _FUNCTIONS.get(call["function"]) if call and skip_balanced(text, call.end() - 1) == len(text) else None
        )
        if call is not None and call["function"] in ("try", "coalesce"):
            tried = (_string(argument, depth - 1) for argument in _arguments(found, text[call.end() - 1 :]))
            return next(filter(None, tried), None)
        if call is not None and call["function"] == "join":
            return _joined(found, _arguments(found, text[call.end() - 1 :]), depth - 1)
        if call is None or function is None:
            return None
        arguments = [_string(argument, depth - 1) for argument in _arguments(found, text[call.end() - 1 :])]
        return (
            None
            if None in arguments
            else function(found.config, [argument for argument in arguments if argument is not None])
        )
    except SyntaxProblem:
        return None


def _joined(value: Value, arguments: list[Value], depth: int) -> str | None:
    """What ``join`` makes of a list that is written out."""
    listed = hcl.list_items(arguments[1].text, Span(0, len(arguments[1].text))) if len(arguments) == 2 else None
    if listed is None:
        return None
    parts = [_string(value.derived(span.of(arguments[1].text)), depth) for span in listed]
    separator = _string(arguments[0], depth)
    return None if separator is None or None in parts else separator.join(part or "" for part in parts)


def _filled(value: Value, template: str, depth: int) -> str | None:
    values = {inner: _string(value.derived(inner), depth - 1) for inner in _TEMPLATE.findall(template)}
    if not values or None in values.values():
        return None
    return string_value(_TEMPLATE.sub(lambda match: quote(values[match[1]] or "")[1:-1], template))


def _find_in_parent_folders(config: Config, arguments: list[str]) -> str | None:
    names = arguments[:1] or ["terragrunt.hcl", "root.hcl"]
    fallback = arguments[1] if len(arguments) > 1 else None
    return config.found_above(*names) or fallback


def _format(_: Config, arguments: list[str]) -> str | None:
    text, values = (arguments[0], arguments[1:]) if arguments else ("", [])
    is_plain = text.count("%s") == text.count("%") == len(values)
    return text % tuple(values) if is_plain else None


_FUNCTIONS: dict[str, Callable[[Config, list[str]], str | None]] = {
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
