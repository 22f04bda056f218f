"""Static credentials in ``spacelift_environment_variable`` and ``spacelift_mounted_file``.

The arguments are those of https://search.opentofu.org/provider/spacelift-io/spacelift/latest.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from migrator.model.findings import Place
from migrator.regex import regex
from migrator.spacelift.attached.reach import Reach, Reaches, union
from migrator.spacelift.settings.diagnostics import (
    SETTING_NAMES_UNKNOWN,
    SETTING_NOT_SEPARABLE,
    SETTING_REFERENCED,
    SETTING_SHARED,
)
from migrator.spacelift.settings.model import (
    TerraformSetting,
    holds_keys,
    is_static_file,
    is_static_variable,
    mentions_static,
)
from migrator.spacelift.stacks.resource import Resource, resources_of
from migrator.span import Edit, Span
from migrator.syntax.hcl.strings import quote
from migrator.terraform.expressions.defaults import REFERENCE, definition
from migrator.terraform.expressions.objects import Part, is_used_elsewhere, parts

if TYPE_CHECKING:
    from migrator.model.findings import Refusal
    from migrator.spacelift.stacks.model import TerraformDefinition
    from migrator.syntax.terraform import Attribute, Block
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module
    from migrator.workspace.workspace import Workspace

SettingTypes = Mapping[str, tuple[str, str, Callable[[str], bool]]]

_TYPES: SettingTypes = {
    "spacelift_environment_variable": ("name", "value", is_static_variable),
    "spacelift_mounted_file": ("relative_path", "content", is_static_file),
    "spacelift_stack_dependency_reference": ("input_name", "", is_static_variable),
}
"""The argument with the name, the argument with the credential, and a test of the name."""

_NUMBERED = regex(r"(?P<list>[\w.-]+)\[count\.index\]|element\((?P<other>[\w.-]+), *count\.index\)")


_ADDRESS = regex(rf"(?<![\w.-])(?:{'|'.join(_TYPES)})\.[\w-]+")
_INDEX = regex(r"\[[^\]]*\]")
_Uses = dict[str, list[tuple["Document", int]]]


class _Instance(Struct, frozen=True, eq=False):
    """One of the resources that a block makes; ``name`` is None if not known."""

    resource: Resource
    name: str | None

    @property
    def key(self) -> str | None:
        return self.resource.key


def terraform_settings(
    workspace: Workspace, module: Module, reaches: Reaches, types: SettingTypes = _TYPES
) -> Iterator[TerraformSetting]:
    """The resources of ``module``, of one of the ``types``, that give static credentials to runs, or may do so."""
    for type_ in types:
        for document, block in module.blocks("resource", type_):
            if not document.is_override:
                yield from _settings(workspace, module, reaches, document, block, types)


def module_settings(workspace: Workspace, stacks: Iterable[TerraformDefinition]) -> Iterator[TerraformSetting]:
    """Static credentials among the inputs of modules from elsewhere that make stacks: maps with a variable's name."""
    called: dict[int, list[TerraformDefinition]] = {}
    for stack in stacks:
        if not stack.source.is_resource and workspace.in_scope(stack.document.path):
            called.setdefault(id(stack.source.block), []).append(stack)
    for same in called.values():
        document, block, module = same[0].source.document, same[0].source.block, same[0].source.module
        for attribute in block.attributes:
            for part in parts(module, document, attribute.value):
                items = tuple(argument for argument in part.items or () if is_static_variable(argument.name))
                if items:
                    yield _of_inputs(module, part, items, attribute, same)


def _of_inputs(
    module: Module, part: Part, items: tuple[Attribute, ...], argument: Attribute, stacks: list[TerraformDefinition]
) -> TerraformSetting:
    known_places = {*part.spans, (stacks[0].document.path, argument.span)}
    shared = next((name for name in part.locals if is_used_elsewhere(module, name, known_places)), "")
    literals = (argument for argument in items if holds_keys(argument.name) and _is_written(part.document, argument))
    return TerraformSetting(
        document=part.document,
        block=stacks[0].source.block,
        place=part.document.place(items[0]),
        title=f"{argument.name} of {stacks[0].source.address}",
        names=tuple(argument.name for argument in items),
        reach=Reach(tuple(stacks)),
        entries=((part, items),),
        objection=SETTING_SHARED.refusal(name=shared) if shared else None,
        literals=tuple(map(part.document.place, literals)),
        is_ignored=stacks[0].is_ignored,
    )


