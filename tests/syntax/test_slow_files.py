"""Files made to be slow: the work and the time that they take grow with their size."""

from __future__ import annotations

import difflib
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import pytest
from msgspec.structs import replace

from benchmarks import growth
from migrator.config.config import Config
from migrator.errors import SyntaxProblem
from migrator.migrate.pipeline import migrate_repo
from migrator.migrate.planning import Planning
from migrator.model.findings import Change, Place
from migrator.model.fleet import Fleet, KnownReceiver, Survey
from migrator.model.fleet_parts import parts
from migrator.model.known_settings import KnownSetting
from migrator.model.results import Mode
from migrator.secret.mask import mask
from migrator.syntax.hcl import parse as hcl
from migrator.syntax.hcl.scanner import tokens
from migrator.syntax.languages import language_of
from migrator.syntax.yaml import parse as yaml
from migrator.writing.diff import unified_diff
from tests import hostile
from tests.invariants import BACKEND, CONFIG, RUNTIME, beside, workspace_of

pytestmark = pytest.mark.system  # for the time that it takes

SIZE = 60
SLACK = 8000  # calls
LARGE = 100_000  # characters
SECONDS = 60  # for what takes one, if its time grows with the size alone, and an hour if it grows with the square

FILES = {"hcl": hostile.HCL, "json": hostile.JSON, "runtime": hostile.YAML, "python": hostile.PYTHON}
CASES = [(kind, name) for kind, makers in FILES.items() for name in makers]
PATHS = {"hcl": "main.tf", "json": "main.tf.json", "runtime": "config.yml", "python": "main.py"}


def calls_of(run: Callable[[], object]) -> int:
    """How many calls of functions ``run`` makes: a measure of work that is the same on every machine.

    Those of difflib are left out: in a text of 200 lines and more it passes over lines that recur, so that a shorter
    one takes more of them. `LineMatcher` bounds its work.
    """
    count = 0

    def seen(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call") and frame.f_code.co_filename != difflib.__file__

    hcl._short_verdict.cache_clear()
    yaml.read.cache_clear()
    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count


def plan(kind: str, text: str) -> None:
    files, config = beside(kind, text.encode())
    made = Planning(workspace_of(files), replace(config, keep_diff=True)).plan()
    unified_diff(made.changes, made.masked)


def require_linear(run: Callable[[int], object], size: int = SIZE) -> None:
    """Twice as much more may take twice as many more calls, not four times.

    Where the smallest takes more than the next, which is refused for its depth, it is measured from there on.
    """
    run(size)
    once, twice, four_times = (calls_of(lambda count=count: run(count)) for count in (size, 2 * size, 4 * size))
    if once > twice:
        once, twice, four_times = twice, four_times, calls_of(lambda: run(8 * size))
    assert four_times - twice <= 2.2 * max(twice - once, 0) + SLACK, (once, twice, four_times)


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_work_grows_with_the_size(kind: str, name: str) -> None:
    require_linear(lambda count: plan(kind, FILES[kind][name](count)))


def test_work_grows_with_the_stacks_of_one_runtime_configuration() -> None:
    def run(count: int) -> None:
        stacks = hostile.HCL["stacks"](count).partition("}\n")[2].encode()
        Planning(workspace_of({"backend.tf": BACKEND, "stacks.tf": stacks}), RUNTIME).plan()

    require_linear(run)


def test_work_grows_with_the_settings_of_other_repositories() -> None:
    """Each repository defines a stack and attaches settings to the stacks of another one."""

    def survey(number: int, count: int) -> Survey:
        receiver = KnownReceiver(f"r{number}", Place("main.tf", 1), f"s{number}", (f"l{number}",), f"s{number}")
        other = (number + 1) % count
        settings = (KnownSetting(f"r{number}", Place("main.tf", 9), "The context", (f"s{other}",), (f"l{other}",)),)
        return Survey(f"r{number}", receivers=(receiver,), settings=settings)

    def run(count: int) -> None:
        fleets = list(parts(survey(number, count) for number in range(count)))
        assert all(len(fleet.surveys) == 1 for fleet in fleets)

    require_linear(run)


def test_work_grows_with_the_stacks_that_settings_of_other_repositories_reach() -> None:
    def run(count: int) -> None:
        stacks = "".join(
            f'resource "spacelift_stack" "s{number}" {{\n  name       = "s{number}"\n  repository = "webshop"\n'
            f'  branch     = "main"\n  labels     = ["l{number}"]\n}}\n'
            for number in range(count)
        )
        settings = tuple(
            KnownSetting("other", Place("main.tf", 1 + number), "The context", labels=(f"l{number}",))
            for number in range(count)
        )
        fleet = Fleet((Survey("other", settings=settings),))
        planning = Planning(workspace_of({"stacks.tf": stacks.encode()}), CONFIG, "admin", fleet)
        assert len(planning.context.facts.settings_elsewhere) == count

    require_linear(run)


@contextmanager
def time_bound() -> Iterator[None]:
    def end(number: int, frame: FrameType | None) -> None:
        raise TimeoutError("it takes more than its time")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(("kind", "name"), [case for case in CASES if case[0] in ("hcl", "json")])
def test_a_large_file_is_read_in_time(kind: str, name: str) -> None:
    make = FILES[kind][name]
    text = make(max(1, LARGE * 1000 // len(make(1000))))
    with time_bound():
        for read in (language_of(PATHS[kind]).parse, hcl.plain, lambda text: list(tokens(text))):
            with suppress(SyntaxProblem):
                read(text)
        changed = Change("main.tf", text.encode(), text.replace("a", "b").encode())
        shown = Change("main.tf", mask(text).encode(), mask(text.replace("a", "b")).encode())
        unified_diff([changed], [shown])


GROWING = {
    "stacks with a context each": 25,
    "roots with a tfvars file each": 40,
    "contexts that attach themselves": 25,
    "a YAML blueprint": 50,
    "a Python program": 50,
    "comment lines in a block": 2_500,
    "comment lines of YAML": 5_000,
}
"""Kinds of repositories of the benchmark, with sizes at which those that grow with the square take far too long."""


@pytest.mark.parametrize("kind", GROWING)
def test_time_grows_with_the_repository(kind: str, tmp_path: Path) -> None:
    """Four times as much may take eight times as long: sixteen if it grew with the square, and 64 with the cube."""
    config = Config(mode=Mode.PREVIEW)

    def seconds(size: int) -> float:
        tree = growth.write(tmp_path / str(size) / "growth", growth.KINDS[kind][1](size))
        took = []
        for _ in range(2):
            start = time.process_time()
            assert not migrate_repo(str(tree), config).error
            took.append(time.process_time() - start)
        return min(took)

    seconds(2)  # what is loaded first
    once, four_times = seconds(GROWING[kind]), seconds(4 * GROWING[kind])
    assert four_times < 8 * once + 0.5


WORKING = {
    "a tower of modules that call the next twice": 3,
    "calls of one module": 12,
    "modules of stacks": 4,
    "providers of Python": 3,
    "providers with versions": 6,
    "stacks from one map": 4,
}
"""Kinds of repositories of the benchmark, with sizes at which it shows how the work grows."""


@pytest.mark.parametrize("kind", WORKING)
def test_work_grows_with_the_repository(kind: str, tmp_path: Path) -> None:
    def run(size: int) -> None:
        tree = growth.write(tmp_path / str(size) / "growth", growth.KINDS[kind][1](size))
        assert not migrate_repo(str(tree), Config(mode=Mode.PREVIEW)).error

    require_linear(run, WORKING[kind])
