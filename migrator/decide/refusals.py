"""Refusals that several decisions come to."""

from __future__ import annotations

from migrator.model.findings import Refusal

NEED_SEVERAL = Refusal("its providers need different roles")
TOO_MANY = Refusal("its module is called in more ways than are followed")
