"""A search by git for the files of a large checkout that nothing needs to read."""

from __future__ import annotations

import re
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

from migrator.errors import MigrateError
from migrator.terraform.credential_texts import PARTS
from migrator.workspace.discover import GLOBS, kind_of
from migrator.workspace.document import WORDS

if TYPE_CHECKING:
    from migrator.workspace.discover import Search
    from migrator.workspace.workspace import Workspace

_MANY_FILES = 3000
"""From how many files on a run of git is quicker, since a small repository is read in less time than git needs."""


class FileSearch:
    """git's search of a large checkout for words of rules and mentions, in ``count`` files: begun at construction.

    The search runs on another processor while the files are listed.
    """

    def __init__(self, search: Search, count: int) -> None:
        self._matching_paths: set[str] | None = None
        self._search = search
        self._thread = Thread(target=self._run, daemon=True) if count >= _MANY_FILES else None
        if self._thread is not None:
            self._thread.start()

    def _run(self) -> None:
        pattern = "|".join((WORDS, *map(re.escape, PARTS)))
        with suppress(MigrateError, OSError):  # then every file is read
            self._matching_paths = self._search.files_matching(pattern, GLOBS)

    def mark(self, workspace: Workspace) -> None:
        """Wait for git, and mark the files that nothing needs to read."""
        if self._thread is not None:
            self._thread.join()
        if self._matching_paths is not None:
            for path, document in workspace.documents.items():
                document.has_no_words = path not in self._matching_paths and kind_of(path) is not None
