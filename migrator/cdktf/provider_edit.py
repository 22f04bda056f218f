"""The sign-in with web identity of the AWS providers of a CDKTF program, and the Terraform variables for their roles.

A provider's scope is a stack, or a construct in a stack. The first identity of a scope gets the variable
``aws_role_arn``, others get ``aws_role_arn_<alias>``. A variable that two identities may share is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.cdktf.call_edit import changed
from migrator.cdktf.calls import VARIABLE, CdktfCall, CdktfProgram
from migrator.cdktf.diagnostics import (
    ALIAS_UNKNOWN,
    CREDENTIALS_VARY_IN_PROGRAM,
    IMPORT_UNKNOWN,
    NAME_TAKEN_IN_PROGRAM,
    PROVIDER_ARGUMENTS_UNKNOWN,
    PROVIDER_MADE_REPEATEDLY,
    VARIABLE_OUT_OF_SIGHT,
)
from migrator.cdktf.scopes import (
    Key,
    anchor_of,
    declared_variables,
    families,
    is_in_same_frame,
    is_stack,
    may_be_one,
    scope_of,
)
from migrator.config.config import ROLE_VARIABLE, Config, ProviderAuth
from migrator.model.findings import Note, Place, Refusal, Rewrite
from migrator.syntax.python import edit as python_edit
from migrator.terraform.fingerprints import of_arguments
from migrator.terraform.identities import role_of, unused
from migrator.terraform.identity_diagnostics import (
    IDENTITY_VARIES,
    OPTION_UNSUPPORTED,
    ROLE_ASSUMES_ITSELF,
)
from migrator.terraform.providers import WEB_IDENTITY
from migrator.terraform.role_names import RoleVariable, value_note

if TYPE_CHECKING:
    from migrator.span import Edit
    from migrator.syntax.python.items import Call
    from migrator.terraform.providers import Origin

_STRUCT = "AwsProviderAssumeRoleWithWebIdentity"

_Name = str | Refusal | None
_UNKNOWN: Origin = (("", ""),)


class _Role(Struct, frozen=True):
    """A role in Python's syntax, the edits that it needs, and the variable that holds it, if any."""

    expression: str
    edits: tuple[Edit, ...] = ()
    variable: RoleVariable | None = None


