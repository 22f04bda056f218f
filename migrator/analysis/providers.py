"""The AWS providers of a module, and how each of them signs in.

The arguments are those of https://registry.terraform.io/providers/hashicorp/aws/latest/docs#provider-configuration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from migrator.analysis.endpoints import foreign_endpoint
from migrator.model import LeftAlone, Place, Refusal
from migrator.syntax import hcl
from migrator.syntax.terraform import Attribute, Block
from migrator.workspace import Document, Module

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

_AWS_SOURCES = frozenset(f"{host}hashicorp/aws" for host in ("", "registry.terraform.io/", "registry.opentofu.org/"))

Origin = tuple[tuple[str, str], ...]
"""Where an identity comes from: the credential arguments and their expressions; empty for the environment."""


@dataclass(frozen=True, eq=False)
class Provider:
    """A ``provider`` block of hashicorp/aws in one of the modules that it is part of."""

    module: Module
    document: Document
    block: Block

    @property
    def place(self) -> Place:
        """Where the block begins."""
        return self.document.place(self.block)

    @cached_property
    def alias(self) -> str | None:
        """The provider's alias; None for the default provider."""
        attribute = self.block.attribute("alias")
        return hcl.string_value(self._expression(attribute)) if attribute else None

    @cached_property
    def credentials(self) -> tuple[Attribute, ...]:
        """The arguments that name static credentials, in the order of the text."""
        return tuple(attribute for attribute in self.block.attributes if attribute.name in CREDENTIALS)

    @cached_property
    def origin(self) -> Origin:
        """What tells this provider's identity from those of its neighbours."""
        return tuple(sorted((attribute.name, self._expression(attribute)) for attribute in self.credentials))

    @property
    def has_web_identity(self) -> bool:
        """Whether the block has ``assume_role_with_web_identity``, written out or ``dynamic``."""
        return any(_makes(block, "assume_role_with_web_identity") for block in self.block.blocks())

    @property
    def assumed_roles(self) -> list[str]:
        """The ``role_arn`` expressions of the ``assume_role`` blocks; ``""`` for one that is not to be read off."""
        blocks = [block for block in self.block.blocks() if _makes(block, "assume_role")]
        roles = [block.attribute("role_arn") if block.type == "assume_role" else None for block in blocks]
        return [self._expression(role) if role else "" for role in roles]

    @cached_property
    def foreign(self) -> LeftAlone | Refusal | None:
        """Why the block is no sign-in to AWS, if so."""
        return foreign_endpoint(self.module, self.document, self.block)

    @property
    def is_bare(self) -> bool:
        """Whether the block's first credentials are those of the environment."""
        return not self.credentials and not self.has_web_identity and self.foreign is None

    @property
    def is_proxy(self) -> bool:
        """Whether the block may only stand for a provider that a caller passes in, as modules once had to."""
        return all(isinstance(item, Attribute) and item.name == "alias" for item in self.block.items)

    def _expression(self, attribute: Attribute) -> str:
        return attribute.value.of(self.document.text)


def _makes(block: Block, type_: str) -> bool:
    return block.type == type_ or (block.type == "dynamic" and block.labels == (type_,))


def aws_providers(module: Module) -> list[Provider]:
    """The blocks of hashicorp/aws in ``module``, under whatever local name it has there."""
    names = _local_names(module)
    return [
        Provider(module, document, block)
        for document, block in module.blocks("provider")
        if block.labels and block.labels[0] in names
    ]


def _local_names(module: Module) -> set[str]:
    sources = dict(_required_sources(module))
    names = {name for name, source in sources.items() if source in _AWS_SOURCES}
    return names if "aws" in sources else names | {"aws"}


def _required_sources(module: Module) -> Iterator[tuple[str, str]]:
    for document, terraform in module.blocks("terraform"):
        for required in terraform.blocks("required_providers"):
            for provider in required.attributes:
                for item in hcl.object_items(document.text, provider.value) or ():
                    if item.name == "source":
                        source = hcl.string_value(item.value.of(document.text)) or ""
                        yield provider.name, source.lower()
