"""Static keys in a CDKTF program are named, with their place; they have to be taken out by hand.

``AwsProvider(…)``, ``S3Backend(…)`` and ``DataTerraformRemoteStateS3(…)`` take the arguments of the blocks that they
stand for: https://developer.hashicorp.com/terraform/cdktf. Whoever calls them is found under any import.
"""

from __future__ import annotations

from collections.abc import Iterator

from migrator.analysis.backends import ROLE_FAMILY
from migrator.analysis.providers import CREDENTIALS
from migrator.discover import Kind
from migrator.errors import SyntaxProblem
from migrator.model import FileProblem, Finding, Ignored, Place, Refusal
from migrator.rules.registry import Context, Rule
from migrator.syntax.python import Call, calls
from migrator.workspace import IGNORE, Document

_TELLING = {
    "cdktf_cdktf_provider_aws.provider.AwsProvider": frozenset(CREDENTIALS),
    "imports.aws.provider.AwsProvider": frozenset(CREDENTIALS),
    "cdktf.S3Backend": frozenset((*CREDENTIALS, *ROLE_FAMILY)),
    "cdktf.DataTerraformRemoteStateS3": frozenset((*CREDENTIALS, *ROLE_FAMILY)),
}
_WORDS = (b"AwsProvider", b"S3Backend", b"DataTerraformRemoteStateS3")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each call that is given static credentials or a role."""
    for document in context.workspace.of_kind(Kind.PYTHON):
        if any(word in document.source.data for word in _WORDS):
            yield from _findings(document)


def _findings(document: Document) -> Iterator[Finding]:
    try:
        found = list(calls(document.text, _TELLING))
    except SyntaxProblem as problem:
        document.problem = FileProblem(Place(document.path, document.source.line(problem.offset)), problem.reason)
        return
    for call in found:
        names = [name for name in call.keywords if name in _TELLING[call.name]]
        if names:
            message = f"{call.name.rpartition('.')[2]}(…): {', '.join(names)}"
            yield RULE.finding(Place(document.path, call.line), message, _fix(document, call))


def _fix(document: Document, call: Call) -> Refusal | Ignored:
    lines = ["", *document.text.split("\n")]
    above = lines[call.line - 1].strip()
    if document.is_excluded:
        return Ignored("it is excluded")
    if IGNORE in lines[call.line] or (above.startswith("#") and IGNORE in above):
        return Ignored("a comment says so")
    return Refusal("it is part of a CDKTF program, which must be changed by hand")


RULE = Rule("cdktf-static-keys", "static keys in a CDKTF program are named", check)
