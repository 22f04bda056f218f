"""The sign-in of a root module's backend, by itself or by a hook, with the reason.

A hook works with every version of Terraform and OpenTofu. So a backend uses the hook, unless the version certainly
supports a sign-in by itself: see ``docs/strategies.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.config.config import BackendAuth, Config, HookPlace, is_role_arn
from migrator.decide.diagnostics import ENGINE_TOO_OLD, NOT_ALL_NATIVE, PARTIAL_WITHOUT_ROLE
from migrator.decide.roots import Root, Runners
from migrator.model.engine import FIRST_NATIVE, Engine, Evidence, Verdict, verdict
from migrator.model.findings import Note, Refusal
from migrator.model.fleet import runs
from migrator.regex import regex
from migrator.spacelift.hooks.in_runtime_config import RuntimeHooks, RuntimeStack
from migrator.spacelift.hooks.lists import HookExport, HookLists
from migrator.spacelift.stacks.runtime_config import IGNORES, PATH
from migrator.terraform.backend_edit import SignIn, sign_in, state_sign_ins
from migrator.terraform.engine_evidence import code_evidence, rejects_flat_role

if TYPE_CHECKING:
    from migrator.cdktf.calls import CdktfCall, CdktfProgram
    from migrator.decide.context import Context
    from migrator.spacelift.hooks.in_runtime_config import RuntimeHooks
    from migrator.spacelift.stacks.model import StackDefinition
    from migrator.syntax.python.items import Item, Items
    from migrator.syntax.terraform import Attribute
    from migrator.terraform.backends import S3Backend
    from migrator.terraform.remote_states import Config as StateConfig
    from migrator.terraform.remote_states import RemoteState
    from migrator.workspace.module import Module


class Strategy(Struct, frozen=True):
    """The ``way`` in which a root module's backend signs in, with a ``reason``; ``""`` without a reason.

    ``way`` is never `BackendAuth.AUTO`.
    """

    way: BackendAuth
    reason: str = ""

    @property
    def is_native(self) -> bool:
        """Whether the backend signs in with web identity itself."""
        return self.way is BackendAuth.NATIVE


_UNCHANGED = regex(r"(?:, so nothing was changed|\. Nothing was changed here)\.\Z")
"""The end of a refusal that does not hold where a hook is used instead."""


class Strategies:
    """The strategies of a repository's backends; ``has_hook`` says which stacks already have a hook."""

    def __init__(self, context: Context) -> None:
        self._context = context
        facts, config = context.facts, context.config
        self.runtime = RuntimeHooks(context.workspace, config)
        is_in_context = config.hook_in is HookPlace.CONTEXT
        overriding = {
            stack: setting.reason
            for stack, settings in facts.settings_elsewhere.items()
            for setting in settings
            if setting.reaches(context.repo, stack.slug, stack.labels)
        }
        self.lists = HookLists(
            context.workspace, facts.stacks, facts.integrations, overriding, in_context=is_in_context
        )
        self.of = cache(self._choose)
        self._own_strategy = cache(self._choose_own)
        self._code = cache(self._code_of)
        self.certain_verdict = cache(self._find_certain_verdict)
        self.of_program = cache(self._choose_for_program)

    def has_hook(self, stack: StackDefinition) -> bool:
        """Whether the stack already exchanges a token before init."""
        runtime_stack = self.runtime_stack(stack)
        by_file = runtime_stack is not None and self.runtime.has_hook(runtime_stack.slug, "before_init")
        return by_file or self.lists.has_hook(stack, "before_init")

    def exports(self, stack: StackDefinition) -> Iterator[HookExport]:
        """The hooks of the stack, of its contexts and of the runtime configuration that export static credentials."""
        yield from self.lists.exports(stack)
        runtime_stack = self.runtime_stack(stack)
        is_here = runs(stack.code, self._context.workspace.identity, stack.code.project_root or "")
        holders = (("stacks", runtime_stack.slug), ("stack_defaults",)) if runtime_stack is not None and is_here else ()
        if found := self.runtime.exported(holders):
            yield HookExport(PATH, f"in a hook of the stack{found.through}", found.variable)

    def runtime_stack(self, stack: StackDefinition) -> RuntimeStack | None:
        """The stack for the runtime configuration; None if its slug is unknown, or if the stack is excluded."""
        if stack.slug is None or stack.is_ignored or IGNORES in stack.labels:
            return None
        lists = ((name, self.lists.commands(stack, name)) for name in phase_lists(self._context.config))
        return RuntimeStack(stack.slug, tuple((name, commands) for name, commands in lists if commands != ()))

    def needs_hook(self, root: Root) -> bool:
        """Whether the root module is migrated, and its backend needs a hook."""
        return root.is_migrated(self._context.config.include_ambient) and self.of(root).way is BackendAuth.HOOK

    def sign_in(self, root: Root, backend: S3Backend) -> SignIn[Attribute] | Refusal:
        """The sign-in of one of the root module's backends by itself."""
        carriers = root.carriers
        is_carrier = backend in carriers or (not carriers and backend is root.backend)
        if not is_carrier and backend.is_partial and backend.credentials and root.backend not in carriers and carriers:
            return PARTIAL_WITHOUT_ROLE.refusal()
        is_tofu = (
            all(any(evidence.is_tofu for evidence in stack_evidence) for stack_evidence in self._of_stacks(root))
            and not backend.is_partial
        )
        config, mapped = self._context.config.at(root.module.path), self.mapped_role(backend)
        if isinstance(mapped, Refusal):
            return mapped
        return sign_in(backend, config, mapped or config.role_arn, has_own=is_carrier, may_vary=is_tofu)

    def mapped_role(self, backend: S3Backend) -> str | Refusal | None:
        """The mapped role of the backend's identity, also for a backend of a remote state."""
        return self._context.role_mappings.role(backend)

    def native_readers(self, state: RemoteState) -> list[Root] | Refusal | None:
        """The root modules that read a remote state which signs in by itself; None if a hook signs in.

        Readers without an S3 backend get no hook: for these, the evidence of their own code counts.
        """
        auth = self._context.config.backend_auth
        reading = [root for root in self._context.facts.roots if state in root.remote_states]
        if auth is not BackendAuth.AUTO:
            return reading if auth is BackendAuth.NATIVE else None
        ways = {root.module.path: self.of(root).is_native for root in reading}
        for module in self._context.workspace.roots_of(state.module):
            if module.path not in ways:
                ways[module.path] = self.certain_verdict(module).is_native
        if not any(ways.values()):
            return None
        hook_roots = sorted(path for path, is_native in ways.items() if not is_native)
        return NOT_ALL_NATIVE.refusal(root=hook_roots[0] or ".") if hook_roots else reading

    def state_sign_ins(
        self, state: RemoteState, roots: Sequence[Root]
    ) -> Iterator[tuple[StateConfig, SignIn[Attribute] | Refusal]]:
        """The sign-in of each part of a remote state by itself, if ``roots`` read the state."""
        roles = {self.role(root) for root in roots}
        config = self._context.config.at(roots[0].module.path if len(roots) == 1 else state.module.path)
        role = roles.pop() if len(roles) == 1 else config.role_arn
        return state_sign_ins(state, config, role, self.mapped_role)

    def objection(self, root: Root) -> Refusal | None:
        """The refusal if the root module's backends or states cannot sign in by themselves; None otherwise."""
        outcomes = [] if root.has_web_identity else [self.sign_in(root, backend) for backend in root.backends]
        for state in root.remote_states:
            if state.skip_reason is None and not state.has_web_identity and state.names:
                outcomes += [outcome for _, outcome in self.state_sign_ins(state, [root])]
        return next((outcome for outcome in outcomes if isinstance(outcome, Refusal)), None)

    def engine(self, root: Root) -> Engine:
        """The evidence on the root module's engine, without its stacks."""
        return Engine(self._code(root), *self.runtime.evidence(root.module.path))

    def program_engine(self, program: CdktfProgram) -> Engine:
        """The evidence on a program's engine: no code of the program names the engine."""
        return Engine((), *self.runtime.evidence(program.folder))

    def _code_of(self, root: Root) -> tuple[Evidence, ...]:
        return tuple(code_evidence(self._context.workspace, root.module, root.backends))

    def _find_certain_verdict(self, module: Module) -> Verdict:
        """The verdict of the code of a root module without an S3 backend."""
        return verdict(
            evidence for evidence in code_evidence(self._context.workspace, module, ()) if not evidence.is_soft
        )

    def is_open(self, code: Root | CdktfProgram, runners: Runners) -> bool:
        """Whether ``code`` signs in by itself if stacks of other repositories have a suitable engine."""
        is_auto = self._context.config.backend_auth is BackendAuth.AUTO and not self._context.config.has_integration
        if not is_auto or any(map(self.has_hook, runners.definitions)):
            return False
        if isinstance(code, Root) and code.module.path in self._context.facts.tested:
            return False
        strategy = self.of(code) if isinstance(code, Root) else self.of_program(code, runners)
        objection = self.objection(code) if isinstance(code, Root) else self._program_objection(code)
        return strategy.is_native or (not runners.definitions and objection is None)

    def role(self, root: Root) -> str | None:
        """The one literal role with which the root module's backend signs in by itself, if any."""
        outcomes = [self.sign_in(root, backend) for backend in root.backends]
        roles = {outcome.role for outcome in outcomes if isinstance(outcome, SignIn) and is_role_arn(outcome.role)}
        config = self._context.config.at(root.module.path)
        return config.backend_role_arn or (roles.pop() if len(roles) == 1 else config.role_arn)

    def flat_role_objection(self, root: Root) -> str:
        """The reason why the root module's flat role is already an error; ``""`` if it may be valid."""
        rejection = next(
            (evidence for stack_evidence in self._of_stacks(root) if (evidence := rejects_flat_role(stack_evidence))),
            None,
        )
        return f"Terraform from 1.10 on rejects the role here, and {rejection}" if rejection else ""

    def doubts(self, root: Root) -> Iterator[Note]:
        """A note on evidence against the sign-in by itself, if the user requires it."""
        if self._context.config.backend_auth is BackendAuth.NATIVE:
            opposing_verdicts = (
                opposing
                for stack_evidence in self._of_stacks(root)
                if not (opposing := verdict(stack_evidence)).is_native
            )
            evidence = next(
                (opposing.why for opposing in opposing_verdicts if opposing.why and opposing.why.high <= FIRST_NATIVE),
                None,
            )
            if evidence is not None:
                yield ENGINE_TOO_OLD.note(root.module.path or ".", why=evidence)

    def _choose(self, root: Root) -> Strategy:
        """The strategy of a root module: if a reader of the same state needs a hook, all its readers use the hook."""
        own_strategy = self._own_strategy(root)
        if own_strategy.way is not BackendAuth.NATIVE or self._context.config.backend_auth is not BackendAuth.AUTO:
            return own_strategy
        siblings = (sibling for sibling in self._sharing(root) if not self._own_strategy(sibling).is_native)
        hook_root = next((other.module.path or "." for other in siblings if not other.has_web_identity), None)
        reason = f"the root module {hook_root}, which reads the same state, needs a hook"
        return Strategy(BackendAuth.HOOK, reason) if hook_root is not None else own_strategy

    def _choose_own(self, root: Root) -> Strategy:
        is_open = self._context.config.backend_auth is BackendAuth.AUTO and not self._context.config.has_integration
        if is_open and root.module.path in self._context.facts.tested:
            return Strategy(BackendAuth.HOOK, "the tests of a module run this code, with any version of Terraform")
        return self._decide(root.runners, self._of_stacks(root), lambda: self.objection(root))

    def _sharing(self, root: Root) -> list[Root]:
        """The other root modules that read a state of ``root``, or of another such module."""
        sharing = {root: None}
        pending = [root] if root.remote_states else []
        while pending:
            states = set(pending.pop().remote_states)
            for other in self._context.facts.roots:
                if other not in sharing and not states.isdisjoint(other.remote_states):
                    sharing[other] = None
                    pending.append(other)
        return list(sharing)[1:]

    def _choose_for_program(self, program: CdktfProgram, runners: Runners) -> Strategy:
        evidence = _evidence(self.program_engine(program), runners)
        return self._decide(runners, evidence, lambda: self._program_objection(program))

    def call_sign_in(self, program: CdktfProgram, call: CdktfCall) -> SignIn[tuple[Items, Item]] | Refusal:
        """The sign-in of a backend or remote state of a program by itself."""
        config = self._context.config.at(program.folder)
        return sign_in(call, config, config.role_arn, has_own=True, may_vary=True)

    def _program_objection(self, program: CdktfProgram) -> Refusal | None:
        outcomes = (self.call_sign_in(program, call) for call in program.calls if may_sign_in(call))
        return next((result for result in outcomes if isinstance(result, Refusal)), None)

    def _decide(
        self, runners: Runners, all_evidence: Iterable[tuple[Evidence, ...]], objection: Callable[[], Refusal | None]
    ) -> Strategy:
        if self._context.config.has_integration:
            return Strategy(BackendAuth.ENV)
        if self._context.config.backend_auth is not BackendAuth.AUTO:
            return Strategy(self._context.config.backend_auth)
        stacks = (*runners.definitions, *runners.blueprints)
        if any(map(self.has_hook, stacks)) or any(stack.has_hook for stack in runners.known_stacks):
            return Strategy(BackendAuth.HOOK)
        verdicts = [verdict(evidence) for evidence in all_evidence]
        first_opposing = next((opposing for opposing in verdicts if not opposing.is_native), None)
        if first_opposing is not None:
            return Strategy(BackendAuth.HOOK, _reason(first_opposing))
        refused = objection()
        return (
            Strategy(BackendAuth.HOOK, _UNCHANGED.sub(".", refused.reason))
            if refused
            else Strategy(BackendAuth.NATIVE, str(verdicts[0].why))
        )

    def _of_stacks(self, root: Root) -> Iterator[tuple[Evidence, ...]]:
        """The evidence on the engine of each stack that runs the root module."""
        return _evidence(self.engine(root), root.runners)


