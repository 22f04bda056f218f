"""What is told of providers and backends that name no credentials: the common case of stacks made in Spacelift."""

from __future__ import annotations

from migrator.model.diagnostics import Diagnostic
from migrator.model.results import RUN_CREDENTIALS as CODE

_HELP = (
    "Run again with --include-ambient. Then this block signs in with the OIDC token, and static keys in the stack are "
    "no longer necessary. See docs/strategies.md."
)

RUN_CREDENTIALS = Diagnostic(
    CODE,
    found="A run uses whatever credentials the stack provides: static keys, an AWS integration or a hook.",
    help=_HELP,
)
SAME_RUN_CREDENTIALS = Diagnostic(
    CODE,
    found="A run uses whatever credentials the stack provides.",
    why="They stay the same: the backend signs in by itself.",
    help=_HELP,
)
