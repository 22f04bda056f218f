"""Configuration that leads to Terraform and that this tool does not read, with AWS credentials or roles.

Such are Terraform stacks (https://developer.hashicorp.com/terraform/language/stacks), Terramate's code generation
(https://terramate.io/docs/code-generation), Atmos's stacks (https://atmos.tools) and CDKTF in other languages than
Python. What they hold is found by its words alone.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.model.findings import Place
from migrator.regex import regex
from migrator.workspace.discover import SKIPPED_FOLDERS, Kind

if TYPE_CHECKING:
    from migrator.workspace.document import Document
    from migrator.workspace.workspace import Workspace

_NAMES = (
    "access_?key(?:_?id)?|secret_?key|secret_?access_?key|session_?token|profile|shared_?credentials_?files?"
    "|shared_?config_?files?|role_?arn"
)
_ARGUMENT = regex(rf"(?im)^(?![ \t]*(?:#|//|\*)).*?(?<![\w.])(?P<name>{_NAMES})[\"']?[ \t]*(?:[=:]|\()")
_KEY = regex(r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])")


class _Unread(Struct, frozen=True):
    """A kind of file that is not read: ``title`` is its name; ``holds`` must match the content."""

    title: str
    path: re.Pattern[str]
    holds: re.Pattern[str]


_STACKS = _Unread(
    "Terraform stack configuration", regex(r"\.(?:tfcomponent|tfstack|tfdeploy)\.(?:hcl|json)$"), regex("")
)
_TERRAMATE = _Unread(
    "Terramate configuration",
    regex(r"\.tm(?:\.hcl)?$"),
    regex(r"\bgenerate_(?:hcl|file)\b|\bprovider\s+\"aws|\bbackend\s+\"s3"),
)
_TERRAGRUNT = _Unread(
    "Terragrunt configuration in JSON", regex(r"\.hcl\.json$"), regex(r'"(?:remote_state|generate|inputs|include)"\s*:')
)
_ATMOS = _Unread(
    "Atmos stack configuration",
    regex(r"\.ya?ml(?:\.tmpl)?$"),
    regex(r"(?m)^\s*backend_type:\s*[\"']?s3|^\s*backend:\s*\n\s+s3:|^\s*providers:\s*\n\s+aws(?:cc)?:"),
)
_CDKTF = _Unread(
    "CDKTF program",
    regex(r"(?<!\.d)\.(?:[cm]?tsx?|[cm]?jsx?|go|java|cs|kt)$"),
    regex(r"(?:AwsProvider|AwsccProvider|S3Backend|DataTerraformRemoteStateS3)(?:Config)?\b"),
)
_PROGRAM, _BINDINGS = "cdktf.json", ".gen"


class Mention(Struct, frozen=True):
    """The first place with credentials or a role in a file that is not read, and all their names."""

    place: Place
    title: str
    names: tuple[str, ...]
    is_excluded: bool


def mentions(workspace: Workspace) -> Iterator[Mention]:
    """The credentials and roles that unread files of the given folder name, by path."""
    yield from _in(_STACKS, workspace.others(_STACKS.path), workspace)
    yield from _in(_TERRAMATE, workspace.others(_TERRAMATE.path), workspace)
    yield from _in(_TERRAGRUNT, workspace.others(_TERRAGRUNT.path), workspace)
    yield from _in(
        _ATMOS,
        (document for document in workspace.of_kind(Kind.SCRIPT) if _ATMOS.path.search(document.path)),
        workspace,
    )
    folders = [posixpath.dirname(document.path) for document in workspace.others(re.compile(rf"(?:^|/){_PROGRAM}$"))]
    if folders:
        below = (document for document in workspace.others(_CDKTF.path) if _is_below(document.path, folders))
        yield from _in(_CDKTF, below, workspace)


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(not folder or path.startswith(f"{folder}/") for folder in folders)


def _in(kind: _Unread, documents: Iterable[Document], workspace: Workspace) -> Iterator[Mention]:
    for document in documents:
        parts = document.path.split("/")
        if not workspace.in_scope(document.path) or not (SKIPPED_FOLDERS | {_BINDINGS}).isdisjoint(parts):
            continue
        if kind.holds.search(document.text) is None:
            continue
        matches = [(match.start("name"), match["name"]) for match in _ARGUMENT.finditer(document.text)]
        matches = matches or [(match.start(), "an access key") for match in _KEY.finditer(document.text)]
        if matches:
            place = Place(document.path, document.source.line(matches[0][0]))
            names = tuple(dict.fromkeys(name for _, name in matches))
            yield Mention(place, kind.title, names, workspace.is_excluded(document.path))