def _is_written(document: Document, argument: Attribute) -> bool:
    """Whether the argument's value, or the ``value`` inside, is a literal."""
    inner = next((attribute for attribute in document.object_items(argument) if attribute.name == "value"), argument)
    return bool(document.literal(inner))


def variables_called(names: Collection[str]) -> SettingTypes:
    """The `SettingTypes` for environment variables with one of the ``names``."""
    return {"spacelift_environment_variable": ("name", "value", names.__contains__)}


def _settings(
    workspace: Workspace, module: Module, reaches: Reaches, document: Document, block: Block, types: SettingTypes
) -> Iterator[TerraformSetting]:
    argument, value, is_static = types[block.labels[0]]
    instances = list(_instances(workspace, module, document, block, argument))
    static = [instance for instance in instances if instance.name is not None and is_static(instance.name)]
    others = [instance for instance in instances if instance not in static]
    unknown = [instance for instance in others if instance.name is None]
    if not static and not (unknown and types is _TYPES and _is_mentioned(module, document, block)):
        return
    reached = [reaches.of(instance.resource) for instance in static or unknown]
    entries: list[tuple[Part, tuple[Attribute, ...]]] = []
    objection = SETTING_NAMES_UNKNOWN.refusal() if unknown else None
    if others and not objection:
        try:
            entries = list(_entries(module, document, block, static))
        except _NotEditableError as error:
            objection = error.refusal
    waiting = list(_waiting(workspace, module, block)) if not others else []
    if objection is None:
        removed_keys = [instance.key for instance in static] if others else []
        objection = _referrer(_uses(workspace, module), document, block, removed_keys, waiting)
    yield TerraformSetting(
        document=document,
        block=block,
        place=document.place(block),
        title=".".join(block.labels),
        names=tuple(dict.fromkeys(instance.name for instance in static if instance.name)),
        reach=union(reached),
        entries=tuple(entries),
        objection=objection,
        unlisted=tuple(edit for edit, _ in waiting),
        literals=tuple(dict.fromkeys(_literals(value, static))),
        is_ignored=document.is_ignored(block),
    )


def _instances(
    workspace: Workspace, module: Module, document: Document, block: Block, argument: str
) -> Iterator[_Instance]:
    for resource in resources_of(workspace, module, document, block):
        named = resource.argument(argument)
        numbered = _NUMBERED.fullmatch(named.text) if named and block.attribute("count") else None
        if named is not None and numbered is not None:
            names = named.derived(numbered["list"] or numbered["other"]).strings or (None,)
            yield from (_Instance(Resource(document, block, resource.scope), name) for name in names)
        else:
            yield _Instance(resource, named.string if named else None)


def _is_mentioned(module: Module, document: Document, block: Block) -> bool:
    text = block.span.of(document.text)
    definitions = (definition(module, match) or "" for match in REFERENCE.finditer(text))
    return any(map(mentions_static, (text, *definitions)))