class PythonIdentity:
    """The new sign-in of the providers of a CDKTF program; ``migrating`` are the providers to change."""

    def __init__(
        self,
        program: CdktfProgram,
        migrating: Sequence[CdktfCall],
        config: Config,
        other_user: Callable[[str, Collection[str]], str | None],
    ) -> None:
        """``other_user`` finds the place of an identity with a role that is not among the fingerprints."""
        self._other_user = other_user
        self._folder = program.folder
        self._providers = [call for call in program.providers if call.skip_reason is None]
        self._migrating = list(migrating)
        self._config = config

    def sign_in(self, provider: CdktfCall) -> Rewrite | Refusal:
        """The edits that replace the provider's credentials by web identity."""
        if provider.web_identity is not None:
            outcome = "The static credentials are removed. The provider has web identity already."
            return Rewrite(tuple(changed(provider, {}, provider.credentials)), outcome)
        if objection := self._objection(provider):
            return objection
        role = self._role(provider)
        if isinstance(role, Refusal):
            return role
        struct = _struct(provider)
        if isinstance(struct, Refusal):
            return struct
        name, imports = struct
        role_text = f"var.{role.variable.name}" if role.variable else f'"{self._config.role_arn}"'
        token = python_edit.quote(provider.program, self._config.token_file)
        members = f"        role_arn={role.expression},\n        web_identity_token_file={token},\n"
        new_arguments = {WEB_IDENTITY: f"[\n    {name}(\n{members}    )\n]"}
        edits = (*imports, *role.edits, *changed(provider, new_arguments, provider.credentials))
        return Rewrite(edits, f"The provider signs in with web identity: {role_text}.")

    def set_value(self, provider: CdktfCall) -> Iterator[Note]:
        """A note that the variable of the provider's role needs a value."""
        role = None if provider.web_identity or self._objection(provider) else self._role(provider)
        if isinstance(role, _Role) and role.variable:
            yield value_note(role.variable.name, self._folder or ".")

    @property
    def roles(self) -> Iterator[str | None]:
        """The roles of the providers after the migration; None for a role that is not written in the program."""
        for provider in self._providers:
            if provider.web_identity is not None:
                yield provider.web_identity_role
            elif provider in self._migrating:
                role = self._objection(provider) or self._role(provider)
                yield self._config.role_arn if isinstance(role, _Role) and role.variable is None else None

    # --- which role ---------------------------------------------------------------------------------------------------

    def _objection(self, provider: CdktfCall) -> Refusal | None:
        if self._config.portable or self._config.provider_auth is ProviderAuth.HOOK:
            option = "--portable" if self._config.portable else "--provider-auth hook"
            return OPTION_UNSUPPORTED.refusal(option=option, language="CDKTF")
        call, program = provider.call, provider.program
        if call.argument(0, "scope") is None or call.argument(1, "id") is None or len(call.positional) > 2:
            return PROVIDER_ARGUMENTS_UNKNOWN.refusal()
        binders = {binder for _, argument in provider.credentials for _, binder in program.names_in(argument)}
        is_constructor = call.function is None or provider.document.text.startswith(
            "def __init__(", call.function.start
        )
        identifier = call.argument(1, "id")
        has_literal_id = identifier is not None and program.string(identifier) is not None
        if "loop" in binders or ("parameter" in binders and not is_stack(provider)):
            return CREDENTIALS_VARY_IN_PROGRAM.refusal()
        if "parameter" in binders and self._config.role_arn is not None:
            return IDENTITY_VARIES.refusal(instances="stacks")
        if self._config.role_arn is None and not is_constructor and not has_literal_id:
            return PROVIDER_MADE_REPEATEDLY.refusal()
        assumed = call.keyword("assume_role")
        if assumed and self._config.role_arn in [text.strip("\"'") for text in program.texts(assumed)]:
            return ROLE_ASSUMES_ITSELF.refusal(role=self._config.role_arn)
        return None

    def _role(self, provider: CdktfCall) -> _Role | Refusal:
        name = self._identities[scope_of(provider), provider.origin]
        if isinstance(name, Refusal):
            return name
        role = role_of(name, _fingerprint(provider), self._config.role_arn, self._other_user)
        if isinstance(role, RoleVariable):
            return self._variable(provider, role)
        return role if isinstance(role, Refusal) else _Role(python_edit.quote(provider.program, role.text))

    @property
    def role_arn_users(self) -> Iterator[tuple[Place, str]]:
        """The places of the providers that get the role of --role-arn, each with its identity's fingerprint."""
        for provider in self._by_precedence:
            if self._identities[scope_of(provider), provider.origin] is None and self._objection(provider) is None:
                yield provider.place, _fingerprint(provider)

    @cached_property
    def _identities(self) -> dict[tuple[Key, Origin], _Name]:
        """A name for every origin of credentials in each scope; see `migrator.terraform.identities`.

        A stack is a root module of its own. Other scopes may be part of any stack, and share its variables: a name in
        such a scope means one origin in the whole program.
        """
        names: dict[tuple[Key, Origin], _Name] = {}
        taken_names: dict[_Name, set[Origin]] = {}
        for provider in filter(is_stack, self._by_precedence):
            key, origin = scope_of(provider), provider.origin
            if (key, origin) not in names:
                scope_names = {name for (scope, _), name in names.items() if scope == key}
                nearby = self._nearby(provider, names)
                used_names = scope_names | nearby | self._unavailable(key)
                name = _named(provider, used_names, is_first=not scope_names)
                names[key, origin] = name
                taken_names.setdefault(name, set()).add(origin)
        for call in self._providers:
            for name in self._unavailable(scope_of(call)):
                taken_names.setdefault(name, set()).add(_UNKNOWN)
        for provider in (call for call in self._by_precedence if not is_stack(call)):
            nearby = self._nearby(provider, names)
            shared = [
                name for name, origins in taken_names.items() if origins == {provider.origin} and name not in nearby
            ]
            name = shared[0] if shared else _named(provider, taken_names.keys(), is_first=True)
            names[scope_of(provider), provider.origin] = name
            taken_names.setdefault(name, set()).add(provider.origin)
        return names

    def _nearby(self, provider: CdktfCall, names: Mapping[tuple[Key, Origin], _Name]) -> set[_Name]:
        """The names in other scopes that may be the same stack, as of a base class; a literal role may repeat."""
        key = scope_of(provider)
        scopes = {
            scope_of(call)
            for call in self._providers
            if scope_of(call) != key and may_be_one(call, provider, self._families)
        }
        return {
            name
            for (scope, origin), name in names.items()
            if scope in scopes and not (name is None and self._config.role_arn and origin == provider.origin)
        }.union(*map(self._unavailable, scopes))

    @cached_property
    def _families(self) -> dict[str, set[str]]:
        return families(self._providers)

    @property
    def _by_precedence(self) -> list[CdktfCall]:
        """The providers that need a role, those without an alias first."""
        needing = [call for call in self._migrating if call.web_identity is None]
        return sorted(needing, key=lambda call: call.call.keyword("alias") is not None)

    def _unavailable(self, key: Key) -> set[_Name]:
        """The names of earlier identities of a scope; the credentials behind these names are no longer known."""
        scope_providers = [provider for provider in self._providers if scope_of(provider) == key]
        unavailable: set[_Name] = (
            {None} if any(self._may_have_first(provider) for provider in scope_providers) else set()
        )
        for name, call in declared_variables(scope_providers[0], key).items():
            if name != ROLE_VARIABLE:
                unavailable.add(name.removeprefix(f"{ROLE_VARIABLE}_"))
            elif self._config.role_arn is None and scope_providers[0].program.is_used(call):
                unavailable.add(None)
        return unavailable

    def _may_have_first(self, provider: CdktfCall) -> bool:
        if provider.web_identity is None:
            return False
        role = provider.web_identity_role
        return role is None or role == self._config.role_arn

    # --- its variable -------------------------------------------------------------------------------------------------

    def _variable(self, provider: CdktfCall, variable: RoleVariable) -> _Role | Refusal:
        key = scope_of(provider)
        group = [call for call in self._migrating if scope_of(call) == key and call.origin == provider.origin]
        existing = declared_variables(provider, key).get(variable.name)
        if existing is not None:
            return _reused(provider, existing, group, variable)
        anchor = anchor_of(min(group, key=lambda call: call.call.span), group)
        if isinstance(anchor, Refusal):
            return anchor
        name = self._local_name(provider, variable)
        if isinstance(name, Refusal):
            return name
        lead = min(group, key=lambda call: call.call.span)
        module, _, class_name = VARIABLE.rpartition(".")
        path, program = provider.document.path, provider.program
        imported = python_edit.imported(path, program, lead.call, module, class_name)
        if isinstance(imported, Refusal):
            return imported
        declaration = _declaration(lead, name, variable, imported[0])
        inserted = python_edit.insert_statement(path, program.text, anchor.lead, declaration)
        return _Role(f"{name}.string_value", (*imported[1], inserted), variable)

    def _local_name(self, provider: CdktfCall, variable: RoleVariable) -> str | Refusal:
        """A name for the variable that is unused in the function, also by variables of other scopes."""
        name = re.sub(r"\W", "_", variable.name)
        local = [call for call in self._migrating if is_in_same_frame(call, provider)]
        if scope_of(min(local, key=lambda call: call.call.span)) != scope_of(provider):
            name += "_" + re.sub(r"\W", "_", scope_of(provider)[2])
        for candidate in (name, f"{name}_variable"):
            if provider.program.is_free(provider.call, candidate):
                return candidate
        return NAME_TAKEN_IN_PROGRAM.refusal(name=name)


