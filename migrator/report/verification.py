"""The rows of a verification for people: a line for each stack, and what a person must look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from migrator.model.verification import CELLS, OPEN, Proof, Verdict, VerifiedStack, worst
from migrator.secret.mask import mask
from migrator.secret.printable import plain_line

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
    """The rows of one repository, and after them each reason that several rows share; no secret is in them."""
    reasons = Counter(proof for row in result.verified for proof in unproven(row))
    yield _plain(f"{result.title}: {headline_of(result.verified)}")
    for row in result.verified:
        engine = f" ({row.engine})" if row.engine else ""
        cells = "  ".join(f"{cell} {shown(row, cell)}" for cell in CELLS)
        yield _plain(f"  {row.title}{engine}")
        yield _plain(f"    {cells}")
        for proof in unproven(row):
            if reasons[proof] == 1:
                yield from _explained(proof, f"    {proof.cell} {proof.verdict.value}")
        if row.skipped:
            yield _plain(f"    Other commands of the hooks, not run: {'; '.join(row.skipped)}")
    for proof, number in reasons.items():
        if number > 1:
            yield from _explained(proof, f"  {proof.cell} {proof.verdict.value} in {number} rows")


def _explained(proof: Proof, title: str) -> Iterator[str]:
    yield _plain(f"{title}: {proof.reason}")
    if proof.help:
        yield _plain(f"{' ' * (len(title) - len(title.lstrip()) + 2)}help: {proof.help}")


def shown(row: VerifiedStack, cell: str) -> str:
    """A cell of the table; a dash if no level that ran looks at the cell."""
    proof = row.proof(cell)
    return proof.verdict.value if proof is not None else "-"


def unproven(row: VerifiedStack) -> list[Proof]:
    """The cells of a row that a person must look at."""
    return [proof for proof in row.proofs if proof.verdict in OPEN]


def _plain(text: str) -> str:
    return plain_line(mask(text))
