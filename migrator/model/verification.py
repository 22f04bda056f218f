"""What a verification proves of the stacks of a repository: plain data, as reports show it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from migrator.model.findings import Refusal

CELLS = ("validate", "hook", "trust", "state", "identity")
"""What is proven of a stack, in the order of a row."""


class Verdict(Enum):
    """What is known of one cell."""

    PROVEN = "proven"
    FAILED = "failed"
    NOT_PROVEN = "not proven"


class Proof(Struct, frozen=True):
    """One cell of a row: the ``verdict`` on ``cell``, why, and what to do; ``code`` is that of the diagnostic."""

    cell: str
    verdict: Verdict
    reason: str = ""
    help: str = ""
    code: str = ""


class VerifiedStack(Struct, frozen=True):
    """A row: a ``stack``, defined at ``place``, that runs the root module ``root``; both ``""`` if none is known.

    ``engine`` names what the row was proven with, ``skipped`` are the commands of hooks that were not run.
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
        """What is known of ``cell``; None if no level that ran looks at the cell."""
        return next((proof for proof in self.proofs if proof.cell == cell), None)


def proven(cell: str, reason: str = "") -> Proof:
    """A cell that is proven."""
    return Proof(cell, Verdict.PROVEN, reason)


def failed(cell: str, why: Refusal) -> Proof:
    """A cell that failed."""
    return Proof(cell, Verdict.FAILED, why.reason, why.help, why.code)


def not_proven(cell: str, why: Refusal) -> Proof:
    """A cell of which nothing is proven."""
    return Proof(cell, Verdict.NOT_PROVEN, why.reason, why.help, why.code)


def worst(proofs: Iterable[Proof]) -> Verdict:
    """What several proofs come to: failed if one failed, else not proven if one is not proven."""
    verdicts = {proof.verdict for proof in proofs}
    return next((verdict for verdict in (Verdict.FAILED, Verdict.NOT_PROVEN) if verdict in verdicts), Verdict.PROVEN)
