"""Who signs: what is predicted is what the real terraform does, against an emulated AWS that records each request."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from migrator.config.config import Config
from migrator.config.role_mapping import flag_mapping
from migrator.migrate.pipeline import migrate_repo
from migrator.model.fleet import RepoIdentity
from migrator.model.results import Mode, RepoResult, SigningRow
from migrator.report.text import summary
from migrator.terraform.backends import s3_backends
from migrator.terraform.signing import (
    INCOMPLETE,
    NO_PROFILE,
    ConfiguredSignIn,
    Environment,
    Signer,
    backend_sign_in,
    signer,
)
from migrator.workspace.discover import listing, walk
from migrator.workspace.workspace import Workspace
from tests.conftest import Terraform, _wait_for

KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
ENV_KEY_ID, ENV_SECRET = "AKIAI44QH8DHBEXAMPLE", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY"
ROLE = "arn:aws:iam::123456789012:role/spacelift"
STATE = "arn:aws:iam::111122223333:role/state"
OURS = "arn:aws:iam::123456789012:role/from-the-environment"

WEB_IDENTITY = f'assume_role_with_web_identity = {{\n role_arn = "{ROLE}"\n web_identity_token_file = "token"\n}}\n'
ASSUME = f'assume_role = {{\n role_arn = "{STATE}"\n}}\n'
KEYS = f'access_key = "{KEY_ID}"\nsecret_key = "{SECRET}"\n'
ENV_KEYS = {"AWS_ACCESS_KEY_ID": ENV_KEY_ID, "AWS_SECRET_ACCESS_KEY": ENV_SECRET}
ENV_ROLE = {"AWS_ROLE_ARN": OURS, "AWS_WEB_IDENTITY_TOKEN_FILE": "token"}
EMPTY = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": ""}
NOWHERE = {"AWS_EC2_METADATA_DISABLED": "true"}
NONE_FOUND = "fails: No valid credential sources found"


@dataclass(frozen=True)
class Case:
    name: str
    block: str
    environment: dict[str, str]
    expected: str
    is_instance: bool = False

    @property
    def surroundings(self) -> Environment:
        """The environment as the prediction knows it; there are no profiles at all."""
        return Environment(
            has_keys=bool(self.environment.get("AWS_ACCESS_KEY_ID")),
            web_identity=self.environment.get("AWS_ROLE_ARN", ""),
            profile=self.environment.get("AWS_PROFILE", ""),
            profiles=frozenset(),
            default=Signer("the instance's role") if self.is_instance else Signer(NONE_FOUND, is_failure=True),
        )


NAMES = {
    KEY_ID: "static key AKIA…MPLE",
    ENV_KEY_ID: "keys in the environment",
    "ASIAIOSFODNN7EXAMPLE": "the instance's role",
}
_SIGNED = re.compile(r"Credential=(?P<key>\w+)/\d+/[\w-]+/(?P<service>\w+)/")

BY_ROLE, BY_KEY = f"web identity {ROLE}", "static key AKIA…MPLE"
CASES = [
    Case("web identity", WEB_IDENTITY, {}, BY_ROLE),
    Case("web identity, keys around", WEB_IDENTITY, ENV_KEYS, BY_ROLE),
    Case("web identity and keys", WEB_IDENTITY + KEYS, {}, BY_KEY),
    Case("web identity and keys, keys around", WEB_IDENTITY + KEYS, ENV_KEYS, BY_KEY),
    Case("web identity and a key id", f'{WEB_IDENTITY}access_key = "{KEY_ID}"\n', {}, INCOMPLETE.title),
    Case("web identity and a token", f'{WEB_IDENTITY}token = "x"\n', ENV_KEYS, INCOMPLETE.title),
    Case("web identity and a profile", f'{WEB_IDENTITY}profile = "prod"\n', {}, NO_PROFILE.title),
    Case("web identity, a profile around", WEB_IDENTITY, {"AWS_PROFILE": "prod"}, NO_PROFILE.title),
    Case(
        "web identity and a missing file", f'{WEB_IDENTITY}shared_credentials_files = ["no/such/file"]\n', {}, BY_ROLE
    ),
    Case("web identity and a role", WEB_IDENTITY + ASSUME, ENV_KEYS, f"{BY_ROLE}, then role {STATE}"),
    Case("a role, keys around", ASSUME, ENV_KEYS, f"keys in the environment, then role {STATE}"),
    Case("a role around", "", ENV_ROLE, f"web identity {OURS}"),
    Case("a role and keys around", "", ENV_ROLE | ENV_KEYS, "keys in the environment"),
    Case("keys, others around", KEYS, ENV_KEYS | {"AWS_SESSION_TOKEN": "other"}, BY_KEY),
    Case("keys and a role", KEYS + ASSUME, {}, f"{BY_KEY}, then role {STATE}"),
    Case("empty variables on an instance", "", EMPTY, "the instance's role", is_instance=True),
    Case("empty variables", "", EMPTY | NOWHERE, NONE_FOUND),
    Case("a profile", 'profile = "prod"\n', ENV_KEYS, NO_PROFILE.title),
]


@dataclass(frozen=True)
class Aws:
    """An emulated AWS that keeps a record of what it was asked."""

    url: str
    record: Path = field(compare=False)

    def ask(self, path: str, method: str = "POST") -> None:
        urllib.request.urlopen(
            urllib.request.Request(f"{self.url}/moto-api/recorder/{path}", method=method), timeout=10
        )

    def requests(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.record.read_text().splitlines()] if self.record.exists() else []


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    record = tmp_path_factory.mktemp("aws") / "record"
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    environment = {**os.environ, "MOTO_RECORDER_FILEPATH": str(record)}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as server:
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_for(url + "/moto-api/data.json", server)
            header = {"Authorization": f"AWS4-HMAC-SHA256 Credential={KEY_ID}/20260101/us-east-1/s3/aws4_request"}
            urllib.request.urlopen(urllib.request.Request(f"{url}/state", method="PUT", headers=header), timeout=10)
            yield Aws(url, record)
        finally:
            server.terminate()


class _Instance(BaseHTTPRequestHandler):
    """The metadata service of an instance that has a role."""

    def do_PUT(self) -> None:
        self._answer("token")

    def do_GET(self) -> None:
        keys = {"AccessKeyId": "ASIAIOSFODNN7EXAMPLE", "SecretAccessKey": SECRET, "Token": "token"}
        more = {"Code": "Success", "Type": "AWS-HMAC", "Expiration": "2099-01-01T00:00:00Z"}
        self._answer(json.dumps(keys | more) if self.path.endswith("/worker") else "worker")

    def _answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def instance() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Instance) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def predicted(folder: Path, case: Case) -> str:
    workspace = Workspace(listing(folder, walk(folder)), RepoIdentity("shop"))
    backends = s3_backends(workspace.modules[""])
    return signer(backend_sign_in(workspace, backends), case.surroundings).title


def observed(aws: Aws, complaint: str) -> str:
    """What the record says of who signed the requests for the state."""
    for failure in (INCOMPLETE.title, NO_PROFILE.title, NONE_FOUND):
        if failure.removeprefix("fails: ") in complaint:
            return failure
    assert complaint == ""
    asked = [urllib.parse.parse_qs(base64.b64decode(request["body"] or "").decode()) for request in aws.requests()]
    roles = [(request["Action"][0], request["RoleArn"][0]) for request in asked if "RoleArn" in request]
    first = [role for action, role in roles if action == "AssumeRoleWithWebIdentity"]
    then = [role for action, role in roles if action == "AssumeRole"]
    used = [
        match for request in aws.requests() if (match := _SIGNED.search(request["headers"].get("Authorization", "")))
    ]
    assert used[-1]["service"] == "s3"
    assert (used[-1]["key"] in NAMES) != bool(roles), "the last role signs for the state, or else the first key"
    base = f"web identity {first[0]}" if first else NAMES[used[0]["key"]]
    return ", then ".join((base, *(f"role {fromkey}" for fromkey in dict.fromkeys(then))))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_terraform_signs_as_predicted(
    tmp_path: Path, terraform: Terraform, aws: Aws, instance: str, case: Case
) -> None:
    fixed = (
        'bucket = "state"\nkey = "terraform.tfstate"\nregion = "eu-west-1"\nuse_path_style = true\nmax_retries = 1\n'
    )
    (tmp_path / "main.tf").write_text(f'terraform {{\nbackend "s3" {{\n{fixed}{case.block}}}\n}}\n')
    (tmp_path / "token").write_text("eyJhbGciOiJub25lIn0.eyJzdWIiOiJzcGFjZTpyb290In0.")
    around = {name: os.environ[name] for name in ("PATH", "HOME", "TF_CLI_CONFIG_FILE", "CHECKPOINT_DISABLE")}
    around |= {f"AWS_ENDPOINT_URL_{name}": aws.url for name in ("S3", "STS", "IAM")}
    around |= {"AWS_EC2_METADATA_SERVICE_ENDPOINT": instance} if case.is_instance else NOWHERE
    aws.ask("reset-recording")
    aws.ask("start-recording")
    done = subprocess.run(
        [terraform.path, "init", "-input=false", "-no-color"],
        cwd=tmp_path,
        env=around | case.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    aws.ask("stop-recording")
    assert observed(aws, done.stderr) == predicted(tmp_path, case) == case.expected
    if case.block == KEYS:
        assert not any("X-Amz-Security-Token" in request["headers"] for request in aws.requests())


PLACE = 'bucket = "state"\nkey = "terraform.tfstate"\nregion = "eu-west-1"\nuse_path_style = true\nmax_retries = 1\n'
FLAT_ROLE = f'role_arn = "{STATE}"\nsession_name = "shop"\nassume_role_duration_seconds = 1800\n'


@pytest.mark.parametrize(
    ("body", "options", "expected"),
    [
        (FLAT_ROLE, {}, f"web identity {STATE}"),
        (ASSUME, {}, f"web identity {STATE}"),
        (KEYS + FLAT_ROLE, {"backend_role_arn": ROLE}, f"{BY_ROLE}, then role {STATE}"),
        (KEYS + ASSUME, {"backend_role_arn": ROLE}, f"{BY_ROLE}, then role {STATE}"),
        (f'{FLAT_ROLE}external_id = "shop"\n', {"backend_role_arn": ROLE}, f"{BY_ROLE}, then role {STATE}"),
        ('profile = "prod"\n', {"role_arn": ROLE}, BY_ROLE),
        (KEYS, {"role_arn": ROLE}, BY_ROLE),
        (WEB_IDENTITY + KEYS, {}, BY_ROLE),
        (f'{WEB_IDENTITY}role_arn = "{STATE}"\n', {}, f"{BY_ROLE}, then role {STATE}"),
    ],
)
def test_a_migrated_backend_signs_as_its_table_says(
    tmp_path: Path, terraform: Terraform, aws: Aws, body: str, options: dict[str, Any], expected: str
) -> None:
    """By itself, on the engine that is installed, and nobody else's keys around."""
    (tmp_path / "token").write_text("eyJhbGciOiJub25lIn0.eyJzdWIiOiJzcGFjZTpyb290In0.")
    text = f'terraform {{\nrequired_version = ">= 1.10"\nbackend "s3" {{\n{PLACE}{body}}}\n}}\n'
    (tmp_path / "main.tf").write_text(text)
    config = Config(mode=Mode.IN_PLACE, token_file=str(tmp_path / "token"), **options)
    (row,) = migrate_repo(str(tmp_path), config).signers
    done, requests = initialised(terraform, aws, tmp_path)
    assert observed(aws, done.stderr) == row.after == expected
    sessions = {request["RoleSessionName"][0] for request in requests if request.get("RoleArn") == [STATE]}
    assert sessions == {"shop"} or "session_name" not in body


