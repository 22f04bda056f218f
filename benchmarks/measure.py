"""Programs beside each other: how long they take, and how much memory their largest process has."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """``seconds`` on the clock, ``cpu`` seconds of all processes together, ``memory`` in MiB of the largest of them."""

    seconds: float
    cpu: float
    memory: float


_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Programs run with compiled modules, as installed ones do: the first run, which is not measured, writes them."""


@dataclass(frozen=True)
class Program:
    """A ``command`` to run in ``folder``; it may end with any of ``codes``."""

    command: Sequence[str | Path]
    folder: Path
    codes: tuple[int, ...] = (0,)

    def run(self) -> Cost:
        """What one run costs. Ends this program if that one fails."""
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in self.command],
            cwd=self.folder,
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in self.codes:
            raise SystemExit(f"{process.returncode} of {' '.join(map(str, self.command))} in {self.folder}")
        return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def compare(programs: Mapping[str, Program], rounds: int, once: frozenset[str] = frozenset()) -> dict[str, Cost]:
    """The median costs of programs that take turns, so that whatever else the machine does is shared by all of them.

    Those named in ``once`` run in the first round alone.
    """
    for name in programs.keys() - once:
        programs[name].run()
    costs: dict[str, list[Cost]] = {name: [] for name in programs}
    for number in range(rounds):
        for name, program in programs.items():
            if number == 0 or name not in once:
                costs[name].append(program.run())
    return {name: _median(found) for name, found in costs.items()}


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.seconds for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        max(cost.memory for cost in costs),
    )


def table(title: str, costs: Mapping[str, Cost]) -> str:
    """The costs as Markdown, with the ratio of the first of them to each of the others."""
    first = next(iter(costs.values()))
    rows = [f"| {title} | seconds | CPU seconds | MiB a process | ratio | ratio of CPU |", "|---|---|---|---|---|---|"]
    for name, cost in costs.items():
        ratios = f"{_ratio(first.seconds, cost.seconds)} | {_ratio(first.cpu, cost.cpu)}"
        rows.append(f"| {name} | {cost.seconds:.2f} | {cost.cpu:.2f} | {cost.memory:.0f} | {ratios} |")
    return "\n".join(rows) + "\n"


def _ratio(one: float, other: float) -> str:
    return f"{one / other:.3g}" if other else ""
