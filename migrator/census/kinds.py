"""The kinds of files that mention AWS credentials, by path: whether they may produce Terraform code."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from migrator.regex import regex
from migrator.terraform.credential_texts import TERRAFORM

if TYPE_CHECKING:
    from migrator.workspace.workspace import Workspace


class FileKind(Enum):
    """The purpose of a file."""

    TERRAFORM = "Terraform's configuration, or that of a program that writes it"
    DOCUMENTATION = "documentation"
    COMMANDS = "commands, and the settings of a shell, a container or CI"
    PROGRAM = "the source of a program"
    OTHER = "anything else"


_NAMES = (
    (
        FileKind.DOCUMENTATION,
        r"\.(?:md|mdx|markdown|rst|adoc|asciidoc|org|txt|html?|tex|csv|svg|drawio)$"
        r"|(?:^|/)(?:readme|changelog|changes|license|contributing|authors|notice|codeowners)[^/]*$",
    ),
    (
        FileKind.COMMANDS,
        r"\.(?:sh|bash|zsh|fish|ksh|ps1|psm1|bat|cmd|mk|make|just|nix|dockerfile|service)$"
        r"|(?:^|/)(?:GNU)?[Mm]akefile[^/]*$|(?:^|/)\.?[Jj]ustfile$|(?:^|/)(?:Jenkins|Docker|Container|Vagrant|Rake|Proc)file[^/]*$"
        r"|(?:^|/)[Tt]askfile[^/]*\.ya?ml$|(?:^|/)\.?env(?:rc)?(?:[._-][^/]*)?$|\.env(?:rc)?$|(?:^|/)[^/]*\.env\.[^/]*$"
        r"|(?:^|/)\.(?:github|circleci|buildkite|gitlab|drone|semaphore|azure-pipelines|devcontainer|vscode)(?:/|[^/]*\.ya?ml$)"
        r"|(?:^|/)\.(?:travis|gitlab-ci|drone|appveyor|cirrus|woodpecker|pre-commit-config|mise|tool-versions)[^/]*$"
        r"|(?:^|/)(?:[\w.-]*pipelines?|buildspec|cloudbuild|atlantis|appspec|concourse|wercker|codeship)[^/]*\.ya?ml$"
        r"|(?:^|/)(?:docker-)?compose[^/]*\.ya?ml$|(?:^|/)\.?mise(?:\.[^/]*)?\.toml$|(?:^|/)(?:tox\.ini|package\.json)$",
    ),
    (
        FileKind.PROGRAM,
        r"\.(?:py|pyi|ipynb|go|[cm]?[jt]sx?|vue|svelte|java|kt|kts|scala|groovy|gradle|cs|fs|vb|rb|erb|php|rs|c|cc|cpp|h|swift"
        r"|dart|ex|exs|erl|clj|lua|pl|pm|r|sql|rego|snap|proto|graphql)$",
    ),
)
_KINDS = (
    (FileKind.TERRAFORM, TERRAFORM),
    *((kind, regex(pattern, re.I if kind is FileKind.DOCUMENTATION else 0)) for kind, pattern in _NAMES),
)


def file_kind(path: str, data: bytes) -> FileKind:
    """The purpose of the file at ``path`` with the content ``data``."""
    kind_by_name = next((kind for kind, pattern in _KINDS if pattern.search(path)), None)
    if kind_by_name is None:
        return FileKind.COMMANDS if data.startswith(b"#!") else FileKind.OTHER
    return kind_by_name


def kind_of_text(path: str, data: bytes) -> FileKind:
    """The purpose of the file at ``path``; a program, or another file, that writes Terraform counts as Terraform."""
    kind = file_kind(path, data)
    may_write = kind in (FileKind.PROGRAM, FileKind.OTHER) or (kind is FileKind.DOCUMENTATION and path.endswith(".txt"))
    writes = may_write and writes_terraform(path, data)
    return FileKind.TERRAFORM if writes else kind


_WRITES_TERRAFORM = (
    (b"AwsProvider", regex(rb"AwsProvider\b")),
    (b"AwsccProvider", regex(rb"AwsccProvider\b")),
    (b"S3Backend", regex(rb"S3Backend\b")),
    (b"RemoteStateS3", regex(rb"RemoteStateS3\b")),
    (b'"aws', regex(rb"provider\s+\\?\"aws")),
    (b'"s3', regex(rb"backend\s+\\?\"s3|\"backend(?:_type)?\"\s*:\s*(?:\{\s*)?\"s3")),
    (b"backend_type", regex(rb"backend_type:[ \t]*[\"']?s3")),
    (b"backend:", regex(rb"backend:[ \t]*\r?\n\s+s3:")),
    (b"providers:", regex(rb"providers:[ \t]*\r?\n\s+aws(?:cc)?:")),
)
"""The patterns of code that writes an AWS provider or an S3 backend, each with a part that is found quickly."""
_BINDINGS = regex(rb"JSIIMeta\b|jsii-pacmak\b|generated (?:by|from) terraform (?:provider|resource) schema")
_IS_TEST = regex(r"_test\.go$|\.(?:test|spec)\.[cm]?[jt]sx?$|\.snap$|(?:^|/)(?:__snapshots__|\.gen)/")
_NEAR = 100
_HOOKS = tuple((when, regex(when + rb"(?:init|plan|apply|perform|destroy)\b")) for when in (b"before_", b"after_"))


def writes_terraform(path: str, data: bytes) -> bool:
    """Whether a file of another kind holds or writes AWS providers or S3 backends.

    Tests, what a test compares, and the generated classes of a provider do not.
    """
    if not any(_holds(data, part, pattern) for part, pattern in _WRITES_TERRAFORM):
        return False
    return _BINDINGS.search(data) is None and _IS_TEST.search(path) is None


def is_of_spacelift(data: bytes) -> bool:
    """Whether a file of another kind may be read by Spacelift."""
    return b"app.spacelift.io/" in data or any(_holds(data, part, hook) for part, hook in _HOOKS)


def is_data_of_stacks(workspace: Workspace, path: str) -> bool:
    """Whether a module with resources of Spacelift, in a folder above a file of data, decodes files."""
    folders = map(str, PurePosixPath(path).parents) if path.endswith((".yaml", ".yml", ".json")) else ()
    modules = (workspace.modules.get("" if folder == "." else folder) for folder in folders)
    texts = (document.source.data for module in modules if module is not None for document in module.documents)
    return any(b"decode(" in text and b"spacelift_" in text for text in texts)


def _holds(data: bytes, part: bytes, pattern: re.Pattern[bytes]) -> bool:
    """Whether ``pattern`` matches around ``part``, which every match of the pattern has; looked for there alone."""
    place = data.find(part)
    while place >= 0:
        if pattern.search(data, max(0, place - _NEAR), place + _NEAR):
            return True
        place = data.find(part, place + 1)
    return False