def initialised(
    terraform: Terraform, aws: Aws, folder: Path
) -> tuple[subprocess.CompletedProcess[str], list[dict[str, list[str]]]]:
    """What ``terraform init`` said in ``folder``, and the parameters of what it asked AWS."""
    around = {name: os.environ[name] for name in ("PATH", "HOME", "TF_CLI_CONFIG_FILE", "CHECKPOINT_DISABLE")}
    around |= {f"AWS_ENDPOINT_URL_{name}": aws.url for name in ("S3", "STS", "IAM")} | NOWHERE
    aws.ask("reset-recording")
    aws.ask("start-recording")
    command = [terraform.path, "init", "-input=false", "-no-color"]
    done = subprocess.run(command, cwd=folder, env=around, capture_output=True, text=True, check=False, timeout=60)
    aws.ask("stop-recording")
    bodies = (base64.b64decode(request["body"] or "").decode() for request in aws.requests())
    return done, [urllib.parse.parse_qs(body) for body in bodies]


@pytest.mark.parametrize(
    ("block", "environment", "expected"),
    [
        (ConfiguredSignIn(profile="prod", named="profile prod"), Environment(), "profile prod"),
        (ConfiguredSignIn(profile="prod", web_identity=ROLE), Environment(), f"{BY_ROLE}, if there is a profile prod"),
        (ConfiguredSignIn(profile="prod", web_identity=ROLE), Environment(profiles=frozenset({"prod"})), BY_ROLE),
        (ConfiguredSignIn(named="a shared credentials file"), Environment(), "a shared credentials file"),
        (ConfiguredSignIn(named="a shared credentials file"), Environment(has_keys=True), "keys in the environment"),
        (ConfiguredSignIn(assumed=("a", "b")), Environment(), "the environment, then role a, then role b"),
        (ConfiguredSignIn(), Environment(profile="prod"), "profile prod"),
        (ConfiguredSignIn(frozenset({"secret_key"}), "a static key", assumed=("a",)), Environment(), INCOMPLETE.title),
    ],
)
def test_what_else_is_predicted(block: ConfiguredSignIn, environment: Environment, expected: str) -> None:
    assert signer(block, environment).title == expected


