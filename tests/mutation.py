"""Mutation testing: ``python -m tests.mutation MODULE.py... [-- PYTEST-ARGUMENT...]`` tells of the lines that survive.

cosmic-ray says what a module's mutants are. Each is tried in a process of its own, forked off one that has imported and
collected everything, by those tests alone that run its line, the quickest first, until one fails. So thousands of them
take minutes. The tests are those over the fixtures, unless others are named.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import gc
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from cosmic_ray.ast import get_ast
from cosmic_ray.mutating import MutationVisitor
from cosmic_ray.plugins import get_operator

ROOT = Path(__file__).parent.parent
TESTS = ("tests/rules/test_fixtures.py", "-k", "becomes_after")
JOBS = int(os.environ.get("JOBS", os.cpu_count() or 1))
SLOWEST = 5  # times what a test takes, and two seconds, is how long a mutant may run in it: one that loops is killed
OPERATORS = (
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("Add_Sub", "Sub_Add", "Mul_Add", "BitOr_BitAnd", "BitAnd_BitOr")),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is")),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt")),
    *("AddNot", "ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_Delete_USub"),
    *("ReplaceAndWithOr", "ReplaceOrWithAnd", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "NumberReplacer"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ZeroIterationForLoop", "ExceptionReplacer"),
)


@dataclass(frozen=True)
class Mutant:
    """The mutant of a file that an operator makes at its ``occurrence``-th place, on a line."""

    path: Path
    operator: str
    occurrence: int
    line: int

    def source(self) -> str:
        operator = get_operator(f"core/{self.operator}")()
        text: str = MutationVisitor.mutate_code(self.path.read_text(), operator, self.occurrence)
        return text

    def __str__(self) -> str:
        before, after = self.path.read_text().splitlines(), self.source().splitlines()
        changed = next((new for old, new in zip(before, after, strict=False) if old != new), "")
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.operator}: {changed.strip()}"


def mutants(path: Path) -> Iterator[Mutant]:
    tree = get_ast(path.read_text())
    for name in OPERATORS:
        operator = get_operator(f"core/{name}")()
        places = (place for node in _nodes(tree) for place in operator.mutation_positions(node))
        for occurrence, place in enumerate(places):
            yield Mutant(path, name, occurrence, place[0][0])


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in getattr(node, "children", ()):
        yield from _nodes(child)


def functions(code: CodeType) -> dict[str, CodeType]:
    """The functions and methods of a module's code by name; those within others are part of them."""
    found: dict[str, CodeType] = {}
    for inner in (co_const for co_const in code.co_consts if isinstance(co_const, CodeType)):
        is_class = "<locals>" not in inner.co_qualname and not inner.co_flags & 0x2  # CO_NEWLOCALS: a function has it
        found |= functions(inner) if is_class else {f"{inner.co_qualname}:{inner.co_name}": inner}
    return found


def apply(mutant: Mutant) -> bool:
    """Put the mutant in the place of what it is made from; whether that changes any function."""
    before = functions(compile(mutant.path.read_text(), str(mutant.path), "exec"))
    after = functions(compile(mutant.source(), str(mutant.path), "exec"))
    changed = {name for name in before.keys() & after.keys() if before[name] != after[name]}
    for get_object in gc.get_objects():
        if isinstance(get_object, FunctionType) and get_object.__code__.co_filename == str(mutant.path):
            name = f"{get_object.__code__.co_qualname}:{get_object.__code__.co_name}"
            if name in changed and get_object.__code__ == before[name]:
                get_object.__code__ = after[name]
        elif isinstance(get_object, functools._lru_cache_wrapper):
            get_object.cache_clear()
    return bool(changed)


