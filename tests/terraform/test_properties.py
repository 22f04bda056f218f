"""Providers and backends in random layout: what must hold of every one of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.config.config import Config
from migrator.migrate.pipeline import migrate_repo
from migrator.model.findings import Refusal
from migrator.model.results import Mode
from migrator.syntax.hcl import parse as hcl
from migrator.syntax.hcl.layout import align
from migrator.syntax.terraform import Block
from migrator.terraform.assumed_role import ROLE_FAMILY
from migrator.terraform.providers import CREDENTIALS
from tests.conftest import Terraform

OTHERS = ("region", "max_retries", "a", "allowed_account_ids", "skip_region_validation")
VALUES = st.sampled_from(
    [
        '"x"',
        "3",
        "var.x",
        '["a", "b"]',
        '[\n    "a", # one\n    "b",\n  ]',
        'var.x ? "a" : "${var.y}-}"',
        "{ a = 1 }",
        '<<EOT\n  } # " text\nEOT',
        'f(\n    "x"\n  )',
        '"# no comment /* nor this"',
    ]
)
ARN = '"arn:aws:iam::123456789012:role/state"'


@dataclass(frozen=True)
class Line:
    """An argument with its comments; a comment that must stay says keep, one that must go says gone."""

    text: str
    is_removed: bool


@st.composite
def arguments(draw: st.DrawFn, names: list[str], family: list[str]) -> list[Line]:
    lines = []
    for name in draw(st.permutations(names)):
        removed, kept = name in CREDENTIALS, "keep" if name not in CREDENTIALS else "gone"
        value = ARN if name == "role_arn" else draw(VALUES)
        above = draw(st.sampled_from(["", "", f"  # {kept} {name}\n", f"  /* {kept}\n     {name} */\n"]))
        can_have_comment = "EOT" not in value
        after = draw(st.sampled_from(["", "", f" # {kept}", f" /* {kept} */"])) if can_have_comment else ""
        gap = draw(st.sampled_from(["", "\n", "\n"])) if lines else ""
        lines.append(Line(f"{gap}{above}  {name}{draw(st.sampled_from([' ', '   ', '']))}= {value}{after}\n", removed))
    return lines


NESTED = st.sampled_from(
    [
        "",
        "  assume_role {\n    role_arn = var.role\n  }\n",
        '\n  default_tags {\n    tags = { keep = "keep" }\n  }\n',
        "  # keep: commented = out\n",
    ]
)
NEIGHBOURS = st.sampled_from(
    [
        "",
        'variable "x" {}\n',
        'locals {\n  text = <<-EOT\n    provider "aws" {\n      profile = "x"\n  EOT\n}\n',
        '# provider "aws" {\n#   access_key = "x"\n# }\n',
        'resource "null_resource" "x" {\n  triggers = { profile = "x" }\n}\n',
        'provider "google" {\n  access_key = "x"\n}\n',
    ]
)


@st.composite
def providers(draw: st.DrawFn) -> tuple[str, list[Line]]:
    secrets = draw(st.lists(st.sampled_from(CREDENTIALS), min_size=1, unique=True))
    others = draw(st.lists(st.sampled_from(OTHERS), unique=True))
    lines = draw(arguments(secrets + others, []))
    return 'provider "aws" {\n' + "".join(line.text for line in lines) + draw(NESTED) + "}\n", lines


@st.composite
def backends(draw: st.DrawFn) -> tuple[str, list[Line]]:
    chosen = draw(st.lists(st.sampled_from([*CREDENTIALS, *ROLE_FAMILY]), min_size=1, unique=True))
    lines = draw(arguments([*chosen, "bucket", "key"], list(ROLE_FAMILY)))
    body = "".join(line.text for line in lines)
    return 'terraform {\n  backend "s3" {\n' + body + "  }\n}\n", lines


MODULES = st.tuples(NEIGHBOURS, st.one_of(providers(), backends()), NEIGHBOURS)


@contextmanager
def folder_of(files: dict[str, bytes]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, data in files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(data)
        yield folder


def migrate(folder: Path, mode: Mode = Mode.IN_PLACE) -> tuple[str, ...]:
    result = migrate_repo(str(folder), Config(mode=mode))
    assert result.error == ""
    assert not result.problems
    assert not [finding.fate for finding in result.findings if isinstance(finding.fix, Refusal)]
    return result.changed


@settings(max_examples=150)
@given(MODULES, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans(), st.booleans())
@pytest.mark.system
def test_every_module(
    module: tuple[str, tuple[str, list[Line]], str], newline: str, bom: bool, is_aligned: bool, ends: bool
) -> None:
    before, (block, lines), after = module
    block = align(block) if is_aligned else block
    text = "\n".join(part for part in (before, block, after) if part)
    text = text if ends or text.endswith("EOT\n") else text.rstrip("\n")
    data = text.replace("\n", newline).encode()
    with folder_of({"main.tf": (b"\xef\xbb\xbf" if bom else b"") + data}) as folder:
        assert "main.tf" in migrate(folder)
        migrated = (folder / "main.tf").read_bytes()
        assert migrate(folder) == ()
        assert (folder / "main.tf").read_bytes() == migrated

    assert migrated.startswith(b"\xef\xbb\xbf") == bom
    result = migrated.removeprefix(b"\xef\xbb\xbf").decode()
    assert ("\r\n" in result) == (newline == "\r\n")
    assert result.count("\n") == result.count(newline)
    result = result.replace(newline, "\n")
    for neighbour in (before, after):
        is_orphan = neighbour.startswith("variable") and "var.x" in text and "var.x" not in result
        assert (neighbour.rstrip("\n") in result) != is_orphan
    assert "gone" not in result
    assert result.count("keep") == text.count("keep")
    assert not names_of_targets(result) & {*CREDENTIALS, *ROLE_FAMILY}
    for line in lines:
        if not line.is_removed and " = " in line.text:
            value = line.text.split(" = ", 1)[1].strip()
            assert all(squeezed(part) in squeezed(result) for part in value.split("\n"))
    if is_aligned:
        for item in hcl.parse(result):
            assert align(item.span.of(result)) == item.span.of(result)


def squeezed(text: str) -> str:
    return " ".join(text.split())


def names_of_targets(text: str) -> set[str]:
    """The arguments of the AWS provider and of the S3 backend."""
    found: set[str] = set()
    for item in hcl.parse(text):
        assert isinstance(item, Block)
        targets = (
            [item] if item.labels == ("aws",) else list(item.blocks("backend")) if item.type == "terraform" else []
        )
        found.update(attribute.name for target in targets for attribute in target.attributes)
    return found


@settings(max_examples=12)
@given(st.lists(MODULES, min_size=10, max_size=20))
def test_what_terraform_formatted_stays_formatted(
    terraform: Terraform, modules: list[tuple[str, tuple[str, list[Line]], str]]
) -> None:
    files = {f"m{number}/main.tf": f"{a}\n{b[0]}\n{c}".encode() for number, (a, b, c) in enumerate(modules)}
    with folder_of(files) as folder:
        assert terraform.run("fmt", "-recursive", str(folder)).returncode == 0
        migrate(folder)
        done = terraform.run("fmt", "-check", "-diff", "-recursive", str(folder))
        assert done.returncode == 0, done.stdout + done.stderr
