"""YAML is read with its places, edited without loss, and never trusted."""

from __future__ import annotations

import contextlib
import re
import time
from textwrap import dedent
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.errors import SyntaxProblem
from migrator.model.findings import Refusal
from migrator.span import Edit, Span, apply_edits
from migrator.syntax.yaml import edit as yaml_edit
from migrator.syntax.yaml import write as yaml_write
from migrator.syntax.yaml.compare import verify
from migrator.syntax.yaml.edit import Addition, prepend_all, prepend_items
from migrator.syntax.yaml.parse import read
from migrator.syntax.yaml.set import set_strings
from migrator.syntax.yaml.tree import Keys, Scalar, names, string_at
from migrator.syntax.yaml.write import Item, quote

HOOK = (
    'export $(printf "AWS_ACCESS_KEY_ID=%s" $(aws sts assume-role-with-web-identity --web-identity-token'
    ' "$(cat /mnt/workspace/spacelift.oidc)" --role-arn arn:aws:iam::123456789012:role/x --role-session-name'
    " spacelift-run-${TF_VAR_spacelift_run_id}))"
)
KEYS = ("stacks", "app", "before_init")


def prepended(text: str, keys: Keys = KEYS, items: tuple[str, ...] = ("hook",), **options: Any) -> str:
    edits = prepend_items("config.yml", read(text), keys, [Item(item) for item in items], **options)
    assert not isinstance(edits, Refusal), edits.reason
    after = apply_edits(text, edits)
    verify(text, after)
    assert_only_edited(text, after, edits)
    return after


def assert_only_edited(before: str, after: str, edits: tuple[Edit, ...]) -> None:
    """Byte for byte: without what was put in, ``after`` is ``before`` without what was taken out."""
    kept_before, kept_after, place, shift = "", "", 0, 0
    for edit in sorted(edits, key=lambda edit: edit.span):
        kept_before += before[place : edit.span.start]
        kept_after += after[place + shift : edit.span.start + shift]
        place = edit.span.end
        shift += len(edit.text) - (edit.span.end - edit.span.start)
    assert kept_before + before[place:] == kept_after + after[place + shift :]


def at(value: Any, keys: Keys) -> Any:
    for key in keys:
        value = value[key]
    return value


def replaced(value: Any, keys: Keys, new: Any) -> Any:
    """A deep copy of ``value`` with ``new`` at ``keys``."""
    if not keys:
        return new
    if isinstance(value, list):
        return [replaced(one, keys[1:], new) if index == keys[0] else one for index, one in enumerate(value)]
    old = value or {}
    return {**old, keys[0]: replaced(old.get(keys[0]), keys[1:], new)}


def refusal(text: str, keys: Keys = KEYS, **options: Any) -> str:
    edits = prepend_items("config.yml", read(text), keys, [Item("hook")], **options)
    assert isinstance(edits, Refusal)
    return edits.reason


def app(text: str) -> str:
    """``text`` (dedented) as what stands below ``stacks:`` and ``app:``."""
    return "stacks:\n  app:\n" + "".join(f"    {line}\n" for line in dedent(text).strip("\n").split("\n"))


