"""Mentions of AWS credentials are found in any text, and each has an account."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from migrator.census import accounts
from migrator.census.kinds import FileKind, file_kind
from migrator.census.mentions import Mention, in_file
from migrator.config.config import Config
from migrator.migrate.pipeline import migrate_repo
from migrator.model.findings import LeftAlone
from migrator.model.fleet import RepoIdentity
from migrator.model.results import Mode, RepoResult
from migrator.report.text import summary
from migrator.workspace.discover import listing, walk
from migrator.workspace.workspace import Workspace

HOOK = (
    'export $(printf "AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s AWS_SESSION_TOKEN=%s" '
    "$(aws sts assume-role-with-web-identity --query Credentials))"
)


def words(text: str) -> list[tuple[int, str]]:
    return [(mention.line, mention.word) for mention in in_file(text.encode())]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('provider "aws" {\n  profile = "shop"\n}\n', [(2, "profile")]),
        ('provider "aws" {\n  access_key="x"\n  secret_key   =   "y"\n}\n', [(2, "access_key"), (3, "secret_key")]),
        ('{"provider": {"aws": {"shared_credentials_files": ["x"]}}}', [(1, "shared_credentials_files")]),
        ("shared_config_files:\n  - x\nprofile : y\n", [(1, "shared_config_files"), (3, "profile")]),
        ("new AwsProvider(this, 'aws', {accessKey: k, secretKey: s})", [(1, "accessKey"), (1, "secretKey")]),
        ("&aws.AwsProviderConfig{AccessKey: k, Profile: p}", [(1, "AccessKey"), (1, "Profile")]),
        ("AwsProvider.Builder.create(this).profile(p).build()", [(1, "profile")]),
        ("builder\n  profile(p)", [(2, "profile")]),
        ("env:\n  AWS_ACCESS_KEY_ID: x\n", [(2, "AWS_ACCESS_KEY_ID")]),
        ("export PROD_AWS_SECRET_ACCESS_KEY=x", [(1, "AWS_SECRET_ACCESS_KEY")]),
        ("export TF_VAR_AWS_PROFILE=x AWS_PROFILES=y NAWS_PROFILE=z", []),
        ("aws s3 ls --profile shop --profile-name x", [(1, "--profile")]),
        ("terraform init -backend-config=live.hcl", [(1, "-backend-config")]),
        ("terraform init -backend-config=key=shop", []),
        ("terraform init -backend-config='role_arn=x'", [(1, "-backend-config=role_arn")]),
        ('arguments = ["-backend-config", "profile=x"]', [(1, "-backend-config=profile")]),
        ("key AKIA" + "QYLPMN" + "5HHHFPZAM2 here", [(1, "access key")]),
        ("key AKIAIOSFODNN7EXAMPLE here", []),
        ("# AWS_PROFILE=shop\n  // profile = x\n * profile: x\n", []),
        ('{ /* profile = "x", */ bucket = "b" }', []),
        ('{"//": {"role_arn": "x"}, "role_arn": "y"}', [(1, "role_arn")]),
        (HOOK, []),
        ('test -n "$AWS_SESSION_TOKEN"\nunset AWS_PROFILE', []),
        ('assume_role_with_web_identity = {\n  role_arn = "x"\n}', []),
        ('assume_role = {\n  role_arn = "x"\n}', [(2, "role_arn")]),
        ("instance_profile = 1\nvar.profile == 2\nmy-profile: 3\nprofile => 4", []),
    ],
)
def test_what_mentions_credentials(text: str, found: list[tuple[int, str]]) -> None:
    assert words(text) == found


@pytest.mark.unit
def test_a_long_line_is_read_in_no_time() -> None:
    """Two million characters on a line, with a word that begins as a mention in every tenth."""
    assert words("profile; " * 200_000 + 'profile = "x"') == [(1, "profile")]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("main.tf", FileKind.TERRAFORM),
        ("app.tofu.json", FileKind.TERRAFORM),
        ("plan.tfquery.hcl", FileKind.TERRAFORM),
        ("aws.tfcomponent.hcl", FileKind.TERRAFORM),
        ("live/company.hcl", FileKind.TERRAFORM),
        ("stack.tm.hcl", FileKind.TERRAFORM),
        (".spacelift/config.yml", FileKind.TERRAFORM),
        ("image.pkr.hcl", FileKind.OTHER),
        ("docs/README.md", FileKind.DOCUMENTATION),
        ("Makefile", FileKind.COMMANDS),
        (".github/workflows/plan.yml", FileKind.COMMANDS),
        (".gitlab-ci.yml", FileKind.COMMANDS),
        ("buildspec.yml", FileKind.COMMANDS),
        (".envrc", FileKind.COMMANDS),
        ("prod.env", FileKind.COMMANDS),
        ("docker-compose.yml", FileKind.COMMANDS),
        ("app/Dockerfile", FileKind.COMMANDS),
        ("main.go", FileKind.PROGRAM),
        ("values.yaml", FileKind.OTHER),
    ],
)
def test_what_a_file_is(path: str, kind: FileKind) -> None:
    assert file_kind(path, b"") is kind
    assert file_kind("bin/plan", b"#!/bin/sh") is FileKind.COMMANDS


def made(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def preview(folder: Path) -> RepoResult:
    return migrate_repo(str(folder), Config(mode=Mode.PREVIEW))


@pytest.mark.unit
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("provider.tf.tpl", 'provider "aws" {\n  profile = "${profile}"\n}\n'),
        ("backend.j2", 'terraform {\n  backend "s3" {\n    role_arn = "{{ role }}"\n  }\n}\n'),
        ("infra.ts", "new S3Backend(this, {\n  profile: 'shop',\n})\n"),
        ("infra.go", 'aws.NewAwsProvider(s, "aws", &aws.AwsProviderConfig{Profile: p}) // AwsProvider\n'),
        ("gen.py", 'print(\'provider "aws" { profile = "shop" }\')\n'),
        ("hooks.yaml", "before_init:\n  - export AWS_PROFILE=shop\n"),
        ("live/company.hcl", 'terraform {\n  before_hook "login" {\n    execute = ["aws", "--profile", "x"]\n  }\n}\n'),
    ],
)
def test_nothing_to_migrate_is_not_said_of_what_was_not_understood(tmp_path: Path, path: str, text: str) -> None:
    result = preview(made(tmp_path, {path: text, "main.tf": 'resource "null_resource" "a" {}\n'}))
    assert len(result.not_understood) == 1
    assert result.not_understood[0].startswith(f"{path}:")
    told = summary(result)
    assert "nothing to migrate" not in told
    assert "1 line with AWS credentials not understood" in told
    assert told.count(result.not_understood[0]) == 2
    assert not result.is_failed


@pytest.mark.unit
def test_a_repository_without_terraform_is_counted_too(tmp_path: Path) -> None:
    result = preview(made(tmp_path, {"hooks/init.yaml": "before_plan: export AWS_SECRET_KEY=x\n", "README.md": "hi\n"}))
    assert result.not_understood == ("hooks/init.yaml:1",)


@pytest.mark.unit
def test_a_key_in_a_file_of_no_interest_is_told_by_its_place_alone(tmp_path: Path) -> None:
    key = "AKIA" + "QYLPMN5HHHFPZAM2"
    result = preview(made(tmp_path, {"notes.md": f"the key is {key}\n"}))
    [finding] = result.findings
    assert isinstance(finding.fix, LeftAlone)
    assert (finding.fix.code, str(finding.place)) == ("access-key-elsewhere", "notes.md:1")
    assert key not in summary(result)


@pytest.mark.unit
def test_the_census_needs_no_rule(tmp_path: Path) -> None:
    """Without any finding, what a rule would find is not understood."""
    made(tmp_path, {"main.tf": 'provider "aws" {\n  profile = "shop"\n}\n'})
    workspace = Workspace(listing(tmp_path, walk(tmp_path)), RepoIdentity("shop"))
    [finding] = accounts.findings(workspace, ())
    assert str(finding.place) == "main.tf:2"
    assert "not understood" not in summary(preview(tmp_path))


@pytest.mark.unit
def test_what_is_excluded_or_ignored_is_not_counted(tmp_path: Path) -> None:
    text = 'provider "aws" { # tf-oidc-migrate:ignore\n  profile = "shop"\n}\n'
    made(tmp_path, {"main.tf": text, "old/backend.tpl": 'backend "s3" {\n  profile = "x"\n}\n'})
    result = migrate_repo(str(tmp_path), Config(mode=Mode.PREVIEW, exclude=("old",)))
    assert [finding for finding in result.findings if finding.rule == "census"] == []


@pytest.mark.unit
def test_an_offset_is_one_of_bytes(tmp_path: Path) -> None:
    assert list(in_file("é\nprofile = 1".encode())) == [Mention(2, 3, "profile", is_argument=True)]


@pytest.mark.unit
def test_providers_and_backends_that_name_no_credentials_are_counted(tmp_path: Path) -> None:
    text = 'terraform {\n  backend "s3" {\n    bucket = "b"\n    key    = "k"\n  }\n}\n\nprovider "aws" {\n}\n'
    result = preview(made(tmp_path, {"main.tf": text}))
    assert [str(place) for place in result.run_credentials] == ["main.tf:2", "main.tf:8"]


@pytest.mark.case
def test_a_text_file_that_is_too_large_is_told(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('provider "aws" {\n  region = "eu-west-1"\n}\n')
    (tmp_path / "dump.sql").write_bytes(b"AWS_PROFILE=x\n" + b" " * 2_000_000)
    (tmp_path / "photo.raw").write_bytes(b"\0AWS_PROFILE" + b" " * 2_000_000)
    result = migrate_repo(str(tmp_path), Config(mode=Mode.PREVIEW))
    assert [str(item.place) for item in result.findings if item.code == "not-read-large-file"] == ["dump.sql:1"]


@pytest.mark.case
def test_git_finds_the_same_mentions_as_python(tmp_path: Path) -> None:
    """git searches a checkout of many files; files that git does not look at, or has another copy of, are read."""
    names = ("profile", "AWS_PROFILE", "secretAccessKey", "haredConfigFiles", "--profile")
    texts = {
        "a b.tf": 'provider "aws" {\n  profile = "x"\n}\n',
        "nächste/main.ts": 'new AwsProvider(this, "aws", {\n  profile: "x",\n});\n',
        "app.tpl": 'backend "s3" {\n  role_arn = "${role}"\n}\n',
        ".env\ntwo": "AWS_PROFILE=x\n",
        ".gitattributes": "*.sh -diff -text binary\n",
        "run.sh": "aws --profile x s3 ls\n",
        "kept.sh": "aws s3 ls\n",
        **{f"text/{number}.txt": f"{names[number % 5]}\n" for number in range(200)},
    }
    for path, text in texts.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    for command in (("init", "-q"), ("add", "kept.sh", "text"), ("update-index", "--assume-unchanged", "kept.sh")):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    (tmp_path / "kept.sh").write_text("aws --profile x s3 ls\n")
    with_git = _told(tmp_path)
    shutil.rmtree(tmp_path / ".git")
    assert len(with_git) > 4
    assert with_git == _told(tmp_path)


def _told(folder: Path) -> list[tuple[str | None, str]]:
    found = migrate_repo(str(folder), Config(mode=Mode.PREVIEW)).findings
    return [(item.code, f"{item.place} {item.message}") for item in found]
