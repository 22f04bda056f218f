"""The proofs about the stacks of a repository: plain data for reports."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from migrator.model.findings import Refusal

CELLS = ("validate", "hook", "trust", "state", "identity")
"""The cells of a row, in order."""


class Verdict(Enum):
    """The verdict on one cell."""

    PROVEN = "proven"
    FAILED = "failed"
    NOT_PROVEN = "not proven"
    NOT_NEEDED = "not needed"


OPEN = (Verdict.FAILED, Verdict.NOT_PROVEN)
"""What a person must look at, the worst first."""


class Proof(Struct, frozen=True):
    """One cell of a row: the ``verdict`` on ``cell``, the reason, and the advice; ``code`` is the diagnostic's code."""

    cell: str
    verdict: Verdict
    reason: str = ""
    help: str = ""
    code: str = ""


class VerifiedStack(Struct, frozen=True):
    """A row: a ``stack``, defined at ``place``, that runs the root module ``root``; both ``""`` if none is known.

    ``engine`` is the engine of the proofs, ``skipped`` are the commands of hooks that were not run.
    """

    root: str
    stack: str = ""
    place: str = ""
    engine: str = ""
    proofs: tuple[Proof, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The row for people."""
        return f"{self.stack or 'no stack'}: {self.root}"

    def proof(self, cell: str) -> Proof | None:
        """The proof of ``cell``; None if no level of the run checks the cell."""
        return next((proof for proof in self.proofs if proof.cell == cell), None)


def proven(cell: str, reason: str = "") -> Proof:
    """A cell that is proven."""
    return Proof(cell, Verdict.PROVEN, reason)


def not_needed(cell: str, reason: str) -> Proof:
    """A cell that a stack does not need, for example the hook of a backend that signs in by itself."""
    return Proof(cell, Verdict.NOT_NEEDED, reason)


def failed(cell: str, reason: Refusal) -> Proof:
    """A cell that failed."""
    return Proof(cell, Verdict.FAILED, reason.reason, reason.help, reason.code)


def not_proven(cell: str, reason: Refusal) -> Proof:
    """A cell without a proof."""
    return Proof(cell, Verdict.NOT_PROVEN, reason.reason, reason.help, reason.code)


def worst(proofs: Iterable[Proof]) -> Verdict:
    """The verdict on several proofs: failed if one failed, else not proven if one is not proven."""
    verdicts = {proof.verdict for proof in proofs}
    return next((verdict for verdict in OPEN if verdict in verdicts), Verdict.PROVEN)
