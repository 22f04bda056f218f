"""A journal that is torn, killed, shared, foreign: whatever it holds is true, and every job is in one state."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.batch.journal import Journal
from migrator.errors import MigrateError

SETTINGS = {"mode": "branch", "exclude": ["a", "b"]}
ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def states(journal: Journal) -> dict[str, str]:
    """The state of every job; fails where one is in two."""
    found = [(job, "pending") for job in journal.pending()]
    found += [(job, "in flight") for job in journal.started_only()]
    found += [(job, "failed" if job in journal.failed() else "done") for job, _ in journal.finished()]
    assert len(found) == len({job for job, _ in found})
    return dict(found)


def filled(path: Path) -> dict[str, str]:
    with Journal.create(path, SETTINGS, ["a", "b", "c", "d"]) as journal:
        for job in ("a", "b", "c"):
            journal.start(job)
        journal.finish("a", {"changed": ["main.tf"], "text": "ä\n\ud800"})
        journal.finish("b", {"error": "no"}, is_failed=True)
        return states(journal)


def test_a_journal_tells_what_was_noted(path: Path) -> None:
    assert filled(path) == {"a": "done", "b": "failed", "c": "in flight", "d": "pending"}
    with Journal.open(path, SETTINGS) as journal:
        assert states(journal) == {"a": "done", "b": "failed", "c": "in flight", "d": "pending"}
        assert list(journal.finished()) == [
            ("a", {"changed": ["main.tf"], "text": "ä\n\ud800"}),
            ("b", {"error": "no"}),
        ]
        assert (journal.jobs, journal.settings) == (("a", "b", "c", "d"), SETTINGS)


def test_the_newest_line_of_a_job_counts(path: Path) -> None:
    filled(path)
    with Journal.open(path) as journal:
        journal.start("b")
        assert states(journal)["b"] == "in flight"
        journal.finish("b", {"second": True})
    with Journal.open(path) as journal:
        assert states(journal)["b"] == "done"
        assert dict(journal.finished())["b"] == {"second": True}


def test_a_journal_can_be_written_while_it_is_read(path: Path) -> None:
    filled(path)
    with Journal.open(path) as journal:
        for number, _ in enumerate(journal.finished()):
            journal.finish(f"new {number}", {})
        assert len(list(journal.finished())) == 4


def test_only_its_owner_can_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        filled(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_torn_at_every_byte_of_its_last_line(path: Path) -> None:
    filled(path)
    whole = path.read_bytes()
    start = whole.rindex(b"\n", 0, -1) + 1
    assert start < len(whole)
    for end in range(start, len(whole)):
        path.write_bytes(whole[:end])
        with Journal.open(path, SETTINGS) as journal:
            assert states(journal) == {"a": "done", "b": "in flight", "c": "in flight", "d": "pending"}
            journal.finish("b", {})
        with Journal.open(path) as journal:
            assert states(journal)["b"] == "done"


@pytest.mark.parametrize(
    "tail", [b"\0" * 4096, b"\0" * 100 + b"\n", b"null\n", b"{}\n", b'{"finished":"c"}\n', b"\xff\n"]
)
def test_what_a_power_cut_may_leave_at_the_end_is_cut_off(path: Path, tail: bytes) -> None:
    expected = filled(path)
    whole = path.read_bytes()
    path.write_bytes(whole + tail)
    with Journal.open(path) as journal:
        assert states(journal) == expected
    assert path.read_bytes() == whole


def test_a_damaged_line_in_the_middle_is_told(path: Path) -> None:
    filled(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"damaged\n", *lines[3:]]))
    before = path.read_bytes()
    with pytest.raises(MigrateError, match=r"Line 3 of the journal .* is damaged"):
        Journal.open(path)
    assert path.read_bytes() == before


HEADER: dict[str, Any] = {"journal": "tf-oidc-migrate", "version": 1, "settings": SETTINGS, "jobs": []}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a journal"),
        ('{"journal": "tf-oidc', "is not a journal"),
        ('terraform {\n  backend "s3" {}\n}\n', "is not a journal"),
        ("[]\n", "is not a journal"),
        (json.dumps({**HEADER, "journal": "another"}) + "\n", "is not a journal"),
        (json.dumps({**HEADER, "version": "1"}) + "\n", "is not a journal"),
        (json.dumps({**HEADER, "jobs": [1]}) + "\n", "is not a journal"),
        (json.dumps({**HEADER, "version": 2, "settings": None}) + "\n", "newer version of tf-oidc-migrate wrote"),
        (
            json.dumps({**HEADER, "settings": {"mode": "check"}}) + "\n",
            "belongs to a run with other repositories or options",
        ),
        ("[" * 100_000 + "\n", "is not a journal"),
    ],
)
def test_a_file_of_something_else_is_left_alone(path: Path, text: str, message: str) -> None:
    path.write_text(text)
    with pytest.raises(MigrateError, match=message):
        Journal.open(path, SETTINGS)
    assert path.read_text() == text


def test_the_settings_of_the_journal_can_be_taken_over(path: Path) -> None:
    filled(path)
    with Journal.open(path) as journal:
        assert journal.settings == SETTINGS


def test_a_file_that_exists_is_not_begun_anew(path: Path) -> None:
    path.write_text("precious")
    with pytest.raises(MigrateError, match="exists already"):
        Journal.create(path, SETTINGS, [])
    assert path.read_text() == "precious"


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: os.mkfifo(path), lambda path: None])
def test_what_is_no_file_is_no_journal(path: Path, make: Any) -> None:
    make(path)
    with pytest.raises(MigrateError, match=r"cannot be opened|not a regular file"):
        Journal.open(path)


def test_a_journal_in_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MigrateError, match=r"cannot be opened: .* help: make the folder .*missing first"):
        Journal.create(tmp_path / "missing" / "run.journal", SETTINGS, [])


def test_two_runs_cannot_share_a_journal(path: Path) -> None:
    with Journal.create(path, SETTINGS, []), pytest.raises(MigrateError, match="Another run uses the journal"):
        Journal.open(path)
    Journal.open(path).close()


def test_a_full_disk_is_told_and_costs_no_line(path: Path) -> None:
    """The limit of a file's size stands for the disk: it, too, cuts a write short."""
    expected = filled(path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with Journal.open(path) as journal:
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, hard))
            with pytest.raises(MigrateError, match="cannot be written"):
                journal.finish("c", {"text": "x" * 1000})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, before)
        assert states(journal) == expected
        journal.finish("c", {})
    with Journal.open(path) as journal:
        assert states(journal) == {**expected, "c": "done"}


