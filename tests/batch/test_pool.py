"""Jobs in real processes and on a real Dask cluster: killed, hanging, failing and interrupted ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from migrator.batch import pool
from migrator.batch.pool import Failure, default_jobs, executor, run_jobs
from migrator.batch.processes import Processes
from migrator.errors import MigrateError
from tests.batch import jobs

KINDS = (1, 2)
ROOT = Path(__file__).parents[2]


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    return condition()


def only(results: Iterator[tuple[Any, Any]]) -> Any:
    [(_, result)] = results
    return result


@pytest.fixture(autouse=True)
def _no_worker_is_left() -> Iterator[None]:
    """No test leaves a child of the server that workers are forked from."""
    yield
    servers = psutil.Process().children()
    assert wait_for(lambda: not [one for server in servers for one in server.children(recursive=True)])


@pytest.mark.parametrize("count", KINDS)
def test_every_job_comes_back_once_with_its_result(count: int) -> None:
    assert dict(run_jobs(jobs.double, range(40), executor(count))) == {number: 2 * number for number in range(40)}


@pytest.mark.parametrize("count", KINDS)
def test_no_jobs_no_results(count: int) -> None:
    assert list(run_jobs(jobs.double, [], executor(count))) == []


def test_results_come_as_they_finish() -> None:
    work = [(0, 1.0), (1, 0.0), (2, 0.0), (3, 0.0)]
    assert [result for _, result in run_jobs(jobs.pause, work, executor(2))] == [1, 2, 3, 0]


@pytest.mark.parametrize("count", KINDS)
def test_jobs_are_taken_only_when_there_is_room(count: int) -> None:
    taken, done = 0, 0

    def source() -> Iterator[int]:
        nonlocal taken
        for number in range(50):
            taken += 1
            assert taken - done <= count
            yield number

    for _ in run_jobs(jobs.double, source(), executor(count)):
        done += 1
    assert done == 50


def test_a_start_is_told_before_its_end() -> None:
    events: list[tuple[str, int]] = []
    for job, _ in run_jobs(jobs.double, range(9), executor(2), on_start=lambda job: events.append(("start", job))):
        events.append(("end", job))
    assert sorted(events) == sorted([(what, job) for what in ("start", "end") for job in range(9)])
    assert all(events.index(("start", job)) < events.index(("end", job)) for job in range(9))


@pytest.mark.parametrize("killers", [frozenset({13}), frozenset({4, 5}), frozenset({0, 29})])
def test_a_worker_that_dies_costs_its_own_job_alone(killers: frozenset[int]) -> None:
    results = dict(run_jobs(jobs.die_at, [(number, killers) for number in range(30)], executor(2)))
    failures = {job[0]: result for job, result in results.items() if isinstance(result, Failure)}
    assert failures == dict.fromkeys(killers, Failure("The worker process was killed by SIGKILL"))
    assert {result for result in results.values() if isinstance(result, int)} == set(range(30)) - killers


def test_a_worker_that_leaves_is_a_failure_with_its_code() -> None:
    assert only(run_jobs(jobs.leave, [3], executor(2))) == Failure("The worker process ended with exit code 3")


def test_a_worker_killed_while_idle_costs_no_job() -> None:
    pids: list[int] = []

    def source() -> Iterator[int]:
        for number in range(6):
            yield number
            os.kill(pids[-1], signal.SIGKILL)  # its only worker is done, and has nothing else to do yet
            assert wait_for(lambda: not is_alive(pids[-1]))

    for _, (pid, _leader) in run_jobs(jobs.session, source(), Processes(1)):
        pids.append(pid)
    assert len(set(pids)) == 6


def test_workers_lead_sessions_of_their_own() -> None:
    for _, (pid, leader) in run_jobs(jobs.session, range(3), executor(2)):
        assert pid == leader != os.getsid(0)


def test_workers_start_where_the_parent_is_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        monkeypatch.chdir(tmp_path / str(number))
        monkeypatch.setenv("NUMBER", str(number))
        assert only(run_jobs(jobs.surroundings, ["NUMBER"], executor(2))) == (str(tmp_path / str(number)), str(number))


@pytest.mark.parametrize("count", KINDS)
def test_an_exception_is_a_failure_without_its_text(count: int) -> None:
    failure = only(run_jobs(jobs.fail, ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"], executor(count)))
    assert failure.reason.startswith("Internal error (ValueError at jobs.py:")
    assert "wJalr" not in repr(failure)


@pytest.mark.parametrize("count", KINDS)
def test_sys_exit_is_a_failure_too(count: int) -> None:
    assert "SystemExit at jobs.py" in only(run_jobs(jobs.leave_politely, [1], executor(count))).reason


def test_what_cannot_be_sent_is_a_failure() -> None:
    unsendable = [lambda: None, 1]
    results = list(run_jobs(jobs.make_what_cannot_be_sent, unsendable, executor(2)))
    assert len(results) == 2
    assert all(isinstance(result, Failure) for _, result in results)
    failure = only(run_jobs(jobs.make_what_cannot_be_read, [1], executor(2)))
    assert "ValueError" in failure.reason
    assert "no number" not in failure.reason


@pytest.mark.parametrize("function", [jobs.hang, jobs.hang_stubbornly])
def test_a_hanging_job_is_ended_with_its_children(
    function: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_GRACE", 0.5)
    work = [(str(tmp_path / "0"), 100), *((str(tmp_path / str(number)), 0) for number in range(1, 8))]
    begin = time.monotonic()
    results = dict(run_jobs(function, work, executor(2), timeout=2))
    assert time.monotonic() - begin < 8
    assert results.pop(work[0]) == Failure("The repository took longer than 2 s")
    assert set(results.values()) == {file for file, _ in work[1:]}
    worker, child = map(int, (tmp_path / "0").read_text().split())
    assert wait_for(lambda: not is_alive(worker) and not is_alive(child), 2)


def test_leaving_the_loop_ends_what_is_in_flight(tmp_path: Path) -> None:
    work = [(str(tmp_path / "0"), 100), (str(tmp_path / "1"), 0)]
    with closing(run_jobs(jobs.hang, work, executor(2))) as results:
        assert next(results) == (work[1], work[1][0])
        assert wait_for((tmp_path / "0").is_file)
    worker, child = map(int, (tmp_path / "0").read_text().split())
    assert wait_for(lambda: not is_alive(worker) and not is_alive(child), 2)


def test_an_error_of_the_source_of_jobs_goes_up() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise MigrateError("the list cannot be read")

    with pytest.raises(MigrateError, match="the list cannot be read"):
        list(run_jobs(jobs.double, source(), executor(2)))


SCRIPT = """\
import sys
from contextlib import closing
from migrator.batch.pool import executor, run_jobs
from tests.batch import jobs

