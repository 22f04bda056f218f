"""The limit of an evaluation, and the two errors that end an evaluation without a value."""

from __future__ import annotations

from collections.abc import Iterator

_DEPTH = 40
_STEPS = 20_000


class UnknownError(Exception):
    """The value of an expression is known only to a run."""


class MissingError(Exception):
    """A literal object lacks a member, or an expression has another error that ``try`` catches."""


class EvaluationBudget:
    """The limit of an evaluation: ``depth`` nested references, and a number of steps in all."""

    __slots__ = ("_depth", "_steps")

    def __init__(self, depth: int = _DEPTH, steps: Iterator[int] | None = None) -> None:
        self._depth = depth
        self._steps = iter(range(_STEPS)) if steps is None else steps

    def after_step(self) -> EvaluationBudget:
        """The remaining budget after a step. Raises `UnknownError` if nothing remains."""
        if not self._depth or next(self._steps, None) is None:
            raise UnknownError
        return EvaluationBudget(self._depth - 1, self._steps)
