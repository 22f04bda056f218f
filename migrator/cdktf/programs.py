"""The Python files of CDKTF programs that sign in to AWS; only these need libcst, which is slow to load."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrator.errors import SyntaxProblem
from migrator.model.findings import Place
from migrator.regex import regex
from migrator.terraform.versions import CDKTF_FILE
from migrator.workspace.diagnostics import SYNTAX_ERROR
from migrator.workspace.discover import Kind

if TYPE_CHECKING:
    from migrator.cdktf.calls import CdktfProgram
    from migrator.workspace.document import Document
    from migrator.workspace.workspace import Workspace

_WORDS = (b"AwsProvider", b"S3Backend", b"DataTerraformRemoteStateS3")
_GENERATED = regex(rb"^import jsii\b", re.MULTILINE)


def cdktf_programs(workspace: Workspace) -> list[CdktfProgram]:
    """The programs of the repository, each with its folder; a file with invalid Python becomes a problem."""
    folders: dict[str, list[Document]] = {}
    for document in workspace.of_kind(Kind.PYTHON):
        if _is_interesting(document.source.data) and _is_understood(document):
            folders.setdefault(_folder(workspace, document.path), []).append(document)
    if not folders:
        return []
    from migrator.cdktf.calls import cdktf_program

    return [cdktf_program(folder, documents) for folder, documents in folders.items()]


def _folder(workspace: Workspace, path: str) -> str:
    """The folder of a file's program: the nearest with ``cdktf.json``, else the one that holds the file's package."""
    folder = path.rpartition("/")[0]
    above = ["/".join(folder.split("/")[:depth]) for depth in range(folder.count("/") + 1, -1, -1)]
    found = next((one for one in above if workspace.has_file(f"{one}/{CDKTF_FILE}".lstrip("/"))), None)
    while found is None and folder and workspace.has_file(f"{folder}/__init__.py"):
        folder = folder.rpartition("/")[0]
    return folder if found is None else found


def _is_interesting(data: bytes) -> bool:
    """Whether a file may make a provider or backend; generated bindings, which are huge, only define classes."""
    return any(word in data for word in _WORDS) and _GENERATED.search(data) is None


def _is_understood(document: Document) -> bool:
    from migrator.syntax.python.program import parse

    try:
        parse(document.text)
    except SyntaxProblem as problem:
        document.problem = SYNTAX_ERROR.problem(
            Place(document.path, document.source.line(problem.offset)), reason=problem.reason
        )
        return False
    return True
