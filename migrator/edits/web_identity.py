"""A provider's sign-in by web identity: the block, and the role that stands in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migrator.analysis.facts import Facts
from migrator.analysis.identities import identities
from migrator.analysis.providers import Provider
from migrator.config import ROLE_VARIABLE, Config
from migrator.edits.role_variable import RoleVariable, provide, role_variable, roots_of, value_note
from migrator.model import Note, Refusal, Rewrite
from migrator.span import Edit
from migrator.syntax import hcl
from migrator.syntax.hcl_edit import BodyChange, change_body
from migrator.syntax.terraform import Attribute
from migrator.workspace import Workspace

_BLOCK = """\
assume_role_with_web_identity {{
  role_arn                = {role}
  web_identity_token_file = {token_file}
}}"""


def sign_in(
    workspace: Workspace, facts: Facts, config: Config, provider: Provider, remove: Sequence[Attribute] = ()
) -> Rewrite | Refusal:
    """Take ``remove`` out of the provider and let it sign in by web identity, in every module that it is part of."""
    if provider.has_web_identity:
        return Rewrite(_change(provider, BodyChange(remove=tuple(remove))), "removed; it has web identity")
    role = _role(facts, config, provider)
    if isinstance(role, Refusal):
        return role
    expression = hcl.quote(role) if isinstance(role, str) else f"var.{role.name}"
    if expression in provider.assumed_roles:
        return Refusal(f"it assumes {expression} already, which a role cannot do to itself: name another by --role-arn")
    block = _BLOCK.format(role=expression, token_file=hcl.quote(config.token_file))
    edits = list(_change(provider, BodyChange(remove=tuple(remove), append=(block,))))
    if isinstance(role, RoleVariable):
        for module in workspace.modules_of(provider.document):
            provided = provide(workspace, module, role)
            if isinstance(provided, Refusal):
                return provided
            edits += provided
    return Rewrite(tuple(edits), f"web identity with {role if isinstance(role, str) else expression}")


def set_value(workspace: Workspace, facts: Facts, config: Config, provider: Provider) -> Iterator[Note]:
    """A note for each root module in which the provider's role variable is to be given its value."""
    role = None if provider.has_web_identity else _role(facts, config, provider)
    if isinstance(role, RoleVariable):
        for module in workspace.modules_of(provider.document):
            roots = (root.path or "." for root in roots_of(workspace, module))
            yield value_note(role.name, *roots)


def _change(provider: Provider, change: BodyChange) -> tuple[Edit, ...]:
    return change_body(provider.document.path, provider.document.text, provider.block, change)


def _role(facts: Facts, config: Config, provider: Provider) -> str | RoleVariable | Refusal:
    """The role's ARN, or the variable that holds it: one for each origin of credentials, never one for two."""
    first_role = f"var.{ROLE_VARIABLE}" if config.role_arn is None else hcl.quote(config.role_arn)
    names = identities(facts.in_module(provider.module), first_role)
    name = names[provider.origin]
    if config.role_arn is None:
        return role_variable(name)
    if name is not None:
        first = "the module's first provider" if None in names.values() else "a provider that has web identity"
        return Refusal(f"its credentials differ from those of {first}, for which --role-arn speaks")
    return config.role_arn
