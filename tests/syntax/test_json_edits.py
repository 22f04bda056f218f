"""Terraform's JSON: what is read of it, and edits of it one by one."""

from __future__ import annotations

import json

import pytest

from migrator.errors import SyntaxProblem
from migrator.span import Edit, Span, apply_edits
from migrator.syntax.json import edit as tfjson_edit
from migrator.syntax.json import parse as tfjson
from migrator.syntax.terraform import (
    Block,
    BodyChange,
    Copied,
    Literal,
    NewArgument,
    NewBlock,
    NewComment,
    NewObject,
    Reference,
)

NEW = NewArgument("new", Reference("var.new"))
NESTED = NewBlock("new", (), (NEW,))

WRONG = [
    *(
        "",
        "{",
        "[",
        "}",
        '{"a"}',
        '{"a":}',
        '{"a" 1}',
        '{"a": 1,}',
        "[1,]",
        "[1 2]",
        "[,]",
        "{1: 2}",
        '{"a": 1 "b": 2}',
    ),
    *('{"a": 1]', "[1}", "tru", '"a', '"\\x"', '"a\nb"', "01", "1 2", "{} {}", "[1:2]", ":"),
]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        json.loads(text)
    with pytest.raises(SyntaxProblem):
        tfjson.parse(text)
    with pytest.raises(SyntaxProblem):
        tfjson.verify(set(), text)


@pytest.mark.parametrize("text", ["{}", " [1, -2.5e3, true, null] \n", '{"a": {"b": [[], {}, ""]}}', '"a\\"\\u00e9"'])
def test_what_is_json(text: str) -> None:
    json.loads(text)
    tfjson.verify(set(), text)


def test_nesting_has_an_end() -> None:
    for opening, closing in ("[]", ('{"a":', "}")):
        tfjson.read(opening * 100 + "1" + closing * 100)
        with pytest.raises(SyntaxProblem, match="nested too deeply"):
            tfjson.read(opening * 101 + "1" + closing * 101)


def test_blocks_of_a_file() -> None:
    text = """{
      "//": "a comment",
      "terraform": {"backend": {"s3": {"key": "a"}}, "required_version": "1"},
      "provider": {"aws": [{"region": "b"}, {"alias": "c"}], "null": {}},
      "resource": [{"aws_s3_bucket": {"one": {"lifecycle": {"x": 1}}, "two": [{}, {}]}}],
      "moved": {"from": "a"}
    }"""
    found = [item for item in tfjson.parse(text) if isinstance(item, Block)]
    assert [block.title() for block in found] == [
        *("terraform", 'provider "aws"', 'provider "aws"', 'provider "null"', 'resource "aws_s3_bucket" "one"'),
        *('resource "aws_s3_bucket" "two"', 'resource "aws_s3_bucket" "two"'),
    ]
    assert [block.span.of(text) for block in found[1:3]] == ['{"region": "b"}', '{"alias": "c"}']
    assert [block.title() for block in found[0].blocks()] == ['backend "s3"']
    assert [block.title() for block in found[4].blocks()] == ["lifecycle"]
    assert [attribute.value.of(text) for attribute in found[0].attributes] == ['"1"']


@pytest.mark.parametrize(
    ("value", "expression"),
    [
        ('"${ var.a }"', "var.a"),
        ('"${var.a}-${var.b}"', '"${var.a}-${var.b}"'),
        ('"a\\"b\\\\c\\n"', '"a\\"b\\\\c\\n"'),
        ("true", "true"),
        ('["a", {"b": 1}]', '["a", {"b": 1}]'),
        ('["${var.a}", "\\u0061\\/"]', '[var.a, "a/"]'),
        ('{"${var.a}": "${var.b}", "c": "${f({d = \\"e\\"})}"}', '{ (var.a) = var.b, ("c") = f({d = "e"}) }'),
        ('"${~ var.a ~}"', "var.a"),
        ('"${f({ a = \\"}\\" }, \\"${b}\\")}"', 'f({ a = "}" }, "${b}")'),
        ('"\\"%{ if a == \\"b\\" }\\"%{ endif }$${c}"', '"\\"%{ if a == "b" }\\"%{ endif }$${c}"'),
        ('"${a(}"', '"$${a(}"'),
    ],
)
def test_a_value_in_the_terms_of_hcl(value: str, expression: str) -> None:
    assert tfjson.expression(f'{{"x": {value}}}', Span(6, 6 + len(value))) == expression


