"""What holds AWS credentials or stacks, and is in a language that is not read, is told; nothing is changed.

That is the Kubernetes resources of Spacelift's operator (https://github.com/spacelift-io/spacelift-operator), and files
that ``spacelift_repo_file`` writes into Spacelift's own repositories. So are policies that look at the first hook:
https://docs.spacelift.io/concepts/policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.model.findings import Finding, LeftAlone, Note, Place
from migrator.rules.registry import Rule
from migrator.spacelift.attached.reach import resources
from migrator.spacelift.stacks.exchange import said_in
from migrator.workspace.discover import Kind

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.workspace.document import Document

_OF_OPERATOR = re.compile(rb"(?m)^apiVersion:\s*[\"']?app\.spacelift\.io/")
_SIGNING = re.compile(
    r"\b(?:access_key|secret_key|profile|shared_credentials_files?|role_arn|assume_role)\b|backend\s+\"s3\""
)
_REGO = re.compile(r"\.rego$")
_FIRST = re.compile(r"before_init[\"']?\]?\s*\[\s*0\s*\]")
_TASK = "see to these by hand, which hold AWS providers, backends or stacks and are not read:"


def check(context: Context) -> Iterator[Finding]:
    """A finding for each such file or resource."""
    workspace = context.workspace
    yield from _policies(context)
    for document in workspace.of_kind(Kind.SCRIPT):
        match = _OF_OPERATOR.search(document.source.data) if document.path.endswith((".yaml", ".yml")) else None
        if match is not None and not document.is_excluded:
            unread = "the resources of Spacelift's operator are not read"
            yield _finding(_place(document, match.start()), "resources of Spacelift's operator", unread)
    for document, block, scope in resources(workspace, "spacelift_repo_file"):
        content = scope.argument(document, block, "content")
        said = said_in(content) if content is not None else ""
        if workspace.in_scope(document.path) and (not said.strip() or _SIGNING.search(said)):
            title, place = ".".join(block.labels), document.place(block)
            if document.is_ignored(block):
                yield RULE.finding(place, title, document.ignored)
            else:
                yield _finding(place, title, "what it writes is another repository's, and is not read")


def _policies(context: Context) -> Iterator[Finding]:
    """The policies that look at the first hook, which is another one after the migration."""
    workspace = context.workspace
    if not any(not hook.refusal and not context.hook_plan.settled(hook) for hook in context.hook_plan.all):
        return
    for document in workspace.others(_REGO):
        if workspace.objection(document.path) is None and (match := _FIRST.search(document.text)):
            yield _policy(_place(document, match.start()), document.path)
    for document, block, scope in resources(workspace, "spacelift_policy"):
        body = scope.argument(document, block, "body")
        if body is not None and workspace.in_scope(document.path) and _FIRST.search(said_in(body)):
            yield _policy(document.place(block), ".".join(block.labels))


def _policy(place: Place, title: str) -> Finding:
    note = Note("let these policies, which look at the first entry of before_init, accept the hook there:", (title,))
    return RULE.finding(place, title, LeftAlone("a policy is for a person to change"), None, (note,))


def _place(document: Document, offset: int) -> Place:
    return Place(document.path, document.source.data.count(b"\n", 0, offset) + 1)


def _finding(place: Place, message: str, reason: str) -> Finding:
    return RULE.finding(place, message, LeftAlone(reason), None, (Note(_TASK, (str(place),)),))


RULE = Rule("spacelift-not-read", "what is in a language that is not read is told", check)
