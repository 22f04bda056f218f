"""Fuzz targets: ``python -m tests.fuzz TARGET[,TARGET]... [LIBFUZZER-OPTION]...``; a finding is written to a file."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["migrator"]):
    from tests.fuzz.targets import TARGETS, Target

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
LARGEST = 4096
SLOWEST = 60  # seconds for an input of LARGEST bytes: two orders above what any of them takes on a busy machine


def seeds(target: Target, folder: Path) -> None:
    """Write the fixtures that ``target`` begins with to ``folder``: all, or as many as ``FUZZ_SEEDS`` says."""
    files = [path for path in sorted(FIXTURES.rglob("*")) if path.is_file() and path.name.endswith(target.suffixes)]
    step = max(1, len(files) // int(os.environ.get("FUZZ_SEEDS", len(files))))
    for number, path in enumerate(files[::step]):
        (folder / f"{number:04}").write_bytes(path.read_bytes())


def dictionary(target: Target, file: Path) -> None:
    words = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in target.words)
    file.write_text("".join(f'"{word}"\n' for word in words))


def fuzz(name: str, options: list[str]) -> None:
    """Fuzz a target, which ends the process."""
    target = TARGETS[name]
    with tempfile.TemporaryDirectory() as temporary:
        corpus = Path(temporary, "corpus")
        corpus.mkdir()
        seeds(target, corpus)
        dictionary(target, Path(temporary, "words"))
        given = [f"-dict={temporary}/words", f"-max_len={LARGEST}", f"-timeout={SLOWEST}", *options, str(corpus)]
        atheris.Setup([sys.argv[0], *given], lambda data: target.run(bytes(data)))
        atheris.Fuzz()


def fuzz_apart(name: str, options: list[str]) -> int:
    """Fuzz a target in a process of its own, which has the instrumented modules already; returns its exit code."""
    child = os.fork()
    if child == 0:
        fuzz(name, options)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(f"{name}: exit code {code}", file=sys.stderr, flush=True)
    return code


def main() -> None:
    named, *options = sys.argv[1:] or ["--help"]
    names = named.split(",")
    if not TARGETS.keys() >= set(names):
        usage = "usage: python -m tests.fuzz TARGET[,TARGET]... [LIBFUZZER-OPTION]..."
        sys.exit(f"{usage}; targets: {', '.join(TARGETS)}")
    if len(names) == 1:
        fuzz(names[0], options)
    codes = [fuzz_apart(name, options) for name in names]
    sys.exit(any(codes))


if __name__ == "__main__":
    main()
