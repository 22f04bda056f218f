"""A verification from repositories to rows, for the command line."""

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
    """The level of a verification."""

    OFFLINE = "offline"
    TRUST = "trust"
    SPACELIFT = "spacelift"


class TrustRequested(Struct, frozen=True):
    """The user's options for trust policies: the issuer, the source of policies, and the ``types`` of runs."""

    issuer: Issuer
    folder: str | None = None
    asks_aws: bool = False
    types: tuple[str, ...] = ()


class Request(Struct, frozen=True):
    """The options of a verification: ``repos`` on ``branch``, compared with ``base``; None for the defaults."""

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


class VerifiedRepos(Struct, frozen=True):
    """Copies of the branches of all ``repos``, with their root modules; ``scratch`` is a folder for other files."""

    repos: list[VerifiedRepo]
    roots: list[VerifiedRoot]
    engines: Engines
    scratch: Path


@contextmanager
def open_repos(request: Request, say: Say) -> Iterator[VerifiedRepos]:
    """The root modules of all repositories with their stacks, in copies that last until the end of the block.

    Raises `MigrateError` for a repository that cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="tf-oidc-migrate-") as scratch:
        top = Path(scratch).resolve()
        engines = Engines(request.engine, top)
        engine, _ = engines.engine_for(())
        repos: list[VerifiedRepo] = []
        for number, path in enumerate(request.repos):
            try:
                folder = top / f"repo-{number}"
                repo = open_repo(path, request.branch, request.base, request.config, folder)
                (folder / "hooks").mkdir()
                repos.append(_with_account(with_stacks(repo, engine, folder / "hooks"), request.account))
            except MigrateError as error:
                raise MigrateError(f"{path}: {error}") from None
            say(f"{path}: {f'branch {repo.branch}' if repo.branch else 'the work tree'}")
        account = request.account
        account_stacks = [account.attached(stack, repos) for stack in account.stacks] if account is not None else []
        yield VerifiedRepos(repos, list(roots_of(repos, account_stacks, say)), engines, top)


def _with_account(repo: VerifiedRepo, account: Account | None) -> VerifiedRepo:
    if account is None:
        return repo
    return replace(repo, stacks=tuple((definition, account.certain(stack)) for definition, stack in repo.stacks))


def _offline_rows(opened: VerifiedRepos, request: Request, say: Say) -> Rows:
    """The rows of the level ``offline``; ``say`` is called with each row."""
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
    """Rows without proofs."""

    def row(root: VerifiedRoot, stack: RunStack | None) -> VerifiedStack:
        return VerifiedStack(root.path or ".", stack.title if stack else "", stack.place if stack else "")

    return {root: [(stack, row(root, stack)) for stack in root.stacks or (None,)] for root in roots}


def rows_of(opened: VerifiedRepos, request: Request, say: Say) -> Rows:
    """The rows of all levels that the user asked for. Raises `MigrateError` where policies cannot be asked for."""
    is_offline = Level.OFFLINE in request.levels
    rows = _offline_rows(opened, request, say) if is_offline else _empty_rows(opened.roots)
    if Level.TRUST in request.levels and request.trust is not None:
        settings = _trust_settings(opened, request, request.trust)
        rows = {
            root: [(stack, _with_proof(row, trust_proof(root, stack, settings))) for stack, row in rows_of_root]
            for root, rows_of_root in rows.items()
        }
    if Level.SPACELIFT in request.levels and request.previews is not None:
        rows = {
            root: _previewed(root, rows_of_root, request.previews, request, say) for root, rows_of_root in rows.items()
        }
    return rows


def _previewed(
    root: VerifiedRoot,
    rows_of_root: list[tuple[RunStack | None, VerifiedStack]],
    folder: Path,
    request: Request,
    say: Say,
) -> list[tuple[RunStack | None, VerifiedStack]]:
    rows = []
    for stack, row in rows_of_root:
        stack_previews = (
            previews(root, stack, folder) if stack is not None else not_proven("identity", NO_STACK.refusal())
        )
        if isinstance(stack_previews, Previews):
            for command in stack_previews.commands:
                say(shlex.join(command))
            proofs = preview_proofs(stack_previews, runs=request.runs_previews)
        else:
            proofs = [stack_previews]
        for proof in proofs:
            row = _with_proof(row, proof)
        rows.append((stack, row))
    return rows


def _trust_settings(opened: VerifiedRepos, request: Request, trust: TrustRequested) -> TrustSettings:
    if trust.folder is not None:
        policies = from_files(trust.folder)
    elif trust.asks_aws:
        policies = from_aws()
    else:
        policies = from_module(opened.repos, trust.issuer)
    return TrustSettings(trust.issuer, policies, trust.types, request.offline.role_arn)


def _with_proof(row: VerifiedStack, proof: Proof) -> VerifiedStack:
    """The row with a proof of another level; of two proofs of a cell, the worse counts."""
    known_proof = row.proof(proof.cell)
    if known_proof is not None:
        verdict = worst((known_proof, proof))
        both = f"{known_proof.reason} {proof.reason}"
        proof = replace(proof, reason=both) if known_proof.verdict is proof.verdict else proof
        proof = known_proof if known_proof.verdict is verdict and proof.verdict is not verdict else proof
    others = [other for other in row.proofs if other.cell != proof.cell]
    return replace(row, proofs=tuple(sorted((*others, proof), key=lambda any_proof: CELLS.index(any_proof.cell))))


def by_repo(rows: Rows, repos: Sequence[str]) -> Mapping[str, tuple[VerifiedStack, ...]]:
    """The rows of each repository, by its name."""
    by_name: dict[str, tuple[VerifiedStack, ...]] = dict.fromkeys(repos, ())
    for root, rows_of_root in rows.items():
        by_name[root.repo.name] = (*by_name.get(root.repo.name, ()), *(row for _, row in rows_of_root))
    return by_name
