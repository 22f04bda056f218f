"""Codes: every message has one with a page, and refusals that a team accepts do not fail a run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from migrator.cli.explain import CODES, explain
from migrator.cli.main import cli
from migrator.config.config import Config
from migrator.migrate.accepted import FOLLOWING
from migrator.migrate.pipeline import migrate_repo
from migrator.model.catalogue import catalogue
from migrator.model.findings import Ignored, Refusal
from migrator.model.results import Mode, RepoResult

ROOT = Path(__file__).parents[2]
REFUSED = '{above}terraform {{\n  backend "s3" {{\n    bucket   = "b"\n    role_arn = "not-an-arn"\n  }}\n}}\n'
KEEP = 'provider "aws" {\n  profile = "x"\n}\n'


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def checked(folder: Path, **options: object) -> RepoResult:
    return migrate_repo(str(folder), Config(mode=Mode.CHECK, **options))  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "live").mkdir()
    (tmp_path / "live/main.tf").write_text(REFUSED.format(above=""))
    return tmp_path


@pytest.fixture
def code(folder: Path) -> str:
    refused = {item.code for item in checked(folder).findings if isinstance(item.fix, Refusal)}
    (found,) = refused - FOLLOWING
    assert found in catalogue()
    return found


def test_the_document_has_every_code() -> None:
    text = (ROOT / "docs" / "codes.md").read_text()
    assert text == explain(CODES), "run: tf-oidc-migrate --explain codes > docs/codes.md"
    assert set(re.findall(r"^## (\S+)$", text, re.MULTILINE)) == set(catalogue())


def test_a_code_is_kebab_case_and_belongs_to_one_message() -> None:
    declared = re.findall(
        r'Diagnostic\(\s*"([^"]+)"', "".join(file.read_text() for file in (ROOT / "migrator").rglob("*.py"))
    )
    assert sorted(declared) == sorted(set(declared)) == sorted(catalogue())
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", code) for code in catalogue())


EXTRAS = ("boto3", "botocore", "distributed", "github", "gitlab", "gql", "moto", "psutil", "requests", "urllib3")


def codes_without(*libraries: str) -> subprocess.CompletedProcess[str]:
    """The codes that a program prints that has none of the ``libraries``."""
    code = "import sys; sys.modules.update(dict.fromkeys(sys.argv[1:]))\n"
    code += "from migrator.model.catalogue import catalogue; print(*catalogue())"
    return subprocess.run([sys.executable, "-c", code, *libraries], capture_output=True, text=True, check=False)


def test_every_code_is_known_without_any_extra() -> None:
    done = codes_without(*EXTRAS)
    assert done.stdout.split() == list(catalogue()), done.stderr


def test_no_code_is_missing_because_a_library_of_the_program_is() -> None:
    assert "ModuleNotFoundError: import of yaml" in codes_without("yaml").stderr


def test_the_list_has_all_and_each_has_a_page() -> None:
    listed = run("--explain").output
    for code in catalogue():
        assert f"\n  {code} " in listed
        page = run("--explain", code)
        assert page.exit_code == 0
        assert f"# {code}\n" in page.output
        assert "{" not in explain(code).replace("${", "").partition("\n\n")[2].partition("\n\n")[0]


def test_an_accepted_refusal_is_counted_and_fails_nothing(folder: Path, code: str) -> None:
    assert run("--check", folder).exit_code == 4
    done = run("--check", "--ignore", code, folder)
    assert done.exit_code == 0, done.output
    assert "2 ignored" in done.stderr  # the backend, and its hook


def test_a_new_refusal_fails_in_spite_of_an_accepted_one(folder: Path, code: str) -> None:
    (folder / "tf-oidc-migrate.toml").write_text(f'[[paths]]\nglob = "live"\nignore = ["{code}"]\n')
    assert run("--check", folder).exit_code == 0
    (folder / "other").mkdir()
    (folder / "other/main.tf").write_text(REFUSED.format(above=""))
    assert run("--check", folder).exit_code == 4
    (folder / "tf-oidc-migrate.toml").write_text(f'ignore = ["{code}"]\n')
    assert run("--check", folder).exit_code == 0


@pytest.mark.parametrize("text", ['ignore = ["no-such-code"]\n', '[[paths]]\nglob = "x"\nignore = ["no-such-code"]\n'])
def test_an_unknown_code_in_the_settings_file(folder: Path, text: str) -> None:
    (folder / "tf-oidc-migrate.toml").write_text(text)
    done = run("--check", folder)
    assert done.exit_code == 3
    assert "The code `no-such-code` does not exist" in done.stderr
    assert run("--check", "--config", folder / "tf-oidc-migrate.toml", folder).exit_code == 2


@pytest.mark.parametrize(
    "above", ["# tf-oidc-migrate:ignore[{}]\n", "# why: tf-oidc-migrate:ignore[x-y, {}]\n# because\n"]
)
def test_a_comment_accepts_a_refusal_there_alone(folder: Path, code: str, above: str) -> None:
    (folder / "live/main.tf").write_text(REFUSED.format(above=above.format(code)))
    assert code in [item.code for item in checked(folder).findings if isinstance(item.fix, Ignored)]
    assert checked(folder).is_whole
    (folder / "other").mkdir()
    (folder / "other/main.tf").write_text(REFUSED.format(above=""))
    assert checked(folder).is_refused


def test_a_comment_with_a_code_does_not_keep_a_block_from_being_migrated(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text("# tf-oidc-migrate:ignore[file-not-parsed]\n" + KEEP)
    assert run("--check", tmp_path).exit_code == 1
    (tmp_path / "main.tf").write_text("# tf-oidc-migrate:ignore\n" + KEEP)
    assert run("--check", tmp_path).exit_code == 0


def test_an_unknown_code_in_a_comment_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text("# tf-oidc-migrate:ignore[file-not-prased]\n" + KEEP)
    (note,) = [note for note in checked(tmp_path).notes if note.code == "unknown-code-in-comment"]
    assert note.subjects == ("main.tf:1",)
    assert "Did you mean `file-not-parsed`?" in note.help


def test_what_follows_from_an_accepted_refusal_is_accepted(folder: Path, code: str) -> None:
    """A refused hook keeps its backend from being migrated; accepting the refusal of the hook is enough."""
    refused = [item.code for item in checked(folder).findings if isinstance(item.fix, Refusal)]
    assert sorted(refused) != [code]
    assert {*refused} - {code} <= FOLLOWING
    assert checked(folder, ignore=(code,)).is_whole
    assert checked(folder, ignore=tuple(FOLLOWING)).is_refused
    other = folder / "other"
    other.mkdir()
    (other / "main.tf").write_text(REFUSED.format(above="# tf-oidc-migrate:ignore[" + code + "]\n"))
    left = {item.place.path for item in checked(folder).findings if isinstance(item.fix, Refusal)}
    assert left == {"live/main.tf"}
