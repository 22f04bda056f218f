"""Ordinary texts: python-hcl2, which is not asked about them, would take each of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.errors import SyntaxProblem
from migrator.syntax.hcl import parse as hcl
from migrator.syntax.hcl.ordinary import is_ordinary

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
WORDS = st.sampled_from(
    ["a", "x_1", "_", "a-b", "for", "for_each", "if", "in", "in_", "null", "true", "else", "endif", "each", "EOT"]
)
PIECES = st.sampled_from(
    [
        *"x$% {}#~[]=é",
        "$${",
        "%%{",
        '\\"',
        "\\n",
        "\\\\",
        "${a.b}",
        "${for}",
        '${"$"}',
        '${"x"}',
        "//",
        "/*",
        "$$",
        "<<EOT",
    ]
)
REFERENCES = st.lists(WORDS, min_size=1, max_size=3).map(".".join)
STRINGS = st.lists(PIECES, max_size=5).map(lambda pieces: f'"{"".join(pieces)}"')
ATOMS = REFERENCES | STRINGS | st.sampled_from(["0", "-7", "007", "1.5", "-0", "1e3"])
ENDS = st.sampled_from(["", " # c", "// c", ","])
LISTS = st.lists(ATOMS, max_size=3).map(lambda atoms: f"[{', '.join(atoms)}]")
ARGUMENTS = st.tuples(WORDS, st.sampled_from([" = ", "=", "\t=  "]), ATOMS | LISTS | st.just("{}"), ENDS).map("".join)
ELEMENTS = st.tuples(ATOMS, st.sampled_from([",", ",", ", # c", ""])).map("".join)


def around(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    heads = st.tuples(WORDS, st.sampled_from([" {", ' "x" {', ' "x" k {', ' "$x" {', " = {", " = [", "{ # c"])).map(
        "".join
    )
    lines = st.lists(inner, max_size=4).map("\n".join)
    return st.tuples(heads, lines, st.sampled_from(["}", "]"])).map("\n".join)


TEXTS = st.recursive(ARGUMENTS | ELEMENTS | st.just(""), around, max_leaves=8).map(lambda text: f"b {{\n{text}\n}}\n")


@given(TEXTS)
def test_python_hcl2_takes_what_is_ordinary(text: str) -> None:
    assert not is_ordinary(text) or hcl.opinion(text) is None


def test_most_blocks_of_fixtures_are_ordinary() -> None:
    shapes: set[str] = set()
    for file in sorted(FIXTURES.rglob("*.tf")):
        text = file.read_bytes().decode("utf-8", "replace")
        try:
            shapes.update(hcl.shape(f"{item.span.of(text)}\n") for item in hcl.parse(text))
        except SyntaxProblem:
            continue
    ordinary = [shape for shape in shapes if is_ordinary(shape)]
    assert len(ordinary) > len(shapes) / 2 > 300
    assert [shape for shape in ordinary if hcl.opinion(shape) is not None] == []


@pytest.mark.parametrize(
    "body",
    [
        "a = 1 +",
        "a = b[0]",
        "a = f(1)",
        "a = {",
        "a = [",
        "]",
        "}",
        '"x",',
        "a = [\n1\n2\n]",
        "a = [\nb = 1\n]",
        "a = {\nb {\n}\n}",
        "a = 1 b = 2",
        'a = "x',
        'a = "${x"',
        "a = <<EOT\nx\nEOT",
        "/* x */",
        "a",
    ],
)
def test_what_is_not_ordinary(body: str) -> None:
    assert is_ordinary("a {\nb = 1\n}\n")
    assert not is_ordinary(f"a {{\n{body}\n}}\n")
