"""The command line: options, streams, exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import migrator
from migrator.cli import cli
from tests.conftest import MakeRepo

PROVIDER = 'provider "aws" {\n  access_key = "AKIAIOSFODNN7EXAMPLE"\n}\n'
BROKEN = 'provider "aws" {\n  access_key = ##KEY##\n}\n'


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def program(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "migrator", *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, timeout=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "main.tf").write_text(PROVIDER)
    return tmp_path


def test_version() -> None:
    assert program("--version").stdout == f"tf-oidc-migrate {migrator.__version__}\n"


def test_help_is_a_page_that_names_every_exit_code() -> None:
    shown = run("--help").output
    assert len(shown.splitlines()) < 60
    for word in ("Action:", "Roles:", "Git:", "Scope:", "Output:", "Exit codes:", "130", "[default: spacelift-oidc]"):
        assert word in shown


def test_preview_prints_a_diff_and_changes_nothing(folder: Path) -> None:
    done = run("--preview", folder)
    assert done.exit_code == 0
    assert done.stdout.startswith("diff --git a/main.tf b/main.tf\n--- a/main.tf\n+++ b/main.tf\n@@")
    assert "AKIA" not in done.output
    assert "1 " not in done.stdout.splitlines()[0]
    assert "secrets are masked" in done.stderr
    assert (folder / "main.tf").read_text() == PROVIDER


def test_check_lists_the_files(folder: Path) -> None:
    done = run("--check", folder)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "  files:\n    main.tf\n    variables.tf\n" in done.stderr
    run("--in-place", folder)
    assert run("--check", folder).exit_code == 0


def test_in_place_needs_no_git(folder: Path) -> None:
    done = run("--in-place", folder)
    assert done.exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["main.tf", "variables.tf"]
    assert "rotate the keys, which git's history keeps, at main.tf:2" in done.stderr


def test_the_current_folder_is_the_default(folder: Path) -> None:
    done = program("--check", cwd=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(".: 2 files would change\n")


def test_quiet_says_only_what_went_wrong(folder: Path) -> None:
    assert run("--check", "-q", folder).output == ""
    (folder / "main.tf").write_text(BROKEN)
    assert "main.tf:2: the argument access_key has no value" in run("--check", "-q", folder).output


@pytest.mark.parametrize(
    "arguments",
    [
        ["--preview", "--check"],
        ["--preview", "--in-place"],
        ["--show-secrets"],
        ["--role-arn", "nonsense"],
        ["--backend-role-arn", "nonsense"],
        ["--token-file", "relative"],
        ["--message", ""],
        ["--no-such-option"],
        ["/no/such/folder"],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert "Usage:" in done.stderr
    assert program(*arguments).returncode == 2


def test_a_file_is_no_repository(folder: Path) -> None:
    assert run(folder / "main.tf").exit_code == 2


def test_what_cannot_be_processed_does_not_stop_the_rest(folder: Path, make_repo: MakeRepo) -> None:
    repo = make_repo({"a.tf": PROVIDER, "b/broken.tf": BROKEN}, name="repo2")
    done = run(repo.root, folder)
    assert done.exit_code == 3
    assert "b/broken.tf:2: the argument access_key has no value; the file was left as it is" in done.stderr
    assert "not a git repository" in done.stderr
    assert repo.branch() == "spacelift-oidc"
    assert (repo.root / "b/broken.tf").read_text() == BROKEN


def test_check_with_something_broken_is_3(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub/broken.tf").write_text(BROKEN)
    assert run("--check", folder).exit_code == 3


def test_a_closed_pipe_is_no_traceback(folder: Path) -> None:
    command = f"{sys.executable} -m migrator --preview {folder} | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


def test_an_internal_error_is_a_sentence_without_values(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("AKIAIOSFODNN7EXAMPLE")

    monkeypatch.setattr("migrator.pipeline.make_plan", fail)
    done = run("--preview", folder)
    assert done.exit_code == 3
    assert "internal error (KeyError at test_cli.py" in done.stderr
    assert "AKIA" not in done.output
