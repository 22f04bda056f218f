"""The AWS providers of a module, and the sign-in of each provider.

The arguments are those of https://registry.terraform.io/providers/hashicorp/aws/latest/docs#provider-configuration.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.regex import regex
from migrator.secret.names import STATIC_KEYS
from migrator.syntax.terraform import Attribute, Block
from migrator.terraform.diagnostics import CONDITIONAL_KEYS, MOCK_KEYS_IN_TEST
from migrator.terraform.endpoints import is_mock, skip_reason_of_endpoint
from migrator.terraform.expressions.defaults import NONE, optional
from migrator.terraform.tokens import token_refusal
from migrator.workspace.discover import Kind

if TYPE_CHECKING:
    from migrator.model.findings import Ignored, LeftAlone, Place, Refusal
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module

CREDENTIALS = (
    "access_key",
    "secret_key",
    "token",
    "profile",
    "shared_credentials_file",
    "shared_credentials_files",
    "shared_config_files",
)
"""The arguments that name static credentials; where one is left, web identity is ignored or the provider fails."""

_GUARDED = regex(r'(?:"\$\{)?\s*(?P<role>var\.[\w-]+) == null \? null : \{\s*role_arn\s*=\s*(?P=role)(?![\w.-])')
_HOSTS = ("registry.terraform.io", "registry.opentofu.org")
_NAMESPACE = "hashicorp"
AWS, AWSCC = "aws", "awscc"
"""The providers that support web identity; both use the same library, and have the same arguments for the sign-in."""

WEB_IDENTITY = "assume_role_with_web_identity"

Origin = tuple[tuple[str, str], ...]
"""The origin of an identity: the credential arguments and their expressions; empty for the environment."""


class Provider(Struct, frozen=True, eq=False, dict=True):
    """A ``provider`` block of hashicorp/aws or awscc (``kind``) in one of the modules that contain its file.

    In awscc ``assume_role…`` are objects, not blocks, and ``role_arn`` is that of CloudFormation:
    https://registry.terraform.io/providers/hashicorp/awscc/latest/docs. ``family`` is the block itself and the blocks
    that Terraform merges with it: override files may each hold another block.
    """

    module: Module
    document: Document
    block: Block
    family: list[Provider]
    kind: str = AWS

    @property
    def place(self) -> Place:
        """The place where the block begins."""
        return self.document.place(self.block)

    @property
    def is_in_json(self) -> bool:
        """Whether the block is written in JSON."""
        return self.document.path.endswith(".json")

    @property
    def title(self) -> str:
        """The block's header and alias, for messages."""
        return f"{self.block.title()} ({self.alias})" if self.alias else self.block.title()

    @cached_property
    def alias(self) -> str | None:
        """The provider's alias; None for the default provider."""
        return self.document.literal(self.block.attribute("alias"))

    @property
    def bodies(self) -> tuple[Block, ...]:
        """The block, and its escape blocks ``_ {}``, which hold arguments of the provider, too."""
        return (self.block, *self.block.blocks("_"))

    @cached_property
    def credentials(self) -> tuple[Attribute, ...]:
        """The arguments that name static credentials, in the order of the text."""
        arguments = [argument for body in self.bodies for argument in body.attributes if argument.name in CREDENTIALS]
        return tuple(sorted(arguments, key=lambda attribute: attribute.span))

    @cached_property
    def origin(self) -> Origin:
        """The credentials that distinguish this provider's identity from others; override files count for more."""
        merged: dict[str, str] = {}
        for provider in sorted(self.family, key=lambda provider: provider.document.is_override):
            merged |= {attribute.name: provider.document.expression(attribute) for attribute in provider.credentials}
        return tuple(sorted(merged.items()))

    @property
    def is_lead(self) -> bool:
        """Whether the block of its family gets the new sign-in: the first block with credentials."""
        return self is min(self.family, key=lambda provider: (not provider.credentials, provider.document.is_override))

    @property
    def has_web_identity(self) -> bool:
        """Whether the provider has ``assume_role_with_web_identity``, written out or ``dynamic``."""
        bodies = [body for provider in self.family for body in provider.bodies]
        return any(_makes(block, WEB_IDENTITY) for body in bodies for block in body.blocks()) or (
            self.kind == AWSCC and any(body.attribute(WEB_IDENTITY) for body in bodies)
        )

    @cached_property
    def assumed_roles(self) -> list[str]:
        """The ``role_arn`` expressions of the ``assume_role`` blocks; ``""`` for an unknown expression."""
        return self._roles("assume_role")

    @property
    def web_identity_roles(self) -> list[str]:
        """The ``role_arn`` expressions of the ``assume_role_with_web_identity`` blocks."""
        return self._roles(WEB_IDENTITY)

    @property
    def token_files(self) -> list[str]:
        """The literal paths from which the ``assume_role_with_web_identity`` blocks read the token."""
        blocks = [block for body in self.bodies for block in body.blocks() if _makes(block, WEB_IDENTITY)]
        arguments = [content.attribute("web_identity_token_file") for block in blocks for content in _contents(block)]
        return [path for attribute in arguments if (path := self.document.literal(attribute)) is not None]

    def _roles(self, type_: str) -> list[str]:
        blocks = [block for body in self.bodies for block in body.blocks() if _makes(block, type_)]
        arguments = [content.attribute("role_arn") for block in blocks for content in _contents(block)]
        roles = [self.document.expression(role) if role else "" for role in arguments]
        objects = [body.attribute(type_) for body in self.bodies] if self.kind == AWSCC else []
        roles += [self._role_in(attribute) for attribute in objects if attribute]
        return ["" if role.startswith(f"{type_}.") else role for role in roles]

    def _role_in(self, argument: Attribute) -> str:
        """The ``role_arn`` of an object, or of a conditional object that depends on its role."""
        items = self.document.object_items(argument)
        if items:
            return next(
                (self.document.expression(attribute) for attribute in items if attribute.name == "role_arn"), ""
            )
        guarded = _GUARDED.match(self.document.expression(argument))
        return guarded["role"] if guarded else ""

    @cached_property
    def skip_reason(self) -> LeftAlone | Refusal | Ignored | None:
        """The reason why the provider is not migrated; None if the provider is migrated."""
        return next((reason for provider in self.family if (reason := provider._own_skip_reason) is not None), None)

    @cached_property
    def _own_skip_reason(self) -> LeftAlone | Refusal | Ignored | None:
        if self.document.is_ignored(self.block) or any(map(self.document.is_ignored, self.credentials)):
            return self.document.ignored
        if self.document.kind is Kind.TEST and self._is_mock:
            return MOCK_KEYS_IN_TEST.left_alone()
        if self.document.generated:
            return self.document.generated
        if self.is_switch and self.has_conditional_web_identity:
            return CONDITIONAL_KEYS.left_alone()
        return self._token_refusal or skip_reason_of_endpoint(self.module, self.document, self.block)

    @property
    def _token_refusal(self) -> Refusal | None:
        has_keys = any(attribute.name in STATIC_KEYS for provider in self.family for attribute in provider.credentials)
        blocks = [block for body in self.bodies for block in body.blocks() if _makes(block, WEB_IDENTITY)]
        arguments = [attribute for block in blocks for content in _contents(block) for attribute in content.attributes]
        for body in self.bodies:
            value = body.attribute(WEB_IDENTITY)
            arguments += self.document.object_items(value) if value is not None else ()
        return token_refusal(self.document, arguments) if has_keys else None

    @property
    def is_switch(self) -> bool:
        """Whether all its credentials are conditional, so that other credentials can sign in."""
        expressions = [
            provider.document.expression(attribute) for provider in self.family for attribute in provider.credentials
        ]
        return bool(expressions) and all(text in NONE or optional(text) is not None for text in expressions)

    @property
    def has_conditional_web_identity(self) -> bool:
        """Whether the provider has web identity that may be absent in a run."""
        blocks = [block for provider in self.family for body in provider.bodies for block in body.blocks()]
        sections = [block for block in blocks if _makes(block, WEB_IDENTITY)]
        objects = [
            provider.document.object_items(attribute)
            for provider in self.family
            for body in provider.bodies
            if (attribute := body.attribute(WEB_IDENTITY)) is not None
        ]
        conditions = [*(block.type != "dynamic" for block in sections), *map(bool, objects)]
        return bool(conditions) and not any(conditions)

    @property
    def is_bare(self) -> bool:
        """Whether the provider's first credentials are those of the environment; true for one block of a family."""
        return self.is_lead and not self.origin and not self.has_web_identity and self.skip_reason is None

    @property
    def is_proxy(self) -> bool:
        """Whether the block may only declare a provider that a caller passes in, as old Terraform required."""
        return all(isinstance(argument, Attribute) and argument.name == "alias" for argument in self.block.items)

    @property
    def _is_mock(self) -> bool:
        keys = [
            self.document.literal(attribute)
            for attribute in self.credentials
            if attribute.name in ("access_key", "secret_key")
        ]
        return bool(keys) and all(map(is_mock, keys))