# The table


def migrated(folder: Path, files: dict[str, str], **options: Any) -> RepoResult:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return migrate_repo(str(folder), Config(mode=Mode.CHECK, **options))


def provider(body: str, alias: str = "") -> str:
    return f'provider "aws" {{\n{f"  alias = {json.dumps(alias)}" if alias else ""}\n{body}}}\n'


def test_the_table_of_a_root_module_with_all_that_signs(tmp_path: Path) -> None:
    keys = f'  access_key = "{KEY_ID}"\n  secret_key = "{SECRET}"\n'
    files = {
        "live/main.tf": provider(keys)
        + provider('  profile = "dns"\n  assume_role {\n    role_arn = var.dns\n  }\n', "dns")
        + f'terraform {{\n  backend "s3" {{\n    bucket   = "b"\n    role_arn = "{STATE}"\n  }}\n}}\n'
        + f'data "terraform_remote_state" "hub" {{\n  backend = "s3"\n  config  = {{ role_arn = "{STATE}" }}\n}}\n'
        + 'data "terraform_remote_state" "old" {\n  backend = "s3"\n  config {\n    profile = "old"\n  }\n}\n'
        + 'data "terraform_remote_state" "other" {\n  backend = "gcs"\n}\n'
        + 'module "child" {\n  source = "../child"\n  key    = var.key\n}\n',
        "child/main.tf": provider("  access_key = var.key\n  secret_key = var.secret\n", "child"),
        "emulated/main.tf": provider('  access_key = "test"\n  endpoints {\n    s3 = "http://localhost:4566"\n  }\n'),
        "ambient/main.tf": provider('  region = "eu-west-1"\n'),
    }
    rows = migrated(tmp_path, files, roles=(flag_mapping(f"alias:child={ROLE}"),)).signers
    hook = f"web identity {STATE}, by the hook, after you paste the hook"
    assert [(row.root, row.who, row.before, row.after) for row in rows] == [
        ("live", 'backend "s3"', f"the environment, then role {STATE}", hook),
        ("live", "data.terraform_remote_state.hub", f"the environment, then role {STATE}", hook),
        ("live", "data.terraform_remote_state.old", "profile old", hook),
        ("live", 'provider "aws"', "static key AKIA…MPLE", "web identity var.aws_role_arn"),
        (
            "live",
            'provider "aws" (dns)',
            "profile dns, then role var.dns",
            "web identity var.aws_role_arn_dns, then role var.dns",
        ),
        ("live", 'provider "aws" (child) in child', "static key var.key", f"web identity {ROLE}"),
    ]