REWRITES = {
    "block": ("before_init:\n  - a\n  - b # last", "before_init:\n  - 'hook'\n  - a\n  - b # last"),
    "not indented": ("before_init:\n- a\nx: 1", "before_init:\n- 'hook'\n- a\nx: 1"),
    "wide": ("before_init:\n    -   a\n    -   b", "before_init:\n    - 'hook'\n    -   a\n    -   b"),
    "comment on the key": ("before_init: # all\n  - a", "before_init: # all\n  - 'hook'\n  - a"),
    "comment of the first item": ("before_init:\n  # of a\n  - a", "before_init:\n  - 'hook'\n  # of a\n  - a"),
    "comment of the list": ("before_init:\n  # all\n\n  - a", "before_init:\n  # all\n\n  - 'hook'\n  - a"),
    "items of all styles": (
        "before_init:\n  - \"a\"\n  - 'b'\n  - |\n    c\n    d\n  - >-\n    e",
        "before_init:\n  - 'hook'\n  - \"a\"\n  - 'b'\n  - |\n    c\n    d\n  - >-\n    e",
    ),
    "flow": ("before_init: [a, 'b']", "before_init: ['hook', a, 'b']"),
    "flow with blanks": ("before_init: [ a ]", "before_init: [ 'hook', a ]"),
    "flow on lines": ("before_init: [\n  a,\n  b,\n]", "before_init: [\n  'hook',\n  a,\n  b,\n]"),
    "flow on lines with a comment": ("before_init: [ # c\n  # a\n  a]", "before_init: [ # c\n  'hook',\n  # a\n  a]"),
    "flow with a comment only": ("before_init: [ # none\n]", "before_init: ['hook' # none\n]"),
    "nothing": ("before_init:\nx: 1", "before_init:\n  - 'hook'\nx: 1"),
    "nothing, with a comment": ("before_init: # c\nx: 1", "before_init: # c\n  - 'hook'\nx: 1"),
    "null": ("before_init: null # c\nx: 1", "before_init: # c\n  - 'hook'\nx: 1"),
    "tilde": ("before_init: ~", "before_init:\n  - 'hook'"),
    "empty": ("before_init: [] # c", "before_init: # c\n  - 'hook'"),
    "quoted key": ('"before_init":\n  - a', "\"before_init\":\n  - 'hook'\n  - a"),
    "missing": ("x: 1 # c", "x: 1 # c\nbefore_init:\n  - 'hook'"),
    "missing, deeper comment": ("y:\n  - 1\n  # - 2", "y:\n  - 1\n  # - 2\nbefore_init:\n  - 'hook'"),
    "missing, a comment one further": ("x: 1\n # c", "x: 1\n # c\nbefore_init:\n  - 'hook'"),
    "missing, a comment of what follows": ("x: 1\n  # c\n# d", "x: 1\n  # c\nbefore_init:\n  - 'hook'\n# d"),
    "missing, as most lists": ("x:\n  - 1\ny:\n- 1\nz:\n- 1", "x:\n  - 1\ny:\n- 1\nz:\n- 1\nbefore_init:\n- 'hook'"),
    "missing, as other lists": ("y:\n- 1", "y:\n- 1\nbefore_init:\n- 'hook'"),
    "missing, after a block scalar": ("y: |\n  a\n\n", "y: |\n  a\nbefore_init:\n  - 'hook'\n\n"),
    "missing, after kept blank lines": ("y: |+\n  a\n\nx: |+\n  b\n\n", None),
    "missing, beside flow": ("y: [a,\n  b] # c", "y: [a,\n  b] # c\nbefore_init:\n  - 'hook'"),
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("name", REWRITES)
def test_an_item_comes_first_and_nothing_else_moves(name: str, newline: str) -> None:
    before, expected = REWRITES[name]
    text = app(before).replace("    \n", "\n").replace("\n", newline)
    after = prepended(text)
    old = yaml.safe_load(text)
    assert yaml.safe_load(after) == replaced(old, KEYS, ["hook", *(old["stacks"]["app"].get("before_init") or [])])
    if expected is not None:
        assert after == app(expected).replace("    \n", "\n").replace("\n", newline)


WHOLE = {
    "an empty file": ("", "stacks:\n  app:\n    before_init:\n      - 'hook'\n"),
    "comments alone": ("# none\n", "# none\nstacks:\n  app:\n    before_init:\n      - 'hook'\n"),
    "a document's head": ("---\n", "---\nstacks:\n  app:\n    before_init:\n      - 'hook'\n"),
    "a byte-order mark": ("\ufeff", "\ufeffstacks:\n  app:\n    before_init:\n      - 'hook'\n"),
    "a mark and a key": ("\ufeffstacks: {}", "\ufeffstacks:\n  app:\n    before_init:\n      - 'hook'"),
    "no newline at the end": (
        "a:\n    b: 1",
        "a:\n    b: 1\nstacks:\n    app:\n        before_init:\n            - 'hook'",
    ),
    "parents without values": ("stacks:\n# end\n", "stacks:\n  app:\n    before_init:\n      - 'hook'\n# end\n"),
    "parents in flow style": ("stacks: {app: {y: 1}}", "stacks: {app: {y: 1, before_init: ['hook']}}"),
    "parents of two entries": ("stacks: {app: {x: 1, y: 2}}", "stacks: {app: {x: 1, y: 2, before_init: ['hook']}}"),
    "as most is indented": (
        "a:\n  b: 1\nc:\n    d: 1\ne:\n    f: 1\n",
        "a:\n  b: 1\nc:\n    d: 1\ne:\n    f: 1\nstacks:\n    app:\n        before_init:\n            - 'hook'\n",
    ),
    "as little as possible": ("a:\n b: 1\n", "a:\n b: 1\nstacks:\n app:\n  before_init:\n   - 'hook'\n"),
    "lists in the column of their keys": (
        "y:\n- 1\nstacks:\n    web:\n        z: 1\n    app:\n",
        "y:\n- 1\nstacks:\n    web:\n        z: 1\n    app:\n        before_init:\n        - 'hook'\n",
    ),
    "null in flow style": ("stacks: {app: {before_init: , y: 1}}", "stacks: {app: {before_init: ['hook'] , y: 1}}"),
    "JSON": (
        '{"stacks": {\n  "app": {\n    "y": 1\n  }\n}}\n',
        '{"stacks": {\n  "app": {\n    "y": 1,\n    before_init: [\'hook\']\n  }\n}}\n',
    ),
    "a document's end": ("a: 1\n...\n", "a: 1\nstacks:\n  app:\n    before_init:\n      - 'hook'\n...\n"),
    "an empty mapping": ("stacks: {} # c\n", "stacks: # c\n  app:\n    before_init:\n      - 'hook'\n"),
    "a mapping of a comment": ("stacks: { # c\n}\n", "stacks: {app: {before_init: ['hook']} # c\n}\n"),
    "an odd name": ("stacks:\n  x: {}\n", None),
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_missing_is_made(name: str) -> None:
    text, expected = WHOLE[name]
    after = prepended(text)
    assert yaml.safe_load(after) == replaced(yaml.safe_load(text), KEYS, ["hook"])
    assert expected in (None, after)


def test_a_new_list_repeats_what_it_replaces() -> None:
    after = prepended("stacks:\n  app: {}\n", inherited=["old: one", "it's"])
    assert yaml.safe_load(after)["stacks"]["app"]["before_init"] == ["hook", "old: one", "it's"]


def test_a_list_that_is_there_repeats_nothing() -> None:
    assert yaml.safe_load(prepended(app("before_init: [a]"), inherited=["old"])) == {
        "stacks": {"app": {"before_init": ["hook", "a"]}}
    }


def test_comments_stand_where_there_is_room() -> None:
    def commented(text: str) -> str:
        edits = prepend_items("f", read(text), ("a",), [Item("hook", "why\nand how"), Item("two")])
        assert not isinstance(edits, Refusal)
        return apply_edits(text, edits)

    assert commented("a:\n- b\n") == "a:\n# why\n# and how\n- 'hook'\n- 'two'\n- b\n"
    assert commented("a: [b]\n") == "a: ['hook', 'two', b]\n"
    assert commented("a: [\n  b\n]\n") == "a: [\n  # why\n  # and how\n  'hook',\n  'two',\n  b\n]\n"


def test_the_hook_is_one_single_quoted_line() -> None:
    after = prepended("stacks:\n  app:\n    before_init:\n      - a\n", items=(HOOK,))
    assert f"      - '{HOOK}'\n" in after


@pytest.mark.parametrize(
    "text", ["it's", "a: b # c", "", " ", "- x", "\x7f\u2028", "a\nb\t", "é漢🎉", "%s", "\\n", "null"]
)
def test_what_is_quoted_is_read_back(text: str) -> None:
    assert yaml.safe_load(quote(text)) == text
    assert "\n" not in quote(text)


# --- what is shared -------------------------------------------------------------------------------------------------

SHARED = """\
hooks: &hooks # of all
  - a
  - |
    b
    c
stacks:
  app:
    before_init: *hooks # theirs
  web:
    before_init: *hooks
"""
MERGED = """\
stacks:
  web: &shared
    before_init:
      - a
    x: 1
  app:
    <<: *shared
    x: 2
  api: *shared
"""


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (SHARED, KEYS),
        (SHARED, ("stacks", "web", "before_init")),
        (SHARED, ("hooks",)),
        (MERGED, KEYS),
        (MERGED, ("stacks", "web", "before_init")),
        (MERGED, ("stacks", "api", "before_init")),
        (SHARED.replace("*hooks #", "*hooks   #"), KEYS),
        ("x: &x [a, 'b,c', \"d\"]\nstacks: {app: {before_init: *x}, web: {before_init: *x}}\n", KEYS),
        ("x: &x\n- a,b\n- c\nstacks: {app: {before_init: *x}}\n", KEYS),
        ("x: &x\n- |\n- |-\n- b\nstacks:\n  app:\n    before_init: *x\n", KEYS),
        ("x: &x [a]\nl:\n- *x\n- b\n", ("l", 0)),
        ("x: 1\nl:\n- - a\n  - b\n- c\n", ("l", 0)),
        ("[]\n", ()),
        ("x: &x {before_init: [a]}\nstacks: {app: {<<: *x}, web: *x}\n", KEYS),
        ("x: &x {before_init: [a]}\nstacks: {app: *x, web: *x}\n", KEYS),
        ("x: &x {before_init: [a]}\ny: &y {z: 1}\nstacks:\n  app:\n    <<: [*y, *x]\n", KEYS),
        ("l:\n- &i a\n- *i\nstacks:\n  app:\n    before_init: &k [*i]\n  web:\n    before_init: *k\n", KEYS),
    ],
)
def test_only_the_addressed_list_changes(text: str, keys: Keys) -> None:
    old = yaml.safe_load(text)
    assert yaml.safe_load(prepended(text, keys)) == replaced(old, keys, ["hook", *at(old, keys)])