def _evidence(engine: Engine, runners: Runners) -> Iterator[tuple[Evidence, ...]]:
    stacks = (*runners.all, *runners.blueprints)
    for stack in stacks:
        yield from engine.of_stack(stack.slug, stack.evidence)
    if not stacks:
        yield from engine.of_no_stack()


def may_sign_in(call: CdktfCall) -> bool:
    """Whether a call of a migrated program signs in by itself: a backend, or a state with a role."""
    if call.is_provider or call.skip_reason is not None or call.web_identity is not None:
        return False
    return call.is_backend or bool(call.credentials or call.role_family or call.assumes_role)


def _reason(verdict: Verdict) -> str:
    if verdict.contradiction:
        first, second = verdict.contradiction
        return f"{first}, but {second}"
    if verdict.why is None:
        return ""
    return str(verdict.why) if verdict.why.high <= FIRST_NATIVE else f"{verdict.why}, which allows versions before 1.6"


def with_reason(outcome: str, reason: str) -> str:
    """``outcome``, a sentence, with the reason if there is one."""
    return f"{outcome} Reason: {reason.rstrip('.')}." if reason else outcome


def phase_lists(config: Config) -> list[str]:
    """The lists of hooks that get the hook, by the options."""
    return [f"before_{phase}" for phase in config.hook_phases]
