"""``.spacelift/config.yml``, which a run reads before the stack's own settings, and the lists there for a hook.

Two pages say what comes first. The newer one,
https://docs.spacelift.io/concepts/configuration/runtime-configuration: in version 2 ``stacks.<slug>``, then
``stack_defaults``, then the stack's own settings; in version 1, the default, ``stacks.<slug>``, then the stack's own
settings, then ``stack_defaults``. The other one, .../runtime-yaml-reference.html: ``version`` is ignored. Both agree
that a list replaces the list that it overrides. So whatever comes second is not certain, and a hook goes where it
runs either way:

============================  ====================  ========================================================
``stacks.<slug>.before_init``  ``stack_defaults``'s  the hook's place
============================  ====================  ========================================================
is set                        any                   that list
is not set                    is not set            the stack's own settings alone
is not set                    is set                ``stacks.<slug>``, with what the defaults have, if the stack
                                                    sets none itself; else the defaults, and the stack's own
============================  ====================  ========================================================
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.errors import SyntaxProblem
from migrator.spacelift.stacks.exchange import commands, has_hook
from migrator.syntax.yaml.parse import read
from migrator.syntax.yaml.tree import Keys, Mapping, Scalar, Sequence, Tree, names, string_at
from migrator.workspace.discover import Kind

if TYPE_CHECKING:
    from migrator.span import Span
    from migrator.workspace.document import Document
    from migrator.workspace.workspace import Workspace

PATH = ".spacelift/config.yml"
"""The path of the file from the repository's root; no other name is read."""

IGNORES = "feature:ignore_runtime_config"
"""The label of a stack that does not read the file."""

_STACKS, _DEFAULTS = "stacks", "stack_defaults"
_TESTS, _TEST_DEFAULTS = "tests", "test_defaults"


class Variable(Struct, frozen=True):
    """An environment variable of an entry: ``span`` is the span of the value, which is not read."""

    name: str
    keys: Keys
    span: Span


class StackEntry(Struct, frozen=True):
    """The entry of a stack, or the defaults of all stacks (``slug`` is None); None for a value that is not set.

    ``project_root`` is ``""`` for the repository's root.
    """

    slug: str | None
    keys: Keys
    project_root: str | None
    terraform_version: str | None
    opentofu_version: str | None
    workflow_tool: str | None
    environment: tuple[Variable, ...]


class TestCase(Struct, frozen=True):
    """A test of a module of the registry: https://docs.spacelift.io/vendors/terraform/module-registry.

    ``project_root`` is the folder of the test, ``""`` for the repository's root.
    """

    name: str
    keys: Keys
    project_root: str


