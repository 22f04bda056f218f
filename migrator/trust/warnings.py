"""Warnings about trust policies: who may assume a role, and which runs cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from migrator.trust.policy import QUOTA, Grant, Issuer, size_of

if TYPE_CHECKING:
    from migrator.trust.subjects import Runs


def warnings(issuer: Issuer, grants: Sequence[Grant]) -> Iterator[str]:
    """The warnings: sentences, each with all its roles.

    Which runs have which scope: https://docs.spacelift.io/integrations/cloud-providers/oidc.
    """
    for problem, is_true in _PROBLEMS:
        roles = [grant.role.arn for grant in grants if any(is_true(runs) for runs in grant.runs)]
        if roles:
            yield f"{', '.join(roles)}: {problem}"
    for grant in grants:
        size = size_of(issuer.document(grant))
        if size > QUOTA:
            yield f"{grant.role.arn}: The trust policy has {size} characters. IAM allows {QUOTA} by default."


def _admits_every_stack(runs: Runs) -> bool:
    return runs.is_any_stack


def _admits_pull_requests(runs: Runs) -> bool:
    return runs.run_type in ("", "PROPOSED") and runs.scope != "write" and runs.kind == "stack"


def _fails_at_plan(runs: Runs) -> bool:
    return runs.scope == "write" and runs.run_type in ("", "TRACKED")


def _fails_at_apply(runs: Runs) -> bool:
    return runs.scope == "read" and runs.run_type in ("", "TRACKED")


def _admits_nothing(runs: Runs) -> bool:
    is_written = runs.run_type in ("TASK", "TESTING", "DESTROY")
    is_scope_wrong = (runs.scope == "write" and runs.run_type == "PROPOSED") or (runs.scope == "read" and is_written)
    return is_scope_wrong or (bool(runs.stack) and runs.kind == "stack" and runs.run_type == "TESTING")


_PROBLEMS = (
    (
        "Every stack and module of the Spacelift account may assume the role. help: limit the policy with --space"
        " or --stack",
        _admits_every_stack,
    ),
    (
        "Proposed runs may assume the role, so the code of every pull request may too. help: --run-type TRACKED"
        " excludes proposed runs. Give proposed runs a role that only reads: without a role, they cannot plan",
        _admits_pull_requests,
    ),
    (
        "With the scope write, tracked runs cannot assume the role while they initialise and plan: their token has the"
        " scope read until they are confirmed. Stacks with autodeploy are an exception.",
        _fails_at_plan,
    ),
    (
        "With the scope read, tracked runs cannot assume the role to apply: their token has the scope write then.",
        _fails_at_apply,
    ),
    (
        "The trust policy names a subject that never occurs. Proposed runs have the scope read. Tasks, tests and"
        " destructions have the scope write. Tests are runs of modules.",
        _admits_nothing,
    ),
)
