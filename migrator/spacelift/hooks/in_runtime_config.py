"""The hook in ``.spacelift/config.yml``, if that file sets hooks or the user asks for the hook there.

See `migrator.spacelift.stacks.runtime_config` for the precedence of the settings.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.config.config import Config, HookPlace
from migrator.errors import SyntaxProblem
from migrator.model.findings import Place, Refusal
from migrator.spacelift.hooks.diagnostics import (
    RUNTIME_CONFIG_UNREADABLE,
    RUNTIME_DEFAULTS_DIFFER,
    RUNTIME_ENVIRONMENT_REPLACES,
    RUNTIME_LIST_REPLACES,
    RUNTIME_TESTS_DIFFER,
)
from migrator.spacelift.stacks.engine_evidence import entry_evidence
from migrator.spacelift.stacks.exchange import EVERY_LIST
from migrator.spacelift.stacks.runtime_config import PATH, RuntimeConfig, TestCase, parse
from migrator.spacelift.stacks.scripts import Export, export
from migrator.span import Edit, apply_edits
from migrator.syntax.yaml.edit import Addition, line_edits, prepend_all
from migrator.syntax.yaml.parse import read
from migrator.syntax.yaml.set import set_strings
from migrator.syntax.yaml.write import Item
from migrator.workspace.diagnostics import SYNTAX_ERROR

if TYPE_CHECKING:
    from migrator.model.engine import Evidence
    from migrator.spacelift.hooks.in_terraform import Entries
    from migrator.syntax.yaml.tree import Keys
    from migrator.workspace.document import Document
    from migrator.workspace.workspace import Workspace


class RuntimeStack(Struct, frozen=True):
    """The ``slug`` of a stack and the commands in its own ``lists``, None for a list that is not known.

    ``lists`` has no entry for a list that the stack does not set.
    """

    slug: str
    lists: tuple[tuple[str, tuple[str, ...] | None], ...]

    def commands(self, name: str) -> tuple[str, ...] | None:
        """The commands of the list ``name``; None where they are not known."""
        return dict(self.lists).get(name, ())

    def sets(self, name: str) -> bool:
        """Whether the stack sets the list, or may."""
        return any(list_name == name for list_name, _ in self.lists)


class RuntimeHooks:
    """The runtime configuration of a repository, or of the module in ``folder``, and the needed hooks."""

    def __init__(self, workspace: Workspace, config: Config, folder: str | None = None) -> None:
        self._workspace = workspace
        self._folder = workspace.scope if folder is None else folder
        self.path = posixpath.join(self._folder, PATH)
        self._always = config.hook_in is HookPlace.RUNTIME_CONFIG
        self._names = [f"before_{phase}" for phase in config.hook_phases]
        self.document = workspace.documents.get(self.path)
        self.objection: Refusal | None = None
        self._config = self._read(self.document)

    def _read(self, document: Document | None) -> RuntimeConfig:
        try:
            return parse(document.text if document else "")
        except SyntaxProblem as problem:
            if document is None:
                raise
            place = Place(document.path, document.source.line(problem.offset))
            document.problem = SYNTAX_ERROR.problem(place, reason=problem.reason)
            self.objection = RUNTIME_CONFIG_UNREADABLE.refusal()
            return parse("")

    def evidence(self, path: str) -> tuple[tuple[tuple[str, tuple[Evidence, ...]], ...], tuple[Evidence, ...]]:
        """The evidence on engines that may run the code at ``path``: by the slugs of stacks, and by default."""
        entries = (
            (slug, entry_evidence(self.path, entry))
            for slug, entry in self._config.stacks.items()
            if entry.project_root in (None, path)
        )
        return tuple(entries), entry_evidence(self.path, self._config.stack_defaults)

    def lists_of(self, stack: RuntimeStack) -> dict[Keys, str]:
        """The lists of the file that need a hook of the stack, each with its plain name."""
        names: dict[Keys, str] = {}
        for name in self._names:
            own_keys: Keys = ("stacks", stack.slug, name)
            places = self._config.places_of(stack.slug, name, stack_sets_it=stack.sets(name))
            for keys in (own_keys,) if self._always else places:
                if not self._config.has_hook(keys):
                    names[keys] = name
        return names

    def test_lists(self, path: str) -> dict[Keys, str]:
        """The lists of the file that need a hook for the tests which run the code at ``path``."""
        cases = self._cases(path)
        names = {keys: name for name in self._names for keys in self._config.test_lists(cases, name)} if cases else {}
        return {keys: name for keys, name in names.items() if not self._config.has_hook(keys)}

    def test_holders(self, path: str) -> tuple[Keys, ...]:
        """The entries of the file with lists of hooks for the tests which run the code at ``path``."""
        cases = self._cases(path)
        return (("test_defaults",), *(case.keys for case in cases)) if cases else ()

    def _cases(self, path: str) -> list[TestCase]:
        folder = self._folder
        return [case for case in self._config.tests if posixpath.join(folder, case.project_root).rstrip("/") == path]

    def has_hook(self, slug: str, name: str) -> bool:
        """Whether the list ``name`` of the stack's entry exchanges a token already."""
        return self._config.has_hook(("stacks", slug, name))

    @property
    def sets_hooks(self) -> bool:
        """Whether the file sets a list of hooks for any stack, by slug or by default."""
        slugs = [("stacks", slug) for slug in self._config.slugs]
        return any(self._config.sets((*keys, name)) for keys in (*slugs, ("stack_defaults",)) for name in self._names)

    @property
    def slugs(self) -> tuple[str, ...]:
        """The slugs of the stacks that have an entry in the file."""
        return self._config.slugs

    def unknown_slugs(self, slugs: Collection[str]) -> list[str]:
        """The slugs of none of ``slugs`` whose entries set lists of hooks without the new hook."""
        unknown = [("stacks", slug) for slug in self._config.slugs if slug not in slugs]
        lists = [(keys[1], (*keys, name)) for keys in unknown for name in self._names]
        return list(
            dict.fromkeys(name for name, keys in lists if self._config.sets(keys) and not self._config.has_hook(keys))
        )

    def exported(self, holders: Iterable[Keys]) -> Export | None:
        """The static variable that hooks of the file export, which would take the place of the hook's."""
        every_list = ((*holder, name) for holder in holders for name in EVERY_LIST)
        return export(self._workspace, (command for keys in every_list for command in self._config.commands(keys)))

    def belongs_in_stack(self, stack: RuntimeStack, name: str) -> bool:
        """Whether the hook must be in the stack's own list ``name`` (as well)."""
        if self._always:
            return False
        return self._config.belongs_in_stack(stack.slug, name, stack_sets_it=stack.sets(name))

    def variable_objection(self, slug: str) -> Refusal | None:
        """The reason why the file can set no variable for a stack; None if the file can."""
        stack_keys, default_keys = ("stacks", slug, "environment"), ("stack_defaults", "environment")
        if self._config.sets(default_keys) and not self._config.sets(stack_keys):
            return RUNTIME_ENVIRONMENT_REPLACES.refusal()
        edits = set_strings(self.path, self._config.tree, [((*stack_keys, "TF_VAR"), "")])
        return edits if isinstance(edits, Refusal) else self.objection

    def add(
        self,
        hooked: Sequence[tuple[RuntimeStack, Entries]],
        variables: Sequence[tuple[str, str, str]] = (),
        tests: Sequence[tuple[str, Entries]] = (),
    ) -> tuple[Edit, ...] | Refusal:
        """The edits after which the lists of the file have the entries of all ``hooked`` stacks first.

        ``variables`` are set as well, each with the slug of the stack, the name and the value. ``tests`` pair the
        folders of code that tests run with the first entries for these tests.
        """
        additions: dict[Keys, Addition] = {}
        for path, entries in tests:
            for keys in self.test_lists(path):
                first = Addition(keys, _items(entries), self._config.inherited(keys))
                if additions.setdefault(keys, first).items != first.items:
                    return RUNTIME_TESTS_DIFFER.refusal()
        for stack, entries in hooked:
            for addition in self._additions(stack, entries):
                if isinstance(addition, Refusal):
                    return addition
                if additions.setdefault(addition.keys, addition).items != addition.items:
                    return RUNTIME_DEFAULTS_DIFFER.refusal()
        tree = self._config.tree
        edits = prepend_all(self.path, tree, list(additions.values()))
        if isinstance(edits, Refusal) or not variables:
            return edits
        tree_after = read(apply_edits(tree.text, edits))
        settings = [(("stacks", slug, "environment", name), value) for slug, name, value in dict.fromkeys(variables)]
        variable_edits = set_strings(self.path, tree_after, settings)
        if isinstance(variable_edits, Refusal):
            return variable_edits
        return tuple(line_edits(self.path, tree.text, apply_edits(tree_after.text, variable_edits)))

    def _additions(self, stack: RuntimeStack, entries: Entries) -> Iterator[Addition | Refusal]:
        items = _items(entries)
        for keys, name in self.lists_of(stack).items():
            inherited: tuple[str, ...] | None = ()
            if not self._config.sets(keys):
                inherited = self._config.inherited(keys) or stack.commands(name)
            if inherited is None:
                yield RUNTIME_LIST_REPLACES.refusal(name=name)
            else:
                yield Addition(keys, items, inherited)


def _items(entries: Entries) -> tuple[Item, ...]:
    return tuple(Item(entry.text, entry.comment) for entry in entries)
