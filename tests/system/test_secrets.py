"""No output of a run on any fixture holds a key, whatever the channel, and no mask shows more than four characters."""

from __future__ import annotations

import io
import json
import re
import shutil
import string
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from migrator.cli.main import cli
from migrator.config.config import Config
from migrator.migrate.pipeline import migrate_repo, reason_of
from migrator.model.results import Mode
from migrator.remotes.pull_request_text import DEFAULT, fill
from migrator.report import markdown
from migrator.report.collected import Collected
from migrator.secret.mask import MASK, mask
from migrator.secret.names import may_name_secret, names_secret
from tests import program
from tests.conftest import FIXTURES

SOURCES = sorted([*(path.parent / "before" for path in FIXTURES.glob("rules/*/*/before")), *FIXTURES.glob("repos/*")])
PARTS = 4
SAMPLED = 10  # one in so many has its git repository, and goes through all that a batch writes
SHAPES = re.compile(
    rb"(?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])"
    rb"|(?<![A-Za-z0-9/+])(?=[A-Za-z0-9/+]*[A-Z])(?=[A-Za-z0-9/+]*[a-z])(?=[A-Za-z0-9/+]*[0-9])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
)
REPORTS = ("report.json", "report.sarif", "report.md", "report.html", "report.xml")


def keys_in(folder: Path) -> set[bytes]:
    """Every access key id and secret access key in the files of a fixture, found without any code of the program."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {key for path in files for key in SHAPES.findall(path.read_bytes())}


KEYS = frozenset().union(*map(keys_in, SOURCES))


def parts_of(key: bytes) -> list[bytes]:
    """All of five characters in a key, but for AWS's own prefix and what other texts have as well."""
    parts = [key[start : start + 5] for start in range(4, len(key) - 4)]
    return [part for part in parts if part not in b"EXAMPLEKEY" and part not in b"XXXXXX" and not part.isdigit()]


PARTS_OF_KEYS = frozenset(part for key in KEYS for part in parts_of(key))


def require_no_key(*channels: bytes) -> None:
    """No key is in any of the channels, and no more than four characters of one."""
    for channel in channels:
        assert not [key for key in KEYS if key in channel]
        assert not [part for part in PARTS_OF_KEYS if part in channel]


def copied(sources: list[Path], folder: Path) -> list[Path]:
    """The fixtures, each in a folder of its own."""
    copies = [folder / f"r{number}" for number in range(len(sources))]
    for source, copy in zip(sources, copies, strict=True):
        shutil.copytree(source, copy, symlinks=True)
    return copies


def commit(folder: Path) -> None:
    person = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    for words in (["init", "--quiet"], ["add", "--all"], [*person, "commit", "--quiet", "--message", "import"]):
        subprocess.run(["git", *words], cwd=folder, check=True)


def run(*arguments: object) -> list[bytes]:
    done = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    assert done.exit_code in (0, 1, 3, 4), done.output
    assert "nternal error" not in done.output
    return [done.stdout_bytes, done.stderr_bytes]


def files_in(folder: Path) -> Iterator[bytes]:
    return (path.read_bytes() for path in folder.rglob("*") if path.is_file())


def report_options(folder: Path) -> list[object]:
    folder.mkdir()
    return [word for name in REPORTS for word in ("--report", folder / name)]


@pytest.mark.parametrize("part", range(PARTS))
def test_no_preview_and_no_report_of_any_fixture_holds_a_key(part: int, tmp_path: Path) -> None:
    assert KEYS
    folders = copied(SOURCES[part::PARTS], tmp_path / "code")
    channels = run("--preview", "-vv", *report_options(tmp_path / "out"), *folders)
    assert b"\n+" in channels[0]
    require_no_key(*channels, *files_in(tmp_path / "out"))
    results = json.loads((tmp_path / "out" / REPORTS[0]).read_text())["results"]
    assert len(results) == len(folders)


def batch(*arguments: object) -> list[bytes]:
    done = program.run("batch", *arguments)
    assert done.returncode in (0, 1, 3, 4), done.stderr
    assert "nternal error" not in done.stdout + done.stderr
    return [done.stdout.encode(), done.stderr.encode()]


def test_no_channel_of_a_run_or_of_a_batch_holds_a_key(dice: Random, tmp_path: Path) -> None:
    """Some of each rule's fixtures, as repositories; ``tests.search`` draws others."""
    repos = copied(SOURCES[dice.randrange(SAMPLED) :: SAMPLED], tmp_path / "code")
    for repo in repos:
        commit(repo)
    out, state = tmp_path / "out", ("-j", 1, "--state")
    channels = batch("--plan-out", tmp_path / "plan", *state, tmp_path / "first", *report_options(out), *repos)
    channels += batch("--no-switch", "--branch", "batch", "--verbose", *state, tmp_path / "second", *repos)
    assert b" migrated" in channels[3]
    channels += run("--check", "-vv", *repos)
    channels += run("--verbose", "--no-switch", "--branch", "run", *repos)
    log = ["git", "log", "--branches", "--not", "HEAD", "--format=%B"]
    messages = [subprocess.run(log, cwd=repo, capture_output=True, check=True).stdout for repo in repos]
    assert any(messages)
    for repo in repos:
        summary = io.StringIO()
        markdown.write(Collected([migrate_repo(str(repo), Config(mode=Mode.PREVIEW))]), summary)
        text = fill(DEFAULT, summary=summary.getvalue(), repo="acme/shop", branch="spacelift-oidc")
        channels += (text.title.encode(), text.body.encode())
    written = [(tmp_path / name).read_bytes() for name in ("plan", "first", "second")]
    require_no_key(*channels, *messages, *files_in(out), *written)


