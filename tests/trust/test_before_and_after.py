"""What ``trust`` knows of a repository's roles before its migration: every role that it names after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.config.config import Config
from migrator.config.settings_file import with_repository
from migrator.model.fleet import RepoIdentity
from migrator.trust.known import learn, uses_of
from migrator.workspace.discover import listing, walk
from migrator.workspace.workspace import Workspace
from tests.rules.test_fixtures import CASES, case_id, options

RULES = ("remote-state", "s3-backend", "provider-environment", "spacelift-hook-runtime-config")
MIGRATED = [case for case in CASES if case.parent.name in RULES and (case / "after").exists()]


def roles(folder: Path, config: Config) -> set[str]:
    """The ARNs that the runs of the stacks sign in with."""
    workspace = Workspace(listing(folder, walk(folder)), RepoIdentity("webshop"))
    return {use.role for use in uses_of([learn(workspace, with_repository(config, folder))]) if use.role}


@pytest.mark.case
def test_no_role_is_new_after_the_migration() -> None:
    new = {}
    named = 0
    for case in MIGRATED:
        config = Config(**options(case))
        before, after = roles(case / "before", config), roles(case / "after", config)
        named += bool(after)
        if after - before:
            new[case_id(case)] = after - before
    assert new == {}
    assert named > len(MIGRATED) / 3
