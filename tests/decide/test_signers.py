"""Who signs follows from the decisions; reading the changed files again must come to the same, in all fixtures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec.structs import replace

from migrator.config.config import Config
from migrator.decide.signers.table import Blocks, BlockSigner, environments_after, signers, signers_after
from migrator.migrate.planning import Planning
from migrator.model.fleet import RepoIdentity
from migrator.terraform.backends import s3_backends
from migrator.terraform.partial_backends import backend_commands, environment_stores, partial_backends, store_of
from migrator.terraform.providers import aws_providers
from migrator.terraform.remote_states import remote_states
from migrator.terraform.signing import Signer
from migrator.workspace.discover import listing, walk
from migrator.workspace.module import Module
from migrator.workspace.workspace import Workspace
from tests.rules.test_fixtures import CASES, case_id, options

Signers = dict[tuple[str, str], Signer]


def both(case: Path) -> tuple[Signers, Signers]:
    """Who signs after the migration of a case, as decided, and as the changed files say."""
    workspace = Workspace(listing(case / "before", walk(case / "before")), RepoIdentity("webshop"))
    planning = Planning(workspace, Config(**options(case)))
    context = planning.context
    after = workspace.changed(planning.changes)
    read = blocks(after, context.facts.terragrunt.modules)
    return by_block(signers_after(context)), by_block(signers(after, read, environments_after(context)))


def blocks(workspace: Workspace, units: Mapping[str, Module]) -> Blocks:
    """All that signs in, as the files say."""
    modules = {module.path: module for module in workspace.interesting_modules()}
    backends = {path: s3_backends(module) for path, module in modules.items()}
    for owner, partial in partial_backends(workspace, [modules[path] for path in modules if backends[path]], units):
        if owner is not None:
            backends[owner.path].append(partial)
    roots = [modules[path] for path in modules if backends[path]]
    commands = list(backend_commands(workspace, roots, units))
    by_environment = dict(environment_stores(workspace, roots, units))
    for root in roots:
        store = store_of(backends[root.path], [command for command in commands if command.root is root])
        store = store or by_environment.get(root)
        backends[root.path] = [replace(backend, store=store or backend.store) for backend in backends[root.path]]
    states = {path: tuple(remote_states(module)) for path, module in modules.items()}
    return Blocks({path: tuple(aws_providers(module)) for path, module in modules.items()}, backends, states)


def by_block(rows: Iterable[BlockSigner]) -> Signers:
    return {(row.root, row.title): row.by for row in rows}


def test_the_changed_files_say_what_was_decided() -> None:
    found = {case_id(case): both(case) for case in CASES}
    assert {name: pair for name, pair in found.items() if pair[0] != pair[1]} == {}
    roles = [signer.role for decided, _ in found.values() for signer in decided.values() if signer.role]
    assert len(roles) > len(CASES) / 3, "hardly anything signs in by web identity"
