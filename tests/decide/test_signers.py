"""Who signs follows from the decisions; reading the changed files again must come to the same, in all fixtures."""

from __future__ import annotations

from pathlib import Path

from migrator.config.config import Config
from migrator.decide.sign_in_changes import SignInChanges
from migrator.decide.signers import environments_after, signers
from migrator.migrate.planning import Planning
from migrator.model.fleet import RepoIdentity
from migrator.terraform.providers import aws_providers
from migrator.terraform.signing import Signer
from migrator.workspace.discover import listing, walk
from migrator.workspace.workspace import Workspace
from tests.rules.test_fixtures import CASES, case_id, options


def both(case: Path) -> tuple[dict[tuple[str, str], Signer], dict[tuple[str, str], Signer]]:
    """Who signs after the migration of a case, as decided, and as the changed files say."""
    workspace = Workspace(listing(case / "before", walk(case / "before")), RepoIdentity("webshop"))
    planning = Planning(workspace, Config(**options(case)))
    context = planning.context
    around = environments_after(context)
    decided = signers(context, around, workspace, context.facts.in_module, SignInChanges(context))
    return decided, signers(context, around, workspace.changed(planning.changes), aws_providers)


def test_the_changed_files_say_what_was_decided() -> None:
    found = {case_id(case): both(case) for case in CASES}
    assert {name: pair for name, pair in found.items() if pair[0] != pair[1]} == {}
    roles = [signer.role for decided, _ in found.values() for signer in decided.values() if signer.role]
    assert len(roles) > len(CASES) / 3, "hardly anything signs in by web identity"
