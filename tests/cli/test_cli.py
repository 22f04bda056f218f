"""The command line: options, streams, exit codes."""

from __future__ import annotations

import os
import re
import resource
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from click.testing import CliRunner, Result

import migrator
from migrator.cli.main import cli
from tests import program
from tests.conftest import MakeRepo, needed

PROVIDER = 'provider "aws" {\n  access_key = "AKIAIOSFODNN7EXAMPLE"\n}\n'
BROKEN = 'provider "aws" {\n  access_key = ##KEY##\n}\n'


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "main.tf").write_text(PROVIDER)
    return tmp_path


def test_no_report_holds_what_a_preview_shows() -> None:
    done = CliRunner().invoke(cli, ["--preview", "--show-secrets", "--report", "x.html", "."])
    assert done.exit_code == 2
    assert "exclude each other" in done.output


def test_version() -> None:
    done = subprocess.run([sys.executable, "-m", "migrator", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"tf-oidc-migrate {migrator.__version__}\n"


HEAVY = {"git", "hcl2", "jinja2", "lark", "libcst", "migrator.migrate.planning", "rich", "yaml"}
MOST_MODULES = 290
LOADED = (
    "import sys; from migrator.cli.main import execute\ntry: execute()\nfinally: print(*sys.modules, file=sys.stderr)"
)


def loaded(*arguments: object) -> set[str]:
    """The modules that a run of the program has loaded when it ends."""
    command = [sys.executable, "-c", LOADED, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_what_only_tells_loads_nothing(option: str) -> None:
    assert HEAVY & loaded(option) == set()
    assert "migrator.config.config" not in loaded(option)


def test_a_folder_of_no_interest_loads_no_rules(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('resource "aws_s3_bucket" "logs" {}\n')
    (tmp_path / "deploy.sh").write_text("terraform apply\n")
    (tmp_path / "terraform.tfvars").write_text('name = "logs"\n')
    assert HEAVY & loaded("--check", tmp_path) == set()


def test_a_check_loads_no_library_that_only_some_repositories_need(tmp_path: Path) -> None:
    shutil.copytree(Path(migrator.__file__).parent.parent / "fixtures" / "repos" / "webshop", tmp_path / "webshop")
    found = loaded("--check", tmp_path / "webshop")
    assert "migrator.migrate.planning" in found
    assert (HEAVY | {"dataclasses", "migrator.migrate.delivery"}) & found == {"migrator.migrate.planning"}
    assert len([name for name in found if name.startswith("migrator.")]) < MOST_MODULES


ENDED = (
    "import atexit, gc, sys; from migrator.__main__ import main\n"
    "atexit.register(lambda: print(gc.get_freeze_count(), gc.get_count()[0], file=sys.stderr))\nmain()"
)


@pytest.mark.parametrize("arguments", [("--check",), ("--version",), ("--no-such-option",)])
def test_nothing_that_a_run_loaded_is_searched_for_garbage_at_the_end(arguments: tuple[str], tmp_path: Path) -> None:
    command = [sys.executable, "-c", ENDED, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    frozen, young = map(int, done.stderr.splitlines()[-1].split())
    assert frozen > 100 * young


def test_help_is_a_page_that_names_every_exit_code() -> None:
    shown = run("--help-all").output
    assert len(shown.splitlines()) < 135
    for word in ("Action:", "Roles:", "Git:", "Scope:", "Output:", "Exit codes:", "130", "[default: spacelift-oidc]"):
        assert word in shown


def test_preview_prints_a_diff_and_changes_nothing(folder: Path) -> None:
    done = run("--preview", folder)
    assert done.exit_code == 0
    assert done.stdout.startswith("diff --git a/main.tf b/main.tf\n--- a/main.tf\n+++ b/main.tf\n@@")
    assert "AKIAIOSFODNN7EXAMPLE" not in done.output
    assert "AKIA…MPLE" in done.stderr
    assert "1 " not in done.stdout.splitlines()[0]
    assert "Secrets are masked" in done.stderr
    assert (folder / "main.tf").read_text() == PROVIDER


def test_a_preview_of_several_repositories_names_each(tmp_path: Path) -> None:
    for name in ("shop", "net"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_text(PROVIDER)
    lines = run("--preview", tmp_path / "shop", tmp_path / "net").stdout.splitlines()
    titles = [(number, line) for number, line in enumerate(lines) if line.startswith("# ")]
    assert [line.rpartition("/")[2] for _, line in titles] == ["shop", "net"]
    assert all(lines[number + 1].startswith("diff --git") for number, _ in titles)


def test_check_lists_the_files(folder: Path) -> None:
    done = run("--check", folder)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [os.path.relpath(folder / name) for name in ("main.tf", "variables.tf")]
    run("--in-place", folder)
    assert run("--check", folder).exit_code == 0


REFUSED = 'terraform {\n  backend "s3" {\n    bucket   = "b"\n    role_arn = "not-an-arn"\n  }\n}\n'
UNREADABLE = 'resource "null_resource" "x" {\n  triggers = {\n'


@pytest.mark.parametrize(
    ("files", "mode", "code"),
    [
        ({"main.tf": PROVIDER}, "--check", 1),
        ({"main.tf": PROVIDER}, "--preview", 0),
        ({"main.tf": REFUSED}, "--check", 4),
        ({"main.tf": REFUSED}, "--preview", 4),
        ({"main.tf": REFUSED}, "--in-place", 4),
        ({"a/main.tf": PROVIDER, "b/main.tf": REFUSED}, "--check", 1),
        ({"a/main.tf": PROVIDER, "b/main.tf": REFUSED}, "--in-place", 4),
        ({"a/main.tf": PROVIDER, "b/main.tf": REFUSED, "c/main.tf": BROKEN}, "--check", 3),
        ({"a/main.tf": PROVIDER, "c/main.tf": UNREADABLE}, "--check", 1),
        ({"main.tf": PROVIDER, "c.tf": UNREADABLE}, "--in-place", 0),
        ({"main.tf": PROVIDER, "c.tf": UNREADABLE + "    a = var.secret_key\n"}, "--in-place", 3),
        ({"main.tf": 'resource "null_resource" "x" {}\n', "c.tf": UNREADABLE}, "--check", 0),
    ],
)
def test_exit_codes(tmp_path: Path, files: dict[str, str], mode: str, code: int) -> None:
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    done = run(mode, tmp_path)
    assert done.exit_code == code, done.output
    assert ("[syntax-error]" in done.stderr) is (code == 3)


def test_in_place_needs_no_git(folder: Path) -> None:
    done = run("--in-place", folder)
    assert done.exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["main.tf", "variables.tf"]
    assert "Deactivate the AWS keys that were written in the code: main.tf:2" in done.stderr


def test_the_current_folder_is_the_default(folder: Path) -> None:
    done = program.run("--check", cwd=folder)
    assert (done.returncode, done.stdout) == (1, "main.tf\nvariables.tf\n")
    assert done.stderr.startswith(f"{folder.name}: 2 files would change\n")


def test_quiet_says_only_what_went_wrong(folder: Path) -> None:
    assert run("--check", "-q", folder).output == ""
    (folder / "main.tf").write_text(BROKEN)
    assert "main.tf:2: The file cannot be parsed: an argument has no value" in run("--check", "-q", folder).output


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
    assert program.run(*arguments).returncode == 2


def test_a_file_is_no_repository(folder: Path) -> None:
    assert run(folder / "main.tf").exit_code == 2


def test_what_cannot_be_processed_does_not_stop_the_rest(folder: Path, make_repo: MakeRepo) -> None:
    repo = make_repo({"a.tf": PROVIDER, "b/broken.tf": BROKEN}, name="repo2")
    done = run(repo.root, folder)
    assert done.exit_code == 3
    assert "b/broken.tf:2: The file cannot be parsed: an argument has no value." in done.stderr
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

    monkeypatch.setattr("migrator.migrate.planning.Planning", fail)
    done = run("--preview", folder)
    assert done.exit_code == 3
    assert "Internal error (KeyError at test_cli.py" in done.stderr
    assert "AKIA" not in done.output


@pytest.mark.parametrize(
    "body",
    [
        'access_key = trimspace("AKIAIOSFODNN7EXAMPL0 hunter2hunter2")',
        'secret_key = var.x ? "hunter2hunter2" : "other-hunter2"',
        "token = <<EOT\nhunter2hunter2\nEOT",
        'secret_key = "${"hunter2hunter2"}"',
        'token = join("", ["s.hunter2"])',
    ],
)
def test_no_form_of_a_secret_is_shown(tmp_path: Path, body: str) -> None:
    variable = 'variable "db_password" {\n  default = "hunter2-of-db"\n}\n'
    other = 'locals {\n  password = "pa$${x}hunter2"\n}\n'
    (tmp_path / "variables.tf").write_text(variable)
    (tmp_path / "main.tf").write_text(f'{other}provider "aws" {{\n  {body}\n}}\n{other.replace("locals", "output")}')
    shown = run("--preview", tmp_path)
    assert shown.exit_code in (0, 3, 4)
    assert "hunter2" not in shown.output
    assert "hunter2" in run("--preview", "--show-secrets", tmp_path).output


def test_a_long_line_beside_an_edit_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('locals {\n  x = "' + "aZ09+/-_" * 20_000 + '"\n}\n' + PROVIDER)
    assert run("--preview", tmp_path).exit_code == 0


@pytest.mark.parametrize(
    "text",
    [
        'provider "aws" {\n  alias   = "\\UFFFFFFFF"\n  profile = "x"\n}\n',
        "terraform {\n  required_providers {\n    aws = { source = a = b }\n  }\n}\n" + PROVIDER,
        'provider "aws" { profile = "me"\n  region = "x" }\n',
        'provider "aws" {\n  profile = "x"\n' + "  a {\n" * 3000 + "  }\n" * 3000 + "}\n",
        'provider "aws" {\n  profile = "x"\n  b = ' + "[" * 3000 + "]" * 3000 + "\n}\n",
        "\ufeffprovider".encode("utf-16").decode("latin-1"),
    ],
)
def test_odd_texts_end_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "main.tf").write_text(text, encoding="utf-8")
    done = run("--preview", tmp_path)
    assert done.exit_code in (0, 3, 4)
    assert "nternal error" not in done.output


def test_many_providers_in_one_file(tmp_path: Path) -> None:
    providers = (f'provider "aws" {{\n  alias   = "a{n}"\n  profile = "p{n}"\n}}\n' for n in range(400))
    (tmp_path / "main.tf").write_text("".join(providers))
    done = run("--check", tmp_path)
    assert done.exit_code == 1
    assert "  .: rewrites 400 providers\n" in done.stderr
    assert "  … and 396 more steps like these (-v lists all)\n" in done.stderr
    assert re.search(r"^  \d+\. Merge, and confirm one run of each stack", done.stderr, re.MULTILINE)
    assert (
        run("--check", "-v", tmp_path).stderr.count(". The provider signs in with web identity: var.aws_role_arn")
        == 400
    )


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("ba", ["dir,ba", "plain,batch"]),
        ("--prev", ["plain,--preview"]),
        ("shop --prev", ["plain,--preview"]),
        ("batch st", ["dir,st", "plain,status"]),
        ("batch --rep", ["plain,--repos-from", "plain,--report"]),
        ("batch shop --on-existing-branch re", ["plain,replace"]),
        ("batch status --s", ["plain,--state"]),
        ("trust --spacelift", ["plain,--spacelift-host"]),
    ],
)
def test_bash_completes_every_command(words: str, offered: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_TF_OIDC_MIGRATE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", f"tf-oidc-migrate {words}")
    monkeypatch.setenv("COMP_CWORD", str(len(words.split())))
    assert program.run().stdout.splitlines() == offered


def test_a_tab_in_bash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tf-oidc-migrate").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m migrator "$@"\n')
    (tmp_path / "tf-oidc-migrate").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    shell = pexpect.spawn(needed("bash"), ["--norc", "-i"], encoding="utf-8", timeout=60)
    shell.sendline('eval "$(_TF_OIDC_MIGRATE_COMPLETE=bash_source tf-oidc-migrate)"; echo re""ady')
    shell.expect("ready")
    shell.send("tf-oidc-migrate batch --on-existing-branch rep\t")
    shell.expect("replace ")
    shell.close(force=True)


def without_output(how: str, arguments: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """A run whose standard output is on a full disk, was closed, or has a reader that is gone."""
    command = shlex.join([sys.executable, "-m", "migrator", *arguments])
    redirected = {"full": "> /dev/full", "closed": ">&-", "gone": "| true"}[how]
    script = f"{command} {redirected}; exit ${{PIPESTATUS[0]}}"
    environment = {**os.environ, "XDG_STATE_HOME": str(cwd / "state")}
    return subprocess.run(
        [needed("bash"), "-c", script],
        cwd=cwd,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )


TRUST = ["trust", "--spacelift-host", "a.app.spacelift.io", "--role-arn", "arn:aws:iam::123456789012:role/x"]


@pytest.mark.parametrize("how", ["full", "closed", "gone"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["--preview", "repo"],
        ["--check", "repo"],
        ["--explain", "all"],
        ["--help"],
        ["--version"],
        ["batch", "--help"],
        ["batch", "--preview", "repo"],
        ["batch", "status"],
        TRUST,
    ],
    ids=" ".join,
)
def test_output_that_cannot_be_written(how: str, arguments: list[str], make_repo: MakeRepo, tmp_path: Path) -> None:
    make_repo({"main.tf": PROVIDER}, name="repo")
    if arguments == ["batch", "status"]:
        without_output(how, ["batch", "--check", "repo"], tmp_path)
    done = without_output(how, arguments, tmp_path)
    reason = {"full": "No space left on device", "closed": "it is closed", "gone": "Broken pipe"}[how]
    assert done.stderr.lower().endswith(f"error: standard output cannot be written: {reason}\n".lower())
    assert done.returncode == 3


@pytest.mark.parametrize("how", ["full", "closed"])
def test_a_run_that_prints_nothing_needs_no_output(how: str, make_repo: MakeRepo, tmp_path: Path) -> None:
    repo = make_repo({"main.tf": PROVIDER}, name="repo")
    assert without_output(how, ["--check", "--quiet", "repo"], tmp_path).returncode == 1
    assert without_output(how, ["repo"], tmp_path).returncode == 0
    assert repo.git("log", "--format=%s", "-1").strip() == "Sign in to AWS with Spacelift's OIDC token"


def test_reports_are_written_to_devices_as_they_are(make_repo: MakeRepo, tmp_path: Path) -> None:
    """A device is not replaced by a file."""
    make_repo({"main.tf": PROVIDER}, name="repo")
    (tmp_path / "full.json").symlink_to("/dev/full")
    done = program.run("--check", "repo", "--report", "full.json", cwd=tmp_path)
    assert done.returncode == 3
    assert "full.json cannot be written: No space left on device" in done.stderr
    assert Path("/dev/full").is_char_device()


def test_a_trust_module_on_a_full_disk(tmp_path: Path) -> None:
    def few_bytes() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    command = [sys.executable, "-m", "migrator", *TRUST, "--output", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, preexec_fn=few_bytes)
    assert done.returncode == 3
    assert "out/spacelift_trust.tf cannot be written: File too large" in done.stderr
    assert not list((tmp_path / "out").iterdir())


def test_two_folders_of_one_checkout(make_repo: MakeRepo, tmp_path: Path) -> None:
    repo = make_repo({"app/main.tf": PROVIDER, "net/main.tf": PROVIDER, "left/main.tf": PROVIDER}, name="mono")
    (tmp_path / "link").symlink_to("mono/net")
    folders = ("mono/app", "mono/net", "link", "mono/app/")
    shown = program.run("--preview", *folders, cwd=tmp_path)
    assert [line for line in shown.stdout.splitlines() if line.startswith("+++ ")] == [
        f"+++ b/{path}" for path in ("app/main.tf", "app/variables.tf", "net/main.tf", "net/variables.tf")
    ]
    assert program.run("--check", *folders, cwd=tmp_path).returncode == 1
    done = program.run(*folders, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("mono/app, mono/net: 4 files changed on the new branch")
    assert repo.git("log", "--format=%s", "main..spacelift-oidc").splitlines() == [
        "Sign in to AWS with Spacelift's OIDC token"
    ]
    changed = repo.git("diff", "--name-only", "main", "spacelift-oidc").splitlines()
    assert changed == ["app/main.tf", "app/variables.tf", "net/main.tf", "net/variables.tf"]


def test_a_folder_inside_of_another_that_is_given(make_repo: MakeRepo, tmp_path: Path) -> None:
    repo = make_repo({"app/main.tf": PROVIDER, "net/main.tf": PROVIDER}, name="mono")
    other = make_repo({"main.tf": PROVIDER}, name="mono/app/other")
    done = program.run("mono/app", "mono", "mono/app/other", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(repo.git("diff", "--name-only", "main", "spacelift-oidc").splitlines()) == 4
    assert len(other.git("diff", "--name-only", "main", "spacelift-oidc").splitlines()) == 2


STACKS = """resource "spacelift_stack" "{name}" {{
  name         = "{name}"
  repository   = "webshop"
  project_root = "{root}"
  branch       = "main"
}}
"""


def test_stacks_of_another_name_are_pointed_out(make_repo: MakeRepo) -> None:
    backend = 'terraform {\n  backend "s3" {\n    bucket  = "b"\n    profile = "x"\n  }\n}\n'
    stacks = "".join(STACKS.format(name=name, root=root) for name, root in (("a", "app"), ("b", "elsewhere")))
    files = {"app/main.tf": backend + PROVIDER, "admin/stacks.tf": stacks}
    repo = make_repo(files, name="ws")
    done = run("--check", "--backend-auth", "hook", repo.root)
    assert "This checkout is called `ws`. 2 stacks are for repository `webshop`:\n" in done.stderr
    again = run("--check", "--backend-auth", "hook", "--repository", "webshop", repo.root)
    assert "This checkout is called" not in again.stderr
    assert "admin/stacks.tf" in again.stdout
    assert "admin/stacks.tf" not in done.stdout


def test_stacks_of_other_repositories_are_no_mistake(make_repo: MakeRepo) -> None:
    repo = make_repo({"main.tf": PROVIDER + STACKS.format(name="a", root="app")}, name="ws")
    assert "This checkout is called" not in run("--check", repo.root).stderr


@pytest.mark.parametrize("arguments", [["--repository", "a b"], ["--repository", "x", "one", "two"]])
def test_a_name_of_no_repository(arguments: list[str], make_repo: MakeRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        monkeypatch.chdir(make_repo({"main.tf": PROVIDER}, name=name).root.parent)
    assert run(*arguments).exit_code == 2
