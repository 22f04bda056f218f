"""A CDKTF program is synthesised by the real cdktf before and after its migration; terraform reads what comes out."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from migrator.config.config import Config
from migrator.spacelift.hooks.command import hook
from tests.conftest import FIXTURES, IN_CI, Terraform, needed
from tests.system.test_end_to_end import GUARD

APP = FIXTURES / "repos" / "cdktf-app"
STATE_ROLE = "arn:aws:iam::123456789012:role/terraform-state"
HOOK = hook(STATE_ROLE, Config())
WEB_IDENTITY = "assume_role_with_web_identity"
SPACELIFT = "arn:aws:iam::123456789012:role/spacelift"
NATIVE = ["--backend-auth", "native", "--backend-role-arn", SPACELIFT]


@dataclass(frozen=True)
class Synthesised:
    """What the stacks of the program are as Terraform's JSON."""

    folder: Path

    def stack(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / f"cdktf.out/stacks/{name}/cdk.tf.json").read_text())
        return found

    def provider(self, alias: str | None) -> dict[str, Any]:
        return next(
            configuration
            for configuration in self.stack("shop")["provider"]["aws"]
            if configuration.get("alias") == alias
        )


def needs_cdktf() -> None:
    """In CI a missing cdktf fails the test, elsewhere it is skipped with that reason."""
    needed("node")
    missing = [name for name in ("cdktf", "cdktf_cdktf_provider_aws") if importlib.util.find_spec(name) is None]
    if missing:
        message = f"{' and '.join(missing)} not installed: pip install -e '.[cdktf]'"
        if IN_CI:
            pytest.fail(message)
        pytest.skip(message)


SYNTHESISE = """
import functools, importlib.util, os, runpy, sys, types
import cdktf

aws = types.ModuleType("cdktf_cdktf_provider_aws")  # by itself the package loads each of 1,500 resources
aws.__path__ = importlib.util.find_spec(aws.__name__).submodule_search_locations
sys.modules[aws.__name__] = aws
app = cdktf.App
for folder in sys.argv[1:]:
    cdktf.App = functools.partial(app, outdir=f"{folder}/cdktf.out")
    os.environ["WHO"] = os.path.basename(folder)
    sys.path.insert(0, folder)
    runpy.run_path(f"{folder}/main.py", run_name="__main__")
    sys.path.remove(folder)
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", "") or "").startswith(f"{folder}/"):
            del sys.modules[name]
"""


