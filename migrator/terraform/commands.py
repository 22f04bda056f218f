"""The parts of Terraform code that sign in to AWS on their own, not with the credentials of a provider block.

Such are commands in ``exec`` of the kubernetes and helm providers, in provisioners and in ``data "external"``, the key
provider ``aws_kms`` of OpenTofu's encryption, https://opentofu.org/docs/language/state/encryption/#aws-kms, and modules
from S3, https://developer.hashicorp.com/terraform/language/modules/sources#s3-bucket.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.regex import regex
from migrator.terraform.providers import CREDENTIALS, local_names

if TYPE_CHECKING:
    from migrator.span import Span
    from migrator.syntax.terraform import Block
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module

Part = tuple["Document", "Span", str]
"""A part of a file, with the title of the block around the part."""

_AWS = regex(r"(?m)^(?![ \t]*(?:#|//)).*?(?<![\w./@-])(?P<name>aws|aws-iam-authenticator|eksctl)(?=[\"'\\ ,;|]|$)")
_SIGN_INS = frozenset({*CREDENTIALS, "assume_role_with_web_identity"})
_WITHOUT_WEB_IDENTITY = "awsutils"


def commands(module: Module) -> Iterator[Part]:
    """The parts of a module that run commands."""
    own_names = local_names(module)
    for document, block in module.blocks("provider"):
        if block.labels and block.labels[0] not in own_names:
            yield from ((document, command.span, block.title()) for command in _nested(block, "exec"))
            for attribute in block.attributes:
                if attribute.name in ("exec", "kubernetes", "registry"):
                    yield document, attribute.span, block.title()
    may_run = any(document.mentions("provisioner") for document in module.documents)
    for document, block in module.blocks("resource") if may_run else ():
        yield from ((document, command.span, block.title()) for command in _nested(block, "provisioner"))
    for document, block in module.blocks("data", "external"):
        yield document, block.span, block.title()


def uses_environment(module: Module) -> Iterator[tuple[Part, str]]:
    """The parts of a module that call AWS with the credentials of the environment, each with what calls AWS."""
    for document, part, title in commands(module):
        if match := _AWS.search(part.of(document.text)):
            yield (document, part, title), f"a command runs {match['name']}"
    for document, block in _key_providers(module):
        if _signs_in_by_environment(block):
            yield (document, block.span, block.title()), "the key of the state is in AWS KMS"
    for document, block in module.blocks("provider", _WITHOUT_WEB_IDENTITY):
        if _signs_in_by_environment(block):
            yield (document, block.span, block.title()), "the provider has no credentials of its own"
    for document, block in module.blocks("module"):
        source = block.attribute("source")
        if source is not None and (document.literal(source) or "").startswith("s3::"):
            yield (document, source.span, block.title()), "the module is in S3"


def _key_providers(module: Module) -> Iterator[tuple[Document, Block]]:
    for document, terraform in module.blocks("terraform"):
        for encryption in terraform.blocks("encryption"):
            yield from (
                (document, block) for block in encryption.blocks("key_provider") if block.labels[:1] == ("aws_kms",)
            )


def _signs_in_by_environment(block: Block) -> bool:
    return not any(attribute.name in _SIGN_INS for attribute in block.attributes)


def _nested(block: Block, type_: str) -> Iterator[Block]:
    for child in block.blocks():
        if child.type == type_:
            yield child
        elif child.type in ("kubernetes", "dynamic", "content"):
            yield from _nested(child, type_)