if __name__ == "__main__":
    function, count, work = getattr(jobs, sys.argv[1]), int(sys.argv[2]), eval(sys.argv[3])
    say = lambda *words: print(*words, flush=True)
    try:
        with closing(run_jobs(function, work, executor(count), on_interrupt=lambda n: say("stopping", n),
                              on_start=lambda job: say("start", job))) as results:
            for job, result in results:
                say("end", job)
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(130)
"""


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Callable[[str, int, Any], subprocess.Popen[str]]]:
    """A function that starts a program which runs jobs, in a process group of its own as a shell does."""
    script = tmp_path / "program.py"
    script.write_text(SCRIPT)
    started: list[subprocess.Popen[str]] = []

    def start(function: str, count: int, work: Any) -> subprocess.Popen[str]:
        warnings = ("-W", "error", "-W", "ignore:subprocess:ResourceWarning")  # a job that turns back leaves a child
        command = [sys.executable, *warnings, str(script), function, str(count), repr(work)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        started.append(
            subprocess.Popen(
                command,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                process_group=0,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], *words: str) -> list[str]:
    """The lines that it prints, up to one that begins with each of ``words`` in turn."""
    assert process.stdout
    lines = []
    for word in words:
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith(word):
                break
    return lines


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("count", KINDS)
def test_after_an_interrupt_jobs_in_flight_finish(number: int, count: int, parent: Any) -> None:
    process = parent("pause", count, [(job, 0.7) for job in range(20)])
    before = read_until(process, *["start"] * count)
    os.killpg(process.pid, number)  # as the terminal does, to the whole group
    stdout, stderr = process.communicate(timeout=20)
    lines = [*before, *stdout.splitlines()]
    assert (process.returncode, stderr) == (130, "")
    assert len([line for line in lines if line.startswith("start")]) == count
    assert len([line for line in lines if line.startswith("end")]) == count
    assert lines[-1] == "interrupted"
    assert count == 1 or f"stopping {count}" in lines


def test_a_second_interrupt_ends_at_once(tmp_path: Path, parent: Any) -> None:
    process = parent("hang", 2, [(str(tmp_path / str(number)), 100) for number in range(4)])
    read_until(process, "start", "start")
    assert wait_for(lambda: all((tmp_path / str(number)).is_file() for number in range(2)))
    os.killpg(process.pid, signal.SIGINT)
    read_until(process, "stopping 2")
    begin = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stdout, stderr) == (130, "interrupted\n", "")
    assert time.monotonic() - begin < 4
    pids = [int(pid) for number in range(2) for pid in (tmp_path / str(number)).read_text().split()]
    assert wait_for(lambda: not any(map(is_alive, pids)), 2)


def test_a_second_interrupt_leaves_a_critical_section_whole(tmp_path: Path, parent: Any) -> None:
    folders = [tmp_path / str(number) for number in range(2)]
    for folder in folders:
        folder.mkdir()
    process = parent("critical", 2, [*map(str, folders)])
    assert wait_for(lambda: all((folder / "begun").exists() for folder in folders))
    os.killpg(process.pid, signal.SIGINT)
    read_until(process, "stopping")
    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stdout, stderr) == (130, "interrupted\n", "")
    assert all((folder / "ended").exists() for folder in folders)


def test_workers_end_when_their_parent_is_killed(tmp_path: Path, parent: Any) -> None:
    process = parent("hang", 2, [(str(tmp_path / str(number)), 1) for number in range(4)])
    assert wait_for(lambda: all((tmp_path / str(number)).is_file() for number in range(2)))
    process.kill()
    process.wait()
    pids = [int(pid) for number in range(2) for pid in (tmp_path / str(number)).read_text().split()]
    assert wait_for(lambda: not any(map(is_alive, pids)), 5)
    assert not (tmp_path / "2").exists()


def run_program(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", text, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


NEVER_CLOSED = """\
import sys
from migrator.batch.pool import executor, run_jobs
from tests.batch import jobs

