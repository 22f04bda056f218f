"""Jobs on a real Dask cluster whose workers are processes: some die, hang, or lose their scheduler."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from distributed import LocalCluster

from migrator.batch import pool
from migrator.batch.pool import Failure, executor, run_jobs
from migrator.errors import MigrateError
from tests.batch import jobs
from tests.batch.test_pool import is_alive, wait_for


@pytest.fixture(autouse=True)
def _clients_are_collected_here() -> Iterator[None]:
    """One that never connected, collected while the next one starts its thread, would wait for that thread's lock."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a scheduler with two workers of one thread each."""
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


def test_every_job_comes_back_once_with_its_result(scheduler: str) -> None:
    assert dict(run_jobs(jobs.double, range(40), executor(2, scheduler))) == {
        number: 2 * number for number in range(40)
    }


def test_an_exception_is_a_failure_without_its_text(scheduler: str, capfd: pytest.CaptureFixture[str]) -> None:
    [(_, failure)] = run_jobs(jobs.fail, ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"], executor(2, scheduler))
    assert failure.reason.startswith("Internal error (ValueError at jobs.py:")
    assert "wJalr" not in repr(failure) + capfd.readouterr().err


def test_what_cannot_be_sent_costs_its_own_job_alone(scheduler: str) -> None:
    results = [result for _, result in run_jobs(jobs.pass_on, [1, threading.Lock(), 2], executor(2, scheduler))]
    assert sorted(result for result in results if isinstance(result, int)) == [1, 2]
    assert [result.reason.startswith("Internal error") for result in results if isinstance(result, Failure)] == [True]


def test_a_worker_that_dies_costs_its_own_job_alone(scheduler: str) -> None:
    killers = frozenset({13})
    results = dict(run_jobs(jobs.die_at, [(number, killers) for number in range(30)], executor(2, scheduler)))
    failures = {job[0]: result for job, result in results.items() if isinstance(result, Failure)}
    assert failures == {13: Failure("The Dask worker ended unexpectedly")}
    assert {result for result in results.values() if isinstance(result, int)} == set(range(30)) - killers


def test_a_hanging_job_is_ended_with_its_children(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_GRACE", 0.5)
    work = [(str(tmp_path / "0"), 100), *((str(tmp_path / str(number)), 0) for number in range(1, 5))]
    results = dict(run_jobs(jobs.hang, work, executor(2, scheduler), timeout=3))
    assert results.pop(work[0]) == Failure("The repository took longer than 3 s")
    assert set(results.values()) == {file for file, _ in work[1:]}
    worker, child = map(int, (tmp_path / "0").read_text().split())
    assert wait_for(lambda: not is_alive(worker) and not is_alive(child), 5)


def test_where_dask_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "migrator.batch.dask_cluster", raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MigrateError, match=r"Dask is not installed.*extra `dask`"):
        executor(2, "tcp://127.0.0.1:1")


def test_where_no_scheduler_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("migrator.batch.dask_cluster._PATIENCE", 1)
    with pytest.raises(MigrateError, match="No Dask scheduler answers"):
        executor(2, "tcp://127.0.0.1:1")


def test_an_address_that_is_none() -> None:
    with pytest.raises(MigrateError, match="No Dask scheduler answers"):
        executor(2, "smoke://signals")


CLUSTER = """\
import sys
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


def test_the_loss_of_the_scheduler_costs_the_jobs_in_flight(tmp_path: Path) -> None:
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER)
    started: list[object] = []
    ended: list[Any] = []
    with subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as cluster:
        assert cluster.stdout
        address = cluster.stdout.readline().strip()
        work = [(0, 0.0), *((number, 60.0) for number in range(1, 9))]
        with closing(run_jobs(jobs.pause, work, executor(2, address), on_start=started.append)) as results:
            assert next(results) == ((0, 0.0), 0)
            wait_for(lambda: False, 0.5)
            cluster.kill()
            with pytest.raises(MigrateError, match="connection to the Dask scheduler was lost"):
                ended.extend(results)
    assert len(started) <= 3
    assert ended == [(job, Failure("The connection to the Dask scheduler was lost")) for job in started[1:]]
