"""The alignment of ``terraform fmt``, held against the real one."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.syntax.hcl.layout import align
from tests.conftest import Terraform

NAMES = st.sampled_from(["a", "bb", "region", "secret_key", "a_rather_long_name", "größe"])
VALUES = st.sampled_from(
    [
        '"x"',
        "1",
        "[1, 2]",
        "{ a = 1 }",
        "[\n    1,\n  ]",
        "{\n    a   = 1 # one\n    bbb = 2\n  }",
        "<<EOT\nx = 1\nEOT",
        'f(\n    "x",\n  )',
        '"-${a == b}"',
        '"${a["b"]} = x"',
        "a == b ? 1 : 2",
        '"é"',
        "<<-EOT\n    x\n  EOT",
        '"🇩🇪"',
        '"👨‍👩‍👧 é"',
        '"❤️ 👍🏽"',
    ]
)
COMMENTS = st.sampled_from(["", "", "", " # why", "   // so", " /* c */"])
GAPS = st.sampled_from([" ", "  ", "     "])


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A line of a body, or a few; ``NUMBER`` keeps names apart."""
    kind = draw(st.sampled_from(["attribute"] * 6 + ["blank", "comment", "block"]))
    if kind == "blank":
        return ""
    if kind == "comment":
        return "  # a line of its own"
    if kind == "block":
        return f"  nested {{{draw(COMMENTS).removesuffix(' /* c */')}\n    x{draw(GAPS)}= 1\n    yy = 2\n  }}"
    value = draw(VALUES)
    comment = "" if "EOT" in value else draw(COMMENTS)
    gap = draw(GAPS) if "EOT" in value or "\n" not in value else " "  # one that is in no column
    return f"  {draw(NAMES)}NUMBER{gap}= {value}{comment}"


@st.composite
def blocks(draw: st.DrawFn) -> str:
    """A block, with comments behind its braces or not."""
    body = draw(st.lists(lines(), max_size=8))
    numbered = [line.replace("NUMBER", "x" * number) for number, line in enumerate(body)]
    header = draw(st.sampled_from(["", " # head", "   // head"]))
    end = draw(st.sampled_from(["", " # end", "    # end"]))
    return "\n".join([f"block {{{header}", *numbered, f"}}{end}"]) + "\n"


@settings(max_examples=25)
@given(st.lists(blocks(), min_size=20, max_size=40), st.sampled_from(["", "\n"]))
def test_terraform_fmt_has_nothing_to_add(terraform: Terraform, written: list[str], gap: str) -> None:
    """What is written in its style but for columns is aligned as ``terraform fmt`` does it, and stays so."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name, "raw.tf")
        file.write_text(gap.join(written))
        done = terraform.run("fmt", "-list=false", str(file))
        assert done.returncode == 0, done.stderr
        formatted = file.read_text()
        assert align(gap.join(written)) == formatted
        assert align(formatted) == formatted


def test_carriage_returns_and_no_newline_at_the_end() -> None:
    assert align("a {\r\n  b = 1\r\n  cc = 2\r\n}") == "a {\r\n  b  = 1\r\n  cc = 2\r\n}"