class _NotEditableError(Exception):
    """The entries cannot be removed alone; ``refusal`` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def _entries(
    module: Module, document: Document, block: Block, static: list[_Instance]
) -> Iterator[tuple[Part, tuple[Attribute, ...]]]:
    """The items of the maps behind ``for_each`` that make the ``static`` instances."""
    for_each = block.attribute("for_each")
    keys = {instance.key for instance in static}
    if for_each is None or None in keys:
        raise _NotEditableError(SETTING_NOT_SEPARABLE.refusal())
    missing = set(keys)
    for part in _sources(module, document, block, for_each, static):
        items = tuple(argument for argument in part.items or () if argument.name in keys)
        missing -= {argument.name for argument in items}
        if items:
            yield part, items
    if missing:
        raise _NotEditableError(SETTING_NOT_SEPARABLE.refusal())


def _sources(
    module: Module, document: Document, block: Block, for_each: Attribute, static: list[_Instance]
) -> Iterator[Part]:
    """The parts of the map, in the module or in calls of the module."""
    known_places = {(document.path, block.span)}
    reference = REFERENCE.fullmatch(document.expression(for_each))
    calls = {instance.resource.scope.call: instance.resource.scope.caller for instance in static}
    if reference is None or reference[1] == "local" or None in calls:
        map_parts = list(parts(module, document, for_each.value))
    else:
        if is_used_elsewhere(module, reference[0], known_places):
            raise _NotEditableError(SETTING_SHARED.refusal(name=reference[0]))
        map_parts = []
        for call, caller in calls.items():
            argument = call.block.attribute(reference[2]) if call else None
            if call is not None and caller is not None and argument is not None:
                known_places.add((call.document.path, argument.span))
                map_parts += parts(caller.module, call.document, argument.value)
        module = next(iter(calls)).caller if next(iter(calls)) else module  # type: ignore[union-attr]
    for part in map_parts:
        known_places |= set(part.spans)
    for part in map_parts:
        for name in part.locals:
            if is_used_elsewhere(module, name, known_places):
                raise _NotEditableError(SETTING_SHARED.refusal(name=name))
    yield from map_parts


def _uses(workspace: Workspace, module: Module) -> _Uses:
    """The places where a module refers to settings, by the addresses of the settings; searched once."""
    key = f"uses of settings in {module.path}"
    if key not in workspace.derived:
        uses: _Uses = {}
        for document in (*module.documents, *module.tests):
            for match in _ADDRESS.finditer(document.text):
                uses.setdefault(match[0], []).append((document, match.start()))
        workspace.derived[key] = uses
    return cast("_Uses", workspace.derived[key])


def _waiting(workspace: Workspace, module: Module, block: Block) -> Iterator[tuple[Edit, Span]]:
    """The edits that remove the resource from lists of ``depends_on``, with the span of each list element."""
    address = ".".join(block.labels)
    blocks: dict[tuple[str, Span], tuple[Document, Block]] = {}
    for document, use in _uses(workspace, module).get(address, ()):
        if document in module.documents and (block_around := _block_at(document, use)) is not None:
            blocks[document.path, block_around.span] = (document, block_around)
    for document, other in blocks.values():
        depends_on = other.attribute("depends_on")
        places = (
            list(document.syntax.list_items(document.text, depends_on.value) or ()) if depends_on is not None else []
        )
        names = [document.syntax.expression(document.text, span).strip('"') for span in places]
        for number, (place, name) in enumerate(zip(places, names, strict=True)):
            if name == address:
                follows = not all(_may_go(module, before) for before in names[:number])
                yield Edit(document.path, _cut(document.text, places, number, follows=follows), ""), place


def _may_go(module: Module, address: str) -> bool:
    """Whether the resource at an address may give static credentials, or set a variable, and be removed."""
    type_, _, label = address.partition(".")
    argument, _, is_static = _TYPES.get(type_, ("", "", is_static_variable))
    blocks = module.blocks("resource", type_) if argument else ()
    found = [document.literal(block.attribute(argument)) for document, block in blocks if block.labels[1:] == (label,)]
    return any(name is None or is_static(name) or "TF_VAR_" in name for name in found)


def _block_at(document: Document, place: int) -> Block | None:
    """The top-level block around a place, or the last block before the place."""
    number = bisect_right(document.blocks, place, key=lambda block: block.span.start) - 1
    return document.blocks[number] if number >= 0 else None


def _cut(text: str, places: list[Span], number: int, *, follows: bool) -> Span:
    """The span that removes an item from a list, whether or not the neighbours are removed.

    ``follows``: an item before stays.
    """
    place = places[number]
    line = text.rfind("\n", 0, place.start) + 1
    end = re.compile(r"[ \t]*,?[ \t]*\r?\n").match(text, place.end)
    if not text[line : place.start].strip() and end is not None:
        return Span(line, end.end())
    if follows:
        return Span(places[number - 1].end, place.end)
    if number + 1 < len(places):
        return Span(place.start, places[number + 1].start)
    comma = re.compile(r"[ \t]*,[ \t]*").match(text, place.end)
    return Span(place.start, comma.end() if comma is not None else place.end)


def _referrer(
    uses: _Uses, block_document: Document, block: Block, keys: list[str | None], waiting: list[tuple[Edit, Span]]
) -> Refusal | None:
    """The reason why other code refers to the resource, or to the removed instances ``keys``; None without one."""
    address = ".".join(block.labels)
    removed = {f"[{quote(key)}]" for key in keys if key is not None}
    for document, use in uses.get(address, ()):
        is_own = document is block_document and block.span.start <= use < block.span.end
        is_own = is_own or any(edit.path == document.path and span.start <= use < span.end for edit, span in waiting)
        index = _INDEX.match(document.text, use + len(address))
        if not is_own and (not keys or (index is not None and index[0] in removed)):
            return SETTING_REFERENCED.refusal(place=Place(document.path, document.source.line(use)))
    return None


def _literals(value: str, static: list[_Instance]) -> Iterator[Place]:
    for instance in (each for each in static if each.name is None or holds_keys(each.name)):
        argument = instance.resource.argument(value)
        origin = argument.origin if argument else None
        if origin is not None and origin.string and origin.document and origin.span:
            yield Place(origin.document.path, origin.document.source.line(origin.span.start))
