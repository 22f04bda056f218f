"""A provider's sign-in by web identity: the block, and the role that stands in it."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.analysis.facts import Facts
from migrator.analysis.providers import Provider
from migrator.config import Config, ProviderAuth
from migrator.edits.hook_identity import HookIdentity
from migrator.edits.provider_versions import ProviderVersions
from migrator.edits.role_variable import RoleVariable, RoleVariables, role_variable
from migrator.edits.roles import Roles
from migrator.edits.sign_in import sign_in_edits, web_identity_block
from migrator.edits.wanted import Wishes
from migrator.model import LeftAlone, Note, Refusal, Rewrite
from migrator.syntax import hcl
from migrator.syntax.terraform import Literal
from migrator.workspace import Workspace


class WebIdentity:
    """What every provider of a repository is to sign in with."""

    def __init__(self, workspace: Workspace, facts: Facts, config: Config, roles: Roles, wishes: Wishes) -> None:
        self._workspace = workspace
        self._facts = facts
        self._config = config
        self._roles = roles
        self._versions = ProviderVersions(workspace)
        self._variables = RoleVariables(workspace, facts, config, roles.is_mapped)
        is_by_hook = config.provider_auth is ProviderAuth.HOOK
        variables = self._variables
        self._by_hook = HookIdentity(workspace, facts, config, roles, variables, wishes) if is_by_hook else None

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
        edits = [*raised, *sign_in_edits(provider, (web_identity_block(provider, role, self._config),))]
        if isinstance(role, RoleVariable):
            for module in self._workspace.modules_of(provider.document):
                provided = self._variables.provide(module, role, provider.origin)
                if isinstance(provided, Refusal):
                    return provided
                edits += provided
        outcomes = (f"web identity with {expression}", self._versions.outcome(provider))
        return Rewrite(tuple(edits), "; ".join(filter(None, outcomes)))

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
                yield from self._variables.values_needed(module, role, provider.origin)

    def needs(self, provider: Provider) -> frozenset[str]:
        """What must be changed for the provider to have credentials: `Finding.needs`."""
        return self._by_hook.needs(provider) if self._by_hook is not None else frozenset()

    def _role(self, provider: Provider) -> Literal | RoleVariable | Refusal:
        """The role's ARN, or the variable that holds it: one for each origin of credentials, never one for two."""
        mapped = self._roles.role(provider)
        if mapped is not None:
            return mapped if isinstance(mapped, Refusal) else Literal(mapped)
        modules = self._workspace.modules_of(provider.document)
        names = {self._variables.identities(module).get(provider.origin) for module in modules}
        if len(names) > 1:
            return Refusal("it is part of several modules, and would need another role in each")
        name = names.pop()
        role_arn = self._config.at(provider.module.path).role_arn
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

    def _objection(self, provider: Provider, role: str) -> str | None:
        """Why the provider cannot sign in with ``role``, an expression."""
        if self._config.portable and provider.is_in_json and any(provider.block.blocks("dynamic")):
            return "it has dynamic blocks in JSON, beside which --portable would need another"
        if any("each." in expression for _, expression in provider.origin):
            return "its credentials differ from one instance of it to the next"
        if any(role in one.assumed_roles for one in self._facts.in_module(provider.module)):
            return f"{role} is assumed already, and a role cannot assume itself: name another by --role-arn"
        return None
