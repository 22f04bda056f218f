"""What is said of an expression's value is what the real terraform makes of it; what is not known is not said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from migrator.terraform.expressions.term_reader import read
from migrator.terraform.expressions.terms import Term, TermsError, term, typed
from tests.conftest import Terraform

KNOWN = (
    '"a"',
    '"a\\"b$${x}"',
    '"x-${"y"}-${1}"',
    '{ a = 1, "b" : { "c" = "x" } }.b.c',
    '{ (upper("k")) = "v" }.K',
    '["p", "q"][1]',
    '["p", "q"].1',
    'lookup({ a = "q" }, "a", "no")',
    'lookup({ a = "q" }, "b", "no")',
    'merge({ a = "1" }, { a = "2", b = "3" }).a',
    'try({}.x, "d")',
    'coalesce("", null, "e")',
    '"a" == "a" ? "p" : "q"',
    '"a" != "a" ? "p" : "q"',
    'null == null ? "p" : "q"',
    '([{ k = "1" }, { k = "2" }][*].k)[1]',
    '[{ k = "1" }, { k = "2" }].*.k[0]',
    '("a"[*])[0]',
    '"${true}" == true ? "p" : "q"',
    '{ for k, v in { a = "1" } : k => upper("x${v}") }.a',
    '{ for s in toset(["b", "a"]) : s => s }.a',
    '[for i, v in ["x", "y"] : "${i}${v}" if v != "x"][0]',
    'tolist(toset(["b", "a", "b"]))[0]',
    'element(["a", "b"], 3)',
    'format("%s/%s", "a", "b")',
    'join("-", ["a", "b"])',
    'join("-", toset(["b", "a"]))',
    'values({ b = "1", a = "2" })[0]',
    'keys({ b = "1", a = "2" })[0]',
    'zipmap(["a"], ["b"]).a',
    'reverse(["a", "b"])[0]',
    'concat(["a"], ["b"])[1]',
    'one(["a"])',
    'jsondecode(jsonencode({ a = "b" })).a',
    'tostring(nonsensitive(sensitive("s")))',
    'trimspace(" a ")',
    '(\n  "a" # c\n)',
)
NOT_SAID = ('1 == "1" ? "p" : "q"', '"%{ if true }a%{ endif }"', 'title("a")', "1.5")


def nothing(root: str, steps: object) -> tuple[Term, int]:
    return term("run", root), 0


def test_what_is_known_is_what_terraform_says(terraform: Terraform, tmp_path: Path) -> None:
    told = [read(text, nothing).string for text in KNOWN]
    assert None not in told, [text for text, one in zip(KNOWN, told, strict=True) if one is None]
    outputs = "".join(f'output "o{number}" {{\n  value = {text}\n}}\n' for number, text in enumerate(KNOWN))
    (tmp_path / "main.tf").write_text(outputs)
    assert terraform.run("plan", "-out=plan", cwd=tmp_path).returncode == 0
    shown = json.loads(terraform.run("show", "-json", "plan", cwd=tmp_path).stdout)["planned_values"]["outputs"]
    assert told == [shown[f"o{number}"]["value"] for number in range(len(KNOWN))]


@pytest.mark.parametrize("text", NOT_SAID)
def test_what_is_not_known_is_not_said(text: str) -> None:
    assert read(text, nothing).string is None


@pytest.mark.parametrize("text", ["uuid()", "x(", "<<E\n${var.x}\nE", '"${~ "a" ~}"', "größe(1)", "[" * 3000])
def test_what_cannot_be_read_is_no_value(text: str) -> None:
    with pytest.raises(TermsError):
        read(text, nothing)


def test_alike_is_the_same_and_nothing_tells_a_value() -> None:
    first, second = (read(text, nothing) for text in ('{ a = x.y, b = "secret" }', '{ "b" : "secret", "a" : x["y"] }'))
    assert first is second
    assert "secret" not in repr(first)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("provider::shop::key(x.y)", "provider::shop::key(x.z)"),
        ("provider::shop::key(x.y)", "provider::shop::id(x.y)"),
        ("provider::shop::key(x.y)", "provider::depot::key(x.y)"),
        ("[for k, v in x.y : k]", "[for v in x.y : v]"),
        ('{ a = "p", (x.y) = "q" }', '{ (x.y) = "q", a = "p" }'),
    ],
)
def test_what_may_differ_is_not_the_same(text: str, other: str) -> None:
    def names(root: str, steps: Sequence[str]) -> tuple[Term, int]:
        return term("var", ".".join([root, *steps])), len(steps)

    assert read(text, names) is not read(other, names)


@pytest.mark.parametrize(
    ("type_", "text", "member", "expected"),
    [
        ('object({ a = string, b = optional(string, "d") })', '{ a = "x" }', "b", "d"),
        ('object({ a = string, b = optional(string, "d") })', '{ a = "x", b = null }', "b", "d"),
        ('object({ a = string, b = optional(string, "d") })', '{ a = "x", b = "y" }', "b", "y"),
        ("map(number)", '{ a = "1" }', "a", 1),
        ('list(object({ b = optional(string, "d") }))', "[{}]", "0", {"b": "d"}),
    ],
)
def test_a_type_has_its_say(type_: str, text: str, member: str, expected: object) -> None:
    found = (typed(type_, read(text, nothing)).entries or {})[member]
    assert found is read(json.dumps(expected), nothing)
