"""The roles of the runs of each root module after the migration, which AWS must trust.

The report of a migration and ``tf-oidc-migrate trust`` read these roles, so that both name the same roles.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.config.config import is_role_arn
from migrator.decide.signers.changes import SignInChanges
from migrator.decide.signers.table import BlockSigner, signers_after
from migrator.decide.stack_roles import runners_by_role
from migrator.decide.strategy import may_sign_in
from migrator.errors import MigrateError
from migrator.model.findings import LeftAlone, Refusal
from migrator.model.fleet import KnownStack
from migrator.model.results import TrustRow
from migrator.terraform.backends import S3Backend
from migrator.terraform.expressions.evaluate import Expression, Scope
from migrator.terraform.expressions.scopes import scopes_of
from migrator.terraform.providers import Provider
from migrator.terraform.signing import backend_sign_in

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.hook_targets import Target
    from migrator.decide.roots import Root, Runners
    from migrator.syntax.terraform import Attribute
    from migrator.terraform.backend_edit import SignIn


class RunRole(Struct, frozen=True, eq=False):
    """A ``role`` of runs of the root module at ``path``: an ARN, or None if it is unknown.

    The ``runners`` are the stacks. The changes for the role are of a ``group``, if there is one: `Finding.group`.
    """

    path: str
    role: str | None
    runners: Runners
    group: str | None = None


def trust_rows(context: Context) -> tuple[TrustRow, ...]:
    """A row for each role with a known ARN, unless its changes are refused."""
    if all(isinstance(finding.fix, LeftAlone) for finding in context.earlier_findings):
        return ()
    refused = {finding.group for finding in context.earlier_findings if isinstance(finding.fix, Refusal)} - {None}
    stacks_by_role: dict[str, dict[str, None]] = {}
    for run_role in run_roles(context):
        if run_role.role is not None and run_role.group not in refused:
            stacks_by_role.setdefault(run_role.role, {}).update(_titles(run_role.runners))
    return tuple(TrustRow(role, tuple(stacks)) for role, stacks in sorted(stacks_by_role.items()))


def _titles(runners: Runners) -> dict[str, None]:
    """The stacks by their titles; stacks of other repositories with the repository's name."""
    return {
        f"{runner.repo}: {runner.title}" if isinstance(runner, KnownStack) else runner.title: None
        for runner in runners.all
    }


def run_roles(context: Context) -> Iterator[RunRole]:
    """The roles of hooks, of environments, of CDKTF programs, of Terragrunt units, and of blocks of root modules."""
    for target in context.hook_plan.targets:
        if isinstance(target.role, str) or not _has_hooks(context, target):
            yield RunRole(target.path, _known(target.role), target.runners, target.group)
    for environment_root in context.environment_roots.roots:
        if not environment_root.has_integration:
            role, runners = _known(environment_root.role), environment_root.runners
            yield RunRole(environment_root.module.path, role, runners, environment_root.group)
    yield from _of_programs(context)
    yield from _of_units(context)
    changes = SignInChanges(context)
    states = [run_role for root in context.facts.roots for run_role in _of_state(context, changes, root)]
    yield from states
    roots = {root.module.path: root.runners for root in context.facts.roots}
    paths = {run_role.path for run_role in states}
    for row in signers_after(context):
        if not (isinstance(row.block, S3Backend) and row.root in paths):
            runners = roots.get(row.root) or context.facts.runners_of(row.root)
            yield from (RunRole(row.root, role, runners) for role in _of_block(context, changes, row))


def _has_hooks(context: Context, target: Target) -> bool:
    """Whether every stack that runs a root module already has a hook, which names its role."""
    definitions, known_stacks = target.runners.definitions, target.runners.known_stacks
    is_there = all(map(context.strategies.has_hook, definitions)) and all(stack.has_hook for stack in known_stacks)
    return is_there and bool(definitions or known_stacks)


def _of_programs(context: Context) -> Iterator[RunRole]:
    """The roles of web identity in CDKTF programs."""
    for program, runners in context.facts.programs:
        is_native = context.strategies.of_program(program, runners).is_native
        is_coming = is_native and program.is_migrated(context.config.include_ambient)
        for call in program.calls:
            if call.web_identity is not None and not call.is_provider and call.skip_reason is None:
                yield RunRole(program.folder, _known(call.web_identity_role), runners)
            elif is_coming and may_sign_in(call):
                new_sign_in = context.strategies.call_sign_in(program, call)
                role = None if isinstance(new_sign_in, Refusal) else _known(new_sign_in.role)
                yield RunRole(program.folder, role, runners, program.group)
        for role in context.python_identity(program, runners).roles:
            yield RunRole(program.folder, _known(role), runners, program.group)


def _of_units(context: Context) -> Iterator[RunRole]:
    """The roles of the providers that Terragrunt writes."""
    terragrunt_units = context.facts.terragrunt
    for unit, group, runners in zip(
        terragrunt_units.units, terragrunt_units.groups, context.facts.unit_runners, strict=True
    ):
        for role in context.generated_sign_in.roles(unit) if unit.generated else ():
            yield RunRole(unit.folder, _known(role), runners, group)


def _of_state(context: Context, changes: SignInChanges, root: Root) -> Iterator[RunRole]:
    """The roles of web identity in a root module's backend, and in the states that its modules read.

    Stacks may have partial configurations of their own, each with a role.
    """

    def role_of(backend: S3Backend, new_sign_in: SignIn[Attribute] | None) -> str | None:
        role = (new_sign_in and new_sign_in.role) or backend_sign_in(context.workspace, [backend]).web_identity
        return role if backend.skip_reason is None else None

    by_role = runners_by_role(context, root, lambda backend: role_of(backend, changes.of_backend(backend)))
    own_backends = [backend for backend in root.backends if backend.is_partial or backend in root.blocks]
    roles = [
        (role_of(backend, changes.of_backend(backend)), root.runners) for backend in own_backends if None in by_role
    ]
    for state in (state for state in root.remote_states if state.skip_reason is None):
        sign_ins = changes.of_state(state)
        parts = (part.backend for part in state.configs)
        roles += ((role_of(part, sign_ins.get(part)), root.runners) for part in parts)
    all_roles = (*roles, *by_role.items())
    yield from (RunRole(root.module.path, _known(role), runners) for role, runners in all_roles if role)


def _of_block(context: Context, changes: SignInChanges, row: BlockSigner) -> set[str | None]:
    """The roles that a block signs in with in the runs of a root module; static keys are an unknown role."""
    role, block = row.by.role, row.block
    gaining = changes.block_with_new_identity(block) if isinstance(block, Provider) else None
    if is_role_arn(role):
        return {role}
    if gaining is not None:
        named = context.web_identity.roles_at_roots(gaining)
        return {_known(role) for path, role in named if path == row.root} or {None}
    if role:
        try:
            scopes = [scope for scope in scopes_of(context.workspace, block.module) if _root_of(scope) == row.root]
        except MigrateError:  # the module is called in too many ways
            scopes = []
        return {_known(Expression(role, scope).string) for scope in scopes} or {None}
    is_static = isinstance(block, Provider) and not row.by.is_keyless and block.skip_reason is None
    return {None} if is_static else set()


def _root_of(scope: Scope) -> str:
    return scope.module.path if scope.caller is None else _root_of(scope.caller)


def _known(role: str | Refusal | None) -> str | None:
    return role if isinstance(role, str) and is_role_arn(role) else None
