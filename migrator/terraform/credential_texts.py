"""The text files of a repository that may mention AWS credentials, found by a quick look at bytes.

git searches a large checkout; Python searches any other folder. A file with one of the parts is read once. The search
skips excluded files, links, binary files (by git's own test), and files of more than 2 MB.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from msgspec import Struct, field

from migrator.regex import regex
from migrator.workspace.discover import Kind

if TYPE_CHECKING:
    from migrator.workspace.workspace import Workspace

KEY_BEGINS = ("AKIA", "ASIA")
PARTS = (
    *("AWS_", *KEY_BEGINS, "profile", "Profile", "role_arn", "oleArn", "ccess_key", "ccessKey"),
    *("ecret_key", "ecretKey", "hared_c", "haredC", "backend-config"),
)
"""A part of every name, argument and key that is a mention of AWS credentials."""

OF_TERRAFORM = ("profile", "Profile", "role_arn", "oleArn")
"""The `PARTS` that are a mention only in Terraform's configuration, or in code that writes such configuration."""

_OF_WRITERS = (
    *("AwsProvider", "AwsccProvider", "S3Backend", "RemoteStateS3", '"aws', '"s3'),
    *("backend_type", "backend:", "providers:"),
)
"""A part of whatever writes an AWS provider or an S3 backend."""

TERRAFORM = regex(
    r"\.(?:tf|tofu|tfvars|tfbackend|tm)(?:\.json)?$|(?<!\.pkr)(?<!\.nomad)(?<!\.terraform\.lock)\.hcl(?:\.json)?$"
    r"|\.(?:tf|tofu)(?:test|query|mock)?\.(?:hcl|json)$"
    r"|(?:^|/)\.spacelift/"
)
"""The names of Terraform's configuration, or of similar files."""

LARGEST = 2_000_000
_LARGE_CHECKOUT = 200
"""From how many files on that are not Terraform's a run of git is quicker."""
_MOST_BYTES_HELD = 64_000_000
"""The limit of the bytes in memory; further files are read again."""
_BINARY_AFTER = 8000
_BYTES = tuple(part.encode() for part in PARTS)
_SEARCH_WORDS = (*(part for part in PARTS if part not in OF_TERRAFORM), "--profile", *_OF_WRITERS)


class _Texts(Struct):
    """The files by path, each with its parts and, for small totals, its bytes; ``too_large`` are paths."""

    files: dict[str, tuple[frozenset[bytes], bytes | None]] = field(default_factory=dict)
    too_large: list[str] = field(default_factory=list)


def credential_texts(workspace: Workspace) -> Iterator[tuple[str, bytes, frozenset[bytes]]]:
    """The path and bytes of every text file with a part of a mention, and the parts in the file, by path.

    Files outside of the folders that may be changed are left out.
    """
    for path, (parts, content) in _texts(workspace).files.items():
        data = _read(workspace, path) if content is None else content
        if data:
            yield path, data, parts


def too_large(workspace: Workspace) -> list[str]:
    """The paths of the text files that may mention AWS credentials, and are too large for a search."""
    return _texts(workspace).too_large


def read_plain(path: str, largest: int) -> bytes | None:
    """The bytes of a regular file of no more than ``largest``; None if no such file can be read."""
    try:
        with open(path, "rb", buffering=0, opener=_open_plain) as file:
            size = os.fstat(file.fileno())
            if not stat.S_ISREG(size.st_mode) or size.st_size > largest:
                return None
            return file.readall() or b""
    except OSError:
        return None


def is_binary(data: bytes) -> bool:
    """Whether git treats a file as binary."""
    return b"\0" in data[:_BINARY_AFTER]


def _open_plain(path: str, flags: int) -> int:
    """The file descriptor; a link is not followed, and a pipe does not block."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _texts(workspace: Workspace) -> _Texts:
    texts = workspace.derived.get("credential texts") or _search(workspace)
    return cast("_Texts", workspace.derived.setdefault("credential texts", texts))


def _search(workspace: Workspace) -> _Texts:
    texts, bytes_held = _Texts(), 0
    paths = workspace.text_paths()
    other_paths = {path for path in paths if not _is_terraform(workspace, path)}
    matching_paths = (
        workspace.search.files_with(_SEARCH_WORDS)
        if workspace.search is not None and len(other_paths) >= _LARGE_CHECKOUT
        else None
    )
    for path in paths:
        document = workspace.documents.get(path)
        if document is not None and document.has_no_words:
            continue
        if matching_paths is not None and path in other_paths and path not in matching_paths:
            continue
        data = _read(workspace, path)
        if data is None:
            texts.too_large += [path] if _is_large_text(os.path.join(workspace.root, path)) else []
        elif not is_binary(data) and (parts := [part for part in _BYTES if part in data]):
            bytes_held += len(data)
            texts.files[path] = frozenset(parts), data if bytes_held <= _MOST_BYTES_HELD else None
    return texts


def _is_terraform(workspace: Workspace, path: str) -> bool:
    document = workspace.documents.get(path)
    is_read = document is not None and document.kind not in (Kind.SCRIPT, Kind.PYTHON)
    return is_read or TERRAFORM.search(path) is not None


def _read(workspace: Workspace, path: str) -> bytes | None:
    document = workspace.documents.get(path)
    if document is not None and document.is_read:
        return document.source.data
    return read_plain(os.path.join(workspace.root, path), LARGEST)


def _is_large_text(path: str) -> bool:
    try:
        with open(path, "rb", buffering=0, opener=_open_plain) as file:
            return stat.S_ISREG(os.fstat(file.fileno()).st_mode) and not is_binary(file.read(_BINARY_AFTER))
    except OSError:
        return False
