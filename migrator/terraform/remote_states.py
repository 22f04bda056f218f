"""The states of other root modules that a module reads from S3, and their sign-ins.

See https://developer.hashicorp.com/terraform/language/state/remote-state-data: ``config`` takes the arguments of the
backend, as an object since Terraform 0.12, as a block before; other than a backend's, they may be expressions.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.regex import regex
from migrator.terraform.assumed_role import ROLE_FAMILY
from migrator.terraform.backends import S3Backend, backend_of_object
from migrator.terraform.diagnostics import UNKNOWN_STATE_BACKEND
from migrator.terraform.expressions.defaults import REFERENCE, definition, resolve
from migrator.terraform.expressions.objects import Part, parts
from migrator.terraform.providers import CREDENTIALS

if TYPE_CHECKING:
    from migrator.model.findings import Ignored, LeftAlone, Place, Refusal
    from migrator.syntax.terraform import Attribute, Block
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module

_NAMED = regex(rf"\b({'|'.join((*CREDENTIALS, *ROLE_FAMILY))})\b[\"']?\s*[=:](?!=)")


class Config(Struct, frozen=True, eq=False):
    """A part of the backend configuration of a data source: a block, or the object constructor of a ``part``."""

    backend: S3Backend
    part: Part | None = None

    @property
    def changes(self) -> tuple[Attribute, ...]:
        """The arguments that sign in with static credentials or a role."""
        return (*self.backend.credentials, *self.backend.role_family)


class RemoteState(Struct, frozen=True, eq=False, dict=True):
    """A ``data "terraform_remote_state"`` block of the S3 backend, or of an unknown backend (``kind`` is None).

    ``unread`` are the parts of its configuration that cannot be edited.
    """

    module: Module
    document: Document
    block: Block
    kind: str | None
    configs: tuple[Config, ...]
    unread: tuple[Part, ...] = ()

    @property
    def place(self) -> Place:
        """The place where the block begins."""
        return self.document.place(self.block)

    @property
    def names(self) -> list[str]:
        """The arguments that sign in with static credentials or a role, by name."""
        return list(dict.fromkeys(attribute.name for config in self.configs for attribute in config.changes))

    @property
    def names_credentials(self) -> bool:
        """Whether the data source names credentials or a role."""
        return bool(self.names) and self.skip_reason is None and not self.has_web_identity

    @property
    def has_web_identity(self) -> bool:
        """Whether the data source signs in with web identity, as Terraform supports from 1.6 on."""
        return any(config.backend.has_web_identity for config in self.configs)

    @property
    def role_arns(self) -> set[str]:
        """The expressions of the flat roles."""
        return {config.backend.role_arn for config in self.configs if config.backend.role_arn}

    @property
    def unknown_part(self) -> tuple[str, bool] | None:
        """The unknown part of the configuration, for people, and whether that part has credentials or a role."""
        sources = [
            (_description(part), _mentions(self.module, part.value.of(part.document.text))) for part in self.unread
        ]
        return max(sources, key=lambda source: source[1], default=None)

    @cached_property
    def skip_reason(self) -> LeftAlone | Refusal | Ignored | None:
        """The reason why the data source is not migrated; None if it is migrated."""
        if self.document.is_ignored(self.block):
            return self.document.ignored
        if self.kind is None:
            return UNKNOWN_STATE_BACKEND.refusal()
        return next((config.backend.skip_reason for config in self.configs if config.backend.skip_reason), None)


def _description(part: Part) -> str:
    reference = REFERENCE.search(part.value.of(part.document.text))
    return reference[0] if reference else "an expression in its config"


def _mentions(module: Module, expression: str) -> bool:
    """Whether an expression, or the definition of its variable or local, names credentials or a role."""
    definitions = (definition(module, match) or "" for match in REFERENCE.finditer(expression))
    return any(_NAMED.search(text) for text in (expression, *definitions))


def remote_states(module: Module) -> Iterator[RemoteState]:
    """The data sources of ``module`` that read, or may read, a state from S3."""
    for document, block in module.blocks("data", "terraform_remote_state"):
        backend = block.attribute("backend")
        kind = resolve(module, document.expression(backend)) if backend else None
        if backend is None or kind not in ("s3", None):
            continue
        parts = list(_configs(module, document, block))
        configs = tuple(part for part in parts if isinstance(part, Config))
        unread = tuple(part for part in parts if isinstance(part, Part))
        if kind == "s3" or any(config.changes for config in configs):
            yield RemoteState(module, document, block, kind, configs, unread)


def _configs(module: Module, document: Document, block: Block) -> Iterator[Config | Part]:
    for nested in block.blocks("config"):
        yield Config(S3Backend(module, document, nested))
    if (config := block.attribute("config")) is not None:
        for part in parts(module, document, config.value):
            if part.items is None:
                yield part
            else:
                yield Config(backend_of_object(module, part.document, part.value, part.items), part)
