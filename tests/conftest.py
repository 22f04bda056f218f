"""Real programs for the tests: git repositories, terraform, a moto server."""

from __future__ import annotations

import ast
import compileall
import importlib
import itertools
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

FIXTURES = Path(__file__).parent.parent / "fixtures"
IN_CI = bool(os.environ.get("CI"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell has it in the background, and programs inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


UNHURRIED = settings(deadline=None, database=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", UNHURRIED, derandomize=True)  # the same examples for anyone, every time
settings.register_profile("search", UNHURRIED, derandomize=False)  # tests/search.py: those of --hypothesis-seed
settings.load_profile("same")
if hasattr(providers, "_get_local_constants"):  # what is drawn must not depend on the modules that were imported so far
    NO_CONSTANTS = providers._local_constants
    providers._get_local_constants = lambda: NO_CONSTANTS


SYSTEM_FOLDERS = frozenset({"batch", "cdktf", "cli", "docs", "git", "remotes", "system"})
CASE_FOLDERS = frozenset({"fuzz", "rules"})
PROGRAMS = frozenset({"browser", "make_repo", "moto", "terraform"})
"""The fixtures that stand for real programs."""
_running = {"unit": ""}


def _kind(item: pytest.Item) -> str:
    """The kind that a test says it is of, else that of its folder, else ``unit`` if it needs no real program."""
    said = next((kind for kind in ("unit", "case", "system") if item.get_closest_marker(kind)), "")
    folder = item.path.parent.name
    if said or folder in CASE_FOLDERS:
        return said or "case"
    needs_program = not PROGRAMS.isdisjoint(getattr(item, "fixturenames", ()))
    return "system" if folder in SYSTEM_FOLDERS or needs_program else "unit"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what draws its examples: tests of hypothesis, and those that throw the ``dice``."""
    for item in items:
        item.add_marker(_kind(item))
        is_of_hypothesis = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        if is_of_hypothesis or "dice" in getattr(item, "fixturenames", ()):
            item.add_marker("drawn")


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """One more than processors with ``-n auto``: while a test waits for a program, another one works."""
    workers = yield
    return workers if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS") else workers + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Each worker has a row of modules, whose fixtures it makes once, and takes from the other when it is done."""
    scheduling = importlib.import_module("xdist.scheduler.worksteal")
    return scheduling.WorkStealingScheduling(config, log) if config.getoption("dist") == "load" else None


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """Choices that are the same in each run, or with each ``--hypothesis-seed``."""
    return random.Random(f"{request.config.getoption('hypothesis_seed')} {request.node.nodeid}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """In CI, what the tests have proven: how many passed of each module, and what it says of them."""
    if not IN_CI:
        return
    passed = Counter(report.location[0] for report in terminalreporter.stats.get("passed", ()))
    terminalreporter.section("what was proven")
    for path, count in sorted(passed.items()):
        told = ast.get_docstring(ast.parse((FIXTURES.parent / path).read_text())) or ""
        terminalreporter.write_line(f"{count:5} {Path(path).stem.removeprefix('test_')}: {told.partition(chr(10))[0]}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """While a ``unit`` test runs, no program is started."""
    _running["unit"] = item.name if item.get_closest_marker("unit") else ""
    try:
        return (yield)
    finally:
        _running["unit"] = ""


def _no_program(event: str, _: object) -> None:
    if _running["unit"] and event in ("subprocess.Popen", "os.fork", "os.posix_spawn"):
        raise AssertionError(f"{_running['unit']} starts a program: mark it, or its module, `system`")


sys.addaudithook(_no_program)


def pytest_sessionstart(session: pytest.Session) -> None:
    """The program is compiled once: with PYTHONDONTWRITEBYTECODE every process of a test would compile it all again."""
    if not hasattr(session.config, "workerinput"):
        compileall.compile_dir(FIXTURES.parent / "migrator", quiet=2)


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """New folders' paths; pytest looks through all its folders for each that it makes."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def _own_home(_homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the user's own git, AWS or Terraform configuration."""
    home = next(_homes)
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Test\n\temail = test@example.com\n[init]\n\tdefaultBranch = main\n"
        "[advice]\n\tdetachedHead = false\n"
    )
    (home / "mirror").mkdir()
    mirror = f'filesystem_mirror {{\n    path = "{home}/mirror"\n  }}'
    (home / "terraformrc").write_text(f"provider_installation {{\n  {mirror}\n}}\n")
    for name in [name for name in os.environ if name.startswith(("AWS_", "TF_", "GIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(home / "terraformrc"))
    monkeypatch.setenv("CHECKPOINT_DISABLE", "1")
    monkeypatch.setenv("GOGC", "off")  # terraform ends before there is anything to collect
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


def needed(program: str) -> str:
    """The path of ``program``; in CI a missing one fails the test, elsewhere it is skipped with that reason."""
    path = shutil.which(program)
    if path is None:
        message = f"{program} is not installed"
        if IN_CI:
            pytest.fail(message)
        pytest.skip(message)
    return path


@dataclass(frozen=True)
class Terraform:
    """The real terraform binary."""

    path: str

    def run(self, *arguments: str, cwd: Path | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.path, *arguments], cwd=cwd, input=stdin, capture_output=True, text=True, check=False, timeout=120
        )

    def accepts(self, text: bytes) -> bool:
        """Whether ``terraform fmt`` can parse ``text``."""
        done = subprocess.run([self.path, "fmt", "-"], input=text, capture_output=True, check=False, timeout=60)
        return done.returncode == 0

    def is_formatted(self, text: bytes) -> bool:
        """Whether ``terraform fmt -check`` finds nothing to do in ``text``."""
        done = subprocess.run(
            [self.path, "fmt", "-check", "-"], input=text, capture_output=True, check=False, timeout=60
        )
        return done.returncode == 0

    def unformatted(self, folder: Path) -> tuple[set[str], set[str]]:
        """The names of the files of ``folder`` that ``terraform fmt`` would change, and of those that it cannot parse.

        It says nothing of the others as long as it cannot parse one: so that is taken away.
        """
        broken: set[str] = set()
        while True:
            done = self.run("fmt", "-check", "-no-color", cwd=folder)
            found = set(re.findall(r"(?m)^  on (\S+) line ", done.stderr))
            if not found:
                assert done.returncode in (0, 3), done.stderr
                return set(done.stdout.splitlines()), broken
            broken |= found
            for name in found:
                (folder / name).unlink()

    def complaints(self, folder: Path) -> set[str]:
        """The summaries of the errors that ``terraform init`` finds in a module, dependencies aside."""
        with tempfile.TemporaryDirectory() as data:
            done = subprocess.run(
                [self.path, "init", "-backend=false", "-input=false", "-no-color"],
                cwd=folder,
                env={**os.environ, "TF_DATA_DIR": data},
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
        return set(re.findall(r"Error: (.+)", done.stderr))

    def evaluate(self, folder: Path, expression: str) -> str:
        """What ``terraform console`` prints for ``expression`` among the files of ``folder``."""
        done = self.run("console", cwd=folder, stdin=expression + "\n")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def evaluate_text(self, expression: str) -> str:
        """The string that terraform takes ``expression`` for."""
        with tempfile.TemporaryDirectory() as folder:
            value: str = json.loads(json.loads(self.evaluate(Path(folder), f"jsonencode({expression})")))
            return value


@pytest.fixture(scope="session")
def terraform() -> Terraform:
    return Terraform(needed("terraform"))


@dataclass(frozen=True)
class Repo:
    """A real git repository in a temporary place."""

    root: Path

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def write(self, path: str, text: str | bytes) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def commit(self, message: str = "import") -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD").strip()

    def status(self) -> str:
        return self.git("status", "--porcelain")

    def branch(self) -> str:
        return self.git("rev-parse", "--abbrev-ref", "HEAD").strip()


MakeRepo = Callable[..., Repo]


@pytest.fixture
def make_repo(tmp_path: Path) -> MakeRepo:
    """A function that makes a repository of the given files and commits them."""

    def make(files: dict[str, str | bytes] | None = None, *, name: str = "repo", source: Path | None = None) -> Repo:
        repo = Repo(tmp_path / name)
        if source:
            shutil.copytree(source, repo.root)
        repo.root.mkdir(exist_ok=True)
        repo.git("init", "--quiet")
        for path, text in (files or {}).items():
            repo.write(path, text)
        if files or source:
            repo.commit()
        return repo

    return make


@pytest.fixture
def moto(moto_server: str) -> str:
    """The URL of an emulated AWS whose accounts are empty: what another test made there is gone."""
    with urllib.request.urlopen(urllib.request.Request(f"{moto_server}/moto-api/reset", method="POST"), timeout=60):
        return moto_server


@pytest.fixture(scope="session")
def moto_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an emulated AWS on loopback, with what the tests of this process made there."""
    recording = {**os.environ, "MOTO_RECORDER_FILEPATH": str(tmp_path_factory.mktemp("moto") / "recording")}
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, env=recording, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_for(url + "/moto-api/data.json", server)
            yield url
        finally:
            server.terminate()


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert server.poll() is None, "the moto server has ended"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the moto server does not answer")
