"""Fuzz one target: ``python -m tests.fuzz TARGET [LIBFUZZER-OPTION]...``; a finding is written to a file and told."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["migrator"]):
    from tests.fuzz.targets import TARGETS, Target

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
LARGEST = 4096
SLOWEST = 20  # seconds for an input of LARGEST bytes: two orders above what any of them takes


def seeds(target: Target, folder: Path) -> None:
    files = (path for path in sorted(FIXTURES.rglob("*")) if path.is_file() and path.name.endswith(target.suffixes))
    for number, path in enumerate(files):
        (folder / f"{number:04}").write_bytes(path.read_bytes())


def dictionary(target: Target, file: Path) -> None:
    words = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in target.words)
    file.write_text("".join(f'"{word}"\n' for word in words))


def main() -> None:
    name, *options = sys.argv[1:] or ["--help"]
    target = TARGETS.get(name)
    if target is None:
        sys.exit(f"usage: python -m tests.fuzz TARGET [LIBFUZZER-OPTION]...; targets: {', '.join(TARGETS)}")
    with tempfile.TemporaryDirectory() as temporary:
        corpus = Path(temporary, "corpus")
        corpus.mkdir()
        seeds(target, corpus)
        dictionary(target, Path(temporary, "words"))
        given = [f"-dict={temporary}/words", f"-max_len={LARGEST}", f"-timeout={SLOWEST}", *options, str(corpus)]
        atheris.Setup([sys.argv[0], *given], lambda data: target.run(bytes(data)))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
