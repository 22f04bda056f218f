"""The units of Terragrunt: their folders, and the files that configure their sign-in.

A unit is a folder with ``terragrunt.hcl``; the common parts of units are in files that they include or read:
https://terragrunt.gruntwork.io/docs/features/units.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct, field

from migrator.errors import SyntaxProblem
from migrator.regex import regex
from migrator.syntax.hcl.scanner import skip_expression, skip_trivia
from migrator.syntax.terraform import Block
from migrator.terraform.expressions.evaluate import Expression
from migrator.terragrunt.generated import Generated, from_file, generated
from migrator.terragrunt.unit import Unit, merged
from migrator.terragrunt.values import Config, LiteralObject, config_of, file_of, is_file
from migrator.workspace.diagnostics import WRITTEN_ELSEWHERE
from migrator.workspace.discover import Kind
from migrator.workspace.generators import TERRAGRUNT

if TYPE_CHECKING:
    from migrator.model.findings import Place
    from migrator.terraform.providers import Provider
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module
    from migrator.workspace.workspace import Workspace

UNIT = "terragrunt.hcl"
_READS = regex(r"\bread_terragrunt_config\(")
_HCL = regex(r"\.hcl$")
_SHARED = regex(rb"(?m)^[ \t]*(?:remote_state|generate)\b[^\n]*[{=]")
_WRITES_AWS = regex(r"provider|backend|aws|state", re.I)
_INTERESTING = regex(
    rb"\bremote_state\b|\bprovider\b|\bbackend\b|\bAWS_|\biam_|\binclude\b|\bterraform\s*\{|=\s*(?:template)?file\("
)


def used_elsewhere(holder: LiteralObject, inside: str, documents: Iterable[Document]) -> str | None:
    """The local that contains ``holder``, if one of the ``documents`` refers to it outside of ``inside`` blocks."""
    name, own_document = holder.local, holder.document
    for document in documents if name else ():
        refers = re.compile(rf"\b{'local' if document is own_document else 'locals'}\.{re.escape(name or '')}(?![\w-])")
        allowed = [
            child.span for child in document.items if (child.type if isinstance(child, Block) else child.name) == inside
        ]
        for match in refers.finditer(document.text):
            if not any(span.start <= match.start() < span.end for span in allowed):
                return name
    return None


class Terragrunt(Struct, frozen=True, eq=False, dict=True):
    """All units of a repository, each with the name of its group.

    ``strays`` are the files that no known unit includes, and ``generated_code`` the Terraform in each file, by path.
    ``unknown`` are the ``generate`` blocks of providers and backends with unknown content, and the ``include`` blocks
    with unknown files.
    """

    units: tuple[Unit, ...] = ()
    groups: tuple[str, ...] = ()
    strays: tuple[Config, ...] = ()
    generated_code: Mapping[str, tuple[Generated, ...]] = field(default_factory=dict)
    unknown: tuple[tuple[Document, Block], ...] = ()

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """All files of units, and all stray files."""
        by_path = {config.document.path: config.document for unit in self.units for config in unit.configs}
        return tuple({**by_path, **{stray.document.path: stray.document for stray in self.strays}}.values())

    @cached_property
    def modules(self) -> dict[str, Module]:
        """The modules of this repository that units run, by the units' folders."""
        return {unit.folder: unit.module for unit in self.units if unit.module is not None}


def terragrunt(
    workspace: Workspace, providers: Mapping[str, tuple[Provider, ...]], interesting: re.Pattern[bytes] = _INTERESTING
) -> Terragrunt:
    """The units of the repository, whose modules have ``providers``; none unless a file matches ``interesting``."""
    for document in list(workspace.others(_HCL)):
        if _SHARED.search(document.source.data):
            workspace.terragrunt_file(document.path)
    documents = list(workspace.of_kind(Kind.TERRAGRUNT))
    if not any(interesting.search(document.source.data) for document in documents):
        return Terragrunt()
    own_configs = [config_of(workspace, document) for document in documents]
    included = {
        include.document.path for config in own_configs for include in config.includes.values() if include is not None
    }
    roots = [
        config_block
        for config_block in own_configs
        if _is_unit(config_block.document) and config_block.document.path not in included
    ]
    files = [tuple(_files(root)) for root in roots]
    configs_used = {config.document.path: config.document for configs in files for config in configs}
    strays = tuple(config_block for config_block in own_configs if config_block.document.path not in configs_used)
    generated_code = {
        document.path: tuple(generated(document))
        for document in (*configs_used.values(), *(stray.document for stray in strays))
    }
    units: list[Unit] = []
    from_files = _GeneratedFromFiles()
    for configs in files:
        parts = [
            part
            for state_config in configs
            for part in (*generated_code[state_config.document.path], *from_files.of(state_config))
        ]
        module = _module(configs[0])
        module_providers = providers.get(module.path, ()) if module else ()
        units.append(Unit(workspace, configs[0].folder, configs, tuple(_effective(parts)), module, module_providers))
    _keep_overwritten(units)
    return Terragrunt(tuple(units), tuple(_groups(units)), strays, generated_code, tuple(from_files.unknown.values()))


