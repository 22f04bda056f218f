"""Fixtures that were damaged at random, and trees that were made at random: what comes of them is sound.

A damaged file is migrated, or left as it is with a sentence: no traceback, nothing left to do for a second run, and no
comment is lost. What became of a whole tree is accepted by ``terraform validate``.
"""

from __future__ import annotations

import random
import re
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from migrator.config.config import Auth, BackendAuth, Config, HookPlace, ProviderAuth, RoleIn
from migrator.migrate.pipeline import migrate_repo
from migrator.model.results import Mode, RepoResult
from tests.conftest import FIXTURES, Terraform
from tests.decide.test_identity import _without_providers
from tests.system.hostile_trees import tree

ARN = "arn:aws:iam::123456789012:role/r"
MUTANTS = 60
TREES = 10
CASES = sorted(path.parent for path in FIXTURES.glob("rules/*/*/before"))
MODES: dict[str, dict[str, Any]] = {
    "default": {},
    "role": {"role_arn": ARN},
    "ambient": {"include_ambient": True, "role_arn": ARN, "backend_role_arn": ARN},
    "portable": {"portable": True},
    "native": {"backend_auth": BackendAuth.NATIVE, "role_arn": ARN},
    "environment": {"backend_auth": BackendAuth.ENV, "role_arn": ARN},
    "hook": {"provider_auth": ProviderAuth.HOOK, "backend_auth": BackendAuth.HOOK, "role_arn": ARN},
    "integration": {"auth": Auth.CLOUD_INTEGRATION, "role_arn": ARN},
    "runtime": {"hook_in": HookPlace.RUNTIME_CONFIG, "role_arn": ARN},
    "variable": {"role_in": RoleIn.VARIABLE, "role_arn": ARN},
}
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_BYTES = bytes(range(1, 128)) + b"\"'{}[]()$%\\#\n\n\r\t=" * 4 + b"\xc3\xff\x00"


def _byte(data: bytes, dice: random.Random) -> bytes:
    at, new = dice.randrange(len(data) + 1), bytes([dice.choice(_BYTES)])
    return dice.choice([data[:at] + new + data[at:], data[:at] + new + data[at + 1 :], data[:at] + data[at + 1 :]])


def _line(data: bytes, dice: random.Random) -> bytes:
    lines = data.splitlines(keepends=True) or [b""]
    at, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    made = dice.choice(["out", "twice", "elsewhere", "cut"])
    if made == "elsewhere":
        lines.insert(other, lines.pop(at))
    elif made == "cut":
        lines = lines[: at + 1]
    else:
        lines[at : at + 1] = [lines[at]] * (2 if made == "twice" else 0)
    return b"".join(lines)


def _token(data: bytes, dice: random.Random) -> bytes:
    tokens = _TOKEN.findall(data.decode("utf-8", "surrogateescape")) or [""]
    at = dice.randrange(len(tokens))
    tokens[at] = dice.choice(["", dice.choice(tokens), tokens[at] * 2, "null", '"', "${", "for_each", "each.key"])
    return "".join(tokens).encode("utf-8", "surrogateescape")


WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (_byte, _line, _token)


def _mutated(folder: Path, dice: random.Random) -> str:
    """Damage some of the files of a folder; what was done to which, for people."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    for _ in range(dice.choice([1, 1, 2, 4])):
        file = dice.choice(files)
        file.write_bytes(dice.choice(WAYS)(file.read_bytes(), dice))
    return "\n".join(f"--- {path.relative_to(folder)}\n{path.read_bytes()!r}" for path in files)


def _comment(folder: Path) -> dict[Path, list[bytes]]:
    """Write a comment above and below each file of HCL, away from its blocks; they are to stay."""
    found: dict[Path, list[bytes]] = {}
    for number, path in enumerate(sorted(folder.rglob("*.tf"))):
        head, tail = (f"# {place} of file {number}".encode() for place in ("the beginning", "the end"))
        path.write_bytes(head + b"\n\n" + path.read_bytes() + b"\n\n" + tail + b"\n")
        found[path] = [head, tail]
    return found


def _migrate(folder: Path, options: dict[str, Any], text: str) -> RepoResult:
    result = migrate_repo(str(folder), Config(mode=Mode.IN_PLACE, **options))
    assert "nternal error" not in result.error, text
    return result


def test_a_damaged_fixture_is_migrated_or_told(dice: random.Random, tmp_path: Path) -> None:
    for _ in range(MUTANTS):
        case, mode = dice.choice(CASES), dice.choice(list(MODES))
        folder = tmp_path / "webshop"
        shutil.copytree(case / "before", folder, symlinks=True)
        comments = _comment(folder) if dice.random() < 0.5 else {}
        text = f"{case.name} in mode {mode}:\n{_mutated(folder, dice)}"
        before = {path: path.read_bytes() for path in comments}
        first = _migrate(folder, MODES[mode], text)
        for path, planted in comments.items():
            head, tail = planted  # where damage moved one beside a block, it goes with the block
            is_there = (before[path].startswith(head + b"\n\n"), before[path].endswith(b"\n\n" + tail + b"\n"))
            kept = [comment for comment, stays in zip(planted, is_there, strict=True) if stays]
            assert [comment for comment in kept if comment not in path.read_bytes()] == [], text
        if not first.error:
            second = _migrate(folder, MODES[mode], text)
            assert (second.error, second.changed) == ("", ()), text
        shutil.rmtree(folder)


def test_every_fixture_has_sound_options() -> None:
    """So that what is drawn is what the fixtures are for."""
    assert len(CASES) > 300
    assert all(tomllib.loads(path.read_text()) is not None for path in FIXTURES.glob("rules/*/*/case.toml"))


@pytest.mark.parametrize("modes", [("default", "role"), ("native", "environment", "variable")])
def test_terraform_validates_what_comes_out(
    modes: tuple[str, ...], terraform: Terraform, dice: random.Random, tmp_path: Path
) -> None:
    """Every variable that is used is declared, every one that a module needs is passed, and nothing is there twice."""
    calls, texts = "", {}
    for number in range(TREES):
        made, mode = tree(dice), dice.choice(modes)
        folder = tmp_path / f"t{number}" / "repo"
        for path, text in made.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        assert not migrate_repo(str(folder), Config(mode=Mode.IN_PLACE, **MODES[mode])).error
        texts[number] = f"t{number} in mode {mode}: {made.files}"
        for root in sorted((folder / "live").iterdir()):
            own = "".join(file.read_text() for file in sorted(root.glob("*.tf")))
            needed = re.findall(r'(?m)^variable "(\w+)" \{\n(?!(?:  .*\n)*  default)', own)
            given = "".join(f'  {name} = "x"\n' for name in needed)
            calls += f'module "t{number}_{root.name}" {{\n  source = "./t{number}/repo/live/{root.name}"\n{given}}}\n'
    for file in tmp_path.rglob("*.tf"):
        file.write_text(_without_providers(file.read_text()))
    (tmp_path / "main.tf").write_text(calls)
    for step in (["init", "-input=false", "-backend=false"], ["validate"]):
        done = terraform.run(*step, "-no-color", cwd=tmp_path)
        assert done.returncode == 0, done.stderr + "".join(
            text for number, text in texts.items() if f"t{number}/" in done.stderr
        )
