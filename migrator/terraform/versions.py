"""Version constraints on providers: which releases they admit, and how they read once they admit the ones needed.

The operators are those of https://developer.hashicorp.com/terraform/language/expressions/version-constraints.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.model.findings import Place
from migrator.regex import regex
from migrator.span import Edit
from migrator.terraform.providers import AWS, AWSCC, Provider, address, local_names

if TYPE_CHECKING:
    from migrator.syntax.terraform import Attribute, Block
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module
    from migrator.workspace.workspace import Workspace

Release = tuple[int, int, int]

FIRST_WITH_WEB_IDENTITY: dict[str, Release] = {AWS: (4, 12, 0), AWSCC: (0, 20, 0)}
"""The releases that brought ``assume_role_with_web_identity``, by provider: their CHANGELOGs, April and May 2022."""

FIRST_WITH_SEVERAL_ROLES: Release = (5, 67, 0)
"""The AWS provider's release that takes several ``assume_role``: its CHANGELOG, September 2024."""

_CLAUSE = regex(
    r"(\s*)(~>|>=|<=|!=|=|>|<|)(\s*)v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(-[\w.-]+)?(?:\+[\w.-]+)?(\s*)", re.ASCII
)
_MINORS = 20
CDKTF_FILE = "cdktf.json"
_IN_CDKTF = regex(
    r'"(?P<name>[\w./-]+)@(?P<version>[^"]+)"|"source"\s*:\s*"(?P<source>[^"]+)"[^{}]*"version"\s*:\s*"(?P<object>[^"]+)"'
)
_LOCKED = regex(r"v?(\d+)\.(\d+)\.(\d+)")


class Constraint(Struct, frozen=True, eq=False):
    """A constraint on a provider: ``text`` is the value of ``argument``, which stands inside of all ``around`` it."""

    document: Document
    argument: Attribute
    text: str
    around: tuple[Block | Attribute, ...]

    @property
    def place(self) -> Place:
        """Where it is written."""
        return self.document.place(self.argument)

    @property
    def is_ignored(self) -> bool:
        """Whether a comment, or the user, wants it to be left alone."""
        return any(map(self.document.is_ignored, (self.argument, *self.around)))

    def raise_to(self, first: Release) -> Edit:
        """The edit after which it admits ``first``, and nothing before."""
        return Edit(self.document.path, self.argument.value, f'"{raised(self.text, first)}"')


def needed_release(provider: Provider) -> Release:
    """The first release that knows what the provider is to sign in with."""
    chained = sum(len(item.assumed_roles) for item in provider.family)
    if provider.kind == AWS and chained > 1:
        return FIRST_WITH_SEVERAL_ROLES
    return FIRST_WITH_WEB_IDENTITY[provider.kind]


def constraints(module: Module, kind: str) -> Iterator[Constraint]:
    """The constraints of ``module`` on the provider ``kind``, in every way that there is to write one."""
    names = {name for name, known in local_names(module).items() if known == kind}
    for document, terraform in module.blocks("terraform"):
        for required in terraform.blocks("required_providers"):
            for argument in required.attributes:
                if argument.name in names:
                    items = [attribute for attribute in document.object_items(argument) if attribute.name == "version"]
                    for value in items or (argument,):
                        yield from _literal(document, value, terraform, required, argument)
    for name in sorted(names):
        for document, block in module.blocks("provider", name):
            if (version := block.attribute("version")) is not None:
                yield from _literal(document, version, block)


def _literal(document: Document, argument: Attribute, *around: Block | Attribute) -> Iterator[Constraint]:
    if (text := document.literal(argument)) is not None:
        yield Constraint(document, argument, text, around)


def in_cdktf(workspace: Workspace, folder: str, kind: str) -> Iterator[tuple[Place, str]]:
    """The constraints of a program's ``cdktf.json`` on the provider ``kind``, of which its bindings are made.

    See https://developer.hashicorp.com/terraform/cdktf/create-and-deploy/configuration-file.
    """
    around = [folder, *(parent.as_posix() for parent in PurePosixPath(folder).parents)]
    paths = dict.fromkeys(posixpath.normpath(posixpath.join(item, CDKTF_FILE)) for item in around)
    document = next((other for path in paths for other in workspace.others(re.compile(rf"^{re.escape(path)}$"))), None)
    for match in _IN_CDKTF.finditer(document.text) if document else ():
        name, version = (match["name"], match["version"]) if match["name"] else (match["source"], match["object"])
        if document and version and address(name)[1:] == ("hashicorp", kind):
            yield Place(document.path, document.source.line(match.start())), version


def excludes(constraint: str, first: Release) -> bool:
    """Whether a version constraint keeps every release from ``first`` on out, and admits one before."""
    named = {first, *(_filled(parts) for _, parts in map(_parsed, constraint.split(",")) if parts)}
    neighbours = {item for release in named for item in (release, *_after(release))}
    admitted = [item for item in {(0, 0, 0), *neighbours} if _admits(constraint, item)]
    return bool(admitted) and max(admitted) < first


def admits_before(constraint: str, first: Release) -> bool:
    """Whether a version constraint admits releases before ``first``."""
    is_above = any(_least(clause) >= first for clause in constraint.split(","))
    return not is_above and raised(constraint, first) != constraint


