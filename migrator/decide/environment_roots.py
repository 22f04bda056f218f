"""The root modules in which everything signs in with the role of the environment.

The role comes from variables of the AWS SDKs (``--backend-auth env``),
https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html, or from Spacelift's AWS
integration (``--auth cloud-integration``). Then no block needs a sign-in, and remaining keys or profiles would override
the role. A block that needs another role cannot use the environment.

Keys, profile and shared files of a backend are removed as well. If the backend assumed the role of the environment, the
role reaches the state itself. Another role stays, and is assumed with the environment's role, in the form that the
engine supports.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.config.config import BackendAuth, Config, is_role_arn
from migrator.decide.diagnostics import (
    BACKEND_NEEDS_OTHER_ROLE,
    EXPORT_OVERRIDES_ROLE,
    INTEGRATION_READS_STATE,
    NO_INTEGRATION,
    NO_ROLE,
    OTHER_ROOT_MODULE,
    STATIC_KEYS_STAY,
)
from migrator.decide.roots import Root, Runners, group_of
from migrator.model.findings import Note, Place, Refusal, Rewrite
from migrator.spacelift.hooks.diagnostics import STACK_HAS_HOOK, STACK_HAS_INTEGRATION
from migrator.terraform.backend_edit import SignIn
from migrator.terraform.diagnostics import TWO_ROLES
from migrator.terraform.expressions.scopes import scopes_of
from migrator.terraform.provider_edit import sign_in_edits

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.facts import Facts
    from migrator.spacelift.stacks.model import StackDefinition
    from migrator.syntax.terraform import Attribute
    from migrator.terraform.backends import S3Backend
    from migrator.terraform.providers import Provider
    from migrator.workspace.module import Module
    from migrator.workspace.workspace import Workspace

ROLE, TOKEN_FILE = "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"


class EnvironmentRoot(Struct, frozen=True, eq=False):
    """A root module whose environment signs in; ``place`` is its backend's, or without a backend a provider's.

    ``role`` is None if it is unknown, and the stacks already have it. The parts of a ``group`` change together:
    `Finding.group`. ``has_integration`` says that an integration brings the role.
    """

    module: Module
    place: Place
    group: str
    role: str | Refusal | None
    runners: Runners
    has_integration: bool
    token_file: str

    @property
    def title(self) -> str:
        """The name of the root module in its repository."""
        return self.module.path or "."

    @property
    def variables(self) -> tuple[tuple[str, str], ...]:
        """The variables that its stacks must set, each with its value."""
        is_known = isinstance(self.role, str) and not self.has_integration
        return ((ROLE, str(self.role)), (TOKEN_FILE, self.token_file)) if is_known else ()


class EnvironmentRoots:
    """The ``roots`` of a repository whose environment signs in, by the user's options."""

    def __init__(self, context: Context) -> None:
        self._context = context
        config, workspace = context.config, context.workspace
        is_asked_for = config.has_integration or config.backend_auth is BackendAuth.ENV
        self.roots = tuple(self._find()) if is_asked_for else ()
        self._by_path = {environment_root.module.path: environment_root for environment_root in self.roots}
        self._by_module: dict[str, list[EnvironmentRoot]] = {}
        for environment_root in self.roots:
            for path in {environment_root.module.path, *workspace.reached_from(environment_root.module.path)}:
                self._by_module.setdefault(path, []).append(environment_root)

    def at(self, path: str) -> EnvironmentRoot | None:
        """The root module at ``path``, if its environment signs in."""
        return self._by_path.get(path)

    def roots_reaching(self, module: Module) -> list[EnvironmentRoot]:
        """The root modules that call ``module``, directly or through other modules."""
        return self._by_module.get(module.path, [])

    def has_credentials(self, path: str) -> bool:
        """Whether commands in runs of the root module at ``path`` get a role, for example by a hook."""
        facts, strategies = self._context.facts, self._context.strategies
        runners = facts.runners_of(path)
        return (
            self.at(path) is not None
            or any(root.module.path == path and strategies.needs_hook(root) for root in facts.roots)
            or any(strategies.has_hook(stack) or stack in facts.integrations for stack in runners.definitions)
            or any(stack.has_hook or stack.has_integration for stack in runners.known_stacks)
        )

    def covers(self, provider: Provider) -> bool:
        """Whether a provider uses the credentials of its environment, or of an unknown integration."""
        return self._context.config.has_integration or bool(self.roots_reaching(provider.module))

    def sign_in(self, provider: Provider) -> Rewrite | Refusal:
        """Remove the credentials of a provider whose environment signs in."""
        if not self.roots_reaching(provider.module):
            return NO_INTEGRATION.refusal()
        for module in self._context.workspace.modules_of(provider.document):
            other_roots = [
                root.path for root in self._context.workspace.roots_of(module) if root.path not in self._by_path
            ]
            if other_roots:
                return OTHER_ROOT_MODULE.refusal(root=other_roots[0] or ".", what="provider")
        by = (
            "Spacelift's AWS integration" if self._context.config.has_integration else "Web identity of the environment"
        )
        return Rewrite(tuple(sign_in_edits(provider, ())), f"The static credentials are removed. {by} signs in.")

    # --- which there are, and with which role ------------------------------------------------------------------------

    def _find(self) -> Iterator[EnvironmentRoot]:
        include_ambient = self._context.config.include_ambient
        states = {root.module.path: root for root in self._context.facts.roots}
        for root in self._context.facts.roots:
            if root.is_migrated(include_ambient) and self._context.strategies.of(root).way is BackendAuth.ENV:
                yield self._root(root.module, root.backend.place, root.runners, root)
        if self._context.config.has_integration:
            with_static_keys = {module.module.path for module in self._context.facts.modules_with_static_keys}
            paths = {
                root.path
                for provider in self._context.facts.providers
                if provider.credentials
                for root in self._roots_of(provider)
            }
            for path in sorted(paths | with_static_keys):
                root_with_state = states.get(path)
                if root_with_state is None or not root_with_state.is_migrated(include_ambient):
                    module = self._context.workspace.modules[path]
                    providers = list(self._context.role_mappings.providers(module.path))
                    if any(provider.credentials for provider in providers) or path in with_static_keys:
                        place = providers[0].place if providers else Place(module.documents[0].path)
                        yield self._root(module, place, self._context.facts.runners_of(path), root_with_state)

    def _root(self, module: Module, place: Place, runners: Runners, root: Root | None) -> EnvironmentRoot:
        has_integration = self._context.config.has_integration
        role = self._role(module, root)
        if role is None and not (has_integration and runners.all and self._all_have_integration(runners)):
            role = NO_ROLE.refusal()
        if isinstance(role, str) and root is not None:
            role = self._context.shared_roles.backend_refusal(root) or role
        return EnvironmentRoot(
            module, place, group_of(module), role, runners, has_integration, self._context.config.token_file
        )

    def _all_have_integration(self, runners: Runners) -> bool:
        is_attached = all(stack in self._context.facts.integrations for stack in runners.definitions)
        return is_attached and all(stack.has_integration for stack in runners.known_stacks)

    def _roots_of(self, provider: Provider) -> Iterator[Module]:
        for module in self._context.workspace.modules_of(provider.document):
            yield from (
                root for root in self._context.workspace.roots_of(module) if self._context.workspace.in_scope(root.path)
            )

    def _role(self, module: Module, root: Root | None) -> str | Refusal | None:
        config = self._context.config.at(module.path)
        providers = list(self._context.role_mappings.providers(module.path))
        role = self._of_providers(module, config)
        if isinstance(role, Refusal):
            return role
        if not providers:
            return self._of_backend(root, config)
        is_other = root is not None and role is not None and config.backend_role_arn not in (None, role)
        return BACKEND_NEEDS_OTHER_ROLE.refusal() if is_other else role

    def _of_providers(self, module: Module, config: Config) -> str | Refusal | None:
        """The one role of all providers; None if it is unknown."""
        instances = self._context.root_identities.instances(module.path)
        role = instances if isinstance(instances, Refusal) else self._context.root_identities.role(instances)
        if isinstance(instances, Refusal) or isinstance(role, Refusal):
            return role if isinstance(role, Refusal) else None
        if not isinstance(role, str):
            return None if instances else config.role_arn
        identities = self._context.root_identities
        unmapped = [instance.provider for instance in instances if instance.role is None]
        refusals = (refusal for provider in unmapped if (refusal := identities.role_arn_refusal(provider, role)))
        mismatches = (self._context.role_mappings.partition_refusal(instance.provider, role) for instance in instances)
        if mismatch := next(filter(None, mismatches), None):
            return mismatch
        return identities.variation_refusal(module.path, instances) or next(refusals, role)

    def _of_backend(self, root: Root | None, config: Config) -> str | Refusal | None:
        """The role of a backend without providers: by an option, by a mapping, or the role that it assumes today."""
        if config.backend_role_arn is not None or root is None:
            return config.backend_role_arn or config.role_arn
        mapped_roles = {
            role for backend in root.backends if (role := self._context.role_mappings.role(backend)) is not None
        }
        if refused := next((outcome for outcome in mapped_roles if isinstance(outcome, Refusal)), None):
            return refused
        assumed_arns = {
            role for backend in root.backends if (role := assumed_role(self._context.workspace, backend)) is not None
        }
        known_arns = {role for role in (mapped_roles or assumed_arns) if isinstance(role, str) and is_role_arn(role)}
        return known_arns.pop() if len(known_arns) == 1 else config.role_arn