def changed(text: str, remove: str, comment: str, *append: NewArgument | NewBlock | NewComment) -> str:
    """``text`` with its first block's arguments called by the letters removed or commented out, and more."""
    items = tfjson.parse(text)
    block = next(item for item in items if isinstance(item, Block))
    change = BodyChange(
        tuple(attribute for attribute in block.attributes if attribute.name in remove),
        tuple(attribute for attribute in block.attributes if attribute.name in comment),
        append,
    )
    outcome = tfjson_edit.finish(text, items, tfjson_edit.change_body("x", text, block, change))
    json.loads(outcome)
    return outcome


@pytest.mark.parametrize(
    ("before", "remove", "comment", "after"),
    [
        ('{"a": 1, "b": 2, "c": 3}', "a", "", '{"b": 2, "c": 3}'),
        ('{"a": 1, "b": 2, "c": 3}', "b", "", '{"a": 1, "c": 3}'),
        ('{"a": 1, "b": 2, "c": 3}', "c", "", '{"a": 1, "b": 2}'),
        ('{"a": 1, "b": 2, "c": 3}', "ac", "", '{"b": 2}'),
        ('{ "a": 1, "b": 2 }', "ab", "", "{}"),
        ('{"a": 1, "b": 2, "c": 3}', "", "b", '{"a": 1, "//": {"b": 2}, "c": 3}'),
        ('{"a": 1, "b": 2, "c": 3}', "", "ac", '{"//": {"a": 1, "c": 3}, "b": 2}'),
        ('{"a": 1, "b": 2, "c": 3}', "a", "bc", '{"//": {"b": 2, "c": 3}}'),
        ('{"a": 1}', "", "a", '{"//": {"a": 1}}'),
        ('{\n  "a": 1,\n\n  "b": 2\n}', "b", "", '{\n  "a": 1\n}'),
        ('{\n  "a": 1,\n  "b": 2\n}', "a", "", '{\n  "b": 2\n}'),
    ],
)
def test_what_is_taken_out(before: str, remove: str, comment: str, after: str) -> None:
    assert changed(f'{{"provider": {{"aws": {before}}}}}', remove, comment) == f'{{"provider": {{"aws": {after}}}}}'


@pytest.mark.parametrize(
    ("before", "remove", "after"),
    [
        ('{"locals": {"a": 1}}', "", '{"locals": {"a": 1, "new": "${var.new}"}}'),
        ('{"locals": {"b": 1}}', "b", '{"locals": {"new": "${var.new}"}}'),
        ('{"locals": {"a": 1, "b": 1, "c": 1}}', "b", '{"locals": {"a": 1, "c": 1, "new": "${var.new}"}}'),
        ('{"locals": {"a": 1, "b": 1}}', "b", '{"locals": {"a": 1, "new": "${var.new}"}}'),
        ('{"locals": {}}', "", '{"locals": {"new": "${var.new}"}}'),
        ('{"locals": {"a": 1,\n  "c": 2}}', "", '{"locals": {"a": 1,\n  "c": 2, "new": "${var.new}"}}'),
        (
            '{\n "locals": {\n   "a": 1,\n  "c": 2\n }\n}',
            "",
            '{\n "locals": {\n   "a": 1,\n  "c": 2,\n   "new": "${var.new}"\n }\n}',
        ),
        ('{\n "locals": {\n   "b": 1,\n  "d": 2\n }\n}', "bd", '{\n "locals": {\n   "new": "${var.new}"\n }\n}'),
        ('{\n\t"locals": {}\n}\n', "", '{\n\t"locals": {\n\t\t"new": "${var.new}"\n\t}\n}\n'),
        (
            '{\n  "locals": {\n    "a": 1\n  }\n}\n',
            "",
            '{\n  "locals": {\n    "a": 1,\n    "new": "${var.new}"\n  }\n}\n',
        ),
        ('{\r\n "locals": {\r\n  "b": 1\r\n }\r\n}', "b", '{\r\n "locals": {\r\n  "new": "${var.new}"\r\n }\r\n}'),
        (
            '{\r\n "locals": {\r\n  "a": 1\r\n }\r\n}',
            "",
            '{\r\n "locals": {\r\n  "a": 1,\r\n  "new": "${var.new}"\r\n }\r\n}',
        ),
    ],
)
def test_a_new_property_comes_last(before: str, remove: str, after: str) -> None:
    assert changed(before, remove, "", NEW) == after


