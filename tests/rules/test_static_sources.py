"""Where else static credentials live: key literals anywhere, settings of Spacelift across repositories, their edits."""

from __future__ import annotations

import os
import random
import string
from pathlib import Path

import pytest
from click.testing import CliRunner

from migrator.cli.main import cli
from migrator.config.config import Config
from migrator.errors import SyntaxProblem
from migrator.migrate.pipeline import migrate_repo
from migrator.model.findings import LeftAlone, Refusal, Rewrite
from migrator.model.results import Mode, RepoResult
from migrator.report.text import summary
from migrator.span import Span, apply_edits
from migrator.syntax.hcl import parse as hcl
from migrator.syntax.json import parse as tfjson
from migrator.syntax.languages import HCL, JSON, Syntax
from migrator.syntax.terraform import Block
from migrator.syntax.yaml.parse import read
from migrator.syntax.yaml.remove import remove
from migrator.syntax.yaml.tree import Keys
from tests.conftest import MakeRepo

# --- key literals: made up here, since none must stand in a repository ----------------------------------------------


def made_up(prefix: str, seed: int) -> str:
    return prefix + "".join(random.Random(seed).choices(string.ascii_uppercase + "234567", k=16))


KEY, OTHER, SESSION = made_up("AKIA", 1), made_up("AKIA", 2), made_up("ASIA", 3)
SECRET = "Aa1" + "".join(random.Random(4).choices(string.ascii_letters + string.digits, k=37))


def told(result: RepoResult) -> list[str]:
    return [f"{finding.place}: {finding.message}" for finding in result.findings if finding.rule == "key-literals"]


def check(folder: Path, **options: object) -> RepoResult:
    return migrate_repo(str(folder), Config(mode=Mode.CHECK, **options))  # type: ignore[arg-type]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "main.tf").write_text('provider "aws" {\n  region = "eu-west-1"\n}\n')
    return tmp_path


@pytest.mark.parametrize("name", [".envrc", "run.sh", "ci.yml", "notes.ipynb", "docs.md", "live.tfvars", "app.py"])
def test_a_key_in_any_text_file_is_told_with_four_characters_of_it(tree: Path, name: str) -> None:
    (tree / name).write_text(f'\n\n# id="{KEY}"\n')
    assert told(check(tree)) == [f"{name}:3: access key …{KEY[-4:]}"]


def test_the_secret_beside_it_is_told_of_and_never_shown(tree: Path) -> None:
    (tree / "main.tf").write_text(
        f'provider "aws" {{}}\nresource "x" "y" {{\n  user_data = "key={SESSION}\\nsecret={SECRET}\\n"\n}}\n'
    )
    result = check(tree)
    assert told(result) == [f"main.tf:3: access key …{SESSION[-4:]} and its secret"]
    shown = summary(result, verbose=True)
    assert "main.tf:3" in shown
    assert not any(key in shown for key in (SESSION, SESSION[:8], SECRET))
    assert result.is_whole
    assert [note.subjects for note in result.notes if note.code.startswith("rotate")] == [("main.tf:3",)]


def test_what_is_no_key_is_not_told(tree: Path) -> None:
    documented = ("AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE", "AKIA" + "X" * 16, "AKIA" + "AB" * 8)
    (tree / "a.sh").write_text("\n".join([*documented, f"x{KEY}", f"{KEY}0", KEY.lower(), KEY[:-1]]))
    assert told(check(tree)) == []


def test_binary_large_linked_and_excluded_files_are_left_out(tree: Path) -> None:
    (tree / "binary").write_bytes(b"\0" + KEY.encode())
    (tree / "large").write_bytes(b" " * 2_000_000 + KEY.encode())
    (tree / "node_modules").mkdir()
    (tree / "node_modules/x.js").write_text(KEY)
    (tree / "kept").write_text(KEY)
    (tree / "linked").symlink_to("kept")
    (tree / "outside").symlink_to("/etc/hostname")
    os.mkfifo(tree / "pipe")
    assert told(check(tree)) == [f"kept:1: access key …{KEY[-4:]}"]
    assert told(check(tree, exclude=("kept",))) == []


def test_a_key_that_another_rule_tells_of_is_not_told_twice(tree: Path) -> None:
    (tree / "main.tf").write_text(f'provider "aws" {{\n  access_key = "{KEY}"\n  secret_key = "{SECRET}"\n}}\n')
    result = check(tree)
    assert told(result) == []
    assert [note.subjects for note in result.notes if note.code.startswith("rotate")] == [
        (f"main.tf:2 (AKIA…{KEY[-4:]})",)
    ]


