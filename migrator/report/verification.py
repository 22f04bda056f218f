"""The rows of a verification for people: a line for each stack, and a line for each cell that is not proven."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from migrator.model.verification import CELLS, Proof, Verdict, VerifiedStack, worst
from migrator.secret import mask, plain_line

if TYPE_CHECKING:
    from migrator.model.results import RepoResult

PROVEN, FAILED, NOT_PROVEN = 0, 1, 4


def exit_code(results: Iterable[RepoResult]) -> int:
    """The exit code: 0 if all is proven, 1 if something failed, 4 if something is not proven."""
    proofs = [proof for result in results for row in result.verified for proof in row.proofs]
    return {Verdict.PROVEN: PROVEN, Verdict.FAILED: FAILED, Verdict.NOT_PROVEN: NOT_PROVEN}[worst(proofs)]


def headline_of(rows: Iterable[VerifiedStack]) -> str:
    """The figures of some rows: how many are proven, failed, and not proven."""
    counts = Counter(worst(row.proofs) for row in rows)
    return ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict]) or "no root module"


def lines(result: RepoResult) -> Iterator[str]:
    """The rows of one repository, without secrets."""
    yield _plain(f"{result.title}: {headline_of(result.verified)}")
    for row in result.verified:
        engine = f" ({row.engine})" if row.engine else ""
        cells = "  ".join(f"{cell} {shown(row, cell)}" for cell in CELLS)
        yield _plain(f"  {row.title}{engine}")
        yield _plain(f"    {cells}")
        for proof in row.proofs:
            if proof.verdict is not Verdict.PROVEN:
                yield _plain(f"    {proof.cell} {proof.verdict.value}: {proof.reason}")
                if proof.help:
                    yield _plain(f"      help: {proof.help}")
        if row.skipped:
            yield _plain(f"    not run: {'; '.join(row.skipped)}")


def shown(row: VerifiedStack, cell: str) -> str:
    """A cell of the table; a dash if no level that ran looks at the cell."""
    proof = row.proof(cell)
    return proof.verdict.value if proof is not None else "-"


def unproven(row: VerifiedStack) -> list[Proof]:
    """The cells of a row that a person must look at."""
    return [proof for proof in row.proofs if proof.verdict is not Verdict.PROVEN]


def _plain(text: str) -> str:
    return plain_line(mask(text))