def test_what_is_refused_signs_as_before(tmp_path: Path) -> None:
    aws = 'aws = { source = "hashicorp/aws", version = "~> 3.0" } # tf-oidc-migrate:ignore'
    text = f"terraform {{\n  required_providers {{\n    {aws}\n  }}\n"
    backend = '  backend "s3" {\n    bucket  = "b"\n    profile = "state"\n  }\n}\n'
    result = migrated(tmp_path, {"main.tf": text + backend + provider('  profile = "prod"\n')})
    assert result.is_refused
    assert [row.after for row in result.signers if row.who.startswith("provider")] == ["profile prod"]


def test_a_state_that_a_refused_group_signs_for_has_no_hook(tmp_path: Path) -> None:
    backend = 'terraform {\n  backend "s3" {\n    bucket   = "b"\n    role_arn = "not-an-arn"\n  }\n}\n'
    (row,) = migrated(tmp_path, {"main.tf": backend}).signers
    assert row == SigningRow(".", 'backend "s3"', *(["the environment, then role not-an-arn"] * 2), is_keyless=True)


def test_a_condition_is_no_key(tmp_path: Path) -> None:
    keys = "".join(f'  {name} = var.is_local ? "test" : var.{name}\n' for name in ("access_key", "secret_key"))
    (row,) = migrated(tmp_path, {"main.tf": provider(keys)}).signers
    assert row.before == "static key var.access_key"


