"""The origin of the credentials of a provider or a backend, in words for people, never with a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.errors import SyntaxProblem
from migrator.regex import regex
from migrator.secret.names import STATIC_KEYS
from migrator.secret.shapes import shown_key
from migrator.syntax.terraform import Attribute
from migrator.terraform.expressions.defaults import REFERENCE, definition, optional
from migrator.terraform.expressions.forms import conditional
from migrator.terraform.providers import Provider
from migrator.terraform.root_values import root_values
from migrator.workspace.document import Document

if TYPE_CHECKING:
    from migrator.config.role_mapping import Origin
    from migrator.terraform.backends import S3Backend
    from migrator.workspace.module import Module
    from migrator.workspace.workspace import Workspace

_SOURCE = regex(r"\b(?:var|local|module)\.[\w-]+|\bdata\.[\w-]+\.[\w-]+")
_ACCOUNT = regex(r"arn:[\w-]+:iam::(\d{12}):")


Argument = tuple[Document, Attribute]
"""The file of an argument, and the argument."""


class Credentials(Struct, frozen=True, eq=False, dict=True):
    """The credential ``arguments`` of a block in ``module``, by name."""

    workspace: Workspace
    module: Module
    arguments: Mapping[str, Argument]

    @cached_property
    def profile(self) -> str | None:
        """The name of the profile, if the name is known and equal for all callers of the module."""
        return self.string(*self.arguments["profile"]) if "profile" in self.arguments else None

    @property
    def title(self) -> str:
        """The origin of the credentials, for people."""
        if STATIC_KEYS & self.arguments.keys():
            return self._key
        if "profile" in self.arguments:
            return f"profile {self.profile or self.expression('profile')}"
        return "a shared credentials file" if self.arguments else "the environment"

    @property
    def variables(self) -> set[str]:
        """The variables behind the credentials, through locals and through the calls of the module."""
        expressions = (document.expression(attribute) for document, attribute in self.arguments.values())
        return {name for expression in expressions for name in _variables(self.workspace, self.module, expression)}

    def expression(self, name: str) -> str:
        """The expression of an argument."""
        document, attribute = self.arguments[name]
        return document.expression(attribute)

    def string(self, document: Document, attribute: Attribute) -> str | None:
        """The string of an argument in all calls of the module; None if the string is unknown, or differs."""
        return root_values(self.workspace).string(self.module, document, attribute)

    @property
    def _key(self) -> str:
        name = next(argument for argument in ("access_key", "secret_key", "token") if argument in self.arguments)
        expression = self.expression(name)
        source = _SOURCE.search(_outcomes(expression))
        shown = shown_key(self.string(*self.arguments[name]) or "")
        texts = [text for text in (shown, source[0] if source else "") if text]
        return f"static key {texts[0]}{f' ({texts[1]})' if texts[1:] else ''}" if texts else "a static key"


def _outcomes(expression: str) -> str:
    """The values between which a condition chooses, without the condition; any other expression as it is."""
    with suppress(SyntaxProblem):  # of a heredoc, or a template that is no expression
        parts = conditional(expression)
        return optional(expression) or (" ".join(parts[1:]) if parts else expression)
    return expression


class Origins(Struct, frozen=True, eq=False, dict=True):
    """The origins of the credentials of ``holder``, a provider or a backend."""

    workspace: Workspace
    holder: Provider | S3Backend

    @cached_property
    def credentials(self) -> Credentials:
        """The arguments; arguments of an override file count."""
        family: Sequence[Provider | S3Backend]
        family = self.holder.family if isinstance(self.holder, Provider) else [self.holder]
        merged: dict[str, Argument] = {}
        for block in sorted(family, key=lambda holder: holder.document.is_override):
            merged |= {attribute.name: (block.document, attribute) for attribute in block.credentials}
        return Credentials(self.workspace, self.holder.module, merged)

    @cached_property
    def mappable_origins(self) -> frozenset[Origin]:
        """The origins that `--role` can map to a role: profile, alias, variables and account."""
        origins = {("var", name) for name in self.credentials.variables}
        if self.credentials.profile:
            origins.add(("profile", self.credentials.profile))
        if isinstance(self.holder, Provider):
            origins |= {("account", account) for account in self._accounts(self.holder)}
            if self.holder.alias:
                origins.add(("alias", self.holder.alias))
        return frozenset(origins)

    def _accounts(self, provider: Provider) -> Iterator[str]:
        """The account of ``allowed_account_ids``, if it is the only one, and the accounts of assumed roles."""
        allowed = self.listed("allowed_account_ids")
        if len(allowed) == 1:
            yield from allowed
        for member in provider.family:
            assumed = (block for body in member.bodies for block in body.blocks("assume_role"))
            roles = (block.attribute("role_arn") for block in assumed)
            accounts = (account_of(self.credentials.string(member.document, role) or "") for role in roles if role)
            yield from (account for account in accounts if account)

    def listed(self, name: str) -> frozenset[str]:
        """The accounts that a provider's ``allowed_account_ids`` or ``forbidden_account_ids`` lists, if known."""
        for provider in self.holder.family if isinstance(self.holder, Provider) else ():
            attribute = next((argument for body in provider.bodies if (argument := body.attribute(name))), None)
            if attribute is not None:
                return root_values(self.workspace).strings(provider.module, provider.document, attribute)
        return frozenset()


def account_of(arn: str) -> str:
    """The account of an IAM role's ARN; ``""`` for any other text."""
    match = _ACCOUNT.match(arn)
    return match[1] if match else ""


def _variables(workspace: Workspace, module: Module, expression: str) -> Iterator[str]:
    """The variables that ``expression`` depends on, through locals and through the calls of its module."""
    pending, seen = [(module, expression)], set[tuple[str, str]]()
    while pending:
        current, text = pending.pop()
        for reference in REFERENCE.finditer(text):
            if (current.path, reference[0]) in seen:
                continue
            seen.add((current.path, reference[0]))
            if reference[1] == "local":
                pending.append((current, definition(current, reference) or ""))
                continue
            yield reference[2]
            for call in workspace.calls.get(current.path, ()):
                passed = call.block.attribute(reference[2])
                pending.append((call.caller, call.document.expression(passed) if passed else ""))
