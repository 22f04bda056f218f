"""What expressions come to: the parts they are made of, and those that have no end."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from migrator.config.config import Config
from migrator.migrate.pipeline import migrate_repo
from migrator.model.results import Mode, RepoResult
from migrator.terraform.expressions.forms import Loop, comparison, conditional, loop, member_type, optional_members

BACKEND = 'terraform {\n  backend "s3" {\n    role_arn = "arn:aws:iam::123456789012:role/state"\n  }\n}\n'
STACK = """
resource "spacelift_stack" "app" {{
  for_each     = {each}
  name         = "app"
  branch       = "main"
  repository   = "webshop"
  project_root = {root}
  before_init  = {hooks}
}}
"""
PATIENCE = 20
"""Seconds of work; each of these takes less than five by itself."""


def migrated(folder: Path, files: dict[str, str]) -> RepoResult:
    for path, text in {"app/main.tf": BACKEND, **files}.items():
        (folder / "webshop" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "webshop" / path).write_text(text)
    started = time.process_time()
    result = migrate_repo(str(folder / "webshop"), Config(mode=Mode.IN_PLACE))
    assert time.process_time() - started < PATIENCE
    assert result.error == ""
    return result


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a == b ? c : d", ("a == b", "c", "d")),
        ("a ? b ? c : d : e", ("a", "b ? c : d", "e")),
        ("a?[b]:{c = d}", ("a", "[b]", "{c = d}")),
        ('"a ? b : c"', None),
        ("[a ? b : c]", None),
        ("a ? b", None),
    ],
)
def test_a_conditional_has_three_parts(text: str, parts: tuple[str, str, str] | None) -> None:
    assert conditional(text) == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('a == "b"', ("a", '"b"', True)),
        ("a.b!=c", ("a.b", "c", False)),
        ('"a == b"', None),
        ("a == b && c == d", None),
        ("a >= b", None),
        ("a", None),
    ],
)
def test_a_comparison_has_two_sides(text: str, parts: tuple[str, str, bool] | None) -> None:
    assert comparison(text) == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("{ for k, v in a.b : k => v }", Loop(("k", "v"), "a.b", "k", "v", "")),
        ('{for v in a:"x-${v}"=>{ r = v } if v!="y"}', Loop(("v",), "a", '"x-${v}"', "{ r = v }", 'v!="y"')),
        (
            "{ for v in a : v => merge(b, { for w in c : w => w }) if d }",
            Loop(("v",), "a", "v", "merge(b, { for w in c : w => w })", "d"),
        ),
        ("{ for v in a : v.x => v... }", None),
        ("[for v in a : v]", None),
        ("{ a = b }", None),
        ("{ format = b }", None),
    ],
)
def test_a_loop_has_its_names_and_what_it_makes_of_them(text: str, parts: Loop | None) -> None:
    assert loop(text) == parts


def test_a_type_tells_what_is_there_unsaid() -> None:
    stack = 'object({ root = optional(string, "app"), hooks = optional(list(string)), name = string })'
    assert optional_members(stack) == {"root": '"app"', "hooks": "null"}
    assert member_type(f"map({stack})", "one") == stack
    assert member_type(stack, "hooks") == "list(string)"
    assert member_type(stack, "name") == "string"
    assert optional_members("any") == {}
    assert member_type("", "one") == member_type("map(", "one") == ""


@pytest.mark.parametrize(
    "local",
    [
        "local.b",
        '"${local.b}${local.b}"',
        "merge(local.b, local.b, local.b)",
        "concat(local.b, local.a, local.b)",
        "try(local.b, local.b)",
        "local.b == local.b ? local.b : local.a",
        "{ for k, v in local.b : k => v }",
        "lookup(local.b, local.b, local.b)",
        "local.b[local.b].x",
    ],
)
def test_what_refers_to_itself_is_not_known(tmp_path: Path, local: str) -> None:
    definitions = f"locals {{\n  a = {local}\n  b = {local.replace('local.b', 'local.a')}\n}}\n"
    stack = STACK.format(each="local.a", root="local.a.root", hooks="local.a.hooks")
    result = migrated(tmp_path, {"main.tf": definitions + stack})
    assert [row.remarks for row in result.stacks] == [
        ("The project_root of the stack cannot be known without running Terraform.",)
    ]


@pytest.mark.parametrize(
    "doubled",
    ['"${local.a#}${local.a#}"', "merge(local.a#, local.a#)", "[local.a#, local.a#]", "concat(local.a#, local.a#)"],
)
def test_what_doubles_forty_times_is_not_followed_to_its_end(tmp_path: Path, doubled: str) -> None:
    lines = [f"  a{number + 1} = {doubled.replace('#', str(number))}" for number in range(40)]
    definitions = 'locals {\n  a0 = "x"\n' + "\n".join(lines) + "\n}\n"
    result = migrated(
        tmp_path, {"main.tf": definitions + STACK.format(each="local.a40", root="local.a40", hooks="local.a40")}
    )
    assert [row.code for row in result.stacks] == [""]


@pytest.mark.parametrize(
    "expression",
    [
        "a" + " " * 30_000 + "b ? 1 : 2",
        '"${' + " " * 20_000 + 'x y}"',
        "{ for k, v in x " + " : a" * 800 + "}",
        "local" + ".a" * 20_000,
        "(" * 200 + '"app"' + ")" * 200,
        "tostring(" * 200 + '"app"' + ")" * 200,
    ],
    ids=["blanks", "template", "colons", "steps", "parentheses", "calls"],
)
def test_a_long_expression_takes_no_long_time(tmp_path: Path, expression: str) -> None:
    result = migrated(tmp_path, {"main.tf": STACK.format(each="{ a = 1 }", root=expression, hooks="[]")})
    assert [row.code for row in result.stacks] == [""]


@pytest.mark.parametrize("root", ["each.value.root", "local.stacks[each.key].root"])
def test_a_large_map_is_read_once(tmp_path: Path, root: str) -> None:
    entries = "".join(f'    s{number} = {{ root = "r{number}", hooks = [] }}\n' for number in range(1000))
    definitions = f'locals {{\n  stacks = {{\n{entries}    app = {{ root = "app", hooks = [] }}\n  }}\n}}\n'
    result = migrated(
        tmp_path, {"main.tf": definitions + STACK.format(each="local.stacks", root=root, hooks="each.value.hooks")}
    )
    assert sum(row.code == "app" for row in result.stacks) == 1
    assert len(result.stacks) == 1001


def test_modules_that_call_each_other_in_many_ways(tmp_path: Path) -> None:
    """Four calls on each of twelve floors: millions of paths, all of which lead to the same root module."""
    variable = 'variable "root" {\n  type = string\n}\n'
    call = 'module "{0}" {{\n  source   = "../m{1}"\n  for_each = {{}}\n  root = var.root\n}}\n'
    files = {
        f"m{floor}/main.tf": variable + "".join(call.format(name, floor + 1) for name in "abcd") for floor in range(12)
    }
    files["m12/main.tf"] = variable + STACK.format(each='toset(["app"])', root="var.root", hooks="null")
    files["main.tf"] = 'module "m" {\n  source = "./m0"\n  root   = "app"\n}\n'
    migrated(tmp_path, files)


def test_a_module_that_calls_itself(tmp_path: Path) -> None:
    call = 'module "m" {\n  source = "./"\n}\n'
    result = migrated(tmp_path, {"main.tf": call + STACK.format(each="{ a = 1 }", root='"app"', hooks="null")})
    assert [row.code for row in result.stacks] == ["app"]