@pytest.mark.parametrize(("key", "source"), [('<<EOT\n  } # " ? :\nEOT', ""), ("<<EOT\n${var.key}\nEOT", " var.key")])
def test_a_key_in_a_heredoc_has_an_origin(key: str, source: str, tmp_path: Path) -> None:
    (row,) = migrated(tmp_path, {"main.tf": provider(f"  access_key = {key}\n  secret_key = var.secret\n")}).signers
    assert row.before == f"static key{source}" if source else "a static key"


def test_an_overriding_file_counts(tmp_path: Path) -> None:
    files = {
        "main.tf": provider('  profile = "one"\n'),
        "main_override.tf": provider('  profile = "two"\n  assume_role {\n    role_arn = var.role\n  }\n'),
    }
    (row,) = migrated(tmp_path, files).signers
    assert row.before == "profile two, then role var.role"
    assert row.after == "web identity var.aws_role_arn, then role var.role"


def test_a_partial_configuration_counts(tmp_path: Path) -> None:
    files = {"main.tf": 'terraform {\n  backend "s3" {}\n}\n', "live.tfbackend": 'bucket  = "b"\nprofile = "state"\n'}
    (row,) = migrated(tmp_path, files).signers
    assert (row.before, row.after) == (
        "profile state",
        "web identity $TF_VAR_aws_role_arn, by the hook, after you paste the hook",
    )


@pytest.mark.parametrize(
    "files",
    [
        {"main.tf": provider('  region = "eu-west-1"\n')},
        {"main.tf": 'resource "null_resource" "x" {}\n'},
        {"main.tf": 'terraform {\n  backend "s3" {\n    bucket = "b"\n  }\n}\n'},
        {"main.tf": provider(WEB_IDENTITY.replace(" = {", " {", 1))},
        {},
    ],
)
def test_where_nothing_is_to_be_changed_there_is_no_table(tmp_path: Path, files: dict[str, str]) -> None:
    assert migrated(tmp_path, files).signers == ()


def test_the_summary_tells_what_changes_or_is_still_static(tmp_path: Path) -> None:
    files = {
        "main.tf": provider('  profile = "prod"\n')
        + provider('  profile = "kept" # tf-oidc-migrate:ignore\n', "kept")
        + provider(WEB_IDENTITY.replace(" = {", " {", 1), "done"),
    }
    result = migrated(tmp_path, files, role_arn=STATE)
    shown = summary(result, verbose=True)
    assert f'  .: provider "aws": profile prod -> web identity {STATE}\n' in shown
    assert '  .: provider "aws" (kept): profile kept, as before\n' in shown
    assert f'  .: provider "aws" (done): web identity {ROLE}, as before\n' in shown
    assert "Who signs in" not in summary(result)


def test_the_table_of_a_root_module_that_signs_in_by_itself(tmp_path: Path) -> None:
    remote = 'data "terraform_remote_state" "hub" {\n  backend = "s3"\n  config = {\n    role_arn = var.hub\n  }\n}\n'
    backend = f'backend "s3" {{\n    bucket = "b"\n    role_arn = "{STATE}"\n  }}\n'
    files = {
        "main.tf": f'terraform {{\n  required_version = ">= 1.6"\n  {backend}}}\n',
        "rest.tf": remote + provider('  region = "eu-west-1"\n'),
    }
    assert [(row.who, row.before, row.after) for row in migrated(tmp_path, files).signers] == [
        ('backend "s3"', f"the environment, then role {STATE}", f"web identity {STATE}"),
        ("data.terraform_remote_state.hub", "the environment, then role var.hub", "web identity var.hub"),
        ('provider "aws"', "the environment", "the environment"),
    ]