def test_copies_are_written_as_what_they_are_copied_from() -> None:
    shared = "x: &x\n- a,b\n- c d\n- \"e\n  f\"\n- 'g'\n"
    block = f"{shared}stacks:\n  app:\n    before_init: *x\n"
    copied = "\n    - 'hook'\n    - a,b\n    - c d\n    - 'e f'\n    - 'g'\n"
    assert prepended(block) == f"{shared}stacks:\n  app:\n    before_init:{copied}"
    flow = f"{shared}stacks: {{app: {{before_init: *x}}}}\n"
    assert prepended(flow) == flow.replace("*x", "['hook', 'a,b', c d, 'e f', 'g']")


@pytest.mark.parametrize(
    ("name", "written"),
    [("app", "app"), ("a/b-c.d", "a/b-c.d"), ("Yes", "'Yes'"), ("1", "'1'"), ("a b", "'a b'"), ("é\n", '"é\\n"')],
)
def test_a_key_has_quotes_where_it_needs_them(name: str, written: str) -> None:
    assert yaml_write.key(name) == written
    assert yaml.safe_load(f"{written}: 1") == {name: 1}


def test_a_list_of_two_is_edited_at_its_anchor() -> None:
    assert prepended("x: &x [a]\ny: *x\n", ("x",), also=[("y",)]) == "x: &x ['hook', a]\ny: *x\n"