def assumed_role(workspace: Workspace, backend: S3Backend) -> str | None:
    """The role that a backend assumes in any form; None without a role, or if the role is unknown."""
    document, nested = backend.document, backend.block.attribute("assume_role")
    items = document.object_items(nested) if nested is not None else backend.role_family
    argument = next((attribute for attribute in items if attribute.name == "role_arn"), None)
    scopes = scopes_of(workspace, backend.module) if argument is not None else ()
    roles = {scope.expression(document, argument).string for scope in scopes if argument is not None}
    return roles.pop() if len(roles) == 1 else None


def other_credentials_refusal(context: Context, stack: StackDefinition) -> Refusal | None:
    """The refusal if credentials of a stack's runs override web identity of the environment; None otherwise."""
    if place := context.facts.integrations.get(stack):
        return STACK_HAS_INTEGRATION.refusal(place=place)
    return hook_refusal(context, stack)


def hook_refusal(context: Context, stack: StackDefinition) -> Refusal | None:
    """The refusal if a hook overrides the role of a stack's environment; None otherwise."""
    if context.strategies.has_hook(stack):
        return STACK_HAS_HOOK.refusal()
    found = next(context.strategies.exports(stack), None)
    return EXPORT_OVERRIDES_ROLE.refusal(name=found.name, of=found.of, variable=found.variable) if found else None