class RuntimeConfig(Struct, frozen=True):
    """The file as a whole."""

    tree: Tree

    @property
    def version(self) -> int:
        """The version of the order in which settings count: 1 unless the file says otherwise."""
        return 2 if self._string("version") == "2" else 1

    @property
    def slugs(self) -> tuple[str, ...]:
        """The stacks that have an entry."""
        return self._names((_STACKS,))

    @property
    def stacks(self) -> dict[str, StackEntry]:
        """The entries by slug."""
        return {slug: self._entry(slug, (_STACKS, slug)) for slug in self.slugs}

    @property
    def stack_defaults(self) -> StackEntry:
        """The settings of every stack of the repository without a setting of its own."""
        return self._entry(None, (_DEFAULTS,))

    def project_root(self, slug: str | None, stack_root: str | None) -> str | None:
        """The folder of a stack's runs: from the file if set there, else ``stack_root``."""
        entry = self._folder(_STACKS, slug) if slug else None
        default = self._folder(_DEFAULTS) if self.version == 2 or not stack_root else None
        return next((value for value in (entry, default) if value is not None), stack_root)

    @property
    def tests(self) -> tuple[TestCase, ...]:
        """The tests of the repository's module, to which `test_defaults` apply."""
        place = self.tree.find((_TESTS,))
        count = len(place.node.items) if place is not None and isinstance(place.node, Sequence) else 0
        keys_of_tests = ((_TESTS, number) for number in range(count))
        default = self._folder(_TEST_DEFAULTS) or ""
        return tuple(
            TestCase(self._string(*keys, "name") or str(keys[1]), keys, self._folder(*keys) or default)
            for keys in keys_of_tests
        )

    @property
    def test_variables(self) -> Iterator[tuple[str, tuple[Variable, ...], tuple[str, ...]]]:
        """The environment of the tests, of all by default and of each, with the folders that they run."""
        roots = tuple(dict.fromkeys(case.project_root for case in self.tests)) or ("",)
        yield "every test", self._environment((_TEST_DEFAULTS, "environment")), roots
        for case in self.tests:
            yield f"the test {case.name}", self._environment((*case.keys, "environment")), (case.project_root,)

    def test_lists(self, cases: Collection[TestCase], phase: str) -> tuple[Keys, ...]:
        """The lists that need a hook for ``phase``, so that the tests ``cases`` run the hook.

        A list of the test replaces the list of the defaults.
        """
        case_keys = tuple((*case.keys, phase) for case in cases)
        if len(cases) < len(self.tests):
            return case_keys
        return ((_TEST_DEFAULTS, phase), *(keys for keys in case_keys if self.sets(keys)))

    def places_of(self, slug: str, phase: str, *, stack_sets_it: bool) -> tuple[Keys, ...]:
        """The lists that need a hook for ``phase`` (``before_init``, …) of the stack, so that the stack runs the hook.

        ``stack_sets_it`` says whether the stack's own settings have hooks for the phase; True is safe if not known. No
        list is named if the file has no effect. A new list must repeat `inherited`.
        """
        stack_keys, default_keys = (_STACKS, slug, phase), (_DEFAULTS, phase)
        if self.sets(stack_keys):
            return (stack_keys,)
        if not self.sets(default_keys):
            return ()
        return (default_keys,) if stack_sets_it else (stack_keys,)

    def belongs_in_stack(self, slug: str, phase: str, *, stack_sets_it: bool) -> bool:
        """Whether the hook must be put into the stack's own settings as well.

        If not, the hook would do harm in a stack without hooks: the stack's settings would override the defaults in
        version 1, and replace the commands there.
        """
        return not self.sets((_STACKS, slug, phase)) and (stack_sets_it or not self.sets((_DEFAULTS, phase)))

    def inherited(self, keys: Keys) -> tuple[str, ...]:
        """The items that a new list at ``keys`` must repeat: the items of the replaced defaults."""
        defaults = {_STACKS: _DEFAULTS, _TESTS: _TEST_DEFAULTS}.get(str(keys[0]))
        return () if defaults is None or self.sets(keys) else commands(self.tree, (defaults, keys[-1]))

    def sets(self, keys: Keys) -> bool:
        """Whether there is a value at ``keys``: an empty list is a value, null is not."""
        place = self.tree.find(keys)
        return place is not None and not (isinstance(place.node, Scalar) and place.node.is_null)

    def commands(self, keys: Keys) -> tuple[str, ...]:
        """The commands in the list at ``keys``."""
        return commands(self.tree, keys)

    def has_hook(self, keys: Keys) -> bool:
        """Whether a command in the list at ``keys`` exchanges a token already; comments do not count."""
        return has_hook(self.tree, keys)

    def _entry(self, slug: str | None, keys: Keys) -> StackEntry:
        return StackEntry(
            slug=slug,
            keys=keys,
            project_root=self._folder(*keys),
            terraform_version=self._string(*keys, "terraform_version"),
            opentofu_version=self._string(*keys, "opentofu_version"),
            workflow_tool=self._string(*keys, "terraform_workflow_tool"),
            environment=self._environment((*keys, "environment")),
        )

    def _folder(self, *keys: str | int) -> str | None:
        root = self._string(*keys, "project_root")
        return None if root is None else posixpath.normpath("/" + root.lstrip("/")).lstrip("/")

    def _environment(self, keys: Keys) -> tuple[Variable, ...]:
        return tuple(
            Variable(name, (*keys, name), value.node.span)
            for name in self._names(keys)
            if (value := self.tree.find((*keys, name)))
        )

    def _names(self, keys: Keys) -> tuple[str, ...]:
        place = self.tree.find(keys)
        return names(place.node) if place else ()

    def _string(self, *keys: str | int) -> str | None:
        return string_at(self.tree.root, *keys) if self.tree.root else None


def runtime_documents(workspace: Workspace) -> dict[str, Document]:
    """The file of the repository, and those of modules in subfolders, by the folder: only the first is for stacks.

    A module in a subfolder has a file of its own: https://docs.spacelift.io/vendors/terraform/module-registry.
    """
    documents = (document for document in workspace.of_kind(Kind.SCRIPT) if f"/{document.path}".endswith(f"/{PATH}"))
    inside = (document for document in documents if workspace.in_scope(document.path))
    return {document.path.removesuffix(PATH).rstrip("/"): document for document in inside}


def parse(text: str) -> RuntimeConfig:
    """The configuration in ``text``. Raises `SyntaxProblem` if ``text`` is no YAML, or no mapping."""
    tree = read(text)
    is_empty = tree.root is None or (isinstance(tree.root, Scalar) and tree.root.is_null)
    if tree.root and not is_empty and not isinstance(tree.root, Mapping):
        raise SyntaxProblem(tree.root.start, "a mapping should stand here")
    return RuntimeConfig(tree)