def test_letters_are_written_as_they_are() -> None:
    assert changed('{\n "locals": {\n  "a": 1\n }\n}', "", "", NewArgument("new", Literal("é"))) == (
        '{\n "locals": {\n  "a": 1,\n  "new": "é"\n }\n}'
    )
    assert tfjson.inside("", Span(0, 0), 'é"') == 'é\\"'


def test_a_new_block_is_indented_as_the_file_is() -> None:
    before = '{\n    "locals": {\n        "a": 1\n    }\n}\n'
    assert changed(before, "", "", NESTED, NewComment(NEW)) == (
        '{\n    "locals": {\n        "a": 1,\n        "new": {\n            "new": "${var.new}"\n        },\n'
        '        "//": {\n            "new": "${var.new}"\n        }\n    }\n}\n'
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Literal("a${b}%{c}"), '"a$${b}%%{c}"'),
        (Literal("é"), '"é"'),
        (Reference("var.a"), '"${var.a}"'),
        (Reference("string"), '"string"'),
        (Reference("null"), "null"),
        (Copied('{"b": [1]}'), '{"b": [1]}'),
        ((Literal("a"), Literal("b")), '["a", "b"]'),
        (NewObject((NEW,)), '{"new": "${var.new}"}'),
        (
            NewObject((NEW, NewArgument("b", Literal('"'))), "x ? null : "),
            '"${x ? null : { new = var.new, b = \\"\\\\\\"\\" }}"',
        ),
    ],
)
def test_what_a_value_is_written_as(value: object, written: str) -> None:
    argument = NewArgument("x", value)  # type: ignore[arg-type]
    assert changed('{"locals": {}}', "", "", argument) == f'{{"locals": {{"x": {written}}}}}'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '{\n  "variable": {\n    "x": {\n      "new": "${var.new}"\n    }\n  }\n}\n'),
        ("{}", '{"variable": {"x": {"new": "${var.new}"}}}'),
        ('{"variable": {"a": {}}}', '{"variable": {"a": {}, "x": {"new": "${var.new}"}}}'),
        ('[{}, {"locals": {}}, {}]', '[{}, {"locals": {}}, {"variable": {"x": {"new": "${var.new}"}}}]'),
        ('{"variable": [{"a": {}}]}', '{"variable": [{"a": {}}, {"x": {"new": "${var.new}"}}]}'),
        ('{"variable": []}', '{"variable": [{"x": {"new": "${var.new}"}}]}'),
        (
            '{"variable": [\n {\n  "a": {}\n }\n]}',
            '{"variable": [\n {\n  "a": {}\n },\n {\n  "x": {\n   "new": "${var.new}"\n  }\n }\n]}',
        ),
        (
            '{\n "locals": {}\n}',
            '{\n "locals": {},\n "variable": {\n  "x": {\n   "new": "${var.new}"\n  }\n }\n}',
        ),
    ],
)
def test_a_block_comes_beside_its_like(before: str, after: str) -> None:
    edit = tfjson_edit.add_block("x", before or "{}\n", NewBlock("variable", ("x",), (NEW,)))
    assert tfjson_edit.finish(before, (), [edit]) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"x": ["c"]}', '{"x": ["ä", "b${", "c"]}'.replace("${", "$${")),
        ('{"x": []}', '{"x": ["ä", "b$${"]}'),
        ('{\n\t"x": []\n}', '{\n\t"x": [\n\t\t"ä",\n\t\t"b$${"\n\t]\n}'),
        ('{\r\n "x": [\r\n   "c"\r\n ]\r\n}', '{\r\n "x": [\r\n   "ä",\r\n   "b$${",\r\n   "c"\r\n ]\r\n}'),
        ('{\n  "x": ["c",\n    "d"]\n}', '{\n  "x": ["ä", "b$${", "c",\n    "d"]\n}'),
    ],
)
def test_elements_come_first(before: str, after: str) -> None:
    value = tfjson.read(before).members[0].value.span
    edit = tfjson_edit.prepend_items("x", before, value, [Literal("ä"), Literal("b${")])
    assert apply_edits(before, [edit]) == after


