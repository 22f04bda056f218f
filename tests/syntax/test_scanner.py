"""The scanner and the reader of HCL: where strings, heredocs, expressions and blocks end."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.errors import SyntaxProblem
from migrator.span import Span
from migrator.syntax.hcl import parse as hcl
from migrator.syntax.hcl.scanner import comments, skip_balanced, skip_expression, tokens
from migrator.syntax.hcl.strings import quote, string_value
from migrator.syntax.terraform import Attribute, Block
from tests.conftest import Terraform

READ_BY_TERRAFORM = {
    "brackets in strings": 'a = "]}" # }\n',
    "template in a template": 'a = "${"${b}"}"\n',
    "escaped template": 'a = "$${b" \n',
    "dollar before an escape": 'a = "$$${b}"\n',
    "percent": 'a = "100%"\n',
    "directive": 'a = "%{if b}c%{endif}"\n',
    "escaped directive": 'a = "%%{if"\n',
    "escaped quote": 'a = "\\"}"\n',
    "heredoc": 'a = <<EOT\n}\n]"\nEOT\n',
    "indented heredoc": "a = <<-EOT\n    }\n    EOT\n",
    "marker with blanks after it": "a = <<EOT\n}\nEOT  \n",
    "marker inside the text": "a = <<EOT\nEOT no\n EOTX\nEOT\n",
    "template in a heredoc": 'a = <<EOT\n${join("}", ["x"])}\nEOT\n',
    "a template that ends before the marker": "a = <<EOT\n${b}EOT\nEOT\n",
    "heredoc in a template in a heredoc": "a = <<A\n${<<B\nx\nB\n}\nA\n",
    "heredoc in a list": "a = [<<A\nx\nA\n, <<B\ny\nB\n]\n",
    "comparison": "a = b == c && d <= e\n",
    "arrow": "a = { for k, v in b : k => v }\n",
    "conditional in brackets": "a = (\n  b ?\n  c : # why\n  d\n)\n",
    "conditional in a template over lines": 'a = "${\n  b ? "c" : "d"\n}"\n',
    "no blanks": "a=1# b\n",
    "comment signs in a string": 'a = "# // /*"\n',
    "inline comments": "a /* x */ = /* y */ 1 /* z */\n",
    "comment over lines after a value": "a = 1 /* x\ny */\n",
    "unquoted label": "a b {\n}\n",
    "one line": 'a { b = "c" }\n',
    "one line over lines": "a { b = [\n1\n] }\n",
    "empty": "a {}\n",
    "unicode": 'größe = "ß" # é\n',
    "carriage returns": "a {\r\n  b = <<EOT\r\nx\r\nEOT\r\n}\r\n",
    "division": "a = 1 / 2\n",
    "strip markers": 'a = "${~ b ~}%{~ if c ~}d%{~ endif ~}"\n',
    "an escape that is never closed": 'a = "$${" == "%%{"\n',
    "object over lines": "a = {\n  b = f(\n    1,\n  )\n  c = 2\n}\n",
    "heredoc in a block": "a {\n  b = <<A\nx ${c}\n\nA \n  d = 1\n}\n",
    "legacy splat": "a = b.*.c\n",
    "dashes": "a-b = c-d\n",
}
REJECTED_BY_TERRAFORM = {
    "no value": ("a = ##X##\n", "an argument has no value"),
    "open block": ('a {\n  b = "c"\n', "the brace is never closed"),
    "open string": 'a = "b\n',
    "open heredoc": "a = <<EOT\nx\nEOT",
    "open comment": "a = 1 /* x\n",
    "crossed brackets": "a = [(])\n",
    "closed too often": "a {}\n}\n",
    "two arguments on a line": "a = 1 b = 2\n",
    "two blocks on a line": "a {} b {}\n",
    "neither": "a\n",
    "a block on a line in a block": "a { b {} }\n",
    "two on one line": "a { b = 1, c = 2 }\n",
    "a brace after the last argument": "a {\n  b = 1 }\n",
    "an argument after a brace": "a { b = 1\n}\n",
    "a string on its own": '"a"\n',
    "a comma": "a = 1,\n",
    "an argument twice": ("a {\n  b = 1\n  b = 2\n}\n", "the argument b is set twice"),
    "open template": 'a = "${b"\n',
}


@pytest.mark.parametrize("text", READ_BY_TERRAFORM.values(), ids=READ_BY_TERRAFORM)
def test_what_terraform_reads(text: str, terraform: Terraform) -> None:
    assert terraform.accepts(text.encode())
    items = hcl.parse(text)
    assert len(items) == 1
    assert items[0].span.of(text).strip() == items[0].span.of(text)
    if isinstance(items[0], Block):
        assert all(isinstance(item, Attribute) for item in items[0].items)
    hcl.verify(set(), text)


def read_through(text: str) -> None:
    for item in hcl.parse(text):
        assert isinstance(item, Attribute) or item.items


@pytest.mark.parametrize("case", REJECTED_BY_TERRAFORM.values(), ids=REJECTED_BY_TERRAFORM)
def test_what_terraform_rejects(case: str | tuple[str, str], terraform: Terraform) -> None:
    text, reason = case if isinstance(case, tuple) else (case, None)
    assert not terraform.accepts(text.encode())
    with pytest.raises(SyntaxProblem, match=reason):
        read_through(text)


@pytest.mark.parametrize("text", READ_BY_TERRAFORM.values(), ids=READ_BY_TERRAFORM)
def test_tokens_cover_the_text(text: str) -> None:
    assert "".join(text[token.start : token.end] for token in tokens(text)) == text


COMMENTS = re.compile(r"#.*|//.*|/\*.*?\*/")
TRICKY = [
    "x",
    " ",
    "\n",
    '"a"',
    '"}"',
    '"${b["]"]}"',
    "# }\n",
    "// ]\n",
    "/* ) */",
    "/",
    "<",
    "<<A\n}\n${c}\nA\n",
    '"$${"',
    "()",
]


@given(st.lists(st.sampled_from([*TRICKY, "[", "]", "{", "}"]), max_size=12))
def test_the_fast_way_over_brackets_is_that_of_the_tokens(pieces: list[str]) -> None:
    text = "{" + "".join(pieces) + "}"
    expected: int | str
    try:
        closing = (token.end for token in tokens(text) if token.kind == "close" and token.depth == 1)
        expected = next(closing, "never closed")
    except SyntaxProblem:
        expected = "never closed"
    try:
        actual: int | str = skip_balanced(text, 0)
    except SyntaxProblem:
        actual = "never closed"
    assert actual == expected


def end_by_tokens(text: str, *, in_brackets: bool) -> int | str:
    """Where an expression ends, token by token."""
    end = 0
    with suppress(SyntaxProblem):
        for token in tokens(text):
            if token.depth == 0 and token.kind in ("comma", "close"):
                return end
            if token.depth == 0 and token.kind in ("newline", "comment") and not in_brackets:
                return end
            if token.depth == 0 and token.kind == "equal":
                return "no expression"
            if token.depth or token.kind not in ("space", "inline", "newline", "comment"):
                end = token.end
        return end
    return "no expression"


@given(
    st.lists(st.sampled_from([*TRICKY, "[", "]", "{", "}", ",", "=", "==", "=>", "!", ">"]), max_size=12), st.booleans()
)
def test_the_fast_way_over_an_expression_is_that_of_the_tokens(pieces: list[str], in_brackets: bool) -> None:
    text = "".join(pieces)
    try:
        actual: int | str = skip_expression(text, 0, in_brackets=in_brackets)
    except SyntaxProblem:
        actual = "no expression"
    assert actual == end_by_tokens(text, in_brackets=in_brackets)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ('provider "aws" {\n  region = "x-1" # here\n}', 'provider "x" {\n  region = "x" #\n}'),
        ('a = "" // b\n', 'a = "" #\n'),
        ('a = "${b}-c\\n"\n', 'a = "${b}-c\\n"\n'),
        ('a = <<A\n"b" # c\nA\nd = "e f"\n', 'a = <<A\n"b" # c\nA\nd = "x"\n'),
        ('a = "${b["c"]}" + "d"\n', 'a = "${b["c"]}" + "d"\n'),
        ("a = /* b\n# c */ d\n", "a = /* b\n# c */ d\n"),
    ],
)
def test_shape_of_a_block(text: str, shape: str) -> None:
    assert hcl.shape(text) == shape


@pytest.mark.parametrize("text", READ_BY_TERRAFORM.values(), ids=READ_BY_TERRAFORM)
def test_a_shape_is_read_as_its_block_is(text: str) -> None:
    shaped = hcl.shape(text)
    assert hcl.shape(shaped) == shaped
    assert len(hcl.parse(shaped)) == len(hcl.parse(text))


def test_an_expression_ends_before_its_comment() -> None:
    text = "1 + 2 /* three */ # four\n"
    assert text[: skip_expression(text, 0, in_brackets=False)] == "1 + 2"


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("[]", []),
        ("[ # nothing\n]", []),
        ('["a", b]', ['"a"', "b"]),
        ('[\n"a", # one\n/* two */ b,\n]', ['"a"', "b"]),
        ("[[1, 2], {a = 1, b = 2}, f(x, y)]", ["[1, 2]", "{a = 1, b = 2}", "f(x, y)"]),
        ("[<<A\n,\nA\n, 1]", ["<<A\n,\nA", "1"]),
        ("[forest]", ["forest"]),
        ("[a ?\n b :\n c,\nd]", ["a ?\n b :\n c", "d"]),
    ],
)
def test_elements_of_a_list(text: str, elements: list[str]) -> None:
    text = f"names = {text}\n"
    found = hcl.list_items(text, Span(8, len(text) - 1))
    assert found is not None
    assert [element.of(text) for element in found] == elements


@pytest.mark.parametrize("text", ["[for x in y : x]", "concat([])", "[1][0]", "var.x", '"[]"'])
def test_no_list(text: str) -> None:
    text = f"names = {text}\n"
    assert hcl.list_items(text, Span(8, len(text) - 1)) is None


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("{}", {}),
        ("{a=1,b:2}", {"a": "1", "b": "2"}),
        ('{\n  "a" = 1 # one\n\n  b /* two */ = [\n2]\n}', {"a": "1", "b": "[\n2]"}),
        ("{ a = { b = 1, c = 2 }, d = e }", {"a": "{ b = 1, c = 2 }", "d": "e"}),
        ('{ "" = 1 }', {"": "1"}),
        ("{ (a) = 1 }", None),
        ("{ for a in b : a => a }", None),
        ("merge({}, {})", None),
        ("{}.a", None),
    ],
)
def test_items_of_an_object(text: str, items: dict[str, str] | None) -> None:
    text = f"names = {text}\n"
    found = hcl.object_items(text, Span(8, len(text) - 1))
    assert (found if found is None else {item.name: item.value.of(text) for item in found}) == items


@pytest.mark.parametrize(
    ("value", "interior"),
    [
        ("a.b", "a.b"),
        ('"${a.b}"', "a.b"),
        ('"${ f(a, "}") }"', 'f(a, "}")'),
        ('"${\n  a ?\n  b : c\n}"', "a ?\n  b : c"),
        ('"${a}${b}"', None),
        ('"${a}-"', None),
        ('"a"', None),
    ],
)
def test_what_a_template_alone_holds(value: str, interior: str | None) -> None:
    text = f"x = {value}\n"
    found = hcl.interior(text, Span(4, len(text) - 1))
    assert (found and found.of(text)) == interior


@pytest.mark.parametrize("text", ["[1 2, ,]", "[,]", "[1,,2]"])
def test_a_broken_list(text: str) -> None:
    with pytest.raises(SyntaxProblem):
        hcl.list_items(text, Span(0, len(text)))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "plain",
        'a "quoted" \\ word',
        "line\nline\ttab\r",
        "${x} %{y} $${z} $ %",
        "é 😀",
        "spacelift-run-${TF_VAR_x}",
    ],
)
def test_quoting_is_terraforms(value: str, terraform: Terraform) -> None:
    assert string_value(quote(value)) == value
    assert terraform.evaluate_text(quote(value)) == value


@pytest.mark.parametrize(
    "expression",
    [
        *("var.x", '"${x}"', '"a" + "b"', "null", "1", '"%{if x}%{endif}"', "<<A\nx\nA"),
        *('"\\U00110000"', '"\\UFFFFFFFF"'),
    ],
)
def test_no_literal(expression: str) -> None:
    assert string_value(expression) is None


def test_unescaping() -> None:
    assert string_value('"\\u00e9\\U0001F600"') == "é😀"


def test_labels_with_and_without_quotes() -> None:
    (block,) = hcl.parse('a "b" /* "c" */ d "e$"{\n}\n')
    assert isinstance(block, Block)
    assert block.labels == ("b", "d", "e$")


@pytest.mark.parametrize(
    ("text", "comments"),
    [
        ("a {} # beside", ["# beside"]),
        ("// above\n# too\na {\n}\n", ["// above", "# too"]),
        ("# apart\n\n/* before */ a {\n} # end\n# below\n", ["/* before */", "# end"]),
        ("x = 1 # of x\na { # head\n  # within\n}", ["# head"]),
    ],
)
def test_comments_on_a_block(text: str, comments: list[str]) -> None:
    block = next(item for item in hcl.parse(text) if isinstance(item, Block))
    found = hcl.comments_on(text, block)
    assert set(COMMENTS.findall(found)) == set(comments)


def test_what_is_new_is_read_by_python_hcl2() -> None:
    text = "a = 1\n\nb = !!c\n"
    hcl.verify({"b = !!c"}, text)
    with pytest.raises(SyntaxProblem, match="python-hcl2 cannot parse the text") as caught:
        hcl.verify(set(), text)
    assert caught.value.offset == text.index("b = ")


@pytest.mark.parametrize(
    "above",
    ["", "  b = 1\n", "  b = [\n    1,\n  ]\n", "  /* b\n  */\n", '  b = "${\n  f(\n  1)\n  }"\n', "  b = <<A\n\nA\n"],
)
def test_python_hcl2_stumbles_at_a_line(above: str) -> None:
    text = f"a {{\n{above}  c = !!d\n  e = [\n  ]\n}}\n"
    with pytest.raises(SyntaxProblem) as caught:
        hcl.check(text, Span(0, len(text) - 1))
    assert caught.value.offset == text.index("  c = ")


@pytest.mark.parametrize("text", ["[}", "(]", "{)", '"${a]"', '"${a)"', "[\n}"])
def test_a_bracket_is_closed_by_its_like(text: str) -> None:
    with pytest.raises(SyntaxProblem, match="closes"):
        list(tokens(text))
    if text[0] != '"':
        with pytest.raises(SyntaxProblem, match="closes"):
            skip_balanced(text, 0)


@pytest.mark.parametrize(
    ("before", "rest", "reason"),
    [
        ("[ ", "(", "the parenthesis is never closed"),
        ("( ", "[ a", "the bracket is never closed"),
        ("{ ", '"a\n"', "the string is not closed on its line"),
        ('[ "', "${ b", "the template is never closed"),
        ("[ ", "<<A\nb\nA", "the heredoc is never closed"),
        ("[ ", "/* b", "the comment is never closed"),
    ],
)
def test_what_is_never_closed_is_told_with_its_place(before: str, rest: str, reason: str) -> None:
    text = before + rest
    for read in (lambda: list(tokens(text)), lambda: skip_balanced(text, 0)):
        with pytest.raises(SyntaxProblem) as caught:
            read()
        assert (caught.value.reason, text[caught.value.offset :]) == (reason, rest)


def test_tokens_end_with_the_bracket_that_was_opened_before_them() -> None:
    text = "[a, (b)] c]"
    assert "".join(text[token.start : token.end] for token in tokens(text, 1)) == "a, (b)]"


def test_nesting_is_limited_alike() -> None:
    for read in (lambda text: list(tokens(text)), lambda text: skip_balanced(text, 0)):
        read("[" * 250 + "]" * 250)
        with pytest.raises(SyntaxProblem, match="nested too deeply"):
            read("[" * 251 + "]" * 251)


def test_deep_nesting_ends() -> None:
    deep = "a = " + "[" * 20_000 + "]" * 20_000 + "\n"
    with pytest.raises(SyntaxProblem, match="nested too deeply"):
        hcl.parse(deep)
    with suppress(SyntaxProblem):
        hcl.check(deep, Span(0, len(deep)))


@given(st.lists(st.sampled_from([*TRICKY, '"${ b /* c */ }"', "[", "]", "{", "}", "/*"]), max_size=12))
def test_the_fast_way_to_comments_is_that_of_the_tokens(pieces: list[str]) -> None:
    text = "".join(pieces)
    with suppress(SyntaxProblem):
        found = [(token.start, token.end) for token in tokens(text) if token.kind in ("comment", "inline")]
        if "".join(text[token.start : token.end] for token in tokens(text)) == text:
            assert list(comments(text)) == found


@pytest.mark.parametrize("broken", ["b = 1\n b = 2\n", "c {\n b = 1\n b = 2\n }\n"])
def test_a_tolerant_block_is_empty_where_it_cannot_be_read(broken: str) -> None:
    text = f"a {{\n {broken}}}\n"
    (block,), (tolerant,) = hcl.parse(text), hcl.parse(text)
    assert isinstance(block, Block)
    assert isinstance(tolerant, Block)
    with pytest.raises(SyntaxProblem):
        assert all(nested.items for nested in block.blocks())
    tolerant.is_tolerant = True
    assert [nested.items for nested in tolerant.blocks()] == [()] * broken.count("c")


def test_comments_stand_in_templates_too() -> None:
    text = 'a = "${f("# no") /* yes */}" # too\nb = "//" // and this\n'
    assert [text[start:end] for start, end in comments(text)] == ["/* yes */", "# too", "// and this"]
