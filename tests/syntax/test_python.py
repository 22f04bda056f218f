"""Python programs: what is found in them, edits of their arguments, stacks defined in them, hooks put into these."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.config.config import Config
from migrator.errors import SyntaxProblem
from migrator.migrate.pipeline import migrate_repo
from migrator.model.findings import Refusal, Rewrite
from migrator.model.results import Mode
from migrator.spacelift.hooks.in_python import has_hook, prepend_hooks
from migrator.spacelift.stacks.python import PythonStack, python_stacks
from migrator.span import apply_edits
from migrator.syntax.python import check as program
from migrator.syntax.python import edit as python_edit
from migrator.syntax.python.items import Call
from migrator.syntax.python.program import Program, parse
from migrator.syntax.terraform import Literal
from tests.invariants import check_files

NAME = "pkg.mod.Thing"
HOOK = 'export X="${TF_VAR_x}" # %{y}'


def call(text: str) -> tuple[Program, Call]:
    found = parse(text)
    (one,) = found.calls({NAME, "imports.pkg.Thing"})
    return found, one


# --- calls ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "from pkg.mod import Thing\nThing(1, a='x')",
        "from pkg.mod import Thing as T\nT(1, a='x')",
        "from pkg import mod\nmod.Thing(1, a='x')",
        "from pkg import mod as m\nm.Thing(1, a='x')",
        "import pkg.mod\npkg.mod.Thing(1, a='x')",
        "import pkg.mod as m\nif x:\n    m . Thing (1, a='x')",
        "def f():\n    from pkg.mod import Thing\n    return [Thing(1, a='x') for _ in y]",
        "from .imports.pkg import Thing\nThing(1, a='x')",
        "from infra.imports.pkg import Thing\nThing(1, a='x')",
        "from pkg.mod import Thing\nThing(1, **{'a': 'x'})",
        "from pkg.mod import Thing\nd = dict(a='x')\nThing(1, **d)",
        "from pkg.mod import Thing\nA = 'x'\ndef f():\n    d: dict = {'a': A}\n    Thing(1, **d)\n    Thing2(1)",
    ],
)
def test_a_call_is_found_under_any_name(text: str) -> None:
    found, one = call(text)
    argument = one.keyword("a")
    assert one.objection is None
    assert argument is not None
    assert found.string(argument) == "x"
    assert [item.span.of(text) for item in one.positional] == ["1"]


@pytest.mark.parametrize(
    "text",
    [
        "from other import Thing\nThing(1)",
        "def Thing(): pass\nThing(1)",
        "from pkg.mod import Thing\nprint(Thing)",
        "import pkg\n'pkg.mod.Thing(1)' # pkg.mod.Thing(1)",
        "from pkg.mod import Thing\ndef f(Thing):\n    Thing(1)",
    ],
)
def test_what_is_no_call_of_it(text: str) -> None:
    assert parse(text).calls({NAME}) == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("from pkg.mod import *\nThing(1)", "Thing comes from a star import"),
        (
            "try:\n    from pkg.mod import Thing\nexcept E:\n    from b import Thing\nThing(1)",
            "may have several meanings",
        ),
        ("from pkg.mod import Thing\nThing(*args)", "what *args holds is not known"),
        ("from pkg.mod import Thing\nThing(**options)", "what **options holds is not known"),
        ("from pkg.mod import Thing\nThing(**f('secret'))", "what **{…} holds is not known"),
        ("from pkg.mod import Thing\nd = {}\nd = {'a': 1}\nThing(**d)", "what **d holds is not known"),
        ("from pkg.mod import Thing\nd = {'a': 1}\nd['b'] = 2\nThing(**d)", "what **d holds is not known"),
        ("from pkg.mod import Thing\nd = {'a': 1}\nd |= x\nThing(**d)", "what **d holds is not known"),
        ("from pkg.mod import Thing\nd = {'a': 1}\nThing(**d)\nother(**d)", "what **d holds is not known"),
        ("from pkg.mod import Thing\nThing(**{**x, 'a': 1})", "what **{…} holds is not known"),
        ("from pkg.mod import Thing\nThing(**{key: 1})", "what **{key: 1} holds is not known"),
    ],
)
def test_what_is_dynamic_is_refused_by_its_name(text: str, reason: str) -> None:
    _, one = call(text)
    assert isinstance(one.objection, Refusal)
    assert reason in one.objection.reason


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'a' \"b\" f'c'", "abc"),
        ("(A + 'x')", "ax"),
        ("f'{A}/{{}}'", "a/{}"),
        ("f'{A!r}'", None),
        ("f'{A:>3}'", None),
        ("b'x'", None),
        ("B", None),
        ("C", "a-c"),
        ("D", None),
        ("os.environ['X']", None),
        ("'a' * 3", None),
        ("LOOP", None),
    ],
)
def test_strings_that_can_be_known(expression: str, value: str | None) -> None:
    constants = "A = 'a'\nB = 'b'\nB = 'c'\nC = f'{A}-c'\nfor D in E: pass\nLOOP = LOOP\n"
    found, one = call(f"from pkg.mod import Thing\n{constants}Thing(a={expression})\n")
    argument = one.keyword("a")
    assert argument is not None
    assert found.string(argument) == value
    assert argument.value.of(found.text) == expression


@pytest.mark.parametrize(
    ("text", "interiors"),
    [
        ("Thing()", [""]),
        ("Thing ( 1, **{ 'a': 2 } )", [" 1, **{ 'a': 2 } ", " 'a': 2 "]),
        ("Thing(**dict(a=1))", ["**dict(a=1)", "a=1"]),
        ("é = {'a': 'é',}\nThing(**é)", ["**é", "'a': 'é',"]),
    ],
)
def test_what_holds_arguments_is_what_stands_between_brackets(text: str, interiors: list[str]) -> None:
    text = f"from pkg.mod import (Thing, x)\n{text}\n"
    found, one = call(text)
    assert [holder.interior.of(text) for holder in one.holders] == interiors
    assert [statement.names.interior.of(text) for statement in found.imports] == ["Thing, x"]


@pytest.mark.parametrize(
    ("text", "name", "is_used"),
    [
        ("x = Thing(1)", "x", False),
        ("x: T = Thing(1)\nx.y()", "x", True),
        ("x = Thing(1)\nx = 2", None, False),
        ("x = y = Thing(1)\nf(y)", None, True),
        ("x.y = Thing(1)", None, False),
        ("f(Thing(1))", None, False),
    ],
)
def test_the_name_of_what_is_made(text: str, name: str | None, is_used: bool) -> None:
    found, one = call(f"from pkg.mod import Thing\n{text}\n")
    assert (found.assigned_to(one), found.is_used(one)) == (name, is_used)


@pytest.mark.parametrize(
    ("text", "are_made"),
    [
        ("x = Base()\nThing(x, Other())", [True, False]),
        ("class A(Base): pass\nclass B(A): pass\nclass C: pass\nThing(B(), C())", [True, False]),
        ("class A(Base):\n    def f(self, other):\n        Thing(self, other)", [True, False]),
        ("class A:\n    def f(self, other):\n        Thing(self, other)", [False, False]),
        ("def f(self):\n    Thing(self)", [False]),
        ("class A(Base):\n    Thing(self)", [False]),
    ],
)
def test_what_an_argument_is_an_instance_of(text: str, are_made: list[bool]) -> None:
    found, one = call(f"from pkg.mod import Thing\nfrom pkg import Base, Other\n{text}\n")
    assert [found.makes(one, item, "pkg.Base") for item in one.positional] == are_made


@pytest.mark.parametrize(
    ("expression", "interior", "elements"),
    [
        ("[]", "", []),
        ("[  # none\n]", "  # none\n", []),
        ("[1, *A]", "1, *A", ["1", "*A"]),
        ("(1, 2)", "1, 2", ["1", "2"]),
        ("LIST", "'é', 2", ["'é'", "2"]),
        ("TUPLE", "3, 4,", ["3", "4"]),
        ("ONE", None, []),
        ("f([1])", None, []),
    ],
)
def test_elements_of_a_list(expression: str, interior: str | None, elements: list[str]) -> None:
    constants = "ONE = 1\nLIST = ['é', 2]\nTUPLE = (3, 4,)\n"
    found, one = call(f"from pkg.mod import Thing\n{constants}Thing(a={expression})\n")
    argument = one.keyword("a")
    assert argument is not None
    items = found.elements(argument, through_names=True)
    assert (items and items.interior.of(found.text)) == interior
    assert [item.star + item.value.of(found.text) for item in (items.items if items else ())] == elements
    if expression.isidentifier():
        assert found.elements(argument) is None


@given(st.text(alphabet="aé😀\t ", max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_places_are_characters_of_the_text(filler: str, newline: str) -> None:
    text = f"# {filler}\nfrom pkg.mod import Thing\nThing('{filler}', # {filler}\n  a = ('{filler}x'),\n)\n".replace(
        "\n", newline
    )
    _, one = call(text)
    assert [item.span.of(text) for item in one.arguments.items] == [f"'{filler}'", f"a = ('{filler}x')"]
    assert one.span.of(text) == text[text.index("Thing(") :].removesuffix(newline)
    assert one.line == 3


@pytest.mark.parametrize(
    "text",
    ["f(", "print 'x'", "x = \0", "\udc80 = 1", "(" * 5000 + ")" * 5000, "x = " + "-" * 5000 + "1", "a" + ".b" * 9000],
)
def test_what_is_no_program(text: str) -> None:
    with pytest.raises(SyntaxProblem):
        parse(text)
    if "\udc80" not in text:
        with pytest.raises(SyntaxProblem):
            program.verify(set(), text)


# --- edits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("(x, gone=1)", "(x)"),
        ("(gone=1, x=2)", "(x=2)"),
        ("(gone=1)", "()"),
        ("(gone=1,)", "()"),
        ("(x, gone=1, gone2=2, y=3)", "(x, y=3)"),
        ("(x, gone=1,)", "(x,)"),
        ("(x, gone=1, y=2, gone2=3)", "(x, y=2)"),
        ("(\n    x,\n    gone=1,  # secret\n    y=2,\n)", "(\n    x,\n    y=2,\n)"),
        ("(\n    x,\n    gone=f(\n        1\n    )\n)", "(\n    x,\n)"),
        ("(x,\n  gone=1)", "(x)"),
        ("(x,  # kept\n  gone=1)", "(x,  # kept\n  )"),
        ("(x, gone=1,\n  gone2=2,\n  y=3)", "(x,\n  y=3)"),
        ("(\n  x, gone=1, gone2='a,)#',\n)", "(\n  x,\n)"),
        ("(x, **{'gone': 1, 'y': 2})", "(x, **{'y': 2})"),
        ("(x, **{'gone': 1})", "(x, **{})"),
    ],
)
def test_removal(before: str, after: str) -> None:
    text = f"from pkg.mod import Thing\nThing{before}  # end\n"
    _, one = call(text)
    edits = [
        edit
        for holder in one.holders
        for edit in python_edit.remove(
            "m.py", text, holder, [i for i in holder.items if (i.name or "").startswith("gone")]
        )
    ]
    assert apply_edits(text, edits) == text.replace(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("()", "(new=1)"),
        ("(x)", "(x, new=1)"),
        ("(x,)", "(x, new=1,)"),
        ("(x , )", "(x , new=1, )"),
        ("(x, **y)", "(x, **y, new=1)"),
        ("(\n    x,\n)", "(\n    x,\n    new=1,\n)"),
        ("(\n    x  # why, what\n)", "(\n    x,  # why, what\n    new=1\n)"),
        ("(\n    x,\n    y=2)", "(\n    x,\n    y=2,\n    new=1)"),
        ("(x,\n  y=2, # c\n  # d\n  )", "(x,\n  y=2, # c\n  new=1,\n  # d\n  )"),
    ],
)
def test_addition(before: str, after: str) -> None:
    text = f"from pkg.mod import Thing\nThing{before}\n"
    _, one = call(text)
    made = apply_edits(text, python_edit.append("m.py", text, one.arguments, "new=1"))
    assert made == text.replace(before, after)
    program.verify(set(), made)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Thing(\n    x,\n    gone=1,  # why\n)", "Thing(\n    x,\n    # gone=1,  # why\n)"),
        (
            "Thing(\n    gone=f(\n        1,\n  2,\n    ),\n)",
            "Thing(\n    # gone=f(\n    #     1,\n#   2,\n    # ),\n)",
        ),
        ("if a:\n    Thing(x, gone=1, y=2)", "if a:\n    # gone=1\n    Thing(x, y=2)"),
        ("Thing(gone=[\n  1], gone2=2)", "# gone=[\n# 1], gone2=2\nThing()"),
        ("Thing(x, gone=1,\n  gone2=2,\n  y=3)", "# gone=1\nThing(x,\n  # gone2=2,\n  y=3)"),
    ],
)
def test_what_is_commented_out(before: str, after: str) -> None:
    text = f"from pkg.mod import Thing\n{before}\n"
    _, one = call(text)
    gone = [item for item in one.arguments.items if (item.name or "").startswith("gone")]
    made = apply_edits(text, python_edit.remove_arguments("m.py", text, one.arguments, [], gone))
    assert made == f"from pkg.mod import Thing\n{after}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("(old)", "(new(\n    1\n))"),
        ("(x, old, y)", "(x, new(\n    1\n), y)"),
        ("(\n    old,  # why\n    y,\n)", "(\n    new(\n        1\n    ),\n    y,\n)"),
        ("(\n    old  # why\n)", "(\n    new(\n        1\n    )\n)"),
        ("(\n    x, old,  # why\n)", "(\n    x, new(\n        1\n    ),  # why\n)"),
        ("(\n\told,\n)", "(\n\tnew(\n\t\t1\n\t),\n)"),
    ],
)
def test_another_in_its_place(before: str, after: str) -> None:
    text = f"from pkg.mod import Thing\nThing{before}\n"
    _, one = call(text)
    (old,) = (item for item in one.arguments.items if item.span.of(text) == "old")
    made = apply_edits(text, python_edit.replace("m.py", text, one.arguments, old, "new(\n    1\n)"))
    assert made == f"from pkg.mod import Thing\nThing{after}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("(x)", "(new, x)"),
        ("(\n    x,\n)", "(\n    new,\n    x,\n)"),
        ("(y,\n  x)", "(y,\n  new,\n  x)"),
    ],
)
def test_one_before_another(before: str, after: str) -> None:
    text = f"from pkg.mod import Thing\nThing{before}\n"
    _, one = call(text)
    (old,) = (item for item in one.arguments.items if item.span.of(text) == "x")
    made = apply_edits(text, [python_edit.insert_before("m.py", text, old, "new")])
    assert made == f"from pkg.mod import Thing\nThing{after}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[x, y]", "[1, 2, x, y]"),
        ("(x,)", "(1, 2, x,)"),
        ("[\n    x,\n]", "[\n    # one\n    1,\n    2,\n    x,\n]"),
        ("[\n    # of x\n    # too\n    x,\n]", "[\n    # one\n    1,\n    2,\n    # of x\n    # too\n    x,\n]"),
        ("[\n    # all\n\n    x,\n]", "[\n    # all\n\n    # one\n    1,\n    2,\n    x,\n]"),
        ("[  # all\n    x,\n]", "[  # all\n    # one\n    1,\n    2,\n    x,\n]"),
        ("[\n  x,\n    y,\n]", "[\n  # one\n  1,\n  2,\n  x,\n    y,\n]"),
        ("[x,\n    y]", "[1, 2, x,\n    y]"),
    ],
)
def test_elements_come_first(before: str, after: str) -> None:
    text = f"# head\nfrom pkg.mod import Thing\nThing(a={before})\n"
    found, one = call(text)
    argument = one.keyword("a")
    assert argument is not None
    elements = found.elements(argument)
    assert elements is not None
    made = apply_edits(text, python_edit.prepend("m.py", text, elements, [("1", "one"), ("2", "")]))
    assert made == text.replace(before, after)


@pytest.mark.parametrize(
    ("text", "name", "change"),
    [
        ("from pkg.mod import Thing, New\nThing(1)\n", "New", ("", "")),
        ("from pkg.mod import New as N\nfrom pkg.mod import Thing\nThing(1)\n", "N", ("", "")),
        ("import pkg.mod\npkg.mod.Thing(1)\n", "pkg.mod.New", ("", "")),
        ("import pkg.mod as m\nm.Thing(1)\n", "m.New", ("", "")),
        ("def f():\n    Thing(1)\nfrom pkg.mod import Thing, New\n", "New", ("", "")),
        ("def f():\n    from pkg.mod import Thing, New\n    Thing(1)\n", "New", ("", "")),
        ("from pkg.mod import Thing\nThing(1)\n", "New", ("import Thing", "import Thing, New")),
        ("from pkg.mod import (\n    Thing,\n)\nThing(1)\n", "New", ("    Thing,\n", "    Thing,\n    New,\n")),
        ("import os\nfrom pkg import mod\nmod.Thing(1)\n", "New", ("import os", "from pkg.mod import New\nimport os")),
        (
            "from __future__ import annotations\nfrom pkg import mod\nmod.Thing(1)\n",
            "New",
            ("from pkg import", "from pkg.mod import New\nfrom pkg import"),
        ),
        (
            "from pkg.mod import *\nfrom pkg.mod import Thing\nThing(1)\n",
            "New",
            ("import Thing", "import Thing, New"),
        ),
        (
            "def f():\n    from pkg.mod import New\nfrom pkg.mod import Thing\nThing(1)\n",
            "New",
            ("import Thing", "import Thing, New"),
        ),
        ("from pkg.mod import Thing\nThing(1)\nfrom pkg.mod import New\n", "New has another meaning", None),
        ("New = 1\nfrom pkg.mod import Thing\nThing(1)\n", "New has another meaning", None),
        ("def f():\n    from pkg import mod\n    mod.Thing(1)\n", "the file imports nothing at its top", None),
    ],
)
def test_a_name_is_imported_where_it_is_not_yet(text: str, name: str, change: tuple[str, str] | None) -> None:
    found, one = call(text)
    result = python_edit.imported("m.py", found, one, "pkg.mod", "New")
    if change is None:
        assert isinstance(result, Refusal)
        assert f": {name}" in result.reason
        return
    assert not isinstance(result, Refusal)
    assert result[0] == name
    assert apply_edits(text, result[1]) == text.replace(*change, 1)


@pytest.mark.parametrize(
    ("text", "comments"),
    [
        ("# far\n\n# above\n# too\nThing(1)  # beside\n", "# above # beside # too"),
        ("x = 1  # of x\nThing(\n    1,  # within\n)  # end\n# below\n", "# end"),
        ("Thing(  # head\n    1,\n)\n", "# head"),
    ],
)
def test_comments_on_a_call(text: str, comments: str) -> None:
    text = f"from pkg.mod import Thing\n{text}"
    found, one = call(text)
    assert " ".join(sorted(found.comments_on(one.span).split("\n"))) == comments


@given(st.text(max_size=30), st.sampled_from(["''", '""']))
def test_a_quoted_string_is_itself(string: str, style: str) -> None:
    literal = python_edit.quote(parse(f"x = {style}\n"), string)
    assert ast.literal_eval(literal) == string


# --- the rule -------------------------------------------------------------------------------------------------------

IMPORTS = "from cdktf import S3Backend, TerraformStack\nfrom cdktf_cdktf_provider_aws.provider import AwsProvider\n"


def migrated(folder: Path, text: str, **options: str) -> tuple[str, list[str]]:
    file = folder / "main.py"
    file.write_bytes(text.encode())
    result = migrate_repo(str(folder), Config(mode=Mode.IN_PLACE, **options))  # type: ignore[arg-type]
    assert result.error == ""
    fates = [finding.fate for finding in result.findings if isinstance(finding.fix, Rewrite | Refusal)]
    return file.read_bytes().decode(), fates


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("f = lambda s: AwsProvider(s, 'a', profile='x')\n", "bound within an expression"),
        ("[AwsProvider(s, 'a', profile='x') for s in t]\n", "bound within an expression"),
        ("TerraformVariable = 1\nAwsProvider(s, 'a', profile='x')\n", "TerraformVariable has another meaning"),
        ("AwsProvider(s(), 'a', profile='x')\n", "the scope of the call is not a plain name"),
        ("AwsProvider('a', profile='x')\n", "does not pass a scope and an id"),
        ("s = 1\ns = 2\nAwsProvider(s, 'a', profile='x')\n", "the scope of the call is bound more than once"),
        (
            "class N:\n    def __init__(self, p):\n        AwsProvider(self, 'a', profile=p)\n",
            "come from a loop variable or a parameter",
        ),
        ("def f(s, i):\n    AwsProvider(s, i, profile='x')\n", "run several times in the same scope"),
        ("S3Backend(s, key='k', role_arn=ROLE)\n", "is not the literal ARN of a role"),
        ("AwsProvider(s, 'a', profile='x', endpoints=e())\n", "The value of the endpoint is not known"),
    ],
)
def test_what_the_rule_refuses(tmp_path: Path, text: str, reason: str) -> None:
    after, fates = migrated(tmp_path, IMPORTS + text)
    assert after == IMPORTS + text
    assert any(reason in fate for fate in fates), fates


def test_constructs_that_may_share_a_stack_never_share_a_role(tmp_path: Path) -> None:
    head = "class {0}(Construct):\n    def __init__(self, s, n):\n"
    construct = head + "        AwsProvider(self, 'a', alias='{1}', profile='{2}')\n"
    named = (("A", "a", "one"), ("B", "b", "two"), ("C", "c", "one"))
    classes = "".join(construct.format(*names) for names in named)
    after, fates = migrated(tmp_path, IMPORTS + classes)
    assert fates == [
        f"The provider signs in with web identity: var.{name}."
        for name in ("aws_role_arn", "aws_role_arn_b", "aws_role_arn")
    ]
    assert (
        after.count('.override_logical_id("aws_role_arn")') + after.count(".override_logical_id('aws_role_arn')") == 2
    )


def test_a_variable_in_use_is_not_given_away(tmp_path: Path) -> None:
    stack = (
        "class S(TerraformStack):\n    def __init__(self, s, n):\n        v = TerraformVariable(self, 'aws_role_arn')\n"
    )
    used = f"from cdktf import TerraformVariable\n{IMPORTS}{stack}        print(v.string_value)\n"
    _, fates = migrated(tmp_path, used + "        AwsProvider(self, 'a', profile='x')\n")
    assert fates == ["The provider signs in with web identity: var.aws_role_arn_default."]


def test_names_in_messages_are_no_values(tmp_path: Path) -> None:
    text = f"{IMPORTS}AwsProvider(s, 'a', secret_key='hunter2hunter2', **{{**x, 'token': 'hunter2hunter2'}})\n"
    (tmp_path / "main.py").write_text(text)
    assert "hunter2" not in repr(migrate_repo(str(tmp_path), Config(mode=Mode.CHECK)))


def test_what_cannot_be_parsed_afterwards_is_refused(tmp_path: Path) -> None:
    text = IMPORTS + "if x:\n    pass\n\x0cAwsProvider(s, 'a', profile='x')\n"
    after, fates = migrated(tmp_path, text)
    assert after == text
    assert "The outcome of the change in main.py would not be sound: the file is not a Python program." in fates[0]


# --- stacks ---------------------------------------------------------------------------------------------------------

CDKTF = "from imports.spacelift.stack import Stack, StackGithubEnterprise\n"
PULUMI = "import pulumi_spacelift as spacelift\n"


def stack(text: str) -> PythonStack:
    (one,) = python_stacks("stacks.py", text)
    return one


def test_a_stack_of_cdktf() -> None:
    one = stack(
        CDKTF + "REPO = 'web' 'shop'\nStack(self, 'x', name='shop', repository=REPO, project_root=f'/stacks/{REPO}/',\n"
        "  branch=BRANCH, autodeploy=True, manage_state=False, labels=['a', REPO], before_apply=[],\n"
        "  github_enterprise=StackGithubEnterprise(namespace='acme', id='1'))\n"
    )
    assert (one.path, one.line, one.flavour, one.kind) == ("stacks.py", 3, "cdktf", "stack")
    assert (one.name, one.repository, one.namespace, one.project_root) == ("shop", "webshop", "acme", "stacks/webshop")
    assert (one.branch, one.autodeploy, one.manage_state, one.labels) == (None, True, False, ("a", "webshop"))
    assert not one.is_known("branch")
    assert one.is_known("repository")
    assert one.hooks == {"before_apply"}


def test_a_stack_of_pulumi() -> None:
    args = "spacelift.StackArgs(repository='webshop', branch='main', labels=LABELS, gitlab={'namespace': 'acme'})"
    for text in (f"spacelift.Stack('shop', {args})", f"spacelift.Stack('shop', args={args}, opts=o)"):
        one = stack(f"{PULUMI}LABELS = ['a']\n{text}\n")
        assert (one.flavour, one.name, one.repository, one.namespace) == ("pulumi", "shop", "webshop", "acme")
        assert (one.labels, one.autodeploy, one.is_known("autodeploy"), one.objection) == (("a",), None, True, None)


def test_a_context() -> None:
    one = stack("from imports.spacelift.context import Context\nContext(self, 'x', name=name())\n")
    assert (one.kind, one.name, one.is_known("name"), one.is_known("labels")) == ("context", None, False, True)


@pytest.mark.parametrize(
    "text",
    [
        "from elsewhere import Stack\nStack(self, 'x')\n",
        CDKTF + "Stack(self, 'x', kubernetes=k)\n",
        PULUMI + "spacelift.Stack('x', pulumi_config=c)\n",
    ],
)
def test_what_is_no_stack_of_terraform(text: str) -> None:
    assert python_stacks("stacks.py", text) == []


def values(text: str, phase: str) -> object:
    """What Python itself makes of the hooks, with names for what is not defined."""
    names: dict[str, object] = {"old": ["old"], "nothing": None, "f": lambda *a: list(a), "flag": False, "self": 0}

    def make(*_: object, **given: object) -> object:
        names["result"] = given.get(phase)
        return given

    body = "\n".join(line for line in text.splitlines() if not line.startswith(("from", "import")))
    exec(body.replace("spacelift.", ""), {**names, "Stack": make, "StackArgs": make}, names)
    return names["result"]


@pytest.mark.parametrize(
    ("argument", "rest"),
    [
        ("", []),
        ("before_init=None", []),
        ("before_init=[]", []),
        ("before_init=[  ]", []),
        ("before_init=['a']", ["a"]),
        ("before_init=['a', *old]", ["a", "old"]),
        ("before_init=[\n    # why\n    'a',  # b\n    'c'\n  ]", ["a", "c"]),
        ("before_init=('a', 'b')", ["a", "b"]),
        ("before_init=old", ["old"]),
        ("before_init=nothing", []),
        ("before_init=old if flag else nothing", []),
        ("before_init=nothing or old", ["old"]),
        ("before_init=old + ['b']", ["old", "b"]),
        ("before_init=(nothing)", []),
        ("before_init=f(\n    'a',\n  )", ["a"]),
        ("before_init=[one for one in old]", ["old"]),
        ("before_init=(lambda: old)()", ["old"]),
        ("**{'before_init': ['a']}", ["a"]),
        ("**{'name': 'x'}", []),
    ],
)
@pytest.mark.parametrize(
    "layout", ["Stack(self, 'x', {0})", "Stack(\n  self,\n  'x',\n  {0}\n)", "Stack(self, 'x', {0},)"]
)
def test_hooks_come_first_whatever_was_there(argument: str, rest: list[str], layout: str) -> None:
    text = CDKTF + (layout.format(argument) if argument else "Stack(self, 'x')") + "  # end\n"
    one = stack(text)
    assert not has_hook(text, one)
    edits = prepend_hooks(text, one, "before_init", [Literal(HOOK, "Signs in."), Literal("second")])
    assert isinstance(edits, tuple)
    after = apply_edits(text, edits)
    assert list(values(after, "before_init")) == ['export X="$${TF_VAR_x}" # %%{y}', "second", *rest]  # type: ignore[call-overload]
    assert all(comment in after for comment in re.findall(r"# \w+", text))


@pytest.mark.parametrize(
    ("text", "phase", "name"),
    [
        ("spacelift.Stack('x', repository='r')", "before_init", "before_inits"),
        ("spacelift.Stack('x', before_applies=old)", "before_apply", "before_applies"),
        ("spacelift.Stack('x', spacelift.StackArgs(repository='r'))", "after_destroy", "after_destroys"),
        ("spacelift.Stack('x', spacelift.StackArgs(after_runs=['old']))", "after_run", "after_runs"),
    ],
)
def test_pulumi_has_plural_names_and_no_escapes(text: str, phase: str, name: str) -> None:
    whole = PULUMI + text + "\n"
    edits = prepend_hooks(whole, stack(whole), phase, [Literal(HOOK)])
    assert isinstance(edits, tuple)
    after = apply_edits(whole, edits)
    assert f"{name}=" in after
    assert HOOK in after
    program.verify(set(), after)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (CDKTF + "Stack(self, 'x', before_init='a')\n", "hook-list-is-string"),
        (CDKTF + "Stack(self, 'x', **options)\n", "python-call-unclear"),
        (
            CDKTF + "d = {'before_init': []}\nStack(self, 'x', **d)\nStack(self, 'y', **d)\n",
            "hook-list-shared",
        ),
        (CDKTF + "Stack(self, 'x', before_init=Fn.concat(a, b))\n", "hook-list-computed"),
        (PULUMI + "spacelift.Stack('x', args)\n", "stack-arguments-unknown"),
        (PULUMI + "spacelift.Stack('x', before_inits=a.b.apply(f))\n", "hook-list-computed"),
    ],
)
def test_hooks_that_cannot_be_put_first(text: str, code: str) -> None:
    one = python_stacks("stacks.py", text)[0]
    refused = prepend_hooks(text, one, "before_init", [Literal(HOOK)])
    assert isinstance(refused, Refusal)
    assert code in (refused.code, refused.reason)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Stack(self, 'x', before_init=['aws sts assume-role-with-web-identity'])", True),
        ("Stack(self, 'x', before_init=[f'aws {x} assume-role-with-web-identity'])", True),
        ("H = ['assume-role-with-web-identity']\nStack(self, 'x', before_init=[*H])", True),
        ("C = 'assume-role-with-web-identity'\nH = [C]\nStack(self, 'x', before_init=H)", True),
        ("Stack(self, 'x', before_init=['a'])  # assume-role-with-web-identity", False),
        ("Stack(self, 'x', before_plan=['assume-role-with-web-identity'])", False),
        ("Stack(self, 'x')", False),
    ],
)
def test_a_hook_that_is_there_is_known(text: str, expected: bool) -> None:
    whole = f"{CDKTF}{text}\n"
    assert has_hook(whole, stack(whole)) is expected


def test_line_endings_and_indentation_of_a_hook_are_the_files() -> None:
    text = "from imports.spacelift.stack import Stack\r\ndef f(s):\r\n\tStack(\r\n\t\ts,\r\n\t\t'x',\r\n\t)\r\n"
    edits = prepend_hooks(text, stack(text), "before_init", [Literal('it\'s "so"', "why")])
    assert isinstance(edits, tuple)
    added = "\t\tbefore_init=[\r\n\t\t\t# why\r\n\t\t\t'it\\'s \"so\"',\r\n\t\t],\r\n"
    assert apply_edits(text, edits) == text.replace("'x',\r\n", f"'x',\r\n{added}")


ONE_LINE = [
    "        super().__init__(scope, id); AwsProvider(self, 'aws', profile='a')\n",
    "        super().__init__(scope, id);AwsProvider(self, 'aws', profile='a') ; print(id) # c\n",
    "        super().__init__(scope, id); print(id); \\\n            AwsProvider(self, 'aws', profile='a')\n",
    "        super().__init__(scope, id); AwsProvider(self, 'aws', profile='a'); AwsProvider(self, 'b', profile='b')\n",
    "        super().__init__(scope, id)\n        if id: print(id); AwsProvider(self, 'aws', profile='a')\n",
    "        super().__init__(scope, id); x = 1\n        if x: AwsProvider(self, 'aws', profile='a')\n",
]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("base", ["TerraformStack", "Construct"])
@pytest.mark.parametrize("body", [*ONE_LINE, ONE_LINE[0].lstrip()])
def test_statements_that_share_a_line_keep_their_order(body: str, base: str, newline: str) -> None:
    """A variable is declared after ``super()``, which makes its scope, and before the provider that reads it."""
    imports = "from cdktf import TerraformStack\nfrom constructs import Construct\n"
    imports += "from cdktf_cdktf_provider_aws.provider import AwsProvider\n\n\n"
    head = "    def __init__(self, scope, id):" + ("\n" if body.startswith(" ") else " ")
    text = f"{imports}class One({base}):\n{head}{body}".replace("\n", newline)
    (change,) = check_files({"main.py": text.encode()}, Config(mode=Mode.PREVIEW)).changes
    after = change.after.decode()
    assert after.count("\n") == after.count(newline)
    calls = (node for node in ast.walk(ast.parse(after)) if isinstance(node, ast.Call))
    names = [ast.unparse(call.func) for call in sorted(calls, key=lambda one: (one.lineno, one.col_offset))]
    made = [name for name in names if name in ("super().__init__", "TerraformVariable", "AwsProvider")]
    assert made == ["super().__init__", *["TerraformVariable", "AwsProvider"] * text.count("AwsProvider(")], after