def test_a_key_in_a_heredoc_of_a_provider_is_not_told_twice(tree: Path) -> None:
    (tree / "main.tf").write_text(
        f'provider "aws" {{\n  access_key = <<-K\n    {KEY}\n  K\n  secret_key = "{SECRET}"\n}}\n'
    )
    assert told(check(tree)) == []


def test_a_key_in_a_comment_goes_with_its_argument(tree: Path) -> None:
    (tree / "main.tf").write_text(
        f'provider "aws" {{\n  # was {KEY}\n  access_key = var.key\n  secret_key = var.secret\n}}\n'
    )
    (tree / "notes.md").write_text(KEY)
    notes = {note.code: note.subjects for note in check(tree).notes if note.code.startswith("rotate")}
    assert notes == {"rotate-keys": ("main.tf:2",), "rotate-and-remove-keys": ("notes.md:1",)}


@pytest.mark.parametrize("key", ["$AWS_ACCESS_KEY_ID", "{{ access_key }}", "<ACCESS_KEY>", "__ACCESS_KEY__"])
def test_a_name_that_a_program_replaces_is_no_key(tree: Path, key: str) -> None:
    (tree / "main.tf").write_text(f'provider "aws" {{\n  access_key = "{key}"\n  secret_key = "{key}"\n}}\n')
    result = check(tree)
    assert result.changed
    assert not [note for note in result.notes if note.code.startswith("rotate")]


@pytest.mark.parametrize(
    "head", ['provider "aws" {', 'terraform {\nbackend "s3" {', 'data "terraform_remote_state" "x" {']
)
def test_none_of_its_lines_is_told_twice(tmp_path: Path, head: str) -> None:
    keys = f'  secret_key = "{SECRET}"\n  access_key = "{KEY}"\n'
    body = f'  backend = "s3"\n  config = {{\n{keys}}}\n' if head.startswith("data") else keys
    (tmp_path / "main.tf").write_text(f"{head}\n{body}{'}' * head.count('{')}\n".replace("}}", "}\n}"))
    result = check(tmp_path)
    assert any(finding.rule != "key-literals" for finding in result.findings)
    assert told(result) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("main.tf", 'terraform {\n  backend "s3" {}\n}\n'),
        ("main.tf", 'data "terraform_remote_state" "x" {\n  backend = "s3"\n  config = {}\n}\n'),
        ("main.tf", 'resource "spacelift_stack" "x" {\n  name = "x"\n}\n'),
        ("main.py", "from cdktf_cdktf_provider_aws.provider import AwsProvider\nAwsProvider(s, 'aws')\n"),
        ("terragrunt.hcl", 'remote_state {\n  backend = "s3"\n  config = {}\n}\n'),
        (".spacelift/config.yml", "stack_defaults:\n  environment:\n    AWS_PROFILE: x\n"),
    ],
)
def test_whatever_of_aws_is_there_has_the_rest_searched(tmp_path: Path, path: str, text: str) -> None:
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text(text)
    (tmp_path / "a.sh").write_text(KEY)
    assert told(check(tmp_path)) == [f"a.sh:1: access key …{KEY[-4:]}"]


def test_a_repository_with_nothing_of_aws_is_not_searched(tmp_path: Path) -> None:
    (tmp_path / "a.sh").write_text(KEY)
    assert told(check(tmp_path)) == []


def test_git_says_which_files_are_there(make_repo: MakeRepo) -> None:
    repo = make_repo({"main.tf": 'provider "aws" {}\n', "a.sh": KEY, ".gitignore": "b.sh\n"})
    repo.write("b.sh", OTHER)
    assert told(check(repo.root)) == [f"a.sh:1: access key …{KEY[-4:]}"]


# --- settings of Spacelift across repositories ----------------------------------------------------------------------

ADMIN = """resource "spacelift_stack" "shop" {
  name       = "shop"
  repository = "code"
  branch     = "main"
}

resource "spacelift_environment_variable" "key" {
  stack_id = spacelift_stack.shop.id
  name     = "AWS_ACCESS_KEY_ID"
  value    = var.key
}
"""
BACKEND = """terraform {
  backend "s3" {
    bucket  = "webshop-terraform-state"
    profile = "shop"
  }
}
"""


