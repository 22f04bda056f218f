"""The version constraints of a repository on a provider, and the release that a provider needs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.model.findings import Place
from migrator.model.version_constraints import Version, minor, raised
from migrator.regex import regex
from migrator.span import Edit
from migrator.terraform.diagnostics import IGNORED_CONSTRAINT
from migrator.terraform.providers import AWS, AWSCC, Provider, address, local_names

if TYPE_CHECKING:
    from migrator.model.findings import Refusal
    from migrator.syntax.terraform import Attribute, Block
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module
    from migrator.workspace.workspace import Workspace

FIRST_WITH_WEB_IDENTITY: dict[str, Version] = {AWS: (4, 12, 0), AWSCC: (0, 20, 0)}
"""The releases that brought ``assume_role_with_web_identity``, by provider: their CHANGELOGs, April and May 2022."""

FIRST_WITH_SEVERAL_ROLES: Version = (5, 67, 0)
"""The AWS provider's release that takes several ``assume_role``: its CHANGELOG, September 2024."""

CDKTF_FILE = "cdktf.json"
_IN_CDKTF = regex(
    r'"(?P<name>[\w./-]+)@(?P<version>[^"]+)"|"source"\s*:\s*"(?P<source>[^"]+)"[^{}]*"version"\s*:\s*"(?P<object>[^"]+)"'
)
_LOCKED = regex(r"v?(\d+)\.(\d+)\.(\d+)")


class Constraint(Struct, frozen=True, eq=False):
    """A constraint on a provider: ``text`` is the value of ``argument``, which is inside of all ``parents``."""

    document: Document
    argument: Attribute
    text: str
    parents: tuple[Block | Attribute, ...]

    @property
    def place(self) -> Place:
        """The place of the constraint."""
        return self.document.place(self.argument)

    @property
    def is_ignored(self) -> bool:
        """Whether a comment, or the user, excludes the constraint."""
        return any(map(self.document.is_ignored, (self.argument, *self.parents)))

    def refusal(self, first: Version) -> Refusal:
        """The refusal of web identity for an excluded constraint that admits no release from ``first`` on."""
        return IGNORED_CONSTRAINT.refusal(constraint=self.text, place=self.place, release=minor(first))

    def raise_to(self, first: Version) -> Edit:
        """The edit that makes the constraint admit ``first``, and nothing before."""
        return Edit(self.document.path, self.argument.value, f'"{raised(self.text, first)}"')


def needed_release(provider: Provider) -> Version:
    """The first release that supports the new sign-in of the provider."""
    chained = sum(len(block.assumed_roles) for block in provider.family)
    if provider.kind == AWS and chained > 1:
        return FIRST_WITH_SEVERAL_ROLES
    return FIRST_WITH_WEB_IDENTITY[provider.kind]


def constraints(module: Module, kind: str) -> Iterator[Constraint]:
    """The constraints of ``module`` on the provider ``kind``, in every syntax."""
    for document, argument, parents in _arguments(module, kind):
        if (text := document.literal(argument)) is not None:
            yield Constraint(document, argument, text, parents)


def unread_constraints(module: Module, kind: str) -> Iterator[tuple[Document, Attribute]]:
    """The constraints that are not literals, for example in generated code."""
    for document, argument, _ in _arguments(module, kind):
        if document.literal(argument) is None:
            yield document, argument


def _arguments(module: Module, kind: str) -> Iterator[tuple[Document, Attribute, tuple[Block | Attribute, ...]]]:
    """The arguments that hold a constraint, each with the blocks around it."""
    names = {name for name, kind_of_name in local_names(module).items() if kind_of_name == kind}
    for document, terraform in module.blocks("terraform"):
        for required in terraform.blocks("required_providers"):
            for argument in required.attributes:
                if argument.name in names:
                    items = document.object_items(argument)
                    versions = [attribute for attribute in items if attribute.name == "version"]
                    for value in versions if items else (argument,):
                        yield document, value, (terraform, required, argument)
    for name in sorted(names):
        for document, block in module.blocks("provider", name):
            if (version := block.attribute("version")) is not None:
                yield document, version, (block,)


def in_cdktf(workspace: Workspace, folder: str, kind: str) -> Iterator[tuple[Place, str]]:
    """The constraints on the provider ``kind`` in a program's ``cdktf.json``, the source of its bindings.

    See https://developer.hashicorp.com/terraform/cdktf/create-and-deploy/configuration-file.
    """
    folders = [folder, *(parent.as_posix() for parent in PurePosixPath(folder).parents)]
    paths = dict.fromkeys(posixpath.normpath(posixpath.join(folder, CDKTF_FILE)) for folder in folders)
    document = next((other for path in paths for other in workspace.others(re.compile(rf"^{re.escape(path)}$"))), None)
    for match in _IN_CDKTF.finditer(document.text) if document else ():
        name, version = (match["name"], match["version"]) if match["name"] else (match["source"], match["object"])
        if document and version and address(name)[1:] == ("hashicorp", kind):
            yield Place(document.path, document.source.line(match.start())), version


def locked(workspace: Workspace, module: Module, kind: str) -> Version | None:
    """The release of the provider ``kind`` in the lock file of a root module; None without a pin."""
    document = workspace.lock_file(module)
    for block in document.blocks if document else ():
        version = document.literal(block.attribute("version")) if document else None
        if block.labels and block.labels[0].endswith(f"/hashicorp/{kind}") and (match := _LOCKED.match(version or "")):
            return int(match[1]), int(match[2]), int(match[3])
    return None