def test_a_list_is_edited_at_its_anchor_if_all_who_share_it_want_it() -> None:
    after = prepended(SHARED, also=[("hooks",), ("stacks", "web", "before_init")])
    assert after == SHARED.replace("  - a\n", "  - 'hook'\n  - a\n")


def test_a_list_is_not_edited_at_its_anchor_for_some() -> None:
    web = ("stacks", "web", "before_init")
    old = yaml.safe_load(SHARED)
    assert yaml.safe_load(prepended(SHARED, also=[web])) == replaced(old, KEYS, ["hook", *old["hooks"]])


def test_an_entry_that_would_get_a_list_it_never_had_forbids_it() -> None:
    text = "stacks:\n  app: &a\n    x: 1\n  web:\n    <<: *a\n"
    assert "another entry would get a list" in refusal(text)
    assert prepended(text, also=[("stacks", "web", "before_init")]).count("hook") == 1


def test_several_lists_are_edited_at_once() -> None:
    text = MERGED + "  new: # soon\n"
    hook = (Item("hook"),)
    places = [("stacks", name, "before_init") for name in ("web", "app", "api", "other", "new")]
    edits = prepend_all("f", read(text), [Addition(keys, hook) for keys in places])
    assert not isinstance(edits, Refusal)
    after = apply_edits(text, edits)
    expected = yaml.safe_load(text)
    for keys in places:
        old = (expected["stacks"].get(keys[1]) or {}).get("before_init", [])
        expected = replaced(expected, keys, ["hook", *old])
    assert yaml.safe_load(after) == expected
    assert after.count("hook") == 3


