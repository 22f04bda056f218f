"""The files of a checkout or a folder that belong to a run, and their kinds."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Protocol

from msgspec import Struct

from migrator.regex import regex

SKIPPED_FOLDERS = frozenset(
    {".git", ".terraform", ".terragrunt-cache", ".terragrunt-stack", "cdktf.out", "node_modules"}
)


class Kind(Enum):
    """The kind of a file for Terraform or OpenTofu."""

    CONFIG = "configuration"
    TEST = "test"
    BACKEND = "partial backend configuration"
    VALUES = "values of variables"
    SCRIPT = "script"
    PYTHON = "Python program"
    TERRAGRUNT = "Terragrunt configuration"


_SUFFIXES: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    (Kind.TEST, (".tftest.hcl", ".tftest.json", ".tofutest.hcl", ".tofutest.json")),
    (Kind.BACKEND, (".tfbackend",)),
    (Kind.VALUES, (".tfvars", ".tfvars.json")),
    (Kind.CONFIG, (".tf", ".tf.json", ".tofu", ".tofu.json")),
    (Kind.PYTHON, (".py",)),
    (Kind.SCRIPT, (".sh", ".bash", ".mk", ".yml", ".yaml", ".ps1")),
)
_KINDS = {suffix: kind for kind, suffixes in _SUFFIXES for suffix in suffixes}
_NAMES = {
    "backend.hcl": Kind.BACKEND,
    "Makefile": Kind.SCRIPT,
    "justfile": Kind.SCRIPT,
    "Jenkinsfile": Kind.SCRIPT,
    "terragrunt.hcl": Kind.TERRAGRUNT,
    "root.hcl": Kind.TERRAGRUNT,
}
GLOBS = tuple(f"*{end}" for end in (*_KINDS, *_NAMES))
"""Patterns of git's for all files that have a `Kind`."""

UNREAD = regex(
    r"\.(?:tfcomponent|tfstack|tfdeploy)\.(?:hcl|json)$|\.tm(?:\.hcl)?$|(?:^|/)(?:cdktf\.json|atmos\.ya?ml|(?:terragrunt|root)\.hcl\.json)$"
)
"""Names of files that are not read, but may lead to Terraform."""

_VALUES = regex(r"(?:terraform|(?!\.).*\.auto)\.tfvars(?:\.json)?")
_OVERRIDE = regex(r"(?:.*_)?override\.(?:tf|tofu)(?:\.json)?")


class Search(Protocol):
    """A checkout in which git looks for words."""

    def files_with(self, words: Sequence[str]) -> set[str] | None:
        """The files with one of ``words``; None if git cannot read all files."""

    def files_matching(self, pattern: str, globs: Sequence[str]) -> set[str] | None:
        """The files that match ``globs``, and whose content matches ``pattern``; None if git cannot read all files."""


class Listing(Struct, frozen=True):
    """The files below ``root`` that matter: ``files`` maps every path to the path of the file itself.

    The paths differ for a symbolic link, whose target is then a file below ``root`` too. Paths are relative, with
    ``/``. ``others`` are the paths of all other regular files, ``missing`` the Terraform files that a sparse checkout
    omits. ``search`` lets git look for words in the files; None if git cannot.
    """

    root: Path
    files: dict[str, str]
    others: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()
    search: Search | None = None


def kind_of(path: str) -> Kind | None:
    """The kind of the file at ``path``; None if neither Terraform nor this program reads such a file."""
    folder, _, name = path.rpartition("/")
    if name.startswith(".") or name.endswith("~") or (name.startswith("#") and name.endswith("#")):
        return None
    if _is_skipped(folder):
        return None
    head = name.rpartition(".")[0]
    last, last_two = name[len(head) :], name[len(head.rpartition(".")[0]) :]
    return _NAMES.get(name) or _KINDS.get(last) or _KINDS.get(last_two)


