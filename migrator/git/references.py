"""The branches of a checkout: read from git's own files where git keeps references in files, else asked of git."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path


class References:
    """The references of a checkout with the git folder ``folder``, and ``common`` for all worktrees.

    ``ask`` returns the output of a git command, None if the command fails.
    """

    def __init__(self, folder: Path, common: Path, ask: Callable[..., str | None], *, is_in_files: bool) -> None:
        self._folder, self._common = folder, common
        self._ask, self._is_in_files = ask, is_in_files

    @property
    def head_branch(self) -> str | None:
        """The branch that is checked out; None if none is."""
        return self._target_of(self._folder / "HEAD", "HEAD", "refs/heads/")

    @property
    def remote_default(self) -> str | None:
        """The default branch of ``origin``, as known since the last fetch."""
        name = "refs/remotes/origin/HEAD"
        return self._target_of(self._common / name, name, "refs/remotes/origin/")

    def commit_of(self, ref: str) -> str | None:
        """The commit that a branch is at, by its full name; None if there is no such branch."""
        if self._is_in_files:
            commit = _read(self._common / ref).strip() or _packed(_read(self._common / "packed-refs"), ref)
            if not commit or re.fullmatch("[0-9a-f]{40,64}", commit):
                return commit or None
        return self._ask("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")

    def _target_of(self, file: Path, name: str, prefix: str) -> str | None:
        """The target of the symbolic reference ``name``, which git may keep in ``file``."""
        if self._is_in_files:
            target = _read(file).removeprefix("ref:").strip()
        else:
            target = self._ask("symbolic-ref", "--quiet", name) or ""
        return target.removeprefix(prefix) if target.startswith(prefix) else None


def _read(file: Path) -> str:
    """The content of one of git's own files; empty if the file does not exist."""
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def _packed(references: str, ref: str) -> str:
    """The id that the file ``packed-refs`` has for ``ref``: https://git-scm.com/docs/git-pack-refs."""
    rows = (row.split(" ") for row in references.split("\n") if row.endswith(f" {ref}"))
    return next((row[0] for row in rows if len(row) == 2), "")
