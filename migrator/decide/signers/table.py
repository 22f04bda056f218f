"""The table of signers: for each root module its providers, its backend and the states that it reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from migrator.decide.environment_roots import ROLE, TOKEN_FILE, EnvironmentRoot
from migrator.decide.signers.changes import SignInChanges
from migrator.model.findings import LeftAlone, Refusal
from migrator.model.results import SigningRow
from migrator.syntax.terraform import Attribute, BodyChange
from migrator.terraform.backends import effective_backends
from migrator.terraform.signing import (
    ENVIRONMENT,
    ConfiguredSignIn,
    Environment,
    Signer,
    changed_sign_in,
    provider_sign_in,
    role_title,
    signer,
)
from migrator.workspace.discover import Kind

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.facts import Facts
    from migrator.spacelift.stacks.model import StackDefinition
    from migrator.terraform.backend_edit import SignIn
    from migrator.terraform.backends import S3Backend
    from migrator.terraform.providers import Provider
    from migrator.terraform.remote_states import RemoteState
    from migrator.workspace.workspace import Workspace

    _Block = Provider | S3Backend | RemoteState

_NOBODY = Environment()
_INTEGRATION = Signer("the AWS integration", is_keyless=True)
_HOOK = Signer("web identity, by the hook", is_keyless=True)


def signing_rows(context: Context) -> tuple[SigningRow, ...]:
    """A row for each signer in a root module, unless the environment signs for everything, before and after.

    None where nothing was found that is, could or should be changed.
    """
    if all(isinstance(finding.fix, LeftAlone) for finding in context.earlier_findings):
        return ()
    before = signers(context.workspace, _blocks(context.facts), _environments(context))
    after = {(row.root, row.title): row.by for row in signers_after(context)}
    with_hook = set(context.facts.tested)  # the runtime configuration has the hooks of tests
    pasted = {target.path for target in context.hook_plan.targets if not target.runners.all} - with_hook
    hooks = {root: environment.default for root, environment in environments_after(context).items() if root in pasted}
    before_and_after = {(row.root, row.title): (row.by, after.get((row.root, row.title), row.by)) for row in before}
    roots_shown = {root for (root, _), pair in before_and_after.items() if {*pair} != {ENVIRONMENT}}
    return tuple(
        SigningRow(
            root or ".",
            title,
            signer_before.title,
            _shown(signer, hooks.get(root)),
            signer.role,
            signer.is_keyless,
            root in with_hook,
        )
        for (root, title), (signer_before, signer) in before_and_after.items()
        if root in roots_shown
    )


def _shown(new_signer: Signer, pasted: Signer | None) -> str:
    """The title of a new signer; a hook that a person must paste signs in only afterwards."""
    return f"{new_signer.title}, after you paste the hook" if new_signer == pasted else new_signer.title


def signers_after(context: Context) -> Iterator[BlockSigner]:
    """The signers after the migration, by the decisions alone."""
    environments, changes = environments_after(context), SignInChanges(context)
    return signers(context.workspace, _blocks(context.facts), environments, changes)


def environments_after(context: Context) -> dict[str, Environment]:
    """The environments of root modules after the migration, by path."""
    refused = {finding.group for finding in context.earlier_findings if isinstance(finding.fix, Refusal)}
    hooks: dict[str, list[str]] = {}
    for target in context.hook_plan.targets:
        if isinstance(target.role, str) and target.group not in refused:
            hooks.setdefault(target.path, []).append(target.role)
    environments = _environments(context) | {
        path: Environment(default=_by_hook(roles)) for path, roles in hooks.items()
    }
    environments |= {
        root.module.path: _environment_after(root)
        for root in context.environment_roots.roots
        if not isinstance(root.role, Refusal) and root.group not in refused
    }
    return environments


def _by_hook(roles: Sequence[str]) -> Signer:
    role = roles[0] if len(roles) == 1 else ""
    return Signer(f"web identity {role or 'of each stack'}, by the hook", role, is_keyless=True)


def _environment_after(root: EnvironmentRoot) -> Environment:
    """The new environment of a root module."""
    if root.has_integration:
        by_role = Signer(f"role {root.role}, by the AWS integration", is_keyless=True)
        return Environment(default=by_role if root.role else _INTEGRATION)
    return Environment(web_identity=str(root.role))


def _environments(context: Context) -> dict[str, Environment]:
    """The present environments, by path, if stacks have a hook, an integration, or the variables of a role."""
    facts, has_hook = context.facts, context.strategies.has_hook
    environments = {module.module.path: Environment(has_keys=True) for module in facts.modules_with_static_keys}
    for root in facts.roots:
        definitions, known_stacks = root.runners.definitions, root.runners.known_stacks
        if any(map(has_hook, definitions)) or any(stack.has_hook for stack in known_stacks):
            environments[root.module.path] = Environment(default=_HOOK)
        elif any(stack in facts.integrations for stack in definitions) or any(
            stack.has_integration for stack in known_stacks
        ):
            environments[root.module.path] = Environment(default=_INTEGRATION)
        elif root.gets_static_keys:
            environments[root.module.path] = Environment(has_keys=True)
        elif role := next((role for stack in definitions if (role := _role_of(facts, stack))), ""):
            environments[root.module.path] = Environment(web_identity=role)
    return environments


def _role_of(facts: Facts, stack: StackDefinition) -> str:
    """The role in variables of a stack's environment, if a token is set, too; ``""`` if no role is known."""
    variables = {variable.name: variable.value or "a role" for variable in facts.variables.of(stack)}
    return variables.get(ROLE, "") if TOKEN_FILE in variables else ""


