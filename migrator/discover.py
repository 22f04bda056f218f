"""Which files of a checkout or a folder belong to a run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

SKIPPED_FOLDERS = frozenset({".git", ".terraform", ".terragrunt-cache", "cdktf.out", "node_modules"})
SUFFIXES = (".tf",)


@dataclass(frozen=True, slots=True)
class Listing:
    """The Terraform files below ``root``: ``files`` maps every path to the path of the file itself.

    The two differ for a symbolic link, whose target is then a file below ``root`` too. Paths are relative, with ``/``.
    """

    root: Path
    files: dict[str, str]


def is_terraform(path: str) -> bool:
    """Whether Terraform would read the file at ``path`` in its folder, and the folder is one that people write to."""
    pure = PurePosixPath(path)
    name = pure.name
    if name.startswith(".") or name.endswith("~") or (name.startswith("#") and name.endswith("#")):
        return False
    return name.endswith(SUFFIXES) and SKIPPED_FOLDERS.isdisjoint(pure.parts[:-1])


def walk(root: Path) -> Iterator[str]:
    """All paths below a folder that is no git repository, links to folders not followed."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        for name in sorted(names):
            yield Path(folder, name).relative_to(root).as_posix()


def listing(root: Path, paths: Iterable[str]) -> Listing:
    """The Terraform files among ``paths``, each with the file that it is; what leads out of ``root`` is left out."""
    real_root = os.path.realpath(root)
    files: dict[str, str] = {}
    for path in paths:
        if is_terraform(path) and (target := _target(real_root, path)) is not None:
            files[path] = target
    return Listing(root, files)


def _target(real_root: str, path: str) -> str | None:
    full = os.path.join(real_root, path)
    if not os.path.islink(full):
        return path if os.path.isfile(full) else None
    target = os.path.realpath(full)
    if os.path.commonpath([real_root, target]) != real_root or not os.path.isfile(target):
        return None
    relative = PurePosixPath(os.path.relpath(target, real_root)).as_posix()
    return relative if SKIPPED_FOLDERS.isdisjoint(PurePosixPath(relative).parts) else None