def _keep_overwritten(units: Iterable[Unit]) -> None:
    """Exclude the files that Terragrunt overwrites from changes, with and without Terragrunt's signature."""
    for unit in units:
        for part in unit.generated:
            block = part.element if isinstance(part.element, Block) else None
            if_exists, path = (block.attribute(name) if block else None for name in ("if_exists", "path"))
            config = unit.config_of(part)
            if if_exists is None or path is None or config.value(if_exists).string != "overwrite":
                continue
            overwritten = unit.workspace.documents.get(posixpath.join(unit.folder, config.value(path).string or ""))
            if overwritten is not None and overwritten is not part.outer:
                overwritten.elsewhere = TERRAGRUNT.refusal()


class _GeneratedFromFiles:
    """The code that ``generate`` blocks write from files; of two blocks with one file, only the first is known."""

    def __init__(self) -> None:
        self._parts: dict[str, tuple[Place, Generated | None]] = {}
        self.unknown: dict[Place, tuple[Document, Block]] = {}

    def of(self, config: Config) -> Iterator[Generated]:
        """The Terraform code that the blocks of a file write for a unit."""
        for block in config.blocks("include"):
            if config.includes.get(block.labels[0] if block.labels else "") is None:
                self.unknown[config.document.place(block)] = config.document, block
        for block in config.blocks("generate"):
            contents, place = block.attribute("contents"), config.document.place(block)
            value = config.value(contents) if contents is not None else None
            if value is None or "<<" in value.text or (not is_file(value) and _is_complete(value)):
                continue
            file = file_of(value)
            if file is not None and file.kind is Kind.CONFIG:
                file.elsewhere = WRITTEN_ELSEWHERE.refusal(config=config.document.path, file=file.path)
                file = None
            if file is not None and file.path not in self._parts:
                self._parts[file.path] = place, from_file(config.document, block, file)
            first, part = self._parts[file.path] if file is not None else (None, None)
            if first == place and part is not None:
                yield part
            elif first != place and (file is None or part is not None) and _WRITES_AWS.search(block.title()):
                self.unknown[place] = config.document, block


def _is_complete(value: Expression) -> bool:
    """Whether a value is a whole heredoc, or a string without anything of interest."""
    text = value.origin.text.strip() if value.origin is not None else ""
    return text.startswith("<<") or (text.startswith('"') and not _WRITES_AWS.search(text))


def _effective(parts: Iterable[Generated]) -> Iterator[Generated]:
    """The parts in effect: a unit's own ``generate`` block replaces an included block of the same name."""
    owners: dict[str, object] = {}
    for part in parts:
        if owners.setdefault(part.title, part.element) is part.element or not isinstance(part.element, Block):
            yield part


def _module(config: Config) -> Module | None:
    """The module that a unit runs: that of ``source``, else its own folder."""
    for config_block in merged(config):
        for block in config_block.blocks("terraform"):
            if (source := block.attribute("source")) is not None:
                path = config_block.value(source).string
                if path is None or "::" in path:
                    return None
                absolute_path = path if path.startswith("/") else f"/{config_block.folder}/{path}"
                return config_block.workspace.modules.get(posixpath.normpath(absolute_path).lstrip("/"))
    return config.workspace.modules.get(config.folder)


def _is_unit(document: Document) -> bool:
    return posixpath.basename(document.path) == UNIT


def _files(config: Config) -> Iterator[Config]:
    """A unit's file, its included files, and the files that these read; each once."""
    pending = [*merged(config)]
    seen: set[str] = set()
    while pending:
        current = pending.pop(0)
        if current.document.path not in seen:
            seen.add(current.document.path)
            yield current
            pending += _read_by(current)


def _read_by(config: Config) -> Iterator[Config]:
    text = config.document.text
    for match in _READS.finditer(text):
        start = skip_trivia(text, match.end())
        try:
            argument = text[start : skip_expression(text, start, in_brackets=True)]
        except SyntaxProblem:
            continue
        if (read_config := config.read(Expression(argument, config).string)) is not None:
            yield read_config


def _groups(units: Iterable[Unit]) -> Iterator[str]:
    """A name for each unit: units that share files to change have the same name."""
    leaders: dict[str, str] = {}

    def leader(path: str) -> str:
        while leaders.setdefault(path, path) != path:
            path = leaders[path]
        return path

    listed = [(unit, sorted(_changed_with(unit))) for unit in units]
    for _, paths in listed:
        for path in paths:
            first, second = sorted((leader(paths[0]), leader(path)), key=lambda path: (path.count("/"), path))
            leaders[second] = first
    yield from (f"Terragrunt configuration {leader(paths[0])}" for _, paths in listed)


def _changed_with(unit: Unit) -> Iterator[str]:
    """The files that configure the sign-in of the unit's state."""
    paths = {value.document.path for state in unit.states for value in state.objects}
    paths |= {remote_state.document.path for remote_state in unit.states} | {
        variable.document.path for variable in unit.environment
    }
    paths |= {part.outer.path for part in unit.generated if part.backends}
    if unit.iam_role is not None:
        paths.add(unit.iam_role.config.document.path)
    yield from paths or {unit.configs[0].document.path}