def _named(provider: CdktfCall, used_names: AbstractSet[_Name], *, is_first: bool) -> _Name:
    if is_first and None not in used_names:
        return None
    alias = provider.call.keyword("alias")
    name = provider.program.string(alias) if alias else "default"
    if name is None:
        return ALIAS_UNKNOWN.refusal()
    return unused(re.sub(r"\W+", "_", name, flags=re.ASCII), used_names)


def _reused(provider: CdktfCall, existing: Call, group: Sequence[CdktfCall], variable: RoleVariable) -> _Role | Refusal:
    """The role that a variable of the program holds, if every provider of its identity can see it."""
    name = provider.program.assigned_to(existing)
    block = existing.statements[-1].block if existing.statements else None
    is_seen = all(
        call.call.frame == existing.frame
        and call.call.span.start > existing.span.end
        and any(statement.block == block for statement in call.call.statements)
        for call in group
    )
    if name is None or not is_seen:
        return VARIABLE_OUT_OF_SIGHT.refusal(name=variable.name)
    return _Role(f"{name}.string_value", (), variable)


def _struct(provider: CdktfCall) -> tuple[str, list[Edit]] | Refusal:
    """The code of the web identity struct for the call, and the edits that import the class."""
    prefix, dot, class_name = provider.call.callee.rpartition(".")
    if dot:
        return f"{prefix}.{_STRUCT}", []
    for import_ in provider.program.imports:
        if import_.module and import_.local.get("AwsProvider") == class_name:
            return python_edit.imported(
                provider.document.path, provider.program, provider.call, import_.module, _STRUCT
            )
    return IMPORT_UNKNOWN.refusal(name=class_name)


def _declaration(lead: CdktfCall, name: str, variable: RoleVariable, class_name: str) -> str:
    """The statement that declares ``variable``; in a construct that is no stack, Terraform's name would differ."""
    program, scope = lead.program, lead.call.argument(0, "scope")
    if scope is None:
        raise ValueError("a provider without a scope")
    lines = [
        f"{name} = {class_name}(",
        f"    {scope.value.of(program.text)},",
        f"    {python_edit.quote(program, variable.name)},",
        f"    type={python_edit.quote(program, 'string')},",
        f"    description={python_edit.quote(program, variable.summary)},",
        ")",
    ]
    if not is_stack(lead):
        lines.append(f"{name}.override_logical_id({python_edit.quote(program, variable.name)})")
    return "\n".join(lines)


def _fingerprint(provider: CdktfCall) -> str:
    values = {argument.name or "": provider.program.string(argument) for _, argument in provider.credentials}
    return of_arguments(values, provider.document.path, provider.origin)
