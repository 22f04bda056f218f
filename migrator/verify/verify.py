"""A verification from repositories to rows: what the command line calls."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.errors import MigrateError
from migrator.model.verification import VerifiedStack
from migrator.verify.engines import Engines
from migrator.verify.fleet import VerifiedRepo, VerifiedRoot, open_repo, roots_of, with_stacks
from migrator.verify.local_aws import LocalAws
from migrator.verify.offline import Offline, OfflineSettings
from migrator.verify.stacks import RunStack

if TYPE_CHECKING:
    from migrator.config.config import Config

Say = Callable[[str], None]
Rows = dict[VerifiedRoot, list[tuple[RunStack | None, VerifiedStack]]]


class Level(Enum):
    """How far a verification goes."""

    OFFLINE = "offline"
    TRUST = "trust"
    SPACELIFT = "spacelift"


@dataclass(frozen=True)
class Request:
    """What is to be verified: ``repos`` on ``branch``, compared with ``base``; None for what is found by itself."""

    repos: Sequence[str]
    config: Config
    offline: OfflineSettings
    levels: tuple[Level, ...] = (Level.OFFLINE,)
    branch: str | None = None
    base: str | None = None
    engine: str | None = None
    inventory: str | None = None


@contextmanager
def opened(request: Request, say: Say) -> Iterator[tuple[list[VerifiedRoot], Engines, Path]]:
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
                repos.append(with_stacks(repo, engine, folder / "hooks"))
            except MigrateError as error:
                raise MigrateError(f"{path}: {error}") from None
            say(f"{path}: {f'branch {repo.branch}' if repo.branch else 'the work tree'}")
        yield list(roots_of(repos, (), say)), engines, top


def offline_rows(roots: Sequence[VerifiedRoot], engines: Engines, request: Request, scratch: Path, say: Say) -> Rows:
    """The rows of the level ``offline``; ``say`` is told of each as it is there."""
    try:
        aws = LocalAws()
    except MigrateError:
        aws = None
    total = sum(max(1, len(root.stacks)) for root in roots)
    count = iter(range(1, total + 1))

    def done(row: VerifiedStack) -> None:
        say(f"{next(count)}/{total} {row.title}")

    return Offline(engines, aws, request.offline, scratch).rows(roots, done)


def empty_rows(roots: Sequence[VerifiedRoot]) -> Rows:
    """Rows of which nothing is proven yet."""

    def row(root: VerifiedRoot, stack: RunStack | None) -> VerifiedStack:
        return VerifiedStack(root.path or ".", stack.title if stack else "", stack.place if stack else "")

    return {root: [(stack, row(root, stack)) for stack in root.stacks or (None,)] for root in roots}


def rows_of(roots: Sequence[VerifiedRoot], engines: Engines, request: Request, scratch: Path, say: Say) -> Rows:
    """The rows of all levels that the user asked for."""
    is_offline = Level.OFFLINE in request.levels
    return offline_rows(roots, engines, request, scratch, say) if is_offline else empty_rows(roots)


def by_repo(rows: Rows, repos: Sequence[str]) -> Mapping[str, tuple[VerifiedStack, ...]]:
    """The rows of each repository, by its name."""
    found: dict[str, tuple[VerifiedStack, ...]] = dict.fromkeys(repos, ())
    for root, listed in rows.items():
        found[root.repo.name] = (*found.get(root.repo.name, ()), *(row for _, row in listed))
    return found