results = run_jobs(jobs.hang, [(sys.argv[1], 100), (sys.argv[2], 0)], executor(2))
print(next(results)[1] == sys.argv[2])
"""


def test_a_program_ends_though_it_never_closed_its_pool(tmp_path: Path) -> None:
    done = run_program(NEVER_CLOSED, str(tmp_path / "0"), str(tmp_path / "1"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


PRELOADED = """\
from migrator.batch.pool import executor, run_jobs
from tests.batch import jobs

print([result for name in ("plistlib", "no_such_module") for _, result in
       run_jobs(jobs.is_loaded, [name], executor(2, preload=["plistlib", "no_such_module"]))])
"""


def test_workers_begin_with_what_is_preloaded() -> None:
    done = run_program(PRELOADED)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[True, False]\n", "")


def test_the_default_is_at_most_the_processors() -> None:
    assert 1 <= default_jobs() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("own", "around", "quota"),
    [
        ("max 100000", "max 100000", float("inf")),
        ("150000 100000", "max 100000", 1.5),
        ("max 100000", "50000 100000", 0.5),
    ],
)
def test_the_quota_of_a_control_group_counts(tmp_path: Path, own: str, around: str, quota: float) -> None:
    inner = tmp_path / "root" / "service" / "inner"
    inner.mkdir(parents=True)
    (inner / "cpu.max").write_text(own + "\n")
    (inner.parent / "cpu.max").write_text(around + "\n")
    (tmp_path / "cgroup").write_text("0::/service/inner\n")
    assert pool._quota(tmp_path / "cgroup", tmp_path / "root") == quota


def test_without_control_groups_there_is_no_quota(tmp_path: Path) -> None:
    assert pool._quota(tmp_path / "cgroup", tmp_path) == float("inf")