class BlockSigner(Struct, frozen=True, eq=False):
    """The signer ``by`` of a ``block`` in the runs of the root module at ``root``; ``title`` names the block."""

    root: str
    title: str
    block: _Block
    by: Signer


class Blocks(Struct, frozen=True, eq=False):
    """The AWS providers, S3 backends and remote states of a repository, each by the path of the module."""

    providers: Mapping[str, Sequence[Provider]]
    backends: Mapping[str, Sequence[S3Backend]]
    states: Mapping[str, Sequence[RemoteState]]


def _blocks(facts: Facts) -> Blocks:
    states = groupby(facts.remote_states, key=lambda state: state.module.path)
    return Blocks(
        {provider.module.path: facts.in_module(provider.module) for provider in facts.providers},
        {root.module.path: root.backends for root in facts.roots},
        {path: tuple(states_found) for path, states_found in states},
    )


def signers(
    workspace: Workspace, blocks: Blocks, environments: Mapping[str, Environment], changes: SignInChanges | None = None
) -> Iterator[BlockSigner]:
    """The signer of each of the ``blocks`` of a ``workspace`` in its ``environments``, after ``changes``."""
    leads = {path: _leads(providers) for path, providers in blocks.providers.items()}
    for path in sorted(workspace.modules):
        backends = blocks.backends.get(path, ())
        if (path in workspace.calls and not backends) or not workspace.in_scope(path):
            continue
        environment = environments.get(path, _NOBODY)
        sign_ins = [*_configured(workspace, backends, blocks.states.get(path, ()), changes)]
        for inner in (path, *sorted(workspace.reached_from(path))):
            suffix = f" in {inner or '.'}" if inner != path else ""
            for provider in leads.get(inner, ()):
                sign_ins.append((provider.title + suffix, provider, _of_provider(workspace, provider, changes)))
        yield from (BlockSigner(path, title, block, signer(sign_in, environment)) for title, block, sign_in in sign_ins)


def _leads(providers: Iterable[Provider]) -> list[Provider]:
    """The providers of a module's configuration that sign in to AWS, each by its first block."""
    own_providers = [provider for provider in providers if provider.document.kind is not Kind.TEST]
    return [
        provider
        for provider in own_providers
        if provider is provider.family[0] and not isinstance(provider.skip_reason, LeftAlone)
    ]


def _of_provider(workspace: Workspace, provider: Provider, changes: SignInChanges | None) -> ConfiguredSignIn:
    if changes is None:
        return provider_sign_in(workspace, provider)
    sign_in = provider_sign_in(
        workspace, provider, [block for block in provider.family if changes.loses_credentials(block)]
    )
    role = changes.web_identity(provider)
    return sign_in if role is None else replace(sign_in, web_identity=role_title(role) if role else "")


def _configured(
    workspace: Workspace,
    backends: Sequence[S3Backend],
    states: Iterable[RemoteState],
    changes: SignInChanges | None,
) -> Iterator[tuple[str, _Block, ConfiguredSignIn]]:
    """The backend of a root module and the states that it reads, each with its title and how it signs in."""
    for block in effective_backends(backends):
        if isinstance(block.skip_reason, LeftAlone):
            continue
        parts = [block, *(backend for backend in backends if backend.is_partial)]
        changed_parts = [(part, _change(changes.of_backend(part) if changes else None)) for part in parts]
        yield block.title, block, changed_sign_in(workspace, changed_parts)
    for state in (state for state in states if state.kind == "s3"):
        state_changes = changes.of_state(state) if changes else {}
        changed_parts = [(part.backend, _change(state_changes.get(part.backend))) for part in state.configs]
        sign_in = changed_sign_in(workspace, changed_parts) if changed_parts else ConfiguredSignIn()
        yield f"data.{'.'.join(state.block.labels)}", state, sign_in


def _change(new_sign_in: SignIn[Attribute] | None) -> BodyChange:
    return new_sign_in.change if new_sign_in is not None else BodyChange()
