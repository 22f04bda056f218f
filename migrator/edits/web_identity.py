"""A provider's sign-in by web identity: the block, and the role that stands in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migrator.analysis.facts import Facts
from migrator.analysis.providers import Origin, Provider
from migrator.config import ROLE_VARIABLE, Config, ProviderAuth, RoleIn
from migrator.edits.given_roles import GivenRoles
from migrator.edits.hook_identity import HookIdentity
from migrator.edits.provider_versions import ProviderVersions
from migrator.edits.role_variable import RoleVariable, RoleVariables, role_variable, value_note, variable_called
from migrator.edits.roles import Roles
from migrator.edits.sign_in import sign_in_edits, web_identity_block
from migrator.edits.wanted import Wishes
from migrator.model import KnownInput, LeftAlone, Note, Place, Refusal, Rewrite
from migrator.span import Edit
from migrator.syntax import hcl
from migrator.syntax.terraform import Literal
from migrator.workspace import Module, Workspace

_MAPPED = "mapped to"


class WebIdentity:
    """What every provider of a repository is to sign in with."""

    def __init__(self, workspace: Workspace, facts: Facts, config: Config, roles: Roles, wishes: Wishes) -> None:
        self._workspace = workspace
        self._facts = facts
        self._config = config
        self._roles = roles
        self._versions = ProviderVersions(workspace)
        self._variables = RoleVariables(workspace, facts, config, self._has_literal_role, self._origin)
        self._assumed: dict[str, frozenset[str]] = {}
        is_by_hook = config.provider_auth is ProviderAuth.HOOK
        variables = self._variables
        self._by_hook = HookIdentity(workspace, facts, config, roles, variables, wishes) if is_by_hook else None
        self.given = GivenRoles(facts)
        """The values of role variables that are known, once their providers were signed in."""

    def sign_in(self, provider: Provider) -> Rewrite | Refusal | LeftAlone:
        """Take its credentials from the provider and let it sign in by web identity, in all modules it is part of."""
        if self._by_hook is not None:
            return self._by_hook.sign_in(provider)
        if provider.has_web_identity:
            return Rewrite(tuple(sign_in_edits(provider, ())), "removed; it has web identity")
        role = self._role(provider)
        if isinstance(role, Refusal):
            return role
        expression = hcl.quote(role.text) if isinstance(role, Literal) else role.reference.address
        if objection := self._objection(provider, expression):
            return Refusal(objection)
        if not provider.is_lead:
            return Rewrite(
                tuple(sign_in_edits(provider, ())), f"removed; the block that it overrides gets {expression}"
            )
        raised = self._versions.raise_for(provider)
        if isinstance(raised, Refusal):
            return raised
        provided = self._provide(role, provider) if isinstance(role, RoleVariable) else []
        if isinstance(provided, Refusal):
            return provided
        edits = [*raised, *sign_in_edits(provider, (web_identity_block(provider, role, self._config),)), *provided]
        outcomes = (f"web identity with {expression}", self._versions.outcome(provider))
        return Rewrite(tuple(edits), "; ".join(filter(None, outcomes)))

    def _provide(self, role: RoleVariable, provider: Provider) -> list[Edit] | Refusal:
        """The edits by which the variable reaches the provider in all modules it is part of, with a value if known."""
        edits: list[Edit] = []
        for module in self._workspace.modules_of(provider.document):
            provided = self._variables.provide(module, role, self._origin(provider))
            if isinstance(provided, Refusal):
                return provided
            edits += provided
            if refused := self._give(module, role, provider):
                return refused
        return edits

    def notes(self, provider: Provider) -> Iterator[Note]:
        """What is left to do: give the provider's role variable its value, in each root module; see to its account.

        And what has become of the constraints on its releases.
        """
        if self._by_hook is not None:
            yield from self._by_hook.notes(provider)
            return
        if provider.is_lead and not provider.has_web_identity:
            yield from self._versions.notes(provider)
        role = None if provider.has_web_identity else self._role(provider)
        if isinstance(role, Literal):
            yield from self._roles.account_notes(provider, role.text)
        if isinstance(role, RoleVariable):
            for module in self._workspace.modules_of(provider.document):
                for root, name in self._variables.in_roots(module, role, self._origin(provider)):
                    is_root = root.path not in self._workspace.called_elsewhere
                    if is_root and self._known_value(root, name, provider) is None:
                        yield value_note(name, root.path or ".")

    def hand_down(self, called: Module, inputs: Sequence[KnownInput], place: Place) -> tuple[Edit, ...] | Refusal:
        """The edits by which the roles reach the calls at ``place`` of a module of another repository."""
        edits: list[Edit] = []
        for one in inputs:
            variable = variable_called(one.name)
            provided = self._variables.provide(called, variable, one.origin)
            if isinstance(provided, Refusal):
                return provided
            edits += provided
            for root, name in self._variables.in_roots(called, variable, one.origin):
                role = self._given_role(root, name)
                refused = self.given.give(root, name, role, place) if role is not None else None
                if refused is not None:
                    return refused
        return tuple(edits)

    def handed_down_notes(self, called: Module, inputs: Sequence[KnownInput]) -> Iterator[Note]:
        """The role variables of root modules that are to be set for a module of another repository."""
        for one in inputs:
            for root, name in self._variables.in_roots(called, variable_called(one.name), one.origin):
                if self._given_role(root, name) is None:
                    yield value_note(name, root.path or ".")

    def origin_of(self, module: Module, name: str) -> Origin | None:
        """Whose role the variable ``name`` of a module holds, in the module's terms; None if that is not known."""
        return self._variables.held(module, name)

    def _given_role(self, root: Module, name: str) -> str | None:
        is_known = self._config.role_in is RoleIn.VARIABLE and name == ROLE_VARIABLE
        return self._config.at(root.path).role_arn if is_known else None

    def needs(self, provider: Provider) -> frozenset[str]:
        """What must be changed for the provider to have credentials: `Finding.needs`."""
        return self._by_hook.needs(provider) if self._by_hook is not None else frozenset()

    def _role(self, provider: Provider) -> Literal | RoleVariable | Refusal:
        """The role's ARN, or the variable that holds it: one for each origin of credentials, never one for two."""
        mapped = self._roles.role(provider)
        if isinstance(mapped, Refusal):
            return mapped
        if mapped is not None and self._config.role_in is RoleIn.LITERAL:
            return Literal(mapped)
        modules = self._workspace.modules_of(provider.document)
        names = {self._variables.identities(module).get(self._origin(provider)) for module in modules}
        if len(names) > 1:
            return Refusal("it is part of several modules, and would need another role in each")
        name = names.pop()
        role_arn = self._config.at(provider.module.path).literal_role_arn
        if role_arn is None:
            return role_variable(name)
        if name is not None:
            is_first_there = None in self._variables.identities(provider.module).values()
            first = "the module's first provider" if is_first_there else "a provider that has web identity"
            option = self._roles.how_to_map(provider)
            remedy = f"; name its role by {option}" if option else ""
            return Refusal(f"its credentials differ from those of {first}, for which --role-arn speaks{remedy}")
        if any(self._variables.is_several(module, provider.origin) for module in modules):
            return Refusal("its module is called for several identities, and --role-arn speaks for one")
        return Literal(role_arn)

    def _has_literal_role(self, provider: Provider) -> bool:
        return self._config.role_in is RoleIn.LITERAL and self._roles.is_mapped(provider)

    def _origin(self, provider: Provider) -> Origin:
        """What tells identities apart: credentials, and the role that they are mapped to where a variable holds it."""
        mapped = self._roles.role(provider) if self._config.role_in is RoleIn.VARIABLE else None
        return (*provider.origin, (_MAPPED, hcl.quote(mapped))) if isinstance(mapped, str) else provider.origin

    def _known_value(self, root: Module, name: str, provider: Provider) -> str | None:
        """The role that the variable ``name`` of a root module is to have, if it is known."""
        if self._config.role_in is RoleIn.LITERAL:
            return None
        mapped = self._roles.role(provider)
        if isinstance(mapped, str):
            return mapped
        return self._config.at(root.path).role_arn if name == ROLE_VARIABLE else None

    def _give(self, module: Module, variable: RoleVariable, provider: Provider) -> Refusal | None:
        for root, name in self._variables.in_roots(module, variable, self._origin(provider)):
            role = self._known_value(root, name, provider)
            refused = self.given.give(root, name, role, provider.place) if role is not None else None
            if refused is not None:
                return refused
        return None

    def _objection(self, provider: Provider, role: str) -> str | None:
        """Why the provider cannot sign in with ``role``, an expression."""
        if self._config.portable and provider.is_in_json and any(provider.block.blocks("dynamic")):
            return "it has dynamic blocks in JSON, beside which --portable would need another"
        if any("each." in expression for _, expression in provider.origin):
            return "its credentials differ from one instance of it to the next"
        known = self._roles.role(provider) or self._config.at(provider.module.path).role_arn
        names = {role, hcl.quote(known)} if isinstance(known, str) else {role}
        if names & self._assumed_in(provider.module):
            return f"{role} is assumed already, and a role cannot assume itself: name another by --role-arn"
        return None

    def _assumed_in(self, module: Module) -> frozenset[str]:
        """The expressions of the roles that the providers of a module assume."""
        if module.path not in self._assumed:
            roles = (role for one in self._facts.in_module(module) for role in one.assumed_roles)
            self._assumed[module.path] = frozenset(roles)
        return self._assumed[module.path]
