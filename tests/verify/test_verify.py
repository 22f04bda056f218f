"""A fleet from its preview to a verification in which all is proven; each planted fault fails exactly its cell."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from migrator.cli.main import cli
from migrator.cli.verify import verify
from tests.conftest import MakeRepo, Terraform, needed
from tests.verify.fleet import HOST, OTHER, STATE, TOKEN, MadeFleet, make_fleet

pytestmark = pytest.mark.system


@pytest.fixture(autouse=True)
def _programs(terraform: Terraform) -> None:
    for program in ("aws", "bash", "dash"):
        needed(program)


@pytest.fixture
def fleet(make_repo: MakeRepo, tmp_path: Path) -> MadeFleet:
    return make_fleet(make_repo, tmp_path)


def migrate(fleet: MadeFleet, *options: str) -> None:
    done = CliRunner().invoke(cli, [*fleet.paths, "--quiet", *options])
    assert done.exit_code == 0, done.output


def trust_policies(fleet: MadeFleet, folder: Path, change: Callable[[str], str] = str) -> Path:
    """The policies that `trust` writes for the migrated fleet, as IAM would have them."""
    from migrator.cli.trust import trust

    for repo in (fleet.admin, fleet.shop, fleet.billing):
        repo.git("switch", "--quiet", "spacelift-oidc") if "spacelift-oidc" in repo.git("branch") else None
    done = CliRunner().invoke(trust, [*fleet.paths, "--spacelift-host", HOST, "--format", "json"])
    assert done.exit_code == 0, done.output
    folder.mkdir()
    for arn, policy in json.loads(done.stdout).items():
        role = {"Role": {"Arn": arn, "AssumeRolePolicyDocument": json.loads(change(json.dumps(policy)))}}
        (folder / f"{arn.rpartition('/')[2]}.json").write_text(json.dumps(role))
    for repo in (fleet.admin, fleet.shop, fleet.billing):
        repo.git("switch", "--quiet", "main")
    return folder


def verified(fleet: MadeFleet, *options: object) -> Result:
    done = CliRunner().invoke(verify, [*fleet.paths, *map(str, options)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done


LEVELS = ("--level", "offline", "--level", "trust")


def cells(fleet: MadeFleet, report: Path) -> dict[tuple[str, str], str]:
    """What a report says of each stack's cells."""
    results = json.loads(report.read_text())["results"]
    rows = [row for result in results for row in result["verified"]]
    return {(row["stack"], proof["cell"]): proof["verdict"] for row in rows for proof in row["proofs"]}


def test_from_a_preview_to_all_proven(fleet: MadeFleet, tmp_path: Path) -> None:
    before = {
        repo.root: (repo.git("rev-parse", "HEAD"), repo.status()) for repo in (fleet.admin, fleet.shop, fleet.billing)
    }
    preview = CliRunner().invoke(cli, [*fleet.paths, "--preview"])
    assert preview.exit_code == 0
    migrate(fleet, "--no-switch")
    policies = trust_policies(fleet, tmp_path / "policies")
    reports = [tmp_path / f"report.{ending}" for ending in ("json", "md", "html", "xml")]
    options = [part for report in reports for part in ("--report", report)]
    done = verified(fleet, *LEVELS, "--inventory", fleet.account, "--policies", policies, *options)
    assert done.exit_code == 0, done.output
    found = cells(fleet, reports[0])
    assert len(found) == 15
    assert set(found.values()) == {"proven"}
    assert "1/3 " in done.stderr
    assert "validate proven  hook proven  trust proven  state proven  identity proven" in done.stdout
    assert "not run: echo tools" in done.stdout
    assert reports[1].read_text().count("✅") >= 15
    assert "<h3>Verified</h3>" in reports[2].read_text()
    assert 'tests="10"' in reports[3].read_text()
    for repo in (fleet.admin, fleet.shop, fleet.billing):
        assert (repo.git("rev-parse", "HEAD"), repo.status()) == before[repo.root]


def on_branch(repo: Any, path: str, change: Callable[[str], str]) -> None:
    """Commit a change on the migration's branch, as somebody who means well may do."""
    repo.git("switch", "--quiet", "spacelift-oidc")
    text = (repo.root / path).read_text()
    changed = change(text)
    assert changed != text
    repo.write(path, changed)
    repo.commit("a mistake")
    repo.git("switch", "--quiet", "main")


def other_account(text: str) -> str:
    return text.replace(STATE, OTHER)


def other_key(text: str) -> str:
    return text.replace("api.tfstate", "web.tfstate")


def other_token(text: str) -> str:
    return text.replace(TOKEN, "/mnt/workspace/token")


def with_early_call(text: str) -> str:
    return text.replace('["echo tools"]', '["aws s3 cp s3://tools/setup.sh ."]')


OVERRIDE = base64.b64encode(b'provider "aws" {\n  profile = "admin"\n}\n').decode()
MOUNTED = (
    'resource "spacelift_mounted_file" "override" {\n  stack_id      = spacelift_stack.web.id\n'
    f'  relative_path = "source/web/provider_override.tf"\n  content       = "{OVERRIDE}"\n}}\n'
)


@pytest.mark.parametrize(
    ("repo", "path", "change", "failed"),
    [
        ("admin", "main.tf", other_account, ("spacelift_stack.web", "identity")),
        ("shop", "api/main.tf", other_key, ("spacelift_stack.api", "state")),
        ("admin", "main.tf", other_token, ("spacelift_stack.web", "hook")),
        ("admin", "main.tf", with_early_call, ("spacelift_stack.web", "hook")),
        ("admin", "main.tf", lambda text: text + MOUNTED, ("spacelift_stack.web", "identity")),
    ],
    ids=["role of another account", "key of another state", "token file missing", "early call", "mounted override"],
)
def test_a_fault_on_the_branch_fails_its_cell(
    fleet: MadeFleet, tmp_path: Path, repo: str, path: str, change: Callable[[str], str], failed: tuple[str, str]
) -> None:
    migrate(fleet, "--no-switch")
    on_branch(getattr(fleet, repo), path, change)
    options = ("--inventory", fleet.account, "--run-type", "TRACKED", "--report", tmp_path / "report.json")
    done = verified(fleet, *options)
    assert done.exit_code == 1, done.output
    found = cells(fleet, tmp_path / "report.json")
    assert [cell for cell, verdict in found.items() if verdict == "failed"] == [failed], done.output
    if failed[1] != "hook":
        assert {verdict for cell, verdict in found.items() if cell != failed} == {"proven"}, done.output
    assert re.search(rf"{failed[1]} failed: .+\n +help: ", done.stdout)


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        (lambda text: text.replace(":stack:api:", ":stack:app:"), "spacelift_stack.api"),
        (lambda text: text.replace(":stack:rate_cards:", ":stack:rate-cards:"), "spacelift_stack.rate_cards"),
        (lambda text: text.replace(', "sts:TagSession"', ""), "spacelift_stack.web"),
    ],
    ids=["wrong subject", "slug with an underscore", "missing session tags"],
)
def test_a_fault_of_a_trust_policy_fails_its_cell(
    fleet: MadeFleet, tmp_path: Path, change: Callable[[str], str], failed: str
) -> None:
    migrate(fleet, "--no-switch")
    policies = trust_policies(fleet, tmp_path / "policies", change)
    report = tmp_path / "report.json"
    done = verified(fleet, "--level", "trust", "--inventory", fleet.account, "--policies", policies, "--report", report)
    assert done.exit_code == 1, done.output
    found = cells(fleet, report)
    assert len(found) == 3
    assert [cell for cell, verdict in found.items() if verdict == "failed"] == [(failed, "trust")]