@lru_cache(maxsize=64)
def _is_skipped(folder: str) -> bool:
    return not SKIPPED_FOLDERS.isdisjoint(folder.split("/"))


def is_override(path: str) -> bool:
    """Whether Terraform merges the file over the other files of the folder."""
    return _OVERRIDE.fullmatch(path.rpartition("/")[2]) is not None


def is_values(path: str) -> bool:
    """Whether Terraform reads the values of a root module's variables in the file, without being asked to."""
    return _VALUES.fullmatch(path.rpartition("/")[2]) is not None


def is_excluded(path: str, globs: Iterable[str]) -> bool:
    """Whether ``path``, or a folder around the file, matches one of ``globs`` (``*`` matches ``/`` as well)."""
    return any(matches(path, glob) for glob in globs)


def matches(path: str, glob: str) -> bool:
    """Whether ``path``, or a folder around the file, matches ``glob``."""
    ancestors = [path, *(parent.as_posix() for parent in PurePosixPath(path).parents)]
    return any(fnmatchcase(ancestor, glob.rstrip("/")) for ancestor in ancestors)


def walk(root: Path) -> Iterator[str]:
    """All paths below a folder that is no git repository; links to folders are not followed."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        for name in sorted(names):
            yield Path(folder, name).relative_to(root).as_posix()


def listing(root: Path, paths: Iterable[str], *, is_sparse: bool = False) -> Listing:
    """The relevant files among ``paths``, each with the real path; files outside of ``root`` are omitted."""
    real_root = os.path.realpath(root)
    reachable = set(_reachable(real_root, paths))
    kinds = {path: kind_of(path) for path in reachable}
    targets = {path: _target(real_root, path) for path, kind in kinds.items() if kind is not None}
    files = {path: target for path, target in targets.items() if target in reachable}
    others = frozenset(path for path, kind in kinds.items() if kind is None)
    absent = (path for path, kind in kinds.items() if is_sparse and kind is Kind.CONFIG)
    missing = tuple(sorted(path for path in absent if not os.path.lexists(root / path)))
    return Listing(root, files, others, missing)


def _reachable(real_root: str, paths: Iterable[str]) -> Iterator[str]:
    """The ``paths`` without a linked folder or ``..`` on the way, since git tracks no other paths."""
    folders: dict[str, bool] = {}
    for path in paths:
        folder = path.rpartition("/")[0]
        if folder not in folders:
            full = os.path.join(real_root, folder) if folder else real_root
            around = folder.rpartition("/")[0]
            if folders.get(around) and os.path.basename(full) not in (os.curdir, os.pardir):
                folders[folder] = not os.path.islink(full)
            else:
                folders[folder] = os.path.realpath(full) == full
            while folders[folder] and around not in folders:
                folders[around] = True
                around = around.rpartition("/")[0]
        if folders[folder]:
            yield path


def _target(real_root: str, path: str) -> str | None:
    full = f"{real_root}/{path}"
    try:
        mode = os.lstat(full).st_mode
    except OSError:
        return None
    if not stat.S_ISLNK(mode):
        return path if stat.S_ISREG(mode) else None
    target = os.path.realpath(full)
    if os.path.commonpath([real_root, target]) != real_root or not os.path.isfile(target):
        return None
    relative = PurePosixPath(os.path.relpath(target, real_root)).as_posix()
    return relative if SKIPPED_FOLDERS.isdisjoint(PurePosixPath(relative).parts) else None


def checkouts_in(path: Path) -> list[Path]:
    """The git checkouts that lie directly in a folder that is in no checkout itself."""
    if checkout_of(path) is not None or not path.is_dir():
        return []
    return sorted(folder for folder in path.iterdir() if (folder / ".git").exists())


def checkout_of(path: Path) -> Path | None:
    """The folder at or above ``path`` that looks like a git checkout, or a bare repository; None if there is none."""
    return next(
        (folder for folder in (path, *path.parents) if (folder / ".git").exists() or (folder / "HEAD").is_file()), None
    )