def test_a_variable_goes_with_the_migration_of_its_stack_in_another_repository(make_repo: MakeRepo) -> None:
    admin, code = make_repo({"main.tf": ADMIN}, name="admin"), make_repo({"main.tf": BACKEND}, name="code")
    done = CliRunner().invoke(cli, [str(admin.root), str(code.root)])
    assert done.exit_code == 0, done.output
    after = (admin.root / "main.tf").read_text()
    assert "AWS_ACCESS_KEY_ID=%s" in after
    assert "spacelift_environment_variable" not in after
    assert "Deactivate the access keys that these settings gave to runs" in done.output


def test_a_variable_stays_while_its_stack_is_not_migrated(make_repo: MakeRepo) -> None:
    admin = make_repo({"main.tf": ADMIN}, name="admin")
    done = CliRunner().invoke(cli, [str(admin.root)])
    assert done.exit_code == 0, done.output
    assert (admin.root / "main.tf").read_text() == ADMIN
    assert "spacelift_stack.shop runs code that this run does not migrate" in done.output


def test_a_variable_stays_where_the_code_is_refused(make_repo: MakeRepo) -> None:
    twice = BACKEND + BACKEND
    admin, code = make_repo({"main.tf": ADMIN}, name="admin"), make_repo({"main.tf": twice}, name="code")
    done = CliRunner().invoke(cli, [str(admin.root), str(code.root)])
    assert done.exit_code == 4
    assert (admin.root / "main.tf").read_text() == ADMIN


def test_a_setting_does_not_hold_back_the_modules_that_it_reaches(tmp_path: Path) -> None:
    """One of two stacks is refused: the other is migrated, and what both get stays."""
    stacks = """resource "spacelift_stack" "STACK" {
  name         = "STACK"
  repository   = "webshop"
  project_root = "STACK"
  branch       = "main"
  before_init  = HOOKS
}
"""
    folder = tmp_path / "webshop"
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
        (folder / name / "main.tf").write_text(BACKEND)
    (folder / "main.tf").write_text(
        stacks.replace("STACK", "one").replace("HOOKS", '["make"]')
        + stacks.replace("STACK", "two").replace("HOOKS", '"make"')
        + 'resource "spacelift_environment_variable" "key" {\n  context_id = spacelift_context.keys.id\n'
        + '  name = "AWS_PROFILE"\n}\nresource "spacelift_context" "keys" {\n  labels = ["autoattach:*"]\n}\n'
    )
    result = check(folder)
    fates = {
        finding.message.partition(":")[0]: finding.fix for finding in result.findings if finding.place.path == "main.tf"
    }
    assert isinstance(fates["spacelift_environment_variable.key"], Refusal)
    assert result.changed == ("main.tf", "one/main.tf")
    assert any(isinstance(finding.fix, Rewrite) and finding.place.path == "one/main.tf" for finding in result.findings)


def test_nothing_is_said_of_settings_that_hold_no_credentials(tmp_path: Path) -> None:
    text = ADMIN.replace("AWS_ACCESS_KEY_ID", "AWS_REGION")
    (tmp_path / "main.tf").write_text(text)
    assert not [finding for finding in check(tmp_path).findings if isinstance(finding.fix, LeftAlone)]


# --- edits ----------------------------------------------------------------------------------------------------------


def removed(text: str, *keys: Keys) -> str:
    edits = remove("x.yml", read(text), keys)
    assert not isinstance(edits, Refusal), edits.reason
    return apply_edits(text, edits)


@pytest.mark.parametrize(
    ("before", "keys", "after"),
    [
        ("a: 1\nb: 2\n", [("a",)], "b: 2\n"),
        ("a: 1\nb: 2", [("b",)], "a: 1"),
        ("a: 1\r\nb: 2", [("b",)], "a: 1"),
        ("a: |+\n  x\n\nb: 2\n", [("a",)], "b: 2\n"),
        ("a:\n  x: [1, 2, 3]\n", [("a", "x", 0), ("a", "x", 1)], "a:\n  x: [3]\n"),
        ("x:\n  a:\n    b: 1\n  c: 2\ny: 3\n", [("x", "c"), ("x", "a", "b")], "y: 3\n"),
        ("a: 1\r\nb: 2\r\nc: 3\r\n", [("b",)], "a: 1\r\nc: 3\r\n"),
        ("\ufeffa: 1\nb: 2\n", [("a",)], "\ufeffb: 2\n"),
        ("x:\n  a: 1\n  b: 2\ny: 3\n", [("x", "a"), ("x", "b")], "y: 3\n"),
        ("x: {a: 1, b: 2, c: 3}\n", [("x", "a"), ("x", "b")], "x: {c: 3}\n"),
        ("x: {a: 1, b: 2, c: 3}\n", [("x", "c"), ("x", "b")], "x: {a: 1}\n"),
        ("x: {a: 1, b: 2, c: 3}\n", [("x", "a"), ("x", "c")], "x: {b: 2}\n"),
        ("x:\n- a: 1\n  b: 2\n- c\n", [("x", 0)], "x:\n- c\n"),
        ("x: [1, 2]\ny: 3\n", [("x", 0), ("x", 1)], "y: 3\n"),
        ("x: [1]\n", [("x", 0)], "x: []\n"),
        ("x: {a: 1, b: 2}\n", [("x", "a"), ("x", "b")], "x: {}\n"),
        ("x: [1, 2 , # c\n]\n", [("x", 0), ("x", 1)], "x: [ # c\n]\n"),
        ("# of b\nb: 1\n# the key\na: 1\n", [("a",)], "# of b\nb: 1\n"),
        ("# about this file\na: 1\nb: 2\n", [("a",)], "# about this file\nb: 2\n"),
        ("a: |\n  x\n\nb: 2\n", [("a",)], "\nb: 2\n"),
        ("a: &x\n  k: 1\nb:\n  <<: *x\n  c: 2\n", [("b", "c")], "a: &x\n  k: 1\nb:\n  <<: *x\n"),
    ],
)
def test_yaml_entries_are_taken_out(before: str, keys: list[Keys], after: str) -> None:
    assert removed(before, *keys) == after


