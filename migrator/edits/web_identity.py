"""A provider's sign-in by web identity: the block, and the role that stands in it."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.analysis.facts import Facts
from migrator.analysis.identities import identities
from migrator.analysis.providers import Provider
from migrator.config import ROLE_VARIABLE, Config
from migrator.edits.role_variable import RoleVariable, provide, role_variable, roots_of, value_note
from migrator.model import Note, Refusal, Rewrite
from migrator.span import Edit
from migrator.syntax import hcl
from migrator.syntax.terraform import BodyChange, Literal, NewArgument, NewBlock
from migrator.workspace import Workspace


def sign_in(workspace: Workspace, facts: Facts, config: Config, provider: Provider) -> Rewrite | Refusal:
    """Take its credentials from the provider and let it sign in by web identity, in all modules that it is part of."""
    if provider.has_web_identity:
        return Rewrite(tuple(_edits(provider, ())), "removed; it has web identity")
    role = _role(facts, config, provider)
    if isinstance(role, Refusal):
        return role
    expression = hcl.quote(role.text) if isinstance(role, Literal) else role.reference.address
    if expression in provider.assumed_roles:
        return Refusal(f"it assumes {expression} already, which a role cannot do to itself: name another by --role-arn")
    if not provider.is_lead:
        return Rewrite(tuple(_edits(provider, ())), f"removed; the block that it overrides gets {expression}")
    edits = list(_edits(provider, (_block(role, config.token_file),)))
    if isinstance(role, RoleVariable):
        for module in workspace.modules_of(provider.document):
            provided = provide(workspace, module, role)
            if isinstance(provided, Refusal):
                return provided
            edits += provided
    return Rewrite(tuple(edits), f"web identity with {expression}")


def _block(role: Literal | RoleVariable, token_file: str) -> NewBlock:
    role_arn = role.reference if isinstance(role, RoleVariable) else role
    arguments = (NewArgument("role_arn", role_arn), NewArgument("web_identity_token_file", Literal(token_file)))
    return NewBlock("assume_role_with_web_identity", (), arguments)


def _edits(provider: Provider, added: tuple[NewBlock, ...]) -> Iterator[Edit]:
    for body in provider.bodies:
        removed = tuple(attribute for attribute in provider.credentials if attribute in tuple(body.attributes))
        change = BodyChange(remove=removed, append=added if body is provider.block else ())
        if change != BodyChange():
            yield from provider.document.change(body, change)


def set_value(workspace: Workspace, facts: Facts, config: Config, provider: Provider) -> Iterator[Note]:
    """A note for each root module in which the provider's role variable is to be given its value."""
    role = None if provider.has_web_identity else _role(facts, config, provider)
    if isinstance(role, RoleVariable):
        for module in workspace.modules_of(provider.document):
            roots = (root.path or "." for root in roots_of(workspace, module))
            yield value_note(role.name, *roots)


def _role(facts: Facts, config: Config, provider: Provider) -> Literal | RoleVariable | Refusal:
    """The role's ARN, or the variable that holds it: one for each origin of credentials, never one for two."""
    first_role = f"var.{ROLE_VARIABLE}" if config.role_arn is None else hcl.quote(config.role_arn)
    names = identities(facts.in_module(provider.module), first_role)
    name = names[provider.origin]
    if config.role_arn is None:
        return role_variable(name)
    if name is not None:
        first = "the module's first provider" if None in names.values() else "a provider that has web identity"
        return Refusal(f"its credentials differ from those of {first}, for which --role-arn speaks")
    return Literal(config.role_arn)
