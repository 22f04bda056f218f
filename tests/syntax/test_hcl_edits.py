"""Edits of HCL one by one: what goes with what is taken out, where what is new comes, and what stays in its column."""

from __future__ import annotations

from textwrap import dedent

import pytest

from migrator.errors import SyntaxProblem
from migrator.span import Span, apply_edits
from migrator.syntax.hcl import edit as hcl_edit
from migrator.syntax.hcl import parse as hcl
from migrator.syntax.languages import HCL
from migrator.syntax.terraform import Block, BodyChange, Copied, Literal, NewArgument, NewBlock, Reference
from tests.conftest import Terraform

NEW = NewArgument("new", Reference("var.new"))
BLOCK = NewBlock("new", (), (NEW,))


def changed(text: str, remove: str = "", comment: str = "", *append: NewArgument | NewBlock) -> str:
    """``text`` with its first block's arguments called by the letters removed or commented out, and more."""
    items = hcl.parse(text)
    block = next(item for item in items if isinstance(item, Block))
    change = BodyChange(
        tuple(attribute for attribute in block.attributes if attribute.name in remove),
        tuple(attribute for attribute in block.attributes if attribute.name in comment),
        append,
    )
    return hcl_edit.finish(text, items, hcl_edit.change_body("x.tf", text, block, change))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x {\n  # of b\n  b = 1\n\n  c = 2\n}\n", "x {\n  c = 2\n}\n"),
        ("x {\n  # of b\n  b = 1\n  # of c\n  c = 2\n}\n", "x {\n  # of c\n  c = 2\n}\n"),
        ("x {\n  # of b\n  b = 1\n  /* of c */ c = 2\n}\n", "x {\n  /* of c */ c = 2\n}\n"),
        ("x {\n  # of both\n  b = 1\n  c = 2\n}\n", "x {\n  # of both\n  c = 2\n}\n"),
        ("x {\n  # the keys\n  b = 1\n  c = 2\n}\n", "x {\n  c = 2\n}\n"),
        ("x {\n  # b = 0\n  b = 1\n}\n", "x {\n}\n"),
        ("x {\n  # d = 0\n  b = 1\n}\n", "x {\n  # d = 0\n}\n"),
        ("x {\n  c = 1\n\n  b = 2\n}\n", "x {\n  c = 1\n}\n"),
        ("x {\n  c = 1 # one\n  b = 2\n}\n", "x {\n  c = 1 # one\n}\n"),
        ("x {\n  /* so */ b = 1\n  c     = 2\n}\n", "x {\n  c     = 2\n}\n"),
        ("\nx {\n  b = 1\n}\n", "\nx {\n}\n"),
        ("x { b = 1 }", "x {\n}"),
        ("x { b = [\n  1,\n] }\n", "x {\n}\n"),
    ],
)
def test_what_goes_with_an_argument(before: str, after: str) -> None:
    assert changed(before, "b") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x {\n  b = 1\n}\n", "x {\n  # b = 1\n}\n"),
        ("x {\n  b = [\n    1,\n\n  2,\n  ] # end\n}\n", "x {\n  # b = [\n  #   1,\n  #\n  # 2,\n  # ] # end\n}\n"),
        ("x {\r\n\tb = [\r\n\t]\r\n}\r\n", "x {\r\n\t# b = [\r\n\t# ]\r\n}\r\n"),
        ("x { /* so */ b = 1 }\n", "x {\n  /* so */\n  # b = 1\n}\n"),
    ],
)
def test_a_comment_has_the_lines_of_its_argument(before: str, after: str) -> None:
    assert changed(before, "", "b") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x {\n}\n", "x {\n  new = var.new\n}\n"),
        ("x {\n  # nothing yet\n}\n", "x {\n  # nothing yet\n  new = var.new\n}\n"),
        ("x {\n    b = 1\n}\n", "x {\n    b   = 1\n    new = var.new\n}\n"),
        ("x {\n  b = {\n    c = 1\n  }\n}\n", "x {\n  b = {\n    c = 1\n  }\n\n  new = var.new\n}\n"),
        ("x {\n  b {\n  }\n  c = 1\n}\n", "x {\n  b {\n  }\n  c   = 1\n  new = var.new\n}\n"),
        ("x {\n  b = 1\n\n}\n", "x {\n  b = 1\n\n  new = var.new\n}\n"),
        ("x {\n\tb = 1\n}\n", "x {\n\tb   = 1\n\tnew = var.new\n}\n"),
        ("x {\n  b = 1\n  /* end */}\n", "x {\n  b = 1\n  /* end */\n  new = var.new\n}\n"),
        ("x { b = 1 }\n", "x {\n  b   = 1\n  new = var.new\n}\n"),
        ("\tx { b = 1 }\n", "\tx {\n\t\tb   = 1\n\t\tnew = var.new\n\t}\n"),
    ],
)
def test_a_new_argument_comes_last(before: str, after: str, terraform: Terraform) -> None:
    assert changed(before, "", "", NEW) == after
    assert terraform.accepts(after.encode())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x {\n}\n", "x {\n  new {\n    new = var.new\n  }\n}\n"),
        ("x {\n  a = 1\n}\n", "x {\n  a = 1\n\n  new {\n    new = var.new\n  }\n}\n"),
        ("x {\n  b = 1\n}\n", "x {\n  new {\n    new = var.new\n  }\n}\n"),
        ("x { a = 1 }\n", "x {\n  a = 1\n\n  new {\n    new = var.new\n  }\n}\n"),
        ("x { b = 1 }\n", "x {\n  new {\n    new = var.new\n  }\n}\n"),
    ],
)
def test_a_new_block_stands_apart(before: str, after: str, terraform: Terraform) -> None:
    assert changed(before, "b", "", BLOCK) == after
    assert terraform.is_formatted(after.encode())


