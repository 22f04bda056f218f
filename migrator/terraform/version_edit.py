"""Version constraints on a provider, raised to the first release that supports the new sign-in.

The modules that a root module calls share one release of a provider with it, so all their constraints must admit it:
https://developer.hashicorp.com/terraform/language/providers/requirements#best-practices-for-provider-versions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from migrator.model.version_constraints import Version, admits_before, excludes, major_of, minor, raised
from migrator.terraform.diagnostics import (
    LOCKED_RELEASE,
    MAJOR_RELEASE,
    NEW_RELEASE,
    RAISED_MINIMUM,
)
from migrator.terraform.providers import AWS, Provider
from migrator.terraform.versions import Constraint, constraints, locked, needed_release
from migrator.workspace.workspace import LOCK_FILE, Workspace

if TYPE_CHECKING:
    from migrator.model.findings import Note, Refusal
    from migrator.span import Edit
    from migrator.workspace.module import Module

_GUIDE = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/version-{}-upgrade"


class ProviderVersions:
    """The constraints of a repository that must be raised for its providers."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._trees: dict[str, tuple[Module, ...]] = {}
        self._raised: dict[tuple[tuple[str, ...], str, Version], tuple[Constraint, ...]] = {}

    def raise_for(self, provider: Provider) -> tuple[Edit, ...] | Refusal:
        """The edits that make every module with the provider's release admit web identity.

        Refuses if the user excludes a constraint that admits no such release.
        """
        first = needed_release(provider)
        for constraint in self.raised(provider):
            if constraint.is_ignored:
                return constraint.refusal(first)
        return tuple(constraint.raise_to(first) for constraint in self.raised(provider))

    def outcome(self, provider: Provider) -> str:
        """The change of the constraints, for people; ``""`` without a change."""
        first = needed_release(provider)
        pairs = dict.fromkeys(
            f"{constraint.text} becomes {raised(constraint.text, first)}" for constraint in self.raised(provider)
        )
        return f"The constraint on hashicorp/{provider.kind} changes: {', '.join(pairs)}." if pairs else ""

    def notes(self, provider: Provider) -> Iterator[Note]:
        """Notes on raised constraints, with the upgrade guides, and on lock files that pin older releases."""
        first = needed_release(provider)
        for constraint in self.raised(provider):
            yield raised_note(constraint, provider.kind, first)
        for root in self._roots(provider):
            yield from lock_notes(self._workspace, root, provider.kind, first)

    def raised(self, provider: Provider) -> tuple[Constraint, ...]:
        """The constraints to raise: next to the provider, if they admit older releases; elsewhere, if necessary.

        With a raised constraint of a module, the constraints of all modules under the same root modules may be raised.
        """
        own_modules, first = self._workspace.modules_of(provider.document), needed_release(provider)
        key = (tuple(module.path for module in own_modules), provider.kind, first)
        if key not in self._raised:
            self._raised[key] = tuple(self._to_raise(own_modules, provider.kind, first))
        return self._raised[key]

    def _to_raise(self, own_modules: Sequence[Module], kind: str, first: Version) -> Iterator[Constraint]:
        pending, seen = list(own_modules), {module.path for module in own_modules}
        while pending:
            module = pending.pop()
            for constraint in constraints(module, kind):
                if excludes(constraint.text, first) or (
                    module in own_modules and self._may_be_raised(constraint, first)
                ):
                    yield constraint
            for other in (inner for root in self._workspace.roots_of(module) for inner in self._tree(root)):
                module_constraints = constraints(other, kind) if other.path not in seen else ()
                if any(excludes(constraint.text, first) for constraint in module_constraints):
                    seen.add(other.path)
                    pending.append(other)

    def _may_be_raised(self, constraint: Constraint, first: Version) -> bool:
        is_open = self._workspace.objection(constraint.document.path) is None and not constraint.is_ignored
        return is_open and admits_before(constraint.text, first)

    def _roots(self, provider: Provider) -> list[Module]:
        """The root modules that share a release with the provider, by path."""
        own_modules = self._workspace.modules_of(provider.document)
        changed_modules = {
            constraint.document.path: self._workspace.modules_of(constraint.document)
            for constraint in self.raised(provider)
        }
        modules = [*own_modules, *(module for file_modules in changed_modules.values() for module in file_modules)]
        roots = {root.path: root for module in modules for root in self._workspace.roots_of(module)}
        return [root for _, root in sorted(roots.items())]

    def _tree(self, root: Module) -> tuple[Module, ...]:
        """A root module, and the modules that it calls."""
        if root.path not in self._trees:
            paths = sorted(self._workspace.reached_from(root.path))
            called = (self._workspace.modules.get(path) for path in paths)
            self._trees[root.path] = (root, *(module for module in called if module is not None))
        return self._trees[root.path]


def lock_notes(workspace: Workspace, root: Module, kind: str, first: Version) -> Iterator[Note]:
    """A note that the lock file of a root module pins a release before ``first``."""
    pinned = locked(workspace, root, kind)
    if pinned is not None and pinned < first:
        version = ".".join(map(str, pinned))
        yield LOCKED_RELEASE.note(root.path or ".", file=LOCK_FILE, kind=kind, version=version, release=minor(first))


def raised_note(constraint: Constraint, kind: str, first: Version) -> Note:
    """A note on the work that a raised constraint leaves to a person."""
    subject = f"{constraint.place} ({constraint.text} -> {raised(constraint.text, first)})"
    name, release = f"hashicorp/{kind}", minor(first)
    if not excludes(constraint.text, first):
        return RAISED_MINIMUM.note(subject, name=name, release=release)
    majors = range(major_of(constraint.text) + 1, first[0] + 1) if kind == AWS else ()
    guides = " and ".join(_GUIDE.format(major) for major in majors)
    if guides:
        return MAJOR_RELEASE.note(subject, guides=guides, name=name, release=release)
    return NEW_RELEASE.note(subject, name=name, release=release)
