"""Terragrunt's files: objects that lose items, references that are followed, and the Terraform that comes out."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from migrator.config.config import Config as MigrationConfig
from migrator.errors import SyntaxProblem
from migrator.migrate.pipeline import migrate_repo
from migrator.model.fleet import RepoIdentity
from migrator.span import Span, apply_edits
from migrator.syntax.hcl import parse as hcl
from migrator.syntax.languages import HCL
from migrator.terragrunt.generated import generated
from migrator.terragrunt.values import Config, config_of, objects
from migrator.workspace.discover import Kind, listing, walk
from migrator.workspace.document import Document
from migrator.workspace.workspace import Workspace
from tests.conftest import FIXTURES, MakeRepo, Terraform

CASES = sorted(path for path in FIXTURES.glob("rules/terragrunt/*/after"))


def change(text: str, remove: str = "", comment_out: str = "") -> str:
    """The object ``text`` without the items of some names, and with others in comments."""
    value = Span(0, len(text))
    items = hcl.object_items(text, value) or ()
    chosen = [[item for item in items if item.name in names.split()] for names in (remove, comment_out)]
    return apply_edits(text, HCL.change_object("x.hcl", text, value, *chosen))


@pytest.mark.parametrize(
    ("before", "remove", "comment_out", "after"),
    [
        ("{ a = 1, b = 2, c = 3 }", "a", "", "{ b = 2, c = 3 }"),
        ("{ a = 1, b = 2, c = 3 }", "c", "", "{ a = 1, b = 2 }"),
        ("{ a = 1, b = 2, c = 3 }", "b c", "", "{ a = 1 }"),
        ("{ a = 1, b = 2 }", "", "a", "{ /* a = 1, */ b = 2 }"),
        ("{ a = 1, b = 2, c = 3 }", "b", "a", "{ /* a = 1, */ c = 3 }"),
        ("{ a = 1, b = 2, c = 3 }", "b", "c", "{ a = 1, /* c = 3 */ }"),
        ("{ a = 1, b = 2 }", "a b", "", "{}"),
        ("{ a = 1 }", "a", "", "{}"),
        ("{\n  a = 1,\n  b = 2,\n}", "b", "", "{\n  a = 1,\n}"),
        ("{\n  a = 1,\n  b = 2\n}", "b", "", "{\n  a = 1,\n}"),
        ("{\n  a = 1 # of a\n  b = 2 # of b\n}", "b", "a", "{\n  # a = 1 # of a\n}"),
        ('{\n  "a" : {\n    x = 1\n  },\n  b = 2\n}', "", "a", '{\n  # "a" : {\n  #   x = 1\n  # },\n  b = 2\n}'),
        ("{\n  a = 1, b = 2\n  c = 3\n}", "a", "", "{\n  b = 2\n  c = 3\n}"),
        ("{\r\n  a = 1\r\n  b = 2\r\n}", "a", "", "{\r\n  b = 2\r\n}"),
    ],
)
def test_an_object_loses_items(before: str, remove: str, comment_out: str, after: str) -> None:
    assert change(before, remove, comment_out) == after
    gone = {*remove.split(), *comment_out.split()}
    kept = [item.name for item in hcl.object_items(before, Span(0, len(before))) or () if item.name not in gone]
    assert [item.name for item in hcl.object_items(after, Span(0, len(after))) or ()] == kept


def test_what_is_no_literal_object_is_not_edited() -> None:
    with pytest.raises(SyntaxProblem):
        change("{ for one in local.all : one => 1 }", "a")
    with pytest.raises(SyntaxProblem):
        change('{ a = "*/", b = 1 }', "", "a")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    files = {
        "root.hcl": 'locals {\n  account = read_terragrunt_config(find_in_parent_folders("account.hcl"))\n}\n',
        "live/account.hcl": 'locals {\n  id   = 123456789012\n  keys = { access = "one" }\n}\n',
        "live/shop/terragrunt.hcl": """
            include "root" {
              path   = find_in_parent_folders("root.hcl")
              expose = true
            }

            locals {
              here     = basename(get_terragrunt_dir())
              account  = read_terragrunt_config("${dirname(find_in_parent_folders("account.hcl"))}/account.hcl")
              id       = "${local.account.locals.id}"
              role     = "arn:aws:iam::${local.id}:role/${local.here}"
              access   = local.account.locals.keys["access"]
              included = include.root.locals.account.locals.id
              merged   = merge(local.account.locals.keys, { secret = "two" })
              secret   = local.merged.secret
              above    = "${get_repo_root()}/${get_path_to_repo_root()}"
              unknown  = get_aws_account_id()
              missing  = local.account.locals.nothing
              circular = local.circular
              gone     = read_terragrunt_config("nowhere.hcl").locals.id
              broken   = "${local.id = 1}"
              chosen   = local.here == "shop" ? "${local.id}" : "none"
              absent   = try(local.account.locals.nothing, "none")
              asked    = try(get_aws_account_id(), "none")
              looped   = { for name, value in include.root.locals : name => value }["account"]
              fallback = find_in_parent_folders("nowhere.hcl", "fallback.hcl")
            }
        """,
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(textwrap.dedent(text))
    workspace = Workspace(listing(tmp_path, walk(tmp_path)), RepoIdentity("webshop"))
    document = workspace.documents["live/shop/terragrunt.hcl"]
    return config_of(workspace, document)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("here", "shop"),
        ("id", "123456789012"),
        ("role", "arn:aws:iam::123456789012:role/shop"),
        ("access", "one"),
        ("included", "123456789012"),
        ("secret", "two"),
        ("above", "/../.."),
        ("fallback", "fallback.hcl"),
        ("chosen", "123456789012"),
        ("absent", "none"),
        ("asked", None),
        ("looped", None),
        ("unknown", None),
        ("missing", None),
        ("circular", None),
        ("gone", None),
        ("broken", None),
    ],
)
def test_references_are_followed_as_far_as_they_are_known(config: Config, name: str, value: str | None) -> None:
    local = config.local(name)
    assert local is not None
    assert local.string == value
    assert local.origin is not None or value is None


def test_a_merged_object_is_found_where_it_is_written(config: Config) -> None:
    merged = config.local("merged")
    found = objects(merged) if merged is not None else None
    assert found is not None
    assert [key_literal.document.path for key_literal in found] == ["live/account.hcl", "live/shop/terragrunt.hcl"]
    for key_literal in found:
        assert key_literal.span.of(key_literal.document.text).startswith("{")


def test_an_include_by_its_own_values_is_not_known(make_repo: MakeRepo) -> None:
    text = 'include "root" {\n  path = include.root.locals.path\n}\n\nlocals {\n  path = include.root.locals.path\n}\n'
    state = 'remote_state {\n  backend = "s3"\n  config = {\n    profile = "live"\n  }\n}\n'
    result = migrate_repo(str(make_repo({"app/terragrunt.hcl": text + state}).root), MigrationConfig())
    assert result.error == ""
    assert "include-unknown" in [finding.code for finding in result.findings]


def heredocs(folder: Path, path: str) -> list[str]:
    """The Terraform in a file, as Terragrunt writes it, with a string for whatever it puts in."""
    document = Document(folder, path, Kind.TERRAGRUNT)
    found = (part.part.of(document.text).replace("\r\n", "\n") for part in generated(document))
    return [re.sub(r"(?<!\$)\$\{[^{}]*\}", "x", textwrap.dedent(text)).replace("$${", "${") for text in found]


@pytest.mark.parametrize("after", CASES, ids=lambda path: path.parent.name)
def test_terraform_reads_what_is_written(after: Path, terraform: Terraform) -> None:
    """And formats it no other way, if it did not before."""
    before = after.parent / "before"
    for file in sorted(after.rglob("*.hcl")):
        path = file.relative_to(after).as_posix()
        for old, new in zip(heredocs(before, path), heredocs(after, path), strict=True):
            assert terraform.accepts(new.encode())
            if terraform.is_formatted(old.encode()):
                assert terraform.is_formatted(new.encode())


@pytest.mark.parametrize("after", CASES, ids=lambda path: path.parent.name)
def test_no_key_and_no_profile_is_left_in_what_is_written(after: Path) -> None:
    for file in sorted(after.rglob("*.hcl")):
        for text in heredocs(after, file.relative_to(after).as_posix()):
            if "web_identity" in text:
                assert not re.search(r"(?m)^\s*(?:access_key|secret_key|profile)\b", text)