@pytest.mark.parametrize(
    ("before", "gone", "after"),
    [
        ('{"data": {"a": {"b": {}, "c": {}}}}', "b", '{"data": {"a": {"c": {}}}}'),
        ('{"data": {"a": {"b": {}}, "d": {"c": {}}}}', "b", '{"data": {"d": {"c": {}}}}'),
        ('{"data": {"a": {"b": {}}, "d": {"c": {}}}, "locals": {}}', "bc", '{"locals": {}}'),
        ('{"data": [{"a": {"b": {}}}], "locals": {}}', "b", '{"locals": {}}'),
        ('[{"data": {"a": {"b": {}}}}, {"locals": {}}]', "b", '[{}, {"locals": {}}]'),
        ('{"data": {"a": {"b": [{}], "c": {}}}}', "b", '{"data": {"a": {"c": {}}}}'),
        ('{"data": {"a": {"b": {}}}, "moved": {}}', "b", '{"moved": {}}'),
        ('{"data": {"a": {"b": [{}, {}]}, "d": {"c": {}}}}', "b", '{"data": {"d": {"c": {}}}}'),
        ('{"data": {"a": {}, "d": {"b": {}}}}', "b", '{"data": {"a": {}, "d": {}}}'),
        ('{"variable": {"b": {}}, "data": {"a": {"c": {}}}}', "b", '{"data": {"a": {"c": {}}}}'),
    ],
)
def test_labels_go_with_their_last_block(before: str, gone: str, after: str) -> None:
    items = tfjson.parse(before)
    removed = [item for item in items if isinstance(item, Block) and item.labels and item.labels[-1] in gone]
    assert tfjson_edit.finish(before, items, tfjson_edit.remove_blocks("x", before, items, removed)) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            '{"data":{"a":{"b":{"config": {"c": 1, "d": 2}}}}}',
            '{"data":{"a":{"b":{"//": {"c": 1}, "config": {"new": "${var.new}"}}}}}',
        ),
        (
            '{"locals": {},\n "data": {"a": {"b": {\n  "config": {"d": 2, "e": 1}\n }}}}',
            '{"locals": {},\n "data": {"a": {"b": {\n  "config": {"e": 1, "new": "${var.new}"}\n }}}}',
        ),
        (
            '{\n "data": {"a": {"b": {\n  "config": {"c": 1}\n }}}}',
            '{\n "data": {"a": {"b": {\n  "//": {"c": 1},\n  "config": {"new": "${var.new}"}\n }}}}',
        ),
    ],
)
def test_what_an_expression_loses_becomes_a_comment_of_its_block(before: str, after: str) -> None:
    block = [item for item in tfjson.parse(before) if isinstance(item, Block)][-1]
    config = block.attribute("config")
    assert config is not None
    items = {item.name: item for item in tfjson.object_items(before, config.value) or ()}
    chosen = [[items[name]] if name in items else [] for name in "dc"]
    edits: tuple[Edit, ...] = tfjson_edit.change_object("x", before, config.value, *chosen, [NEW])
    assert tfjson_edit.finish(before, (), edits) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", '{"resource": {"t": {"a": {"new": "${var.new}"}, "b": {"new": "${var.new}"}}}}'),
        (
            '{"resource": {"t": [ ]}}',
            '{"resource": {"t": [{"a": {"new": "${var.new}"}}, {"b": {"new": "${var.new}"}} ]}}',
        ),
        (
            '{\n "resource": {\n  "t": {}\n }\n}',
            '{\n "resource": {\n  "t": {\n   "a": {\n    "new": "${var.new}"\n   },\n'
            '   "b": {\n    "new": "${var.new}"\n   }\n  }\n }\n}',
        ),
        (
            '{"resource": {"s": {"a": {}}}}',
            '{"resource": {"s": {"a": {}}, "t": {"a": {"new": "${var.new}"}, "b": {"new": "${var.new}"}}}}',
        ),
        (
            '{"resource": {"t": {"s": {}}}}',
            '{"resource": {"t": {"s": {}, "a": {"new": "${var.new}"}, "b": {"new": "${var.new}"}}}}',
        ),
        (
            '{"resource": {"t": [{"s": {}}]}}',
            '{"resource": {"t": [{"s": {}}, {"a": {"new": "${var.new}"}}, {"b": {"new": "${var.new}"}}]}}',
        ),
    ],
)
def test_two_new_blocks_share_the_labels_that_they_have_in_common(before: str, after: str) -> None:
    edits = [tfjson_edit.add_block("x", before, NewBlock("resource", ("t", name), (NEW,))) for name in "ab"]
    assert tfjson_edit.finish(before, (), edits) == after


def test_labels_that_stood_there_twice_stay() -> None:
    before = '{"variable": {"a": {}}, "variable": {"b": {}}}'
    edit = tfjson_edit.add_block("x", before, NewBlock("variable", ("x",), (NEW,)))
    assert tfjson_edit.finish(before, (), [edit]) == before[:-2] + ', "x": {"new": "${var.new}"}}}'