SHARES = "other entries share the value, or depend on the value"
MERGED = "the value is merged in, or shared with other entries"


@pytest.mark.parametrize(
    ("text", "keys", "reason"),
    [
        ("a: 1\n", ("a",), SHARES),
        ("a: &x\n  k: 1\n  l: 2\nb: *x\n", ("a", "k"), SHARES),
        ("a: &x\n  k: 1\n  l: 2\nb:\n  <<: *x\n", ("b", "k"), MERGED),
        ("a: &x\n  k: 1\n  l: 2\nb: *x\n", ("b", "k"), MERGED),
        ("- a: 1\n  b: 2\n", (0, "a"), SHARES),
        ("x:\n- - 1\n  - 2\n", ("x", 0, 0), "the value shares the line with others"),
        ("a: &x 1\nb: *x\n", ("a",), "the anchor does not exist"),
        ("a: &x [1, 1]\nb: *x\n", ("a", 1), SHARES),
        ("x: {a: 1}\n", ("x", "z"), MERGED),
        ("x: [1]\ny: 2\n", ("x", "z"), MERGED),
        ("x: [1]\ny: 2\n", ("x", "z", "y"), MERGED),
        ("x: {a: 1}\ny: 2\n", ("x", 0), MERGED),
        ("x: {a: 1}\ny: 2\n", ("x", 0, 0), MERGED),
    ],
)
def test_yaml_that_cannot_lose_it_is_refused(text: str, keys: Keys, reason: str) -> None:
    refused = remove("x.yml", read(text), [keys])
    assert isinstance(refused, Refusal)
    assert f": {reason}" in refused.reason


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a {}\n\nb {}\n\nc {}\n", "a {}\n\nc {}\n"),
        ("a {}\n\n# of b\n// too\nb {\n}\n", "a {}\n"),
        ("b {}\nc {}\n", "c {}\n"),
        ("# of b alone\nb {}\n", ""),
        ("a {}\n# of b\nb {}\n\nc {}\n", "a {}\n\nc {}\n"),
        ("# apart\n\nb {}\n\nc {}\n", "# apart\n\nc {}\n"),
        ("a {}\r\n\r\nb {}\r\n", "a {}\r\n"),
        ("a {}\n\nb {} # done", "a {}\n"),
        ("b {}\n", ""),
    ],
)
def test_a_block_is_taken_out(before: str, after: str) -> None:
    block = next(item for item in hcl.parse(before) if isinstance(item, Block) and item.type == "b")
    assert without(before, block, HCL) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"data": {"a": {"b": {}, "c": {}}}}', '{"data": {"a": {"c": {}}}}'),
        ('{"data": {"a": {"b": {}}, "c": {"d": {}}}}', '{"data": {"c": {"d": {}}}}'),
        ('{"locals": {}, "data": {"a": {"b": {}}}}', '{"locals": {}}'),
        ('{"data": [{"a": {"b": {}}}, {"a": {"c": {}}}]}', '{"data": [{"a": {"c": {}}}]}'),
        ('{"data": {"a": {"b": {}}}}', "{}"),
    ],
)
def test_a_block_is_taken_out_of_json(before: str, after: str) -> None:
    block = next(item for item in tfjson.parse(before) if isinstance(item, Block) and item.labels == ("a", "b"))
    assert without(before, block, JSON) == after


