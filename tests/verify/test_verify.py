"""A fleet from its preview to a verification in which all is proven; each planted fault fails exactly its cell."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from migrator.cli.main import cli
from migrator.cli.verify import verify
from migrator.spacelift.stacks.exchange import EXCHANGE
from tests.conftest import MakeRepo, Terraform, needed
from tests.verify.fleet import HOST, OTHER, STATE, TOKEN, MadeFleet, make_fleet, stack

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
    assert set(found.values()) == {"proven", "not needed"}
    assert "1/3 " in done.stderr
    assert "validate proven  hook proven  trust proven  state proven  identity proven" in done.stdout
    assert "Other commands of the hooks, not run: echo tools" in done.stdout
    assert reports[1].read_text().count("✅") >= 13
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
    options = ("--inventory", fleet.account, "--run-type", "TASK", "--report", tmp_path / "report.json")
    done = verified(fleet, *options)
    assert done.exit_code == 1, done.output
    found = cells(fleet, tmp_path / "report.json")
    assert [cell for cell, verdict in found.items() if verdict == "failed"] == [failed], done.output
    if failed[1] != "hook":
        assert {verdict for cell, verdict in found.items() if cell != failed} == {"proven", "not needed"}, done.output
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


SPACECTL = """#!/bin/sh
echo "$@" >> "{log}"
case "$*" in
  *before.yml*) echo "::oidc-proof identity arn:aws:sts::123456789012:assumed-role/old/ci"
     echo "::oidc-proof state {before}" ;;
  *) echo '[01] echo "::oidc-proof identity $(aws sts get-caller-identity)"'
     echo "::oidc-proof identity {who}"; echo "::oidc-proof state abc-1 8" ;;
esac
exit {code}
"""
OURS = "arn:aws:sts::123456789012:assumed-role/terraform-state/spacelift-run"


@pytest.mark.parametrize(
    ("fills", "exit_code", "state", "identity"),
    [
        ({}, 0, "proven", "proven"),
        ({"before": "abc-2 7"}, 1, "failed", "proven"),
        ({"before": ""}, 4, "not proven", "proven"),
        ({"who": OURS.replace("123456789012", "999988887777")}, 1, "proven", "failed"),
        ({"code": "1"}, 1, "failed", "failed"),
    ],
    ids=["all is well", "another state", "no state before", "another account", "a run that fails"],
)
def test_previews_are_written_run_and_read(
    fleet: MadeFleet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fills: dict[str, str],
    exit_code: int,
    state: str,
    identity: str,
) -> None:
    """By a program called spacectl that prints what a run prints: the real one needs an account."""
    migrate(fleet, "--no-switch")
    program = tmp_path / "bin" / "spacectl"
    program.parent.mkdir()
    values = {"log": str(tmp_path / "log"), "before": "abc-1 7", "who": OURS, "code": "0", **fills}
    program.write_text(SPACECTL.format(**values))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    options = ["--level", "spacelift", "--run", "--inventory", fleet.account, "--previews", tmp_path / "previews"]
    done = verified(fleet, *options, "--report", tmp_path / "report.json")
    assert done.exit_code == exit_code, done.output
    found = cells(fleet, tmp_path / "report.json")
    assert set(found.values()) == {state, identity}
    assert (found["spacelift_stack.web", "state"], found["spacelift_stack.web", "identity"]) == (state, identity)
    commands = (tmp_path / "log").read_text().splitlines()
    sha = fleet.shop.git("rev-parse", "spacelift-oidc").strip()
    written = tmp_path / "previews" / "preview-web.yml"
    assert f"stack preview --id web --sha {sha} --runtime-config {written} --tail" in commands


def test_a_preview_that_nobody_runs_proves_nothing(fleet: MadeFleet, tmp_path: Path) -> None:
    migrate(fleet, "--no-switch")
    folder = tmp_path / "previews"
    done = verified(fleet, "--level", "spacelift", "--inventory", fleet.account, "--previews", folder)
    assert done.exit_code == 4
    assert "spacectl stack preview --id rate_cards --sha" in done.output
    web = yaml.safe_load((folder / "preview-web.yml").read_text())
    assert web["environment"]["AWS_ACCESS_KEY_ID"] == ""
    assert web["before_init"][0] == "unset AWS_PROFILE AWS_DEFAULT_PROFILE"
    assert [EXCHANGE in command for command in web["before_init"]] == [False, False, True, False]
    assert "::oidc-proof identity" in web["after_init"][0]
    assert "terraform state pull" in web["after_init"][1]
    native = yaml.safe_load((folder / "preview-rate_cards.yml").read_text())
    assert native["before_init"][1:] == ["make rates"]
    assert ["identity" in command for command in native["after_init"]] == [False]
    assert "after_init" in yaml.safe_load((folder / "preview-web-before.yml").read_text())


def test_what_is_missing_is_said(fleet: MadeFleet, tmp_path: Path, make_repo: MakeRepo) -> None:
    """No stack, no base, no hook: nothing is proven that nobody knows, and nothing is a traceback."""
    migrate(fleet, "--no-switch")
    done = CliRunner().invoke(verify, [str(fleet.shop.root), "--run-type", "TASK"])
    assert done.exit_code == 4, done.output
    assert "No stack that runs this root module is known." in done.stdout
    fleet.shop.git("switch", "--quiet", "spacelift-oidc")
    fleet.shop.git("branch", "--quiet", "-D", "main")
    done = CliRunner().invoke(verify, [str(fleet.admin.root), str(fleet.shop.root), "--run-type", "TASK"])
    assert done.exit_code == 4, done.output
    assert "The branch from before the migration is not known" in done.stdout
    assert CliRunner().invoke(verify, [str(fleet.shop.root), "--branch", "nowhere"]).exit_code == 3
    assert CliRunner().invoke(verify, [str(fleet.shop.root), "--level", "trust"]).exit_code == 2
    assert CliRunner().invoke(verify, [str(fleet.shop.root), "--report", "x.sarif"]).exit_code == 2
    plain = make_repo({"README.md": "nothing"}, name="plain")
    assert CliRunner().invoke(verify, [str(plain.root)]).exit_code == 0


def test_a_hook_that_is_spelled_otherwise_is_not_run(make_repo: MakeRepo, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    hooks = f'  before_init  = ["aws sts assume-role-with-web-identity; touch {witness}"]\n'
    fleet = make_fleet(make_repo, tmp_path, stack("web", "shop", "web", hooks))
    done = CliRunner().invoke(verify, [str(fleet.admin.root), str(fleet.shop.root)])
    assert not witness.exists()
    assert "The hook differs from the exchange that Spacelift documents" in done.stdout