@dataclass
class Mutation:
    """A pytest plugin: in place of running the tests it has the mutants of ``paths`` judged by them."""

    paths: list[Path]
    lines: dict[tuple[str, int], set[int]] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)
    running: dict[int, Mutant] = field(default_factory=dict)
    fates: dict[Mutant, str] = field(default_factory=dict)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for number, item in enumerate(session.items):
            self._record(number, item)
        all_of_them = [mutant for path in self.paths for mutant in mutants(path)]
        self._drop(self._unsteady(session))
        print(f"{len(self.seconds)} tests, {len(all_of_them)} mutants", flush=True)
        for mutant in all_of_them:
            while len(self.running) >= JOBS:
                self._wait()
            self._start(mutant, session)
        while self.running:
            self._wait()
        self._tell()
        return True

    def _record(self, number: int, item: pytest.Item) -> None:
        """Run a test, and note which lines of the modules it runs and how long it takes; one that fails is no judge."""
        files = {str(path) for path in self.paths}
        seen: set[tuple[str, int]] = set()

        def local(frame: FrameType, event: str, _: object) -> Any:
            seen.add((frame.f_code.co_filename, frame.f_lineno))
            return local

        def trace(frame: FrameType, event: str, _: object) -> Any:
            return local(frame, event, _) if frame.f_code.co_filename in files else None

        start = time.perf_counter()
        sys.settrace(trace)
        try:
            is_passed = _passes(item)
        finally:
            sys.settrace(None)
        if is_passed:
            self.seconds[number] = time.perf_counter() - start
            for line in seen:
                self.lines.setdefault(line, set()).add(number)

    def _unsteady(self, session: pytest.Session) -> list[int]:
        """The tests that fail in a fork, where nothing is mutated: no judges either."""
        reading, writing = os.pipe()
        if pid := os.fork():
            os.close(writing)
            with open(reading, "rb") as pipe:
                said = pipe.read()
            os.wait()
            shutil.rmtree(_folder(pid), ignore_errors=True)
            return [int(number) for number in said.split()]
        try:
            self._be_quiet(session)
            for number in self.seconds:
                if not _passes(session.items[number]):
                    os.write(writing, b"%d " % number)
        finally:
            os._exit(0)

    def _drop(self, numbers: list[int]) -> None:
        for number in numbers:
            del self.seconds[number]
        for line in self.lines:
            self.lines[line].difference_update(numbers)

    def _be_quiet(self, session: pytest.Session) -> None:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        folder = _folder(os.getpid())
        folder.mkdir(exist_ok=True)
        session.config._tmp_path_factory._basetemp = folder  # type: ignore[attr-defined]

    def _judges(self, mutant: Mutant) -> list[int]:
        """The tests that run the statement that a mutant's line is part of."""
        within = _statement(mutant.path, mutant.line)
        numbers = set().union(*(self.lines.get((str(mutant.path), line), set()) for line in within))
        return sorted(numbers, key=self.seconds.__getitem__)

    def _start(self, mutant: Mutant, session: pytest.Session) -> None:
        judges = self._judges(mutant)
        pid = os.fork()
        if pid:
            self.running[pid] = mutant
            return
        fate = 3
        try:
            self._be_quiet(session)
            is_other = apply(mutant)
            fate = 2 if not is_other else 0 if all(self._is_passed(number, session) for number in judges) else 1
        except BaseException:  # whatever a mutant does, it is no other process's matter
            fate = 1
        finally:
            os._exit(fate)

    def _is_passed(self, number: int, session: pytest.Session) -> bool:
        latest = round(time.process_time() + SLOWEST * self.seconds[number]) + 2
        resource.setrlimit(resource.RLIMIT_CPU, (latest, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        return _passes(session.items[number])

    def _wait(self) -> None:
        pid, status = os.wait()
        mutant = self.running.pop(pid)
        shutil.rmtree(_folder(pid), ignore_errors=True)
        code = os.waitstatus_to_exitcode(status)
        fate = {0: "survived" if self._judges(mutant) else "no test", 2: "the same"}.get(code, "killed")
        self.fates[mutant] = fate
        if fate in ("survived", "no test"):
            print(f"{fate}: {mutant}", flush=True)

    def _tell(self) -> None:
        for path in self.paths:
            fates = [fate for mutant, fate in self.fates.items() if mutant.path == path and fate != "the same"]
            print(f"{path.relative_to(ROOT)}: {fates.count('killed')} of {len(fates)} mutants killed", flush=True)


def _passes(item: pytest.Item) -> bool:
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))


def _folder(pid: int) -> Path:
    return Path(tempfile.gettempdir(), f"mutant-{pid}")


@functools.cache
def _statements(path: Path) -> list[tuple[int, int]]:
    found = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.stmt))
    return sorted((node.lineno, _end(node)) for node in found)


def _end(node: ast.stmt) -> int:
    """The last line of a statement, or of the head of one that has a body."""
    body = getattr(node, "body", None)
    return max(node.lineno, body[0].lineno - 1) if body else node.end_lineno or node.lineno


def _statement(path: Path, line: int) -> range:
    holding = [(first, last) for first, last in _statements(path) if first <= line <= last]
    first, last = max(holding, default=(line, line))
    return range(first, last + 1)


def main() -> None:
    given = sys.argv[1:]
    split = given.index("--") if "--" in given else len(given)
    paths = [Path(name).resolve() for name in given[:split]]
    if not paths:
        sys.exit(__doc__)
    arguments = given[split + 1 :] or list(TESTS)
    with contextlib.chdir(ROOT):
        options = ["-q", "-s", "-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:randomly"]
        sys.exit(pytest.main([*arguments, *options], plugins=[Mutation(paths)]))


if __name__ == "__main__":
    main()