APART = """\
stacks:
  web:
    before_init: [a]
    before_plan: # p
    - b
  app:
    x: 1 # one
  api: {}
  new: # soon
"""


def test_lists_that_nobody_shares_are_edited_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In their order, each where it is, and reading the text a few times, not for each of them."""
    reads: list[str] = []
    monkeypatch.setattr(yaml_edit, "read", lambda *given: (reads.append(given[0]), read(*given))[1])
    places = [("stacks", name, "before_init") for name in ("web", "app", "api", "new")]
    places += [("stacks", "web", "before_plan"), ("stacks", "other", "before_init")]
    edits = prepend_all("f", read(APART), [Addition(keys, (Item(keys[1]),), ("old",)) for keys in places])
    assert not isinstance(edits, Refusal)
    assert (
        apply_edits(APART, edits)
        == """\
stacks:
  web:
    before_init: ['web', a]
    before_plan: # p
    - 'web'
    - b
  app:
    x: 1 # one
    before_init:
    - 'app'
    - 'old'
  api:
    before_init:
    - 'api'
    - 'old'
  new: # soon
    before_init:
    - 'new'
    - 'old'
  other:
    before_init:
    - 'other'
    - 'old'
"""
    )
    assert len([text for text in reads if text.startswith("stacks")]) < len(places)


@pytest.mark.parametrize("text", ["a: []\nb: x\n", "a: x\nb: []\n", "a: &a []\nb: x\n", "a: []\nb: !x []\n"])
def test_several_lists_are_edited_all_or_none(text: str) -> None:
    edits = prepend_all("f", read(text), [Addition((name,), (Item("hook"),)) for name in "ab"])
    assert isinstance(edits, Refusal)


def test_lists_with_other_items_are_kept_apart() -> None:
    additions = [Addition(KEYS, (Item("one"),)), Addition(("stacks", "web", "before_init"), (Item("two"),))]
    edits = prepend_all("f", read(SHARED), additions)
    assert not isinstance(edits, Refusal)
    stacks = yaml.safe_load(apply_edits(SHARED, edits))["stacks"]
    assert [stack["before_init"][0] for stack in stacks.values()] == ["one", "two"]


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        app("before_init: a"),
        app("before_init: |\n  a"),
        app("before_init:\n  a: 1"),
        app("before_init: {}"),
        app("before_init: !custom\n  - a"),
        app("before_init: !!null null"),
        "stacks: a\n",
        "stacks: [a]\n",
        "- a\n",
        "null\n",
        "x: &x a\nstacks:\n  app: *x\n",
        "x: &x !custom [a]\nstacks:\n  app:\n    before_init: *x\n",
        "x: &x {a: 1}\nstacks:\n  app:\n    before_init: *x\n",
        "x: &x [{a: 1}]\nstacks:\n  app:\n    before_init: *x\n",
        "x: &x\n  app:\n    y: 1\nstacks:\n  <<: *x\n",
        "stacks:\n  app:\n    y: |\n      no newline at its end",
    ],
)
def test_what_is_no_list_is_refused(text: str) -> None:
    assert refusal(text)


def test_an_item_of_a_list_is_never_made_up() -> None:
    assert refusal("stacks: []\n", ("stacks", 0, "hooks"))


def test_nothing_to_put_in_is_no_edit() -> None:
    assert prepend_items("f", read("a: 1\n"), ("a",), []) == ()


# --- a part of a text -----------------------------------------------------------------------------------------------

BLUEPRINT = """\
resource "spacelift_blueprint" "b" {
  template = <<-EOF
    inputs:
      - id: x
    stack:
      name: $${{ inputs.x }}-a
      hooks:
        init:
          before: [] # none
  EOF
}
"""


def test_a_part_is_edited_in_the_whole_text() -> None:
    part = Span(BLUEPRINT.index("    inputs"), BLUEPRINT.index("  EOF"))
    tree = read(BLUEPRINT, part)
    edits = prepend_items(
        "f.tf",
        tree,
        ("stack", "hooks", "init", "before"),
        [Item(HOOK)],
        escape=lambda text: text.replace("${", "$${"),
    )
    assert not isinstance(edits, Refusal)
    after = apply_edits(BLUEPRINT, edits)
    written = HOOK.replace("${", "$${")
    assert after == BLUEPRINT.replace("before: [] # none\n", f"before: # none\n            - '{written}'\n")
    verify(BLUEPRINT, after, part)


@pytest.mark.parametrize("body", ["", "    # soon\n", "    stack:\n"])
def test_a_part_may_lack_everything(body: str) -> None:
    text = f"x = <<EOF\n{body}EOF\n"
    edits = prepend_items("f.tf", read(text, Span(10, 10 + len(body))), ("stack", "a"), [Item("hook")])
    assert not isinstance(edits, Refusal)
    after = apply_edits(text, edits)
    assert after.endswith("EOF\n")
    assert yaml.safe_load(after[10:-4]) == {"stack": {"a": ["hook"]}}


# --- reading --------------------------------------------------------------------------------------------------------


def test_spans_leave_out_what_surrounds_a_value() -> None:
    text = "a: &x !!seq\n  # c\n  - |\n    b\n\n\n  - &y 'c' # d\n\n# e\nf: *x\nk: |+\n  b\n\ng: &z\n"
    root = read(text)

    def written(*keys: str | int) -> str:
        found = root.find(keys)
        assert found
        return found.node.span.of(text)

    assert written("a") == "- |\n    b\n\n\n  - &y 'c'"
    assert written("a", 0) == "|\n    b"
    assert written("a", 1) == "'c'"
    assert written("g") == ""
    assert written("k") == "|+\n  b\n\n"
    assert [root.find(("a", key)) for key in (2, -1, "b")] == [None] * 3
    assert root.find(("g", 0)) is root.find((0,)) is None
    shared = root.find(("f", 1))
    assert shared
    assert (shared.by_alias, shared.by_merge, shared.node.anchor) == (True, False, "y")


def test_merge_keys_are_looked_through() -> None:
    tree = read("a: &a {x: 1, y: 1}\nb: &b {<<: *a, y: 2}\nc:\n  <<: [*b, *a]\n  z: 3\n")
    values = {name: tree.find(("c", name)) for name in "xyz"}
    assert {
        name: (found.node.value, found.by_merge)
        for name, found in values.items()
        if found and isinstance(found.node, Scalar)
    } == {
        "x": ("1", True),
        "y": ("2", True),
        "z": ("3", False),
    }
    assert tree.find(("c", "w")) is tree.find(("c", "<<")) is None
    found = tree.find(("c",))
    assert found
    assert names(found.node) == ("z", "y", "x")


def test_a_source_that_is_merged_twice_hides_none_after_it() -> None:
    tree = read("a: &a {x: 1}\nb: &b {y: 2}\nc:\n  <<: [*a, *a, *b]\n  z:\n  l: []\n")
    assert tree.root is not None
    assert [string_at(tree.root, *keys) for keys in (("c", "y"), ("c", "z"), ("c", "l"), ("c", "w"))] == [
        "2",
        *[None] * 3,
    ]


def test_a_hundred_levels_are_read() -> None:
    read("[" * 100 + "]" * 100)
    with pytest.raises(SyntaxProblem, match="nested too deeply"):
        read("[" * 101 + "]" * 101)


HOSTILE = {
    "laughs": "a0: &a0 [x]\n" + "".join(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]\n" for i in range(60)),
    "merged laughs": "a0: &a0 {x: 1}\n"
    + "".join(f"a{i + 1}: &a{i + 1} {{<<: [{', '.join([f'*a{i}'] * 9)}], k{i}: 1}}\n" for i in range(60)),
    "brackets": "a: " + "[" * 100_000,
    "braces": "{a: " * 50_000,
    "dashes": "- " * 50_000 + "a",
    "steps": "".join(" " * i + "a:\n" for i in range(1_500)),
    "aliases in a row": "a0: &a0 [x]\n" + "".join(f"a{i + 1}: &a{i + 1} [*a{i}]\n" for i in range(2_000)),
    "an anchor in itself": "a: &a [*a]\n",
    "no such anchor": "a: *b\n",
    "a key twice": "a: 1\n'a': 2\n",
    "a merge of a string": "a:\n  <<: b\n",
    "tabs": "a:\n\tb: 1\n",
    "documents": "a: 1\n---\nb: 1\n",
    "an escape too far": 'a: "\\UFFFFFFFF"\n',
    "a huge version": f"%YAML 1.{'9' * 5000}\n---\na: 1\n",
    "a control character": "a: \x00\n",
    "no character at all": "a: \udc80\n",
    "a directive": "%TAG ! tag:x,2000:\n%TAG ! tag:x,2000:\n---\na\n",
    "two marks": "\ufeff\ufeff",
    "template": "a: {{ b }}\nc: ${{ d }} }\n",
    "odd tag": "a: !<%ff> b\n",
    "python": "a: !!python/object/apply:os.system ['false']\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_is_read_or_refused_in_time(name: str) -> None:
    start, text = time.monotonic(), HOSTILE[name]
    with contextlib.suppress(SyntaxProblem):
        result = prepend_items("f", read(text), ("a", "b"), [Item("hook")])
        if not isinstance(result, Refusal):
            verify(text, apply_edits(text, result))
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    "name", ["an anchor in itself", "a key twice", "tabs", "documents", "brackets", "steps", "a control character"]
)
def test_what_others_reject_is_rejected(name: str) -> None:
    with pytest.raises(SyntaxProblem) as problem:
        read(HOSTILE[name])
    assert 0 < problem.value.offset <= len(HOSTILE[name])


def test_reasons_hold_no_value() -> None:
    with pytest.raises(SyntaxProblem) as problem:
        read("secret: wJalrXUtnFEMI: K7MDENG\n  x: *wJalrXUtnFEMI\n")
    assert "wJalr" not in problem.value.reason


@given(st.text(st.sampled_from("ab:-[]{}&*!|>'\"#,? \n\t%<$\\~"), max_size=40))
@settings(max_examples=400)
def test_any_text_is_read_as_pyyaml_does_or_refused(text: str) -> None:
    try:
        tree = read(text)
    except SyntaxProblem:
        return
    assert (tree.root is None) == (yaml.compose(text, Loader=yaml.SafeLoader) is None)


# --- what is lost ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: [x]\n", "a: [y, x]\n"),
        ("a: 1\n", "a: 1\nb: 2\n"),
        ("a:\n", "a: [x]\n"),
        ("", "a: 1\n"),
        ("a: &a [x]\nb: *a\n", "a: &a [y, x]\nb: *a\n"),
        ("a: x\n", "a: 'x'\n"),
        ("a:\n- b: 1\n- c\n", "a:\n- b: 1\n  d: 2\n- c\n"),
    ],
)
def test_growth_is_verified(before: str, after: str) -> None:
    verify(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: [x]\n", "a: [x, y]\n"),
        ("a: [x, y]\n", "a: [y]\n"),
        ("a: 1\nb: 2\n", "a: 1\n"),
        ("a: [x, {b: 1}]\n", "a: [x, {b: 2}]\n"),
        ("a: {b: 1}\n", "a: {[x]: 2, b: 1}\n"),
        ("a: 1\n", "a: '1'\n"),
        ("a: 1\n", ""),
        ("a: &a {x: 1}\nb: {<<: *a}\n", "a: &a {x: 1}\nb: {}\n"),
        ("a: !x 1\n", "a: 1\n"),
        ("a: 1\n", "a: [\n"),
    ],
)
def test_a_loss_is_found(before: str, after: str) -> None:
    with pytest.raises(SyntaxProblem):
        verify(before, after)


# --- any document ---------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(["a", "echo 'hi'", "x: y", "# no", "- z", "é", "true", "1", "${{ inputs.x }}", "a\nb\n", ""])
COMMENTS = st.sampled_from(["", "  # c", "\n\n    # own line"])


def block_list(items: list[str], indent: str, comment: str) -> str:
    own = comment.strip()
    rows = [f"{indent}- {quote(item)}" for item in items]
    return comment.split("\n")[0] + "\n" + (f"{indent}{own}\n" if "\n" in comment else "") + "\n".join(rows)


@st.composite
def documents(draw: st.DrawFn) -> str:
    unit = " " * draw(st.sampled_from([1, 2, 4]))
    stacks = []
    for name in draw(st.lists(st.sampled_from(["app", "web", "api"]), unique=True, max_size=3)):
        indent = unit * 2
        items = draw(st.lists(WORDS, min_size=1, max_size=3))
        comment = draw(COMMENTS)
        listing = draw(
            st.sampled_from(
                [
                    f"{indent}before_init:" + block_list(items, indent + unit, comment),
                    f"{indent}before_init:" + block_list(items, indent, comment),
                    f"{indent}before_init: [{', '.join(map(quote, items))}]" + comment.split("\n")[0],
                    f"{indent}before_init: [\n{indent}{unit}{', '.join(map(quote, items))},\n{indent}]",
                    f"{indent}before_init:" + comment.split("\n")[0],
                    f"{indent}before_init: null" + comment.split("\n")[0],
                    f"{indent}before_init: []",
                    f"{indent}before_init: *shared",
                    f"{indent}<<: *all",
                    f"{indent}<<: [*all]" + comment.split("\n")[0],
                    f"{indent}other: {{a: 1}}" + comment.split("\n")[0],
                ]
            )
        )
        extra = draw(
            st.sampled_from(
                [
                    "",
                    f"{indent}project_root: x\n",
                    f"\n{indent}# deep\n{indent}env:\n{indent}{unit}A: |\n{indent}{unit * 2}t\n",
                ]
            )
        )
        is_alias = draw(st.integers(0, 5)) == 0
        stacks.append(f"{unit}{name}: *all\n" if is_alias else f"{unit}{name}:\n{extra}{listing}\n")
    head = f"lists:\n- &shared {draw(st.sampled_from(['[x, y]', '[]']))}\n- &all\n  before_init:\n  - m\n  n: 1\n"
    text = head + "stacks:" + ("\n" + "".join(stacks) if stacks else draw(st.sampled_from(["", " {}", " ~"])) + "\n")
    if draw(st.booleans()):
        text = text.rstrip("\n")
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


@given(documents(), st.sampled_from(["app", "web", "new-one", "yes"]))
@settings(max_examples=250)
def test_in_any_document_the_list_grows_and_all_else_stays(text: str, name: str) -> None:
    keys = ("stacks", name, "before_init")
    old = yaml.safe_load(text)
    items = ((old["stacks"] or {}).get(name) or {}).get("before_init") or []
    after = prepended(text, keys, (HOOK, "two"))
    assert yaml.safe_load(after) == replaced(old, keys, [HOOK, "two", *items])
    assert ("\r\n" in text) == bool(re.search(r"\r\n", after))
    assert "\r\n" not in text or not re.search(r"(?<!\r)\n", after)
    assert after.endswith("\n") == text.endswith("\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "stacks:\n  app:\n    environment:\n      ROLE: 'arn'\n"),
        ("---\n", "---\nstacks:\n  app:\n    environment:\n      ROLE: 'arn'\n"),
        ("version: 2", "version: 2\nstacks:\n  app:\n    environment:\n      ROLE: 'arn'\n"),
        (
            "stacks:\n    app:\n        x: 1\n",
            "stacks:\n    app:\n        x: 1\n        environment:\n            ROLE: 'arn'\n",
        ),
        ("stacks:\n  app:\n    environment:\n      A: b # c\n\n# end\n", None),
        ("stacks:\r\n  app:\r\n    environment:\r\n      A: b\r\n", None),
        ("stacks:\n  app:\n    environment:\n      A: |\n        text\n    x: 1\n", None),
        ("stacks:\n  app:\n    environment: &e\n      A: b\n  other:\n    environment: *e\n", "refused"),
        ("stacks:\n  app: {environment: {A: b}}\n", "refused"),
        ("stacks:\n  app: x\n", "refused"),
        ("stacks:\n  app: !x\n    environment:\n      A: b\n", "refused"),
        ("stacks:\n  app:\n    environment:\n      ROLE: x\n", "refused"),
        ("stacks:\n  app: &a\n    x: 1\n  other:\n    <<: *a\n", "refused"),
    ],
)
def test_a_string_is_set_where_none_was(before: str, after: str | None) -> None:
    """``after`` is None where what counts is that the rest keeps its bytes, and the value comes last in its mapping."""
    edits = set_strings("config.yml", read(before), [(("stacks", "app", "environment", "ROLE"), "arn")])
    if after == "refused":
        assert isinstance(edits, Refusal)
        return
    assert not isinstance(edits, Refusal)
    made = apply_edits(before, edits)
    assert yaml.safe_load(made)["stacks"]["app"]["environment"]["ROLE"] == "arn"
    newline = "\r\n" if "\r" in before else "\n"
    assert made == after or (after is None and made.replace(f"      ROLE: 'arn'{newline}", "") == before)
