"""The roles in repositories, and the stacks that sign in with each role."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from migrator.config.config import Config, is_role_arn
from migrator.decide.context import Context
from migrator.decide.strategy import may_sign_in
from migrator.errors import SyntaxProblem
from migrator.model.findings import FileProblem, Ignored, Place, Refusal, Rewrite
from migrator.model.fleet import Code, RepoIdentity, is_of_branch, runs
from migrator.regex import regex
from migrator.spacelift.inventory.known import SESSION_TAGS
from migrator.spacelift.stacks.contexts import attachments
from migrator.spacelift.stacks.definitions import StacksByFolder, definitions_running
from migrator.spacelift.stacks.exchange import EXCHANGE, commands, text_of
from migrator.spacelift.stacks.model import PythonDefinition, StackDefinition, TerraformDefinition, YamlDefinition
from migrator.spacelift.stacks.runtime_config import PATH as RUNTIME_CONFIG
from migrator.spacelift.stacks.runtime_config import parse
from migrator.syntax.hcl.scanner import skip_balanced
from migrator.syntax.hcl.strings import string_value
from migrator.syntax.yaml.parse import read
from migrator.terraform.backend_edit import SignIn
from migrator.terraform.expressions.evaluate import Expression, Scope
from migrator.terraform.expressions.scopes import scopes_of
from migrator.workspace.discover import Kind

if TYPE_CHECKING:
    from migrator.decide.facts import Facts
    from migrator.decide.target import Target
    from migrator.model.account import AccountStack
    from migrator.spacelift.settings.role_variables import StackVariables
    from migrator.spacelift.stacks.terraform import Stack
    from migrator.terraform.backends import S3Backend
    from migrator.workspace.workspace import Workspace

_HOOK_ROLE = regex(r"--role-arn[ =]+[\"']?([^\s\"']+)")
ROLE_VARIABLE = regex(r"AWS_ROLE_ARN|TF_VAR_aws_role_arn\w*")
_INIT = "before_init"
_BY_KEY = regex(r"(?:lookup(?=\(\{)|contains(?=\(\[))")
_ELSE_NONE = regex(r"\s*:\s*\[\]")
_WEB_IDENTITY = "assume_role_with_web_identity"

Roles = frozenset[str | None]
"""The ARNs of the roles that runs sign in with; None for one that is known to a run alone."""


class KnownCode(Struct, frozen=True):
    """A root module at ``path`` of a repository, and the roles that its backend and providers sign in with."""

    identity: RepoIdentity
    path: str
    roles: Roles


class KnownStack(Struct, frozen=True):
    """A stack: ``slug`` and ``space`` are ``""`` where they are not known, ``roles`` those of its hooks.

    ``variable_roles`` are the roles that its variables hold, ``paths`` the root modules of its repository that it runs.
    ``is_guess`` tells that the slug is made of the name, ``has_open_space`` that a run alone knows the space.
    ``has_session_tags`` tells of its label. A module (``kind``) of the registry runs its tests. ``account`` is what an
    inventory says of the stack: slug and space are exact then.
    """

    title: str
    place: Place
    code: Code
    slug: str
    space: str
    roles: Roles
    variable_roles: frozenset[str]
    paths: frozenset[str]
    kind: str = "stack"
    is_guess: bool = True
    has_open_space: bool = False
    has_session_tags: bool = False
    account: AccountStack | None = None


class Knowledge(Struct, frozen=True):
    """The roles and stacks of a repository, without the files with ``problems``.

    ``hooks`` are the roles of the hooks in its runtime configuration, by the slug of the stack; ``tested`` are the
    folders that tests of a module run.
    """

    identity: RepoIdentity
    code: tuple[KnownCode, ...]
    stacks: tuple[KnownStack, ...]
    hooks: frozenset[tuple[str, str | None]] = frozenset()
    tested: frozenset[str] = frozenset()
    problems: tuple[FileProblem, ...] = ()


class Use(Struct, frozen=True):
    """That runs of ``stack`` sign in with ``role``; None for what is not known."""

    role: str | None
    stack: KnownStack | None


def learn(workspace: Workspace, config: Config) -> Knowledge:
    """Read the roles and stacks of a repository; ``config`` holds the options of a migration."""
    context = Context(workspace, config)
    facts = context.facts
    roles: dict[str, set[str | None]] = {}
    targets = [
        target
        for target in context.hook_plan.targets
        if isinstance(target.role, str) or not _has_hooks(context, target)
    ]
    of_stacks = [target for target in targets if _is_of_some_stacks(target, targets)]
    roles.update((target.path, set()) for target in of_stacks)
    hooks = [(target.path, _role(target)) for target in targets if target not in of_stacks]
    coming = [*hooks, *_native_roles(context), *_program_roles(context)]
    hooked = {target.path for target in targets} | {root.module.path for root in facts.roots if root.gets_static_keys}
    for path, role in (*coming, *_backend_roles(facts), *_provider_roles(context, hooked)):
        roles.setdefault(path, set()).add(role)
    code = tuple(KnownCode(workspace.identity, path, frozenset(found)) for path, found in sorted(roles.items()))
    stacks = [item for item in facts.stacks if workspace.in_scope(item.document.path)]
    running: dict[StackDefinition, set[str]] = {stack: set() for stack in stacks}
    by_folder = StacksByFolder(workspace, stacks)
    for path in roles:
        for stack in definitions_running(path, by_folder, workspace, is_only_root=len(roles) == 1):
            running[stack].add(path)
    known = tuple(
        _stack(
            stack,
            frozenset(paths),
            facts.variables,
            frozenset(_role(target) for target in of_stacks if stack in target.runners.here),
        )
        for stack, paths in running.items()
    )
    written = frozenset(_runtime_hooks(workspace))
    modules = (
        receiver
        for receiver in attachments(workspace).receivers
        if receiver.is_module and workspace.in_scope(receiver.place.path)
    )
    every = (*known, *(_module(module) for module in modules))
    return Knowledge(workspace.identity, code, every, written, frozenset(facts.tested), tuple(workspace.problems))


def _is_of_some_stacks(target: Target, targets: Sequence[Target]) -> bool:
    """Whether other stacks of the same root module get a hook with another role."""
    roles = {other.role for other in targets if other.path == target.path}
    return len(roles) > 1 and bool(target.runners.here) and not target.runners.elsewhere


def _role(target: Target) -> str | None:
    return _known(target.role if isinstance(target.role, str) else None)


def _has_hooks(context: Context, target: Target) -> bool:
    """Whether every stack that runs a root module has a hook already, which names its role."""
    here, elsewhere = target.runners.here, target.runners.elsewhere
    is_there = all(map(context.strategies.has_hook, here)) and all(stack.has_hook for stack in elsewhere)
    return is_there and bool(here or elsewhere)


def uses_of(repositories: Sequence[Knowledge]) -> list[Use]:
    """Which roles the stacks of all repositories sign in with; what no known stack runs is a use without a stack."""
    uses: dict[Use, None] = {}
    found: set[KnownCode] = set()
    for knowledge in repositories:
        for stack in knowledge.stacks:
            code = [item for other in repositories for item in other.code if _is_run(item, stack, other, knowledge)]
            found.update(code)
            roles = stack.roles.union(*(item.roles for item in code), _in_runtime_config(stack, repositories))
            named = (roles - {None}) | (stack.variable_roles if None in roles else frozenset())
            is_open = None in roles and not stack.variable_roles
            uses.update(dict.fromkeys(Use(role, stack) for role in (*sorted(filter(None, named)), *[None] * is_open)))
    alone = (item for knowledge in repositories for item in knowledge.code if item not in found)
    uses.update(dict.fromkeys(Use(role, None) for item in alone for role in item.roles))
    return list(uses)


def _in_runtime_config(stack: KnownStack, repositories: Sequence[Knowledge]) -> Roles:
    root = stack.code.project_root
    with_code = (
        knowledge for knowledge in repositories if root is not None and runs(stack.code, knowledge.identity, root)
    )
    return frozenset(role for knowledge in with_code for slug, role in knowledge.hooks if slug == stack.slug)


def _is_run(code: KnownCode, stack: KnownStack, repository: Knowledge, own: Knowledge) -> bool:
    """Whether a stack, which ``own`` defines, runs code of a repository."""
    if stack.kind == "module":
        is_there = runs(replace(stack.code, project_root=""), code.identity, "")
        return is_there and code.path in repository.tested
    if repository is own:
        return code.path in stack.paths
    return runs(stack.code, code.identity, code.path) and is_of_branch(stack.code, code.identity)


def _module(module: Stack) -> KnownStack:
    argument = module.argument("space_id")
    space = (argument.string if argument else None) or ""
    return KnownStack(
        module.title,
        module.place,
        module.code,
        module.slug or "",
        space,
        frozenset(),
        frozenset(),
        frozenset(),
        kind="module",
        has_open_space=argument is not None and not argument.is_null and not space,
        has_session_tags=SESSION_TAGS in module.labels,
    )


def _stack(
    stack: StackDefinition, paths: frozenset[str], variables: StackVariables, coming: Roles = frozenset()
) -> KnownStack:
    space, variable_roles, is_guess, is_open = "", frozenset[str](), True, False
    if isinstance(stack, TerraformDefinition):
        argument = stack.source.argument("space_id")
        space = (argument.string if argument else None) or ""
        is_open = argument is not None and not argument.is_null and not space
        is_guess = not stack.source.has_explicit_slug
        values = (variable.value for variable in variables.of(stack) if ROLE_VARIABLE.fullmatch(variable.name))
        variable_roles = frozenset(value for value in values if value and is_role_arn(value))
    if stack.account is not None:
        is_guess, space, is_open = False, stack.account.space or space, is_open and not stack.account.space
    roles = coming | frozenset(role for text in _hooks(stack) for role in roles_in(text))
    return KnownStack(
        stack.title,
        stack.place,
        stack.code,
        stack.slug or "",
        space,
        roles,
        variable_roles,
        paths,
        is_guess=is_guess,
        has_open_space=is_open,
        has_session_tags=SESSION_TAGS in stack.labels,
        account=stack.account,
    )


def _hooks(stack: StackDefinition) -> Iterator[str]:
    """What the stack, and the contexts attached to it, do before init."""
    if isinstance(stack, TerraformDefinition):
        lists = (
            stack.source.argument(_INIT),
            *(spacelift_context.argument(_INIT) for spacelift_context in stack.contexts.known),
        )
        yield from (_own(stack.source, expression) for expression in lists if expression is not None)
    elif isinstance(stack, PythonDefinition):
        from migrator.spacelift.hooks.in_python import hooks_of  # here: libcst is slow to load, and seldom needed

        yield from hooks_of(stack.document.text, stack.source, _INIT)
    elif isinstance(stack, YamlDefinition):
        yield from commands(read(stack.document.text, stack.part), stack.source.hooks("init"))


def _own(stack: Stack, hooks: Expression) -> str:
    """What a list of hooks says; of a choice by the key of ``for_each``, what it says for this stack alone."""
    text, choice = hooks.text, _BY_KEY.search(hooks.text)
    if stack.key is None or choice is None:
        return text_of(hooks)
    start = choice.start()
    try:
        end = _end_of_choice(text, skip_balanced(text, choice.end()))
    except SyntaxProblem:  # JSON within JSON's own escapes
        return ""
    chosen = hooks.derived(text[start:end]).strings or ()
    return "\n".join((*chosen, text_of(hooks.derived(f"{text[:start]}[]{text[end:]}"))))


def _end_of_choice(text: str, call: int) -> int:
    """The end of a ``lookup``, or of what follows a condition, whose ``call`` ends there: ``? [hook] : []``."""
    opening = text.find("[", call) if text[call:].lstrip().startswith("?") else -1
    nothing = _ELSE_NONE.match(text, skip_balanced(text, opening)) if opening >= 0 else None
    return nothing.end() if nothing else call


def _runtime_hooks(workspace: Workspace) -> Iterator[tuple[str, str | None]]:
    """The roles of the hooks in the runtime configuration, by the slug of the stack."""
    document = workspace.documents.get(workspace.scoped(RUNTIME_CONFIG))
    if document is None or document.problem is not None:
        return
    tree = read(document.text)
    for slug in parse(document.text).slugs:
        for command in commands(tree, ("stacks", slug, _INIT)):
            yield from ((slug, role) for role in roles_in(command))


def roles_in(hooks: str) -> Iterator[str | None]:
    """The roles that commands exchange the token for; None for one that a run alone knows."""
    for line in hooks.splitlines():
        if EXCHANGE in line and not line.lstrip().startswith("#"):
            yield from (_known(role) for role in _HOOK_ROLE.findall(line))


def _native_roles(context: Context) -> Iterator[tuple[str, str | None]]:
    """The roles with which backends, and the remote states beside them, are still to sign in by themselves."""
    config, strategies = context.config, context.strategies
    for root in context.facts.roots:
        is_migrated = root.is_migrated(config.include_ambient)
        is_there = any(backend.has_web_identity for backend in root.backends)
        if (is_migrated or is_there) and strategies.of(root).is_native:
            signed = [strategies.sign_in(root, backend) for backend in root.backends if is_migrated]
            for state in root.remote_states:
                assumes = any(state_config.backend.assumes_role for state_config in state.configs)
                if (
                    state.skip_reason is None
                    and not state.has_web_identity
                    and (state.names or assumes or root.gets_static_keys)
                ):
                    signed += [outcome for _, outcome in strategies.state_sign_ins(state, [root])]
            for outcome in signed:
                if isinstance(outcome, SignIn) and outcome.role:
                    yield root.module.path, _known(outcome.role)


def _program_roles(context: Context) -> Iterator[tuple[str, str | None]]:
    """The roles with which backends of CDKTF programs sign in by themselves, or will."""
    for program, runners in context.facts.programs:
        is_native = context.strategies.of_program(program, runners).is_native
        is_coming = is_native and program.is_migrated(context.config.include_ambient)
        for call in program.calls:
            if call.web_identity is not None and not call.is_provider and call.skip_reason is None:
                yield program.folder, _known(call.web_identity_role)
            elif is_coming and may_sign_in(call):
                signed = context.strategies.call_sign_in(program, call)
                yield program.folder, None if isinstance(signed, Refusal) else _known(signed.role)


def _backend_roles(facts: Facts) -> Iterator[tuple[str, str | None]]:
    """The roles with which backends and remote states sign in by themselves already."""
    for root in facts.roots:
        states = [
            config.backend for state in root.remote_states if state.skip_reason is None for config in state.configs
        ]
        yield from ((root.module.path, role) for role in _web_identities((*root.backends, *states)))


def _web_identities(backends: Iterable[S3Backend]) -> Iterator[str | None]:
    for backend in backends:
        argument = backend.block.attribute(_WEB_IDENTITY)
        if argument is not None and backend.skip_reason is None:
            items = [attribute for attribute in backend.document.object_items(argument) if attribute.name == "role_arn"]
            yield from (_known(string_value(backend.document.expression(attribute))) for attribute in items)


def _provider_roles(context: Context, hooked: set[str]) -> Iterator[tuple[str, str | None]]:
    """The roles of the providers, by the root module that each is reached from.

    Static keys stand for the role that the configuration names, or for one that is still open. So do no credentials at
    all in the ``hooked`` root modules, and where a migration makes a provider sign in by itself. What is to be left as
    it is signs in all the same.
    """
    config, mappings = context.config, context.roles
    for provider in context.facts.providers:
        is_aws = provider.skip_reason is None or (
            isinstance(provider.skip_reason, Ignored) and provider.has_web_identity
        )
        if is_aws and provider.document.kind is not Kind.TEST:
            for scope in scopes_of(context.workspace, provider.module):
                path = _outermost(scope).module.path
                for role in provider.web_identity_roles:
                    yield path, _known(Expression(role, scope).string if role else None)
            decided = context.sign_ins.of(provider)
            is_coming = decided is not None and isinstance(decided[0], Rewrite)
            for path, identity in mappings.instances(provider) or () if not provider.has_web_identity else ():
                if provider.credentials or path in hooked or is_coming:
                    for _, mapped in mappings.cases(provider, path, identity):
                        named = mapped or config.at(provider.module.path).role_arn
                        yield path, named if isinstance(named, str) else None


def _outermost(scope: Scope) -> Scope:
    return scope if scope.caller is None else _outermost(scope.caller)


def _known(role: str | None) -> str | None:
    return role if role is not None and is_role_arn(role) else None