def without(text: str, block: Block, syntax: Syntax) -> str:
    items = syntax.parse(text)
    return syntax.finish(text, items, syntax.remove_blocks("x", text, items, [block]))


@pytest.mark.parametrize(
    ("before", "remove", "comment", "after"),
    [
        ("{ a = 1, b = 2 }", "a", "", "{ b = 2 }"),
        ("{ a = 1, b = 2 }", "b", "", "{ a = 1 }"),
        ("{ a = 1, b = 2, }", "b", "", "{ a = 1, }"),
        ("{ a = 1, b = 2, c = 3 }", "ab", "", "{ c = 3 }"),
        ("{ a = 1, b = 2, c = 3 }", "bc", "", "{ a = 1 }"),
        ("{ a = 1, b = 2 }", "ab", "", "{}"),
        ("{ a = 1, b = 2 }", "b", "a", "{ /* a = 1, */ }"),
        ("{ a = 1, b = 2, c = 3 }", "c", "b", "{ a = 1, /* b = 2, */ }"),
        ("{\n  a = 1\n  b = 2, # x\n}", "b", "", "{\n  a = 1\n}"),
        ("{\n  a = 1,\n  b = 2,\n}", "", "a", "{\n  # a = 1,\n  b = 2,\n}"),
        ('{\n  "a" : 1\n  b = 2 }', "a", "", "{\n  b = 2 }"),
        ("{ a = 1\n  b = 2 }", "b", "", "{ a = 1 }"),
    ],
)
def test_items_of_an_object(before: str, remove: str, comment: str, after: str) -> None:
    text, value = f"x = {before}\n", Span(4, 4 + len(before))
    items = hcl.object_items(text, value) or ()
    edits = HCL.change_object(
        "x.tf",
        text,
        value,
        [item for item in items if item.name in remove],
        [item for item in items if item.name in comment],
    )
    outcome = apply_edits(text, edits)
    assert outcome == f"x = {after}\n"
    hcl.verify(set(), outcome)


def test_a_heredoc_on_a_shared_line_is_refused() -> None:
    text = "x = { a = 1, b = <<E\n1\nE\n}\n"
    value = Span(4, len(text) - 1)
    items = hcl.object_items(text, value) or ()
    with pytest.raises(SyntaxProblem):
        HCL.change_object("x.tf", text, value, (), items[1:])


def test_the_name_of_a_profile_is_no_key_to_rotate(tree: Path) -> None:
    stack = 'resource "spacelift_stack" "app" {\n  name       = "app"\n  branch     = "main"\n'
    stack += f'  repository = "{tree.name}"\n}}\n'
    variable = (
        'resource "spacelift_environment_variable" "%s" {\n'
        '  stack_id = spacelift_stack.app.id\n  name     = "%s"\n  value    = "%s"\n}\n'
    )
    (tree / "main.tf").write_text('provider "aws" {\n  profile = "shop"\n}\n')
    (tree / "admin").mkdir()
    (tree / "admin/main.tf").write_text(stack + variable % ("profile", "AWS_PROFILE", "shop"))
    assert not [note for note in check(tree).notes if note.code.startswith(("rotate", "delete"))]
    with (tree / "admin/main.tf").open("a") as file:
        file.write(variable % ("key", "AWS_SECRET_ACCESS_KEY", SECRET))
    assert [note.subjects for note in check(tree).notes if note.code.startswith("rotate")] == [("admin/main.tf:14",)]


@pytest.mark.parametrize("path", ["\\u0000", "\\ud800", "", "..", "outside/x.sh", "pipe.sh", "a/" * 100_000])
def test_a_path_that_no_script_has_is_no_script(tmp_path: Path, path: str) -> None:
    repo = tmp_path / "repo"
    repo.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/x.sh").write_text("aws s3 ls\n")
    (repo / "outside").symlink_to("../elsewhere")
    os.mkfifo(repo / "pipe.sh")
    run = f'  provisioner "local-exec" {{\n    command = "{path}"\n  }}\n'
    file = f'data "sops_file" "x" {{\n  source_file = "{path}"\n}}\n'
    provider = 'provider "aws" {\n  profile = "x"\n}\n'
    (repo / "main.tf").write_text(f'{provider}resource "terraform_data" "x" {{\n{run}}}\n{file}')
    result = check(repo)
    assert not result.error
    assert [one.message for one in result.findings if one.rule == "commands-with-credentials"] == [
        'data "sops_file" "x": the key of the file may be in AWS KMS'
    ]
