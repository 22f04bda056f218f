"""The roles in repositories, and the stacks that sign in with each role."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.config.config import Config, is_role_arn
from migrator.decide.context import Context
from migrator.decide.signers.changes import RULES
from migrator.decide.signers.roles import run_roles
from migrator.model.fleet import Code, RepoIdentity, is_of_branch, runs, runs_module
from migrator.regex import regex
from migrator.rules.registry import all_rules
from migrator.spacelift.hooks.roles import roles_in_runtime_config, roles_of
from migrator.spacelift.inventory.known import SESSION_TAGS
from migrator.spacelift.stacks.contexts import attachments
from migrator.spacelift.stacks.model import StackDefinition, TerraformDefinition

if TYPE_CHECKING:
    from migrator.model.account import AccountStack
    from migrator.model.findings import FileProblem, Place
    from migrator.spacelift.settings.role_variables import StackVariables
    from migrator.spacelift.stacks.terraform import Stack
    from migrator.workspace.workspace import Workspace

ROLE_VARIABLE = regex(r"AWS_ROLE_ARN|TF_VAR_aws_role_arn\w*")

Roles = frozenset[str | None]
"""The ARNs of the roles that runs sign in with; None for one that is known to a run alone."""


class RootRoles(Struct, frozen=True):
    """A root module at ``path`` of a repository, and the roles of its runs."""

    identity: RepoIdentity
    path: str
    roles: Roles


class SubjectStack(Struct, frozen=True):
    """A stack in the subjects of its tokens: ``slug`` and ``space`` are ``""`` if they are unknown.

    ``paths`` are the root modules of its repository that it runs. ``roles`` are the roles of these runs and of its
    hooks. ``variable_roles`` are the roles in its variables. ``is_guess`` says that the slug is derived from the name,
    ``has_open_space`` that only a run knows the space. ``has_session_tags`` follows from its label; None if its
    labels are unknown. A module (``kind``)
    of the registry runs its tests. ``account`` is the stack in an inventory, with an exact slug and space.
    """

    title: str
    place: Place
    code: Code
    slug: str
    space: str
    roles: Roles = frozenset()
    variable_roles: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()
    kind: str = "stack"
    is_guess: bool = True
    has_open_space: bool = False
    has_session_tags: bool | None = False
    account: AccountStack | None = None


class Knowledge(Struct, frozen=True):
    """The roles and stacks of a repository, without the files with ``problems``.

    ``hooks`` are the roles of the hooks in its runtime configuration, by the slug of the stack; ``tested`` pairs
    the folders that tests of modules run with the folder of each module.
    """

    identity: RepoIdentity
    code: tuple[RootRoles, ...]
    stacks: tuple[SubjectStack, ...]
    hooks: frozenset[tuple[str, str | None]] = frozenset()
    tested: frozenset[tuple[str, str]] = frozenset()
    problems: tuple[FileProblem, ...] = ()


class Use(Struct, frozen=True):
    """A use of ``role`` by runs of ``stack``; None for an unknown role or stack."""

    role: str | None
    stack: SubjectStack | None


def learn(workspace: Workspace, config: Config) -> Knowledge:
    """Read the roles and stacks of a repository; ``config`` holds the options of a migration."""
    context = Context(workspace, config)
    context.earlier_findings = tuple(
        finding for rule in all_rules() if rule.id in RULES for finding in rule.check(context)
    )
    facts = context.facts
    roles: dict[str, set[str | None]] = {}
    stacks = [stack for stack in facts.stacks if workspace.in_scope(stack.document.path)]
    running: dict[StackDefinition, dict[str, set[str | None]]] = {stack: {} for stack in stacks}
    for known_role in run_roles(context):
        roles.setdefault(known_role.path, set()).add(known_role.role)
        for stack in (*known_role.runners.definitions, *known_role.runners.blueprints):
            if stack in running:
                running[stack].setdefault(known_role.path, set()).add(known_role.role)
    code = tuple(
        RootRoles(workspace.identity, path, frozenset(root_roles)) for path, root_roles in sorted(roles.items())
    )
    subject_stacks = tuple(_stack(stack, paths, facts.variables) for stack, paths in running.items())
    written_roles = frozenset(roles_in_runtime_config(workspace))
    modules = (
        receiver
        for receiver in attachments(workspace).receivers
        if receiver.is_module and workspace.in_scope(receiver.place.path)
    )
    all_stacks = (*subject_stacks, *(_module(module) for module in modules))
    tested = frozenset((path, module) for path, modules in facts.tested.items() for module in modules)
    return Knowledge(workspace.identity, code, all_stacks, written_roles, tested, tuple(workspace.problems))


def uses_of(repositories: Sequence[Knowledge]) -> list[Use]:
    """The roles of the stacks of all repositories; a root module without a known stack is a use without a stack."""
    uses: dict[Use, None] = {}
    roots: set[RootRoles] = set()
    for knowledge in repositories:
        for stack in knowledge.stacks:
            code = [root for other in repositories for root in other.code if _is_run(root, stack, other, knowledge)]
            roots.update(code)
            other_roles = (root.roles for root in code if root.path not in stack.paths or root not in knowledge.code)
            roles = stack.roles.union(*other_roles, _in_runtime_config(stack, repositories))
            named = (roles - {None}) | (stack.variable_roles if None in roles else frozenset())
            is_open = None in roles and not stack.variable_roles
            uses.update(dict.fromkeys(Use(role, stack) for role in (*sorted(filter(None, named)), *[None] * is_open)))
    roots_without_stack = (root for knowledge in repositories for root in knowledge.code if root not in roots)
    uses.update(dict.fromkeys(Use(role, None) for root in roots_without_stack for role in root.roles))
    return list(uses)


def _in_runtime_config(stack: SubjectStack, repositories: Sequence[Knowledge]) -> Roles:
    root = stack.code.project_root
    with_code = (
        knowledge for knowledge in repositories if root is not None and runs(stack.code, knowledge.identity, root)
    )
    return frozenset(role for knowledge in with_code for slug, role in knowledge.hooks if slug == stack.slug)


def _is_run(code: RootRoles, stack: SubjectStack, repository: Knowledge, definer: Knowledge) -> bool:
    """Whether a stack that ``definer`` defines runs code of a repository."""
    if stack.kind == "module":
        modules = [module for path, module in repository.tested if path == code.path]
        return any(runs_module(stack.code, code.identity, module) for module in modules)
    if repository is definer:
        return code.path in stack.paths
    return runs(stack.code, code.identity, code.path) and is_of_branch(stack.code, code.identity)


def _module(module: Stack) -> SubjectStack:
    space, is_open = _space(module)
    return SubjectStack(
        module.title,
        module.place,
        module.code,
        module.slug or "",
        space,
        kind="module",
        has_open_space=is_open,
        has_session_tags=_has_session_tags(module),
    )


def _has_session_tags(stack: Stack) -> bool | None:
    """Whether a stack or module has the label of tagged sessions; None if the labels are not known."""
    return SESSION_TAGS in stack.labels if stack.has_known_labels else None


def _space(stack: Stack) -> tuple[str, bool]:
    """The id of the space of a stack or module, and whether only a run knows the id."""
    argument = stack.argument("space_id")
    space = (argument.string if argument else None) or ""
    return space, argument is not None and not argument.is_null and not space


def _stack(stack: StackDefinition, paths: dict[str, set[str | None]], variables: StackVariables) -> SubjectStack:
    space, variable_roles, is_guess, is_open = "", frozenset[str](), True, False
    has_session_tags: bool | None = SESSION_TAGS in stack.labels
    if isinstance(stack, TerraformDefinition):
        space, is_open = _space(stack.source)
        is_guess, has_session_tags = not stack.source.has_explicit_slug, _has_session_tags(stack.source)
        values = (variable.value for variable in variables.of(stack) if ROLE_VARIABLE.fullmatch(variable.name))
        variable_roles = frozenset(value for value in values if value and is_role_arn(value))
    if stack.account is not None:
        is_guess, space, is_open = False, stack.account.space or space, is_open and not stack.account.space
        has_session_tags = stack.account.has_session_tags or bool(has_session_tags)
    return SubjectStack(
        stack.title,
        stack.place,
        stack.code,
        stack.slug or "",
        space,
        frozenset(roles_of(stack)).union(*paths.values()),
        variable_roles,
        frozenset(paths),
        is_guess=is_guess,
        has_open_space=is_open,
        has_session_tags=has_session_tags,
        account=stack.account,
    )