def _contents(block: Block) -> Iterator[Block]:
    """The content of a ``dynamic`` block, or any other block itself."""
    yield from block.blocks("content") if block.type == "dynamic" else (block,)


def _makes(block: Block, type_: str) -> bool:
    return block.type == type_ or (block.type == "dynamic" and block.labels == (type_,))


def aws_providers(module: Module) -> list[Provider]:
    """The blocks of hashicorp/aws and awscc in ``module`` and its tests, under any local names."""
    names = local_names(module)
    providers: list[Provider] = []
    families: dict[tuple[str, str | None, bool], list[Provider]] = {}
    blocks = chain(module.blocks("provider"), module.test_blocks("provider"))
    for document, block in sorted(blocks, key=lambda pair: pair[0].is_override):
        if block.labels and (kind := names.get(block.labels[0])):
            key = (block.labels[0], document.literal(block.attribute("alias")), document.is_tofu)
            family = families.setdefault(key, []) if document.is_override else []
            family.append(Provider(module, document, block, family, kind))
            providers.append(family[-1])
            if document.kind is Kind.CONFIG:
                families.setdefault(key, family)
    return sorted(providers, key=lambda provider: provider.kind)


def local_names(module: Module) -> dict[str, str]:
    """The kind, aws or awscc, of each local name of a provider."""
    sources = module.required_sources
    default_names = {kind: kind for kind in (AWS, AWSCC) if kind not in sources}
    kinds = {name: address(source) for name, source in sources.items()}
    official = [(host, _NAMESPACE, kind) for host in _HOSTS for kind in (AWS, AWSCC)]
    return default_names | {name: source[2] for name, source in kinds.items() if source in official}


def address(source: str) -> tuple[str, str, str]:
    """The host, namespace and type of a provider's source; host and namespace are optional.

    See https://developer.hashicorp.com/terraform/language/providers/requirements#source-addresses.
    """
    parts = source.lower().split("/")
    host, namespace, type_ = [*(_HOSTS[0], _NAMESPACE)[: max(3 - len(parts), 0)], *parts][:3]
    return host, namespace, type_
