"""The diagnostics of pull requests."""

from __future__ import annotations

from migrator.model.diagnostics import Diagnostic

CHECK_PULL_REQUEST = Diagnostic(
    "check-pull-request",
    found="Complete the pull request by hand. {what}.",
    help="Add the labels or request the reviews on the page of the pull request.",
)
