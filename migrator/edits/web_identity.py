"""A provider's sign-in by web identity: the block, and the role that stands in it."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.analysis.facts import Facts
from migrator.analysis.providers import AWSCC, Provider
from migrator.analysis.versions import FIRST_AWSCC_WITH_WEB_IDENTITY, FIRST_WITH_WEB_IDENTITY, too_old
from migrator.config import Config
from migrator.edits.role_variable import RoleVariable, RoleVariables, role_variable
from migrator.edits.roles import Roles
from migrator.model import Note, Refusal, Rewrite
from migrator.span import Edit
from migrator.syntax import hcl
from migrator.syntax.terraform import BodyChange, Literal, NewArgument, NewBlock, NewObject
from migrator.workspace import Module, Workspace


class WebIdentity:
    """What every provider of a repository is to sign in with."""

    def __init__(self, workspace: Workspace, facts: Facts, config: Config, roles: Roles) -> None:
        self._workspace = workspace
        self._facts = facts
        self._config = config
        self._roles = roles
        self._variables = RoleVariables(workspace, facts, config, roles.is_mapped)
        self._assumed: dict[str, frozenset[str]] = {}
        self._too_old: dict[tuple[str, str], str | None] = {}

    def sign_in(self, provider: Provider) -> Rewrite | Refusal:
        """Take its credentials from the provider and let it sign in by web identity, in all modules it is part of."""
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
        edits = list(sign_in_edits(provider, (web_identity_block(provider, role, self._config.token_file),)))
        if isinstance(role, RoleVariable):
            for module in self._workspace.modules_of(provider.document):
                provided = self._variables.provide(module, role, provider.origin)
                if isinstance(provided, Refusal):
                    return provided
                edits += provided
        return Rewrite(tuple(edits), f"web identity with {expression}")

    def notes(self, provider: Provider) -> Iterator[Note]:
        """What is left to do: give the provider's role variable its value, in each root module; see to its account."""
        role = None if provider.has_web_identity else self._role(provider)
        if isinstance(role, Literal):
            yield from self._roles.account_notes(provider, role.text)
        if isinstance(role, RoleVariable):
            for module in self._workspace.modules_of(provider.document):
                yield from self._variables.values_needed(module, role, provider.origin)

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
        if any("each." in expression for _, expression in provider.origin):
            return "its credentials differ from one instance of it to the next"
        if role in self._assumed_in(provider.module):
            return f"{role} is assumed already, and a role cannot assume itself: name another by --role-arn"
        first = FIRST_AWSCC_WITH_WEB_IDENTITY if provider.kind == AWSCC else FIRST_WITH_WEB_IDENTITY
        name = provider.module.path, provider.block.labels[0]
        if name not in self._too_old:
            self._too_old[name] = too_old(provider.module, name[1], first)
        if constraint := self._too_old[name]:
            release = f"{first[0]}.{first[1]}"
            return (
                f"the constraint {constraint} admits no release from {release} on, and none before knows web identity"
            )
        return None

    def _assumed_in(self, module: Module) -> frozenset[str]:
        """The expressions of the roles that the providers of a module assume."""
        if module.path not in self._assumed:
            roles = (role for one in self._facts.in_module(module) for role in one.assumed_roles)
            self._assumed[module.path] = frozenset(roles)
        return self._assumed[module.path]


def web_identity_block(provider: Provider, role: Literal | RoleVariable, token_file: str) -> NewBlock | NewArgument:
    """What a provider signs in with ``role`` by: a block, in awscc an argument."""
    role_arn = role.reference if isinstance(role, RoleVariable) else role
    arguments = (NewArgument("role_arn", role_arn), NewArgument("web_identity_token_file", Literal(token_file)))
    if provider.kind == AWSCC:
        return NewArgument("assume_role_with_web_identity", NewObject(arguments))
    return NewBlock("assume_role_with_web_identity", (), arguments)


def sign_in_edits(provider: Provider, added: tuple[NewBlock | NewArgument, ...]) -> Iterator[Edit]:
    """The edits that take its credentials from a provider, and add what is ``added`` to its block."""
    for body in provider.bodies:
        removed = tuple(attribute for attribute in provider.credentials if attribute in tuple(body.attributes))
        change = BodyChange(remove=removed, append=added if body is provider.block else ())
        if change != BodyChange():
            yield from provider.document.change(body, change)