def test_no_crash_report_holds_a_key() -> None:
    for key in KEYS:
        try:
            raise KeyError(key.decode())
        except KeyError as error:
            require_no_key(reason_of(error).encode())


def secret_key(dice: Random) -> str:
    """Any 40 characters of base64, as AWS makes them."""
    return "".join(dice.choices(string.ascii_letters + string.digits + "/+", k=40))


SECRETS = st.one_of(
    st.from_regex(r"A[KS]IA[A-Z0-9]{16}", fullmatch=True),
    st.from_regex(r"gh[po]_[A-Za-z0-9]{36}", fullmatch=True),
    st.from_regex(r"glpat-[A-Za-z0-9_-]{20}", fullmatch=True),
    st.from_regex(r"xoxb-[0-9]{10}-[A-Za-z0-9]{12}", fullmatch=True),
    st.integers(0).map(lambda seed: secret_key(Random(seed))),
    st.from_regex(r"IQoJ[A-Za-z0-9]{60}", fullmatch=True),
    st.from_regex(r"eyJ[A-Za-z0-9_-]{20}\.eyJ[A-Za-z0-9_-]{20}\.[A-Za-z0-9_-]{20}", fullmatch=True),
)
AROUND = st.sampled_from(
    ["{}", '"{}"', "x = {}", 'a = "{}" # b', "'{}'", "- {}", "X={}", "f({})", "{} {}", '["{}", 1]']
)


@given(SECRETS, AROUND)
def test_a_secret_is_masked_by_its_shape(secret: str, around: str) -> None:
    shown = mask(around.replace("{}", secret))
    assert MASK in shown
    assert not [start for start in range(4, len(secret) - 4) if secret[start : start + 5] in shown]


@pytest.mark.parametrize("end", ["", '"', "'", "\n"])
def test_backslashes_take_no_time(end: str) -> None:
    """A string of nothing else, closed or not, is gone through once."""
    start = time.process_time()
    shown = mask('secret_key = "' + "\\" * 20_000 + "hunter2hunter2" + end)
    assert time.process_time() - start < 2
    assert end != '"' or "hunter2" not in shown


@pytest.mark.parametrize(("quote", "value"), [('"', 'hunter2\\"hunter2'), ("'", "hunter2hunter2\\")])
def test_an_escape_before_a_quote_hides_nothing(quote: str, value: str) -> None:
    assert "hunter2" not in mask(f"password = {quote}{value}{quote} # is it")


NAMES = ("MY_PW", "odd", "value", "x1")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_a_secret_in_one_file_is_one_in_all_of_its_module(name: str, tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(
        f'# {name}=correct-horse-battery\nprovider "aws" {{\n  profile = "shop" # {name}: correct-horse-battery\n}}\n'
        f'locals {{\n  {name} = "tfvars-have-it-too"\n}}\n'
    )
    (tmp_path / "other.tf").write_text('resource "x" "y" {\n  password = "correct-horse-battery"\n}\n')
    (tmp_path / "terraform.tfvars").write_text('api_token = "tfvars-have-it-too"\n')
    shown = b"".join(run("--preview", tmp_path))
    assert b"+++ b/main.tf" in shown
    assert b"horse" not in shown
    assert b"tfvars-have" not in shown


def test_the_name_of_a_github_secret_leaves_the_hook_to_copy_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    (tmp_path / ".github" / "workflows" / "ci.yml").write_text(
        "steps:\n  - with:\n      aws-secret-access-key: ${{ secrets.AWS_SECRET_ACCESS_KEY }}\n"
    )
    (tmp_path / "main.tf").write_text(
        'terraform {\n  backend "s3" {\n    bucket  = "b"\n    key     = "k"\n    profile = "p"\n  }\n}\n'
    )
    _, said = run("--preview", tmp_path)
    assert b"AWS_SECRET_ACCESS_KEY=%s" in said


@pytest.mark.parametrize(
    "line",
    [
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "hunter2hunter2",
        "hunter2hunter2 =",
        'hunter2hunter2 "x"',
        "resource hunter2hunter2",
        "provider aws { hunter2hunter2 }",
        "hunter2hunter2 = = 1",
        "x = hunter2hunter2 hunter2hunter2",
        'x = "hunter2hunter2',
        "x = <<hunter2hunter2\n",
        "x = [hunter2hunter2)",
    ],
)
@pytest.mark.parametrize("path", ["main.tf", "main.tf.json", "terragrunt.hcl", ".spacelift/config.yml", "main.py"])
def test_no_message_on_a_broken_file_holds_what_stands_in_it(path: str, line: str, tmp_path: Path) -> None:
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text(f'provider "aws" {{\n  profile = "x"\n}}\n{line}\n')
    shown = b"".join(run("--check", "--verbose", tmp_path))
    assert b"hunter2" not in shown
    assert b"wJalr" not in shown


@pytest.mark.parametrize("name", ["access_key", "AccessKey", "APIKEY", "private_key", "PassWord", "aws_toKen"])
def test_what_tells_is_not_overlooked(name: str) -> None:
    assert names_secret(name)
    assert may_name_secret(f"  {name} = 1")
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in name)
    assert may_name_secret('{"' + escaped + '": 1}'), "as JSON may say it"


@given(st.text(alphabet="aceikprstowd\u017fKs_-kKyY", max_size=40))
def test_no_telling_name_is_overlooked(name: str) -> None:
    assert may_name_secret(name) or not names_secret(name)
