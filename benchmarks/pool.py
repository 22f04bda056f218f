"""Measure what the pool itself costs: time of each job, and memory of the parent while results pass through.

    python benchmarks/pool.py

prints a row for each kind of executor: milliseconds of each of 1,000 jobs that do nothing, and the peak memory of the
parent after 100 and after 1,000 jobs whose results are 20 kB each, in fresh processes.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time

from migrator.batch.pool import executor, run_jobs


def nothing(job: int) -> int:
    return job


def big(_: int) -> bytes:
    return os.urandom(20_000)


def milliseconds(workers: int, count: int = 1_000) -> float:
    start = 0.0
    for number, _ in enumerate(run_jobs(nothing, range(count + workers), executor(workers))):
        if number < workers:  # the workers have started
            start = time.perf_counter()
    return (time.perf_counter() - start) / count * 1000


def peak(workers: int, count: int) -> int:
    """The peak memory in MB of a process that runs ``count`` jobs."""
    command = [sys.executable, __file__, "peak", str(workers), str(count)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) // 1024


def main() -> None:
    print("| workers | ms a job | MB at 100 jobs | MB at 1,000 jobs |")
    print("|---|---|---|---|")
    for workers in (1, 2, 8):
        print(f"| {workers} | {milliseconds(workers):.3f} | {peak(workers, 100)} | {peak(workers, 1_000)} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["peak"]:
        for _ in run_jobs(big, range(int(sys.argv[3])), executor(int(sys.argv[2]))):
            pass
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    else:
        main()
