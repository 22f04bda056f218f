"""How far an expression is followed, and the two ways in which following it ends without a value."""

from __future__ import annotations

from collections.abc import Iterator

_DEPTH = 40
_STEPS = 20_000


class UnknownError(Exception):
    """An expression whose value is known to a run alone."""


class MissingError(Exception):
    """A member that a literal object does not have, or what else is an error, but for ``try``."""


class EvaluationBudget:
    """How far an expression is followed: ``depth`` references into each other, and so many steps in all."""

    __slots__ = ("_depth", "_steps")

    def __init__(self, depth: int = _DEPTH, steps: Iterator[int] | None = None) -> None:
        self._depth = depth
        self._steps = iter(range(_STEPS)) if steps is None else steps

    def after_step(self) -> EvaluationBudget:
        """What is left after a step. Raises `UnknownError` if that is nothing."""
        if not self._depth or next(self._steps, None) is None:
            raise UnknownError
        return EvaluationBudget(self._depth - 1, self._steps)
