"""What a repository tells of its stacks: to people in the summary, to the other repositories of the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from migrator.analysis.definitions import StackDefinition
from migrator.analysis.facts import Facts
from migrator.config import Config, HookPlace, is_role_arn
from migrator.edits.given_roles import GivenRole, GivenRoles
from migrator.edits.wanted import Target, Wishes, phase_lists
from migrator.fleet import is_of_branch, runs
from migrator.model import Code, Finding, KnownRoot, KnownStack, Refusal, StackRow, Survey
from migrator.workspace import Workspace

_HOOK_RULES = "spacelift-hook"


class Surveyor:
    """Knows a repository, and the fates of what was found in it."""

    def __init__(
        self,
        workspace: Workspace,
        facts: Facts,
        config: Config,
        wishes: Wishes,
        given: GivenRoles,
        findings: Sequence[Finding],
    ) -> None:
        self._workspace = workspace
        self._facts = facts
        self._config = config
        self._wishes = wishes
        self._given = given
        self._findings = findings

    def survey(self, repo: str) -> Survey:
        """What the other repositories of a run, which know this one as ``repo``, must know of it."""
        stacks = [one for one in self._facts.stacks if self._workspace.in_scope(one.document.path)]
        return Survey(repo, tuple(self._roots(repo)), tuple(self._known(repo, stack) for stack in stacks))

    def _roots(self, repo: str) -> Iterator[KnownRoot]:
        refused = {one.group: one for one in reversed(self._findings) if isinstance(one.fix, Refusal) and one.group}
        for target in self._wishes.targets:
            if isinstance(target.role, str):
                finding = refused.get(target.group)
                reason = f"{finding.place} is refused" if finding else ""
                given = tuple((one.environment_variable, one.role) for one in self._given_to(target.path))
                alone = self._in_runtime_config(target)
                yield KnownRoot(
                    repo, self._workspace.identity, target.path, target.role, reason, alone, target.engine, given
                )
        hooked = {target.path for target in self._wishes.targets}
        for path in sorted({one.root for one in self._given} - hooked):
            given = tuple((one.environment_variable, one.role) for one in self._given_to(path))
            yield KnownRoot(repo, self._workspace.identity, path, "", variables=given)

    def _given_to(self, root: str) -> Sequence[GivenRole]:
        """The roles that the stacks of a root module are to set, for providers that are migrated."""
        return self._given_by_root.get(root, ())

    @cached_property
    def _given_by_root(self) -> dict[str, list[GivenRole]]:
        kept = {one.place for one in self._findings if isinstance(one.fix, Refusal)}
        found: dict[str, list[GivenRole]] = {}
        for one in self._given:
            if not kept.issuperset(one.users):
                found.setdefault(one.root, []).append(one)
        return found

    def _in_runtime_config(self, target: Target) -> frozenset[str]:
        """The slugs of the stacks whose hooks go into the runtime configuration alone."""
        runtime, names = self._wishes.runtime, phase_lists(self._config)
        stacks = self._wishes.runtime_stacks(target)
        return frozenset(one.slug for one in stacks if not any(runtime.belongs_in_stack(one, name) for name in names))

    def _known(self, repo: str, stack: StackDefinition) -> KnownStack:
        known = self._wishes.runtime_stack(stack)
        return KnownStack(
            repo,
            stack.place,
            stack.title,
            stack.code,
            self._wishes.obstacle(stack),
            self._wishes.has_hook(stack),
            known.slug if known else "",
            self._told(known.lists) if known else (),
            stack.evidence,
            self._roles(stack),
        )

    def _roles(self, stack: StackDefinition) -> tuple[tuple[str, str], ...]:
        """The variables that set a role for the stack's runs; a value of any other kind may be a secret."""
        known = ((one.name, one.value) for one in self._facts.variables.of(stack))
        return tuple((name, value) for name, value in known if value is not None and is_role_arn(value))

    def _told(
        self, lists: tuple[tuple[str, tuple[str, ...] | None], ...]
    ) -> tuple[tuple[str, tuple[str, ...] | None], ...]:
        """Lists of hooks as others must know them: a command may hold a secret, and is told only if it is repeated."""
        is_repeated = self._config.hook_in is HookPlace.RUNTIME_CONFIG
        return lists if is_repeated else tuple((name, None) for name, _ in lists)

    def rows(self) -> Iterator[StackRow]:
        """A row for each stack that the given folder defines, or that runs a root module of it."""
        fates = {(one.place, one.message): one.fate for one in self._findings if one.rule.startswith(_HOOK_RULES)}
        wanted = {one.stack: one for one in self._wishes.all}
        for stack in self._facts.stacks:
            wish = wanted.get(stack)
            if wish is None and not self._workspace.in_scope(stack.place.path):
                continue
            fate = fates.get((stack.place, wish.message), "") if wish else ""
            runs_it = wish.code if wish else _said(stack.code)
            yield StackRow(stack.title, stack.place, "", runs_it, fate, tuple(self._remarks(stack, wish is not None)))
        for target in self._wishes.targets:
            for known in target.runners.elsewhere:
                coming = known.refusal or "comes with the migration of that repository"
                fate = "is there" if known.has_hook else coming
                yield StackRow(known.title, known.place, known.repo, target.title, fate)

    def _remarks(self, stack: StackDefinition, is_wanted: bool) -> Iterator[str]:
        unknown = [name for name in ("repository", "project_root", "namespace") if getattr(stack.code, name) is None]
        if unknown:
            yield f"its {' and '.join(unknown)} cannot be told without running Terraform"
        if self._follows_other_branch(stack):
            yield f"it follows the branch {stack.code.branch}, which this run does not migrate"
        if is_wanted and stack.manages_state:
            yield "Spacelift manages its state, so an S3 backend cannot work: it needs manage_state = false"
        if is_wanted and stack.waits and self._config.hook_phases == ("init",):
            yield "its runs wait for confirmation, after which the hook's credentials may be gone: see --hook-phases"
        if place := self._facts.integrations.get(stack):
            yield f"it signs in with the AWS integration at {place}, and has no static keys to lose"
        yield from stack.remarks

    def _follows_other_branch(self, stack: StackDefinition) -> bool:
        """Whether the stack runs code of this repository, of a branch that is not being migrated."""
        identity = self._workspace.identity
        if is_of_branch(stack.code, identity):
            return False
        return any(runs(stack.code, identity, target.path) for target in self._wishes.targets)


def _said(code: Code) -> str:
    """What a stack says of its code, for people; ``""`` if that is not known."""
    return f"{code.repository}: {code.project_root or '.'}" if code.repository and code.project_root is not None else ""
