"""A search by git for the files of a large checkout that nothing needs to read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrator.terraform.credential_texts import PARTS
from migrator.workspace.discover import GLOBS, kind_of
from migrator.workspace.document import WORDS

if TYPE_CHECKING:
    from migrator.workspace.workspace import Workspace

_MANY_DOCUMENTS = 3000
"""From how many files on that may be Terraform's a run of git is quicker, since most files are read in any case."""


def mark_files_without_words(workspace: Workspace) -> None:
    """Let git find the files of a large checkout that no rule and no search for mentions needs to read."""
    documents = {path: document for path, document in workspace.documents.items() if kind_of(path) is not None}
    if workspace.search is None or len(documents) < _MANY_DOCUMENTS:
        return
    pattern = "|".join((WORDS, *map(re.escape, PARTS)))
    if (matching_paths := workspace.search.files_matching(pattern, GLOBS)) is not None:
        for path, document in documents.items():
            document.has_no_words = path not in matching_paths
