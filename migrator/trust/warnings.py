"""What a person should know before applying trust policies: whom they admit, and which runs they keep out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from migrator.trust.policy import QUOTA, Grant, Issuer, size_of

if TYPE_CHECKING:
    from migrator.trust.subjects import Runs


def warnings(issuer: Issuer, grants: Sequence[Grant]) -> Iterator[str]:
    """Sentences, each about all the roles that it is true of.

    Which runs have which scope: https://docs.spacelift.io/integrations/cloud-providers/oidc.
    """
    for problem, is_true in _PROBLEMS:
        roles = [grant.role.arn for grant in grants if any(is_true(runs) for runs in grant.runs)]
        if roles:
            yield f"{', '.join(roles)}: {problem}"
    for grant in grants:
        size = size_of(issuer.document(grant))
        if size > QUOTA:
            yield f"{grant.role.arn}: the trust policy has {size} characters, and IAM takes {QUOTA} by default"


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
        "every stack and module of the Spacelift account may assume it; --space or --stack says which",
        _admits_every_stack,
    ),
    (
        "proposed runs may assume it, and so may the code of every pull request; --run-type leaves them out, but then"
        " they cannot sign in to plan",
        _admits_pull_requests,
    ),
    (
        "scope write keeps tracked runs out while they initialise and plan, unless the stack deploys by itself: their"
        " token has scope read until they are confirmed",
        _fails_at_plan,
    ),
    ("scope read keeps tracked runs out when they apply, for then their token has scope write", _fails_at_apply),
    (
        "one of its subjects never occurs: proposed runs have scope read, tasks, tests and destructions have scope"
        " write, and tests are runs of modules",
        _admits_nothing,
    ),
)
