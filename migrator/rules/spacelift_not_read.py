"""AWS credentials or stacks in a form that is not read are listed for a person; nothing is changed.

The rule lists Kubernetes resources of Spacelift's operator (https://github.com/spacelift-io/spacelift-operator), files
that ``spacelift_repo_file`` writes into Spacelift's own repositories, and policies that check hooks:
https://docs.spacelift.io/concepts/policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.model.diagnostics import Diagnostic
from migrator.model.findings import Finding, Place
from migrator.regex import regex
from migrator.rules.registry import Rule
from migrator.spacelift.stacks.exchange import text_of
from migrator.spacelift.stacks.resource import resources
from migrator.workspace.discover import Kind

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.workspace.document import Document

_OF_OPERATOR = regex(rb"(?m)^apiVersion:\s*[\"']?app\.spacelift\.io/")
_SIGNING = regex(
    r"\b(?:access_key|secret_key|profile|shared_credentials_files?|role_arn|assume_role)\b|backend\s+\"s3\""
)
_REGO = regex(r"\.rego$")
_COMMENT = regex(r"(?m)#.*$")

MIGRATE_BY_HAND = Diagnostic(
    "migrate-by-hand",
    found="Migrate these places by hand.",
    why="The places hold AWS providers, backends or stacks in a form that this program does not read.",
    help="Apply the same changes as in the files that were migrated.",
)
OPERATOR_NOT_READ = Diagnostic(
    "operator-not-read",
    found="The file holds resources of Spacelift's Kubernetes operator.",
    why="Resources of the operator are not read.",
    help="Add the hook, and remove static credentials, by hand.",
)
REPO_FILE_NOT_READ = Diagnostic(
    "repo-file-not-read",
    found="The resource writes a file into another repository.",
    why="The content of the file is not read.",
    help="Migrate the content by hand.",
)
POLICY_NOT_CHANGED = Diagnostic(
    "policy-not-changed",
    found="The policy checks `{name}`. After the migration, the first entry of that list is the hook.",
    why="This run does not change policies.",
    help="Change the policy so that it accepts the hook.",
)
ACCEPT_HOOK = Diagnostic(
    "accept-hook-in-policy",
    found="Let these policies accept the hook in the lists that the policies check.",
    why="A policy that rejects the hook stops every run of the stack.",
    help="Change each policy before the migrated code is merged.",
)


def check(context: Context) -> Iterator[Finding]:
    """A finding for each such file or resource."""
    workspace = context.workspace
    yield from _policies(context)
    for document in workspace.of_kind(Kind.SCRIPT):
        match = _OF_OPERATOR.search(document.source.data) if document.path.endswith((".yaml", ".yml")) else None
        if match is not None and not document.is_excluded:
            yield _finding(_place(document, match.start()), "resources of Spacelift's operator", OPERATOR_NOT_READ)
    for file in resources(workspace, "spacelift_repo_file"):
        content = file.argument("content")
        text = text_of(content) if content is not None else ""
        if workspace.in_scope(file.place.path) and (not text.strip() or _SIGNING.search(text)):
            if file.ignored is not None:
                yield RULE.finding(file.place, file.address, file.ignored)
            else:
                yield _finding(file.place, file.address, REPO_FILE_NOT_READ)


def _policies(context: Context) -> Iterator[Finding]:
    """The policies that read a list of hooks, which changes with the migration."""
    workspace = context.workspace
    if not any(not hook.refusal and not context.hook_plan.fate_without_edit(hook) for hook in context.hook_plan.all):
        return
    checks = re.compile(rf"\bbefore_(?:{'|'.join(context.config.hook_phases)})\b").search
    for document in workspace.others(_REGO):
        match = checks(_without_comments(document.text)) if workspace.objection(document.path) is None else None
        if match is not None:
            yield _policy(_place(document, match.start()), document.path, match[0])
    for policy in resources(workspace, "spacelift_policy"):
        body = policy.argument("body") if workspace.in_scope(policy.place.path) else None
        if body is not None and (match := checks(_without_comments(text_of(body)))):
            yield _policy(policy.place, policy.address, match[0])


def _without_comments(policy: str) -> str:
    return _COMMENT.sub(lambda comment: " " * len(comment[0]), policy)


def _policy(place: Place, title: str, name: str) -> Finding:
    return RULE.finding(place, title, POLICY_NOT_CHANGED.left_alone(name=name), None, (ACCEPT_HOOK.note(title),))


def _place(document: Document, offset: int) -> Place:
    return Place(document.path, document.source.data.count(b"\n", 0, offset) + 1)


def _finding(place: Place, message: str, diagnostic: Diagnostic) -> Finding:
    return RULE.finding(place, message, diagnostic.left_alone(), None, (MIGRATE_BY_HAND.note(str(place)),))


RULE = Rule("spacelift-not-read", "Spacelift code in a form that is not read is listed", check)