def raised(constraint: str, first: Release) -> str:
    """The constraint in its own style, with ``first`` as the least that it admits, and an upper bound beyond that.

    Where that would admit no release any more, as what it keeps out is just this one, it is that of the next minor
    release. One that is not understood stays as it is.
    """
    minors = ((first[0], first[1] + number, 0 if number else first[2]) for number in range(_MINORS))
    tried = [
        (exclude, _raised_to(constraint, exclude)) for exclude in (minors if excludes(constraint, first) else (first,))
    ]
    return next((text for least, text in tried if _has_release(text, least)), tried[0][1])


def _raised_to(constraint: str, first: Release) -> str:
    clauses = constraint.split(",")
    operators = [_parsed(clause)[0] for clause in clauses]
    if "" in operators:
        return constraint
    has_least = any(operator not in ("<", "<=", "!=") for operator in operators)
    least = "" if has_least else f">= {first[0]}.{first[1]}, "
    return least + ",".join(_raised(clause, first) for clause in clauses)


def major_of(constraint: str) -> int:
    """The highest major release that a constraint admits, as far as it says so; 0 if it does not."""
    parsed = (_parsed(clause) for clause in constraint.split(","))
    named = [(operator, _filled(parts)) for operator, parts in parsed if parts and operator != "!="]
    return max((release[0] - (operator == "<" and not any(release[1:])) for operator, release in named), default=0)


def locked(workspace: Workspace, module: Module, kind: str) -> Release | None:
    """The release of the provider ``kind`` that the lock file of a root module pins; None without one."""
    document = workspace.lock_file(module)
    for block in document.blocks if document else ():
        version = document.literal(block.attribute("version")) if document else None
        if block.labels and block.labels[0].endswith(f"/hashicorp/{kind}") and (found := _LOCKED.match(version or "")):
            return int(found[1]), int(found[2]), int(found[3])
    return None


def _parsed(clause: str) -> tuple[str, list[int]]:
    """A clause's operator, and the parts of its version; ``("", [])`` for none that is understood."""
    match = _CLAUSE.fullmatch(clause)
    if match is None:
        return "", []
    parts = [int(part) for part in match.groups()[3:6] if part is not None]
    return match[2] or "=", parts if match[2] != "!=" or match[7] is None else []


def _filled(parts: list[int]) -> Release:
    major, minor, patch, *_ = [*parts, 0, 0, 0]
    return major, minor, patch


def _after(release: Release) -> tuple[Release, ...]:
    """The next releases that there can be: a patch, a minor and a major one."""
    major, minor, patch = release
    return (major, minor, patch + 1), (major, minor + 1, 0), (major + 1, 0, 0)


def _admits(constraint: str, release: Release) -> bool:
    return all(_clause_admits(*_parsed(clause), release) for clause in constraint.split(","))


def _clause_admits(operator: str, parts: list[int], release: Release) -> bool:
    version = _filled(parts)
    if not parts:  # it is not understood, or keeps a pre-release out
        return True
    if operator == "~>":
        fixed = parts[:-1] or parts
        return version <= release and release[: len(fixed)] == tuple(fixed)
    return {
        "=": release == version,
        "!=": release != version,
        ">": release > version,
        ">=": release >= version,
        "<": release < version,
        "<=": release <= version,
    }[operator]


def _has_release(constraint: str, first: Release) -> bool:
    """Whether a constraint admits one of the releases that there are for certain: a minor one, or one it names."""
    parsed = map(_parsed, constraint.split(","))
    named = [_filled(parts) for operator, parts in parsed if operator not in ("!=", "<") and parts]
    minors = [(first[0], first[1] + number, 0) for number in range(_MINORS)]
    return any(minor >= first and _admits(constraint, minor) for minor in (*minors, (first[0] + 1, 0, 0), *named))


def _least(clause: str) -> Release:
    """The least release that a clause admits."""
    operator, parts = _parsed(clause)
    return _filled(parts if operator in ("=", ">=", ">", "~>") else [])


def _excludes(clause: str, first: Release) -> bool:
    """Whether a clause keeps every release from ``first`` on out."""
    operator, parts = _parsed(clause)
    if operator == "~>":  # all but the last part stay, the one before it may grow no more
        fixed = parts[:-1] or parts
        operator, parts = "<", [*fixed[:-1], fixed[-1] + 1]
    if operator not in ("<", "<=", "="):
        return False
    return _filled(parts) <= first if operator == "<" else _filled(parts) < first


def _raised(clause: str, first: Release) -> str:
    operator, parts = _parsed(clause)
    version = _filled(parts)
    if operator in ("<", "<=") and _excludes(clause, first):
        return _written(clause, "<", (first[0] + 1, 0, 0), len(parts))
    if operator in ("=", "~>", ">=", ">") and version < first:
        return _written(clause, ">=" if operator == ">" else operator, first, max(len(parts), 2))
    return clause


def _written(clause: str, operator: str, release: Release, parts: int) -> str:
    match = _CLAUSE.fullmatch(clause)
    before, written, gap, *_, after = match.groups() if match else ("", "", "", "")
    return f"{before}{operator if written else ''}{gap}{'.'.join(map(str, release[:parts]))}{after}"