ACTIONS = st.lists(st.tuples(st.sampled_from(["start", "done", "failed"]), st.sampled_from("abc")), max_size=12)


@given(ACTIONS)
def test_a_journal_says_the_same_when_it_is_read_again(tmp_path_factory: pytest.TempPathFactory, actions: Any) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal"
    expected = dict.fromkeys("abc", "pending")
    with Journal.create(path, {}, "abc") as journal:
        for number, (action, job) in enumerate(actions):
            if action == "start":
                journal.start(job)
            else:
                journal.finish(job, {"number": number}, is_failed=action == "failed")
            expected[job] = "in flight" if action == "start" else action
        assert states(journal) == expected
        results = list(journal.finished())
    with Journal.open(path) as journal:
        assert states(journal) == expected
        assert list(journal.finished()) == results


WRITER = """\
import sys
from pathlib import Path
from migrator.batch.journal import Journal

path = Path(sys.argv[1])
journal = Journal.open(path) if path.exists() else Journal.create(path, {}, map(str, range(100_000)))
print("open", flush=True)
for job in [*journal.started_only(), *journal.pending()]:
    journal.start(job)
    print("start", job, flush=True)
    journal.finish(job, {"job": job, "text": "x" * 3000}, is_failed=int(job) % 7 == 0)
    print("finish", job, flush=True)
"""


def lives(path: Path, dice: random.Random) -> Iterator[list[str]]:
    """What a writer says in each of several lives, all of which end by SIGKILL."""
    for _ in range(8):
        command = [sys.executable, "-c", WRITER, str(path)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
            assert writer.stdout
            assert writer.stdout.readline() == "open\n"
            said = [writer.stdout.readline() for _ in range(dice.randrange(4, 40))]
            time.sleep(dice.uniform(0, 0.01))
            writer.kill()
            said += writer.stdout.read().rpartition("\n")[0].splitlines()  # its last line may be torn, too
            writer.wait()  # until then it may hold its lock
            yield said


def test_killed_at_any_moment_every_job_is_in_one_state(path: Path, dice: random.Random) -> None:
    said: dict[str, str] = {}
    for lines in lives(path, dice):
        said |= {line.split()[1]: line.split()[0] for line in lines if line.count(" ") == 1}
        with Journal.open(path) as journal:
            found = states(journal)
            assert len(found) == 100_000
            assert all(result["job"] == job for job, result in journal.finished())
            for job, event in said.items():
                assert found[job] in (("failed" if int(job) % 7 == 0 else "done"), "in flight")
                assert event == "start" or found[job] != "in flight", "a job that was told to be finished is"
            assert list(found.values()).count("in flight") <= 1
    assert len(said) > 20