def static_keys_refusal(facts: Facts, stack: StackDefinition) -> Refusal | None:
    """The refusal if a setting with static keys for the stack cannot be removed for it alone; None otherwise."""
    for setting in facts.settings:
        reach = setting.reach
        is_shared = reach.unknown or reach.others or reach.elsewhere or len(reach.stacks) > 1
        is_bound = setting.is_ignored or setting.objection or is_shared
        if stack in setting.reach.stacks and setting.names and is_bound:
            return STATIC_KEYS_STAY.refusal(place=setting.place)
    return None


# --- backends and remote states ------------------------------------------------------------------------------------


def environment_sign_in(
    workspace: Workspace, backend: S3Backend, root: EnvironmentRoot, *, rejects_flat: bool
) -> SignIn[Attribute] | Refusal:
    """The sign-in of a root module's backend by the environment.

    ``rejects_flat`` says that the engine does not support a flat ``role_arn``.
    """
    nested = backend.block.attribute("assume_role")
    if nested is not None and backend.role_arn is not None:
        return TWO_ROLES.refusal()
    is_same = root.has_integration or assumed_role(workspace, backend) == root.role
    removed = ["The static credentials are removed."] * bool(backend.credentials)
    if backend.role_family and (is_same or backend.role_arn is None):
        outcome = (*removed, "The role is commented out.")
        return SignIn("", backend.credentials, (), backend.role_family, outcome)
    if nested is not None and is_same and not backend.document.is_ignored(nested):
        return SignIn("", (*backend.credentials, nested), own_sentences=(*removed, "The role is removed."))
    kept_sentences = ["The credentials of the environment assume the role."] * (backend.role_arn is not None)
    if backend.role_arn is None or not rejects_flat:
        return SignIn("", backend.credentials, own_sentences=(*removed, *kept_sentences))
    assumed = backend.assumed
    if isinstance(assumed, Refusal):
        return assumed
    chained = assumed.chained if assumed is not None else ()
    return SignIn("", (*backend.credentials, *backend.role_family), chained, own_sentences=(*removed, *kept_sentences))


def state_notes(workspace: Workspace, backend: S3Backend, root: EnvironmentRoot) -> Iterator[Note]:
    """A note that the integration's role must read the state, if another role read the state before."""
    if root.has_integration and backend.assumes_role and assumed_role(workspace, backend) != root.role:
        yield INTEGRATION_READS_STATE.note(str(backend.place))
