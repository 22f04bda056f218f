"""Static credentials in ``.spacelift/config.yml`` and in blueprints.

See https://docs.spacelift.io/concepts/configuration/runtime-configuration and
https://docs.spacelift.io/concepts/blueprint.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from migrator.errors import SyntaxProblem
from migrator.model.findings import Place
from migrator.model.fleet import runs
from migrator.spacelift.attached.reach import Reach
from migrator.spacelift.settings.model import YamlSetting, holds_keys, is_static_file, is_static_variable
from migrator.spacelift.stacks.model import StackDefinition, YamlDefinition
from migrator.spacelift.stacks.runtime_config import RuntimeConfig, StackEntry, Variable, parse, runtime_documents
from migrator.syntax.yaml.parse import read
from migrator.syntax.yaml.tree import Keys, Scalar, Tree, string_at
from migrator.syntax.yaml.tree import Sequence as YamlSequence

if TYPE_CHECKING:
    from migrator.workspace.document import Document
    from migrator.workspace.workspace import Workspace


def runtime_settings(
    workspace: Workspace, stacks: Sequence[StackDefinition], roots: Sequence[str]
) -> Iterator[YamlSetting]:
    """The entries of the runtime configuration; ``roots`` are the paths of the root modules in the same repository."""
    for folder, document in runtime_documents(workspace).items():
        if b"AWS_" not in document.source.data:
            continue
        try:
            config = parse(document.text)
        except SyntaxProblem:
            continue  # the rule for hooks reports this
        if folder == workspace.scope:
            yield from _of_stacks(workspace, document, config, stacks, roots)
        for title, variables, folders in config.test_variables:
            paths = tuple(posixpath.join(folder, root).rstrip("/") for root in folders)
            yield from _of_variables(document, config.tree, title, variables, Reach(), paths)


def _of_stacks(
    workspace: Workspace,
    document: Document,
    config: RuntimeConfig,
    stacks: Sequence[StackDefinition],
    roots: Sequence[str],
) -> Iterator[YamlSetting]:
    running = [stack for stack in stacks if any(runs(stack.code, workspace.identity, path) for path in roots)]
    defaults = config.stack_defaults
    yield from _of_entry(document, config.tree, defaults, Reach(tuple(running)), roots)
    for slug, entry in config.stacks.items():
        by_slug = tuple(stack for stack in stacks if stack.slug == slug)
        paths = [path for path in roots if path == entry.project_root] or (roots if len(roots) == 1 else ())
        unknown = "" if by_slug or paths else "No stack in this repository has the slug of this entry."
        yield from _of_entry(document, config.tree, entry, Reach(by_slug, unknown), () if by_slug else paths)


def test_roots(workspace: Workspace) -> dict[str, tuple[str, ...]]:
    """The folders that tests of modules run, each with the folders of these modules."""
    modules: dict[str, dict[str, None]] = {}
    for folder, document in runtime_documents(workspace).items():
        with suppress(SyntaxProblem):
            for case in parse(document.text).tests if b"tests" in document.source.data else ():
                modules.setdefault(posixpath.join(folder, case.project_root).rstrip("/"), {})[folder] = None
    return {path: tuple(folders) for path, folders in modules.items()}


def _of_entry(
    document: Document, tree: Tree, entry: StackEntry, reach: Reach, roots: Sequence[str]
) -> Iterator[YamlSetting]:
    title = entry.slug or "every stack"
    yield from _of_variables(document, tree, title, entry.environment, reach, roots)


def _of_variables(
    document: Document,
    tree: Tree,
    title: str,
    variables: Iterable[Variable],
    reach: Reach,
    roots: Sequence[str],
) -> Iterator[YamlSetting]:
    static = [variable for variable in variables if is_static_variable(variable.name)]
    ignored = [variable for variable in static if document.has_ignored(variable.span)]
    for chosen in filter(None, ([variable for variable in static if variable not in ignored], ignored)):
        yield YamlSetting(
            document=document,
            place=_place(document, chosen[0].span.start),
            title=f"environment of {title}",
            names=tuple(variable.name for variable in chosen),
            reach=reach,
            roots=tuple(roots),
            literals=tuple(
                _literals(document, tree, (variable.keys for variable in chosen if holds_keys(variable.name)))
            ),
            keys=tuple(variable.keys for variable in chosen),
            is_ignored=document.is_excluded or chosen is ignored,
        )


def blueprint_settings(stacks: Iterable[StackDefinition]) -> Iterator[YamlSetting]:
    """The variables and mounted files of blueprints."""
    for stack in stacks:
        if isinstance(stack, YamlDefinition) and stack.source.is_blueprint:
            yield from _of_blueprint(stack)


def _of_blueprint(stack: YamlDefinition) -> Iterator[YamlSetting]:
    document, tree = stack.document, read(stack.document.text, stack.part)
    environment = (*stack.source.keys[: -len(("hooks", "init", "before"))], "environment")
    names: dict[Keys, str] = {}
    for list_, name_key, is_static in (
        ("variables", "name", is_static_variable),
        ("mounted_files", "path", is_static_file),
    ):
        for keys, name in _items(tree, (*environment, list_), name_key):
            if is_static(name):
                names[keys] = name
    if names:
        yield YamlSetting(
            document=document,
            place=_place(document, _start(tree, next(iter(names)))),
            title=f"environment of {stack.title}",
            names=tuple(dict.fromkeys(names.values())),
            reach=Reach((stack,)),
            literals=tuple(
                _literals(document, tree, ((*keys, "value") for keys, name in names.items() if holds_keys(name)))
            ),
            keys=tuple(names),
            part=stack.part,
            is_ignored=stack.is_ignored,
        )


def _items(tree: Tree, keys: Keys, name_key: str) -> Iterator[tuple[Keys, str]]:
    holder = tree.find(keys)
    if holder is not None and tree.root is not None and isinstance(holder.node, YamlSequence):
        for number in range(len(holder.node.items)):
            name = string_at(tree.root, *keys, number, name_key)
            if name is not None:
                yield (*keys, number), name


def _literals(document: Document, tree: Tree, values: Iterable[Keys]) -> Iterator[Place]:
    for keys in values:
        place = tree.find(keys)
        if place and isinstance(place.node, Scalar) and "{{" not in place.node.value and place.node.value:
            yield _place(document, place.node.span.start)


def _start(tree: Tree, keys: Keys) -> int:
    place = tree.find(keys)
    return place.node.span.start if place else tree.part.start


def _place(document: Document, offset: int) -> Place:
    return Place(document.path, document.source.line(offset), offset)
