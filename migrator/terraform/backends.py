"""The S3 backends of a repository, and how each of them signs in.

The arguments are those of https://developer.hashicorp.com/terraform/language/backend/s3 and, for the flat role family,
of its edition for Terraform 1.5: from 1.6 on the family is deprecated, from 1.10 on an error.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.syntax.hcl.strings import string_value
from migrator.terraform.endpoints import skip_reason_of_endpoint
from migrator.terraform.providers import CREDENTIALS
from migrator.workspace.diagnostics import BACKEND_IGNORED_BY_COMMENT, EXCLUDED, IGNORED_BY_COMMENT
from migrator.workspace.discover import Kind

if TYPE_CHECKING:
    from migrator.model.findings import Ignored, LeftAlone, Place, Refusal
    from migrator.syntax.terraform import Attribute, Block
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module

ROLE_FAMILY = (
    "role_arn",
    "session_name",
    "external_id",
    "assume_role_duration_seconds",
    "assume_role_policy",
    "assume_role_policy_arns",
    "assume_role_tags",
    "assume_role_transitive_tag_keys",
)
"""The flat arguments that make the backend assume a role."""


class S3Backend(Struct, frozen=True, eq=False, dict=True):
    """A ``backend "s3"`` block, or a file with a part of one."""

    module: Module
    document: Document
    block: Block

    @property
    def place(self) -> Place:
        """Where the block begins."""
        return self.document.place(self.block)

    @property
    def title(self) -> str:
        """What it is, for messages."""
        return "partial configuration of a backend" if self.is_partial else self.block.title()

    @property
    def is_partial(self) -> bool:
        """Whether it is a file for ``-backend-config``."""
        return self.document.kind is Kind.BACKEND

    @cached_property
    def credentials(self) -> tuple[Attribute, ...]:
        """The arguments that name static credentials, in the order of the text; no ignored ones."""
        return self._named(CREDENTIALS)

    @cached_property
    def role_family(self) -> tuple[Attribute, ...]:
        """The flat arguments that make the backend assume a role, in the order of the text; no ignored ones."""
        return self._named(ROLE_FAMILY)

    @cached_property
    def ignored(self) -> tuple[Attribute, ...]:
        """The arguments that would be changed, but for a comment of their own."""
        if self.document.is_ignored(self.block) and not self.document.is_excluded:
            return ()
        found = (attribute for attribute in self.block.attributes if attribute.name in (*CREDENTIALS, *ROLE_FAMILY))
        return tuple(attribute for attribute in found if self.document.is_ignored(attribute))

    @cached_property
    def role_arn(self) -> str | None:
        """The expression of the flat ``role_arn``; None where there is none, it is empty, or to be left alone."""
        attribute = next((item for item in self.role_family if item.name == "role_arn"), None)
        expression = self.document.expression(attribute) if attribute else None
        return None if expression in (None, "null") or string_value(expression) == "" else expression

    @property
    def assumes_role(self) -> bool:
        """Whether the block assumes a role in any form."""
        return self.role_arn is not None or self.block.attribute("assume_role") is not None

    @property
    def has_web_identity(self) -> bool:
        """Whether the block signs in with web identity itself, as it can from Terraform 1.6 on."""
        return self.block.attribute("assume_role_with_web_identity") is not None

    @cached_property
    def skip_reason(self) -> LeftAlone | Refusal | Ignored | None:
        """Why the backend is no sign-in to AWS, or not to be touched, if so."""
        if self.document.is_excluded:
            return EXCLUDED.ignored()
        if not self.is_partial and self.document.is_ignored(self.block):
            return IGNORED_BY_COMMENT.ignored()
        if self.document.generated:
            return self.document.generated
        if self.is_partial and any(
            backend.document.has_ignored(backend.block.span) for backend in s3_backends(self.module)
        ):
            return BACKEND_IGNORED_BY_COMMENT.ignored()
        return skip_reason_of_endpoint(self.module, self.document, self.block)

    def _named(self, names: tuple[str, ...]) -> tuple[Attribute, ...]:
        return tuple(
            attribute
            for attribute in self.block.attributes
            if attribute.name in names and attribute not in self.ignored
        )


def s3_backends(module: Module) -> list[S3Backend]:
    """The ``backend "s3"`` blocks of ``module``; Terraform allows one, and one in each override file."""
    return [
        S3Backend(module, document, backend)
        for document, terraform in module.blocks("terraform")
        for backend in terraform.blocks("backend")
        if backend.labels == ("s3",)
    ]
