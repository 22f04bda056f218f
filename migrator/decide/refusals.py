"""Refusals that several decisions come to."""

from __future__ import annotations

from migrator.decide.diagnostics import SEVERAL_ROLES, TOO_MANY_CALLS

NEED_SEVERAL = SEVERAL_ROLES.refusal()
TOO_MANY = TOO_MANY_CALLS.refusal(module="The module of this provider")
