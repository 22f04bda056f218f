"""A verification from repositories to rows: what the command line calls."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from migrator.errors import MigrateError
from migrator.model.verification import CELLS, VerifiedStack, not_proven, worst
from migrator.verify.diagnostics import NO_STACK
from migrator.verify.engines import Engines
from migrator.verify.fleet import VerifiedRepo, VerifiedRoot, open_repo, roots_of, with_stacks
from migrator.verify.local_aws import LocalAws
from migrator.verify.offline import Offline, OfflineSettings
from migrator.verify.policies import from_aws, from_files, from_module
from migrator.verify.preview import Previews, preview_proofs, previews
from migrator.verify.stacks import RunStack
from migrator.verify.trust import TrustSettings, trust_proof

if TYPE_CHECKING:
    from migrator.config.config import Config
    from migrator.model.verification import Proof
    from migrator.trust.policy import Issuer
    from migrator.verify.account import Account

Say = Callable[[str], None]
Rows = dict[VerifiedRoot, list[tuple[RunStack | None, VerifiedStack]]]


class Level(Enum):
    """How far a verification goes."""

    OFFLINE = "offline"
    TRUST = "trust"
    SPACELIFT = "spacelift"


class TrustRequested(Struct, frozen=True):
    """Whose tokens trust policies must admit, where the policies come from, and which ``types`` of runs must be."""

    issuer: Issuer
    folder: str | None = None
    asks_aws: bool = False
    types: tuple[str, ...] = ()


class Request(Struct, frozen=True):
    """What is to be verified: ``repos`` on ``branch``, compared with ``base``; None for what is found by itself."""

    repos: Sequence[str]
    config: Config
    offline: OfflineSettings
    levels: tuple[Level, ...] = (Level.OFFLINE,)
    branch: str | None = None
    base: str | None = None
    engine: str | None = None
    account: Account | None = None
    trust: TrustRequested | None = None
    previews: Path | None = None
    runs_previews: bool = False


class Opened(Struct, frozen=True):
    """Copies of the branches of all ``repos``, with their root modules; ``scratch`` is a folder beside the copies."""

    repos: list[VerifiedRepo]
    roots: list[VerifiedRoot]
    engines: Engines
    scratch: Path


@contextmanager
def opened(request: Request, say: Say) -> Iterator[Opened]:
    """The root modules of all repositories with their stacks, in copies that last until the end of the block.

    Raises `MigrateError` for a repository that cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="tf-oidc-migrate-") as scratch:
        top = Path(scratch).resolve()
        engines = Engines(request.engine, top)
        engine, _ = engines.fitting(())
        repos: list[VerifiedRepo] = []
        for number, path in enumerate(request.repos):
            try:
                folder = top / f"repo-{number}"
                repo = open_repo(path, request.branch, request.base, request.config, folder)
                (folder / "hooks").mkdir()
                repos.append(_known(with_stacks(repo, engine, folder / "hooks"), request.account))
            except MigrateError as error:
                raise MigrateError(f"{path}: {error}") from None
            say(f"{path}: {f'branch {repo.branch}' if repo.branch else 'the work tree'}")
        account = request.account
        more = [account.attached(stack, repos) for stack in account.stacks] if account is not None else []
        yield Opened(repos, list(roots_of(repos, more, say)), engines, top)


def _known(repo: VerifiedRepo, account: Account | None) -> VerifiedRepo:
    if account is None:
        return repo
    return replace(repo, stacks=tuple((definition, account.certain(stack)) for definition, stack in repo.stacks))


def _offline_rows(opened: Opened, request: Request, say: Say) -> Rows:
    """The rows of the level ``offline``; ``say`` is told of each as it is there."""
    try:
        aws = LocalAws()
    except MigrateError:
        aws = None
    total = sum(max(1, len(root.stacks)) for root in opened.roots)
    count = iter(range(1, total + 1))

    def done(row: VerifiedStack) -> None:
        say(f"{next(count)}/{total} {row.title}")

    return Offline(opened.engines, aws, request.offline, opened.scratch).rows(opened.roots, done)


def _empty_rows(roots: Sequence[VerifiedRoot]) -> Rows:
    """Rows of which nothing is proven yet."""

    def row(root: VerifiedRoot, stack: RunStack | None) -> VerifiedStack:
        return VerifiedStack(root.path or ".", stack.title if stack else "", stack.place if stack else "")

    return {root: [(stack, row(root, stack)) for stack in root.stacks or (None,)] for root in roots}


def rows_of(opened: Opened, request: Request, say: Say) -> Rows:
    """The rows of all levels that the user asked for. Raises `MigrateError` where policies cannot be asked for."""
    is_offline = Level.OFFLINE in request.levels
    rows = _offline_rows(opened, request, say) if is_offline else _empty_rows(opened.roots)
    if Level.TRUST in request.levels and request.trust is not None:
        settings = _trust_settings(opened, request, request.trust)
        rows = {
            root: [(stack, _with(row, trust_proof(root, stack, settings))) for stack, row in listed]
            for root, listed in rows.items()
        }
    if Level.SPACELIFT in request.levels and request.previews is not None:
        rows = {root: _previewed(root, listed, request.previews, request, say) for root, listed in rows.items()}
    return rows


def _previewed(
    root: VerifiedRoot,
    listed: list[tuple[RunStack | None, VerifiedStack]],
    folder: Path,
    request: Request,
    say: Say,
) -> list[tuple[RunStack | None, VerifiedStack]]:
    rows = []
    for stack, row in listed:
        made = previews(root, stack, folder) if stack is not None else not_proven("identity", NO_STACK.refusal())
        if isinstance(made, Previews):
            for command in made.commands:
                say(shlex.join(command))
            proofs = preview_proofs(made, runs=request.runs_previews)
        else:
            proofs = [made]
        for proof in proofs:
            row = _with(row, proof)
        rows.append((stack, row))
    return rows


def _trust_settings(opened: Opened, request: Request, trust: TrustRequested) -> TrustSettings:
    if trust.folder is not None:
        policies = from_files(trust.folder)
    elif trust.asks_aws:
        policies = from_aws()
    else:
        policies = from_module(opened.repos, trust.issuer)
    return TrustSettings(trust.issuer, policies, trust.types, request.offline.role_arn)


def _with(row: VerifiedStack, proof: Proof) -> VerifiedStack:
    """The row with a proof of another level; of two proofs of a cell, the worse counts."""
    known = row.proof(proof.cell)
    if known is not None:
        verdict = worst((known, proof))
        both = f"{known.reason} {proof.reason}"
        proof = replace(proof, reason=both) if known.verdict is proof.verdict else proof
        proof = known if known.verdict is verdict and proof.verdict is not verdict else proof
    others = [other for other in row.proofs if other.cell != proof.cell]
    return replace(row, proofs=tuple(sorted((*others, proof), key=lambda any_proof: CELLS.index(any_proof.cell))))


def by_repo(rows: Rows, repos: Sequence[str]) -> Mapping[str, tuple[VerifiedStack, ...]]:
    """The rows of each repository, by its name."""
    by_name: dict[str, tuple[VerifiedStack, ...]] = dict.fromkeys(repos, ())
    for root, rows_of_root in rows.items():
        by_name[root.repo.name] = (*by_name.get(root.repo.name, ()), *(row for _, row in rows_of_root))
    return by_name