def test_a_copied_value_is_moved_to_its_new_column() -> None:
    value = "{\n        a = [\n          1,\n\n    # so\n        ]\n      }"
    assert changed("x {\n}\n", "", "", NewArgument("new", Copied(value))) == (
        "x {\n  new = {\n    a = [\n      1,\n\n    # so\n    ]\n  }\n}\n"
    )


ALIGNED = """
    # The keys of CI.
    variable "secret" {} # of CI

    variable "region" {}
    variable "key" {}            # of CI
    variable "environment" {}    # or none
    variable "account_number" {} # of the shop
"""


@pytest.mark.parametrize(
    ("gone", "after"),
    [
        (
            ("key", "account_number"),
            """
            # The keys of CI.
            variable "secret" {} # of CI

            variable "region" {}
            variable "environment" {} # or none
            """,
        ),
        (
            ("region", "account_number"),
            """
            # The keys of CI.
            variable "secret" {} # of CI

            variable "key" {}         # of CI
            variable "environment" {} # or none
            """,
        ),
    ],
)
def test_what_adjoins_keeps_its_columns(gone: tuple[str, ...], after: str, terraform: Terraform) -> None:
    text = dedent(ALIGNED).lstrip()
    items = hcl.parse(text)
    removed = [item for item in items if isinstance(item, Block) and item.labels[0] in gone]
    outcome = hcl_edit.finish(text, items, hcl_edit.remove_blocks("x.tf", text, items, removed))
    assert outcome == dedent(after).lstrip()
    assert terraform.is_formatted(outcome.encode())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[]", '[\n    "a",\n  ]'),
        ('["b"]', '["a", "b"]'),
        ('[\n    "b",\n  ]', '[\n    "a",\n    "b",\n  ]'),
        ('[\n        "b",\n      "c",\n  ]', '[\n        "a",\n        "b",\n      "c",\n  ]'),
        ('[ /* so */\n    "b",\n  ]', '[ /* so */\n    "a",\n    "b",\n  ]'),
        ("[/**/]", '["a", /**/]'),
    ],
)
def test_an_element_comes_first(before: str, after: str) -> None:
    text = f"x {{\n  b = {before}\n}}\n"
    edit = hcl_edit.prepend_items("x.tf", text, Span(10, 10 + len(before)), [Literal("a")])
    assert apply_edits(text, [edit]) == f"x {{\n  b = {after}\n}}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{ a = 1 }", "{ a = 1, new = var.new }"),
        ("{ a = 1, b = 2 }", "{ a = 1, new = var.new }"),
        ("{\n  a = 1\n}", "{\n  a   = 1\n  new = var.new\n}"),
        ("{\n  a = 1,\n  b = 2,\n}", "{\n  a   = 1,\n  new = var.new\n}"),
        ("{\n  # the key\n  b = 1\n  a = 2\n}", "{\n  a   = 2\n  new = var.new\n}"),
    ],
)
def test_an_object_gets_an_item(before: str, after: str) -> None:
    text = f"x = {before}\n"
    assert HCL.finish(text, hcl.parse(text), grown(text)) == f"x = {after}\n"


@pytest.mark.parametrize("value", ["{ a = 1 /* so */ }", "{ a = 1, b = [\n  2,\n] }", "f({})"])
def test_an_object_that_is_hard_to_tell_apart_gets_none(value: str) -> None:
    with pytest.raises(SyntaxProblem):
        grown(f"x = {value}\n")


def grown(text: str) -> list[hcl_edit.Edit]:
    value = Span(4, len(text) - 1)
    gone = [item for item in hcl.object_items(text, value) or () if item.name == "b"]
    return list(HCL.change_object("x.tf", text, value, gone, (), [NEW]))