@pytest.fixture(scope="module")
def synthesised(tmp_path_factory: pytest.TempPathFactory) -> tuple[Synthesised, ...]:
    """The program before and after, by the hook and by itself; one process, as loading the provider takes its time."""
    needs_cdktf()
    folders = [tmp_path_factory.mktemp(name) / "cdktf-app" for name in ("before", "hook", "native")]
    for folder, options in zip(folders, ([], ["--backend-auth", "hook"], NATIVE), strict=True):
        shutil.copytree(APP, folder)
        if options:
            command = [sys.executable, "-m", "migrator", "--in-place", *options, str(folder)]
            migration = subprocess.run(command, capture_output=True, text=True, check=False)
            assert migration.returncode == 0, migration.stderr
    command = [sys.executable, "-c", SYNTHESISE, *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return tuple(map(Synthesised, folders))


@pytest.fixture
def states(synthesised: tuple[Synthesised, ...]) -> tuple[Synthesised, Synthesised]:
    """The program before and after, with a hook."""
    return synthesised[0], synthesised[1]


def test_before_there_are_keys_and_flat_roles(states: tuple[Synthesised, Synthesised]) -> None:
    before, _ = states
    assert before.provider(None)["access_key"] == "AKIAIOSFODNN7EXAMPLE"
    assert before.provider("audit")["profile"] == "audit"
    backend = before.stack("shop")["terraform"]["backend"]["s3"]
    assert backend["role_arn"] == STATE_ROLE


@pytest.mark.parametrize(
    ("alias", "variable"),
    [(None, "aws_role_arn"), ("audit", "aws_role_arn_audit"), ("network", "aws_role_arn_network")],
)
def test_each_identity_has_a_role_of_its_own(
    states: tuple[Synthesised, Synthesised], alias: str | None, variable: str
) -> None:
    before, after = states
    identity = {"role_arn": f"${{var.{variable}}}", "web_identity_token_file": "/mnt/workspace/spacelift.oidc"}
    kept = {
        name: value
        for name, value in before.provider(alias).items()
        if name not in ("access_key", "secret_key", "profile")
    }
    assert after.provider(alias) == {**kept, WEB_IDENTITY: [identity]}
    assert after.stack("shop")["variable"][variable]["type"] == "string"


def test_only_that_has_changed(states: tuple[Synthesised, Synthesised]) -> None:
    before, after = (state.stack("shop") for state in states)
    backend = {"bucket": "webshop-terraform-state", "key": "shop.tfstate", "region": "eu-west-1"}
    assert after["terraform"]["backend"]["s3"] == backend
    assert after["data"]["terraform_remote_state"]["dns"]["config"] == {**backend, "key": "dns.tfstate"}
    assert sorted(after["variable"]) == ["aws_role_arn", "aws_role_arn_audit", "aws_role_arn_network"]
    assert after["terraform"]["required_providers"] == before["terraform"]["required_providers"]
    assert set(after) - set(before) == {"variable"}


def test_the_comments_keep_the_role(states: tuple[Synthesised, Synthesised]) -> None:
    text = (states[1].folder / "main.py").read_text()
    assert f'# role_arn="{STATE_ROLE}",\n            # session_name="shop",\n' in text
    assert "AKIA" not in text


def test_terraform_reads_the_documented_hook_to_the_letter(
    states: tuple[Synthesised, Synthesised], terraform: Terraform, tmp_path: Path
) -> None:
    before, after = (state.stack("admin")["resource"]["spacelift_stack"] for state in states)
    hooks = after["shop"]["before_init"]
    assert "spacelift-run-$${TF_VAR_spacelift_run_id}" in hooks[0]
    (tmp_path / "main.tf.json").write_text(json.dumps({"locals": {"before_init": hooks}}))
    read = json.loads(json.loads(terraform.evaluate(tmp_path, "jsonencode(local.before_init)")))
    assert read == [HOOK, GUARD, *before["shop"]["before_init"]]
    assert after["other"] == before["other"]


def test_terraform_accepts_the_whole(states: tuple[Synthesised, Synthesised], terraform: Terraform) -> None:
    """But for the providers, which are not to be had."""
    folder = states[1].folder / "cdktf.out/stacks/shop"
    assert terraform.complaints(folder) <= {"Failed to query available provider packages"}


def test_backend_and_remote_state_sign_in_by_themselves(
    synthesised: tuple[Synthesised, ...], terraform: Terraform, tmp_path: Path
) -> None:
    """Terraform reads what the real cdktf makes of the dicts; only the token is missing here."""
    stack = synthesised[2].stack("shop")
    identity = {"role_arn": SPACELIFT, "web_identity_token_file": "/mnt/workspace/spacelift.oidc"}
    place = {"bucket": "webshop-terraform-state", "region": "eu-west-1"}
    backend = stack["terraform"]["backend"]["s3"]
    chained = {"role_arn": STATE_ROLE, "session_name": "shop"}
    assert backend == {**place, "key": "shop.tfstate", WEB_IDENTITY: identity, "assume_role": chained}
    config = stack["data"]["terraform_remote_state"]["dns"]["config"]
    assert config == {**place, "key": "dns.tfstate", WEB_IDENTITY: identity}
    (tmp_path / "main.tf.json").write_text(json.dumps({"terraform": {"backend": {"s3": backend}}}))
    said = subprocess.run(
        [terraform.path, "init", "-input=false", "-no-color"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "Cannot assume IAM Role with web identity" in said.stderr
    admin = synthesised[2].stack("admin")["resource"]["spacelift_stack"]
    assert admin == synthesised[0].stack("admin")["resource"]["spacelift_stack"]
