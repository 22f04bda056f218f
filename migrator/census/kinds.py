"""What a file that mentions AWS credentials is, by its path: whether Terraform can come of it."""

from __future__ import annotations

import re
from enum import Enum


class FileKind(Enum):
    """What a file is for."""

    TERRAFORM = "Terraform's configuration, or that of a program that writes it"
    DOCUMENTATION = "documentation"
    COMMANDS = "commands, and the settings of a shell, a container or CI"
    PROGRAM = "the source of a program"
    OTHER = "anything else"


_NAMES = (
    (
        FileKind.TERRAFORM,
        r"\.(?:tf|tofu|tfvars|tfbackend|tm)(?:\.json)?$|(?<!\.pkr)(?<!\.nomad)(?<!\.terraform\.lock)\.hcl(?:\.json)?$"
        r"|\.(?:tf|tofu)(?:test|query|mock)?\.(?:hcl|json)$"
        r"|(?:^|/)\.spacelift/",
    ),
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
_KINDS = tuple((kind, re.compile(pattern, re.I if kind is FileKind.DOCUMENTATION else 0)) for kind, pattern in _NAMES)


def file_kind(path: str, data: bytes) -> FileKind:
    """What the file at ``path``, which holds ``data``, is for."""
    found = next((kind for kind, pattern in _KINDS if pattern.search(path)), None)
    if found is None:
        return FileKind.COMMANDS if data.startswith(b"#!") else FileKind.OTHER
    return found


_HINTS = (b"Provider", b"S3Backend", b"RemoteStateS3", b"provider", b"backend")
_WRITES_TERRAFORM = re.compile(
    rb"Aws(?:cc)?Provider\b|S3Backend\b|RemoteStateS3\b|provider\s+\\?\"aws|backend\s+\\?\"s3"
    rb"|backend_type:[ \t]*[\"']?s3|backend:[ \t]*\r?\n\s+s3:|providers:[ \t]*\r?\n\s+aws(?:cc)?:"
)
_BINDINGS = re.compile(rb"JSIIMeta\b|jsii-pacmak\b|generated (?:by|from) terraform (?:provider|resource) schema")
_IS_TEST = re.compile(r"_test\.go$|\.(?:test|spec)\.[cm]?[jt]sx?$|\.snap$|(?:^|/)(?:__snapshots__|\.gen)/")
_OF_SPACELIFT = re.compile(rb"app\.spacelift\.io/|(?:before|after)_(?:init|plan|apply|perform|destroy)\b")


def writes_terraform(path: str, data: bytes) -> bool:
    """Whether a file of another kind holds or writes AWS providers or S3 backends.

    Tests, what a test compares, and the generated classes of a provider do not.
    """
    if not any(hint in data for hint in _HINTS) or _WRITES_TERRAFORM.search(data) is None:
        return False
    return _BINDINGS.search(data) is None and _IS_TEST.search(path) is None


def is_of_spacelift(data: bytes) -> bool:
    """Whether a file of another kind may be read by Spacelift."""
    return (b"spacelift" in data or b"_init" in data or b"_plan" in data) and _OF_SPACELIFT.search(data) is not None
