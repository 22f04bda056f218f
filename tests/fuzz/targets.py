"""What is fuzzed: functions of a file's bytes that raise where something does not hold."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

from migrator.errors import EditConflict, SyntaxProblem
from migrator.model.findings import Change, Refusal
from migrator.secret.mask import MASK, mask
from migrator.secret.printable import printable
from migrator.span import Edit, Span, apply_edits
from migrator.syntax.hcl.layout import align
from migrator.syntax.hcl.scanner import tokens
from migrator.syntax.languages import HCL, JSON, Syntax
from migrator.syntax.source import SourceFile
from migrator.syntax.strings import lexemes
from migrator.syntax.terraform import Attribute, Block, BodyChange, Literal, NewArgument, NewBlock, Reference
from migrator.syntax.yaml import edit as yaml_edit
from migrator.syntax.yaml import parse as yaml
from migrator.syntax.yaml import remove as yaml_remove
from migrator.syntax.yaml.tree import Keys, Mapping, Node, Sequence
from migrator.syntax.yaml.write import Item
from migrator.writing.diff import unified_diff
from tests.invariants import beside, check_files, solid


@dataclass(frozen=True)
class Target:
    """``run`` takes a file's bytes; the seeds are the fixtures with one of ``suffixes``."""

    run: Callable[[bytes], None]
    suffixes: tuple[str, ...]
    words: tuple[str, ...] = ()


def text_of(data: bytes) -> str:
    return SourceFile("x", data).text


def dice_for(data: bytes) -> random.Random:
    """Choices that depend on the input alone, so that a finding can be had again."""
    return random.Random(zlib.crc32(data))


# --- HCL ------------------------------------------------------------------------------------------------------------


def scanner(data: bytes) -> None:
    """The tokens of a text that can be read are all of it, in order, and what opens closes."""
    text = text_of(data)
    with suppress(SyntaxProblem):
        found = list(tokens(text))
        assert all(before.end == after.start for before, after in pairwise(found))
        assert all(token.start < token.end for token in found)
        if not found or found[-1].kind != "close" or found[-1].depth:
            assert "".join(text[token.start : token.end] for token in found) == text


def layout(data: bytes) -> None:
    """Alignment moves blanks alone, and once."""
    text = text_of(data)
    with suppress(SyntaxProblem):
        HCL.parse(text)
        once = align(text)
        assert solid(once) == solid(text)
        assert align(once) == once


def body_changes(block: Block, dice: random.Random) -> BodyChange:
    attributes = list(block.attributes)
    removed = [attribute for attribute in attributes if dice.random() < 0.4]
    commented = [attribute for attribute in attributes if attribute not in removed and dice.random() < 0.3]
    added = (
        NewArgument("added_here", Reference("var.x")),
        NewArgument("added_list", (Literal("a${b}", "why"), Literal('"'))),
        NewBlock("added_block", (), (NewArgument("role_arn", Literal("arn")), NewArgument("b", Reference("var.y")))),
    )
    return BodyChange(tuple(removed), tuple(commented), tuple(argument for argument in added if dice.random() < 0.5))


def all_blocks(items: tuple[Attribute | Block, ...]) -> Iterator[Block]:
    pending = [item for item in items if isinstance(item, Block)]
    while pending:
        block = pending.pop()
        yield block
        pending += block.blocks()


def edit_bodies(syntax: Syntax, data: bytes) -> None:
    """A changed body has what stayed of it, in order, and what was added; a block that is read can be edited."""
    text, dice = text_of(data), dice_for(data)
    items, blocks = readable(syntax, text)
    if not blocks:
        return
    block = dice.choice(blocks)
    change = body_changes(block, dice)
    stays = [item for item in block.items if item not in (*change.remove, *change.comment_out)]
    if any(named(item).startswith("added_") for item in block.items):
        return
    edits = syntax.change_body("x", text, block, change)
    after = syntax.finish(text, items, edits)
    kept = [described(syntax, text, item) for item in stays]
    check_edited(syntax, after, blocks.index(block), kept, list(map(named, change.append)))


def readable(syntax: Syntax, text: str) -> tuple[tuple[Attribute | Block, ...], list[Block]]:
    """The items of a text, and its blocks with those in them; none where any of it cannot be read."""
    try:
        items = syntax.parse(text)
        return items, list(all_blocks(items))
    except SyntaxProblem:
        return (), []


def named(item: Attribute | Block | NewArgument | NewBlock) -> str:
    return item.name if isinstance(item, Attribute | NewArgument) else item.type


def check_edited(syntax: Syntax, after: str, index: int, kept: list[str], added: list[str]) -> None:
    try:
        changed = list(all_blocks(syntax.parse(after)))
    except SyntaxProblem as problem:
        raise AssertionError(f"what came out cannot be read: {problem.reason}") from None
    found = [described(syntax, after, item) for item in changed[index].items]
    assert found[: len(kept)] == kept, "what should have stayed"
    assert [line.partition(" ")[0] for line in found[len(kept) :]] == added, "what should have been added"


def described(syntax: Syntax, text: str, item: Attribute | Block) -> str:
    value = item.value if isinstance(item, Attribute) else item.span
    written = value.of(text) if syntax is JSON else "".join(solid(value.of(text) + "\n"))
    return f"{named(item)} {written}"


def hcl(data: bytes) -> None:
    edit_bodies(HCL, data)


def tfjson(data: bytes) -> None:
    edit_bodies(JSON, data)


def values(syntax: Syntax, data: bytes) -> None:
    """Items put into lists, and objects with items taken out, read again."""
    text, dice = text_of(data), dice_for(data)
    with suppress(SyntaxProblem):
        attributes = [one for block in all_blocks(syntax.parse(text)) for one in block.attributes]
        for attribute in dice.sample(attributes, min(len(attributes), 3)):
            syntax.interior(text, attribute.value)
            syntax.expression(text, attribute.value)
            if (elements := syntax.list_items(text, attribute.value)) is not None:
                edit = syntax.prepend_items("x", text, attribute.value, [Literal("new"), Literal("${x}")])
                grown = syntax.list_items(apply_edits(text, [edit]), moved(attribute.value, edit))
                assert grown is not None
                assert len(grown) == len(elements) + 2
            if items := syntax.object_items(text, attribute.value):
                edits = syntax.change_object("x", text, attribute.value, items[:1], items[1:2])
                try:
                    syntax.finish(text, syntax.parse(text), edits)
                except EditConflict:
                    raise AssertionError("edits of one object collide") from None


def moved(span: Span, edit: Edit) -> Span:
    return Span(span.start, span.end + len(edit.text) - (edit.span.end - edit.span.start))


# --- edits ----------------------------------------------------------------------------------------------------------


def edits(data: bytes) -> None:
    """Edits of a text, wherever they are: they are all made and nothing else is, or they are said to collide."""
    text, dice = text_of(data)[:200], dice_for(data)
    made = []
    for _ in range(dice.randrange(6)):
        start = dice.randrange(len(text) + 1)
        end = min(len(text), start + dice.choice([0, 0, 1, 3]))
        made.append(Edit("x", Span(start, end), dice.choice(["", "+", "\n"])))
    try:
        after = apply_edits(text, made)
    except EditConflict:
        after = None
    assert after == character_by_character(text, list(dict.fromkeys(made)))


def character_by_character(text: str, made: list[Edit]) -> str | None:
    """What `apply_edits` should give; None where edits collide, as all do that overlap but for two removals."""
    owners = [[edit for edit in made if edit.span.start <= place < edit.span.end] for place in range(len(text))]
    removals = [edit for edit in made if not edit.text and edit.span.start < edit.span.end]
    inside = ((a, b) for a in made for b in made if a.span.start < b.span.start < a.span.end)
    shared = ((a, b) for owning in owners for a in owning for b in owning if a is not b)
    if not all(a in removals and b in removals for pairs in (inside, shared) for a, b in pairs):
        return None
    pieces = []
    for place in range(len(text) + 1):
        here = [edit for edit in made if edit.span.start == place]
        pieces += [edit.text for edit in sorted(here, key=lambda edit: edit.span.end)]
        pieces += [text[place]] if place < len(text) and not owners[place] else []
    return "".join(pieces)


def strings(path: str) -> Callable[[bytes], None]:
    """All that a file gives to names stands in it, whatever is wrong with it."""

    def run(data: bytes) -> None:
        text = text_of(data)
        assert all(0 <= lexeme.start <= lexeme.end <= len(text) for lexeme in lexemes(path, text))

    return run


def diff(data: bytes) -> None:
    """A diff names both sides, and a masked one as many lines; masking twice is masking once."""
    half = data.find(b"\0") if b"\0" in data else len(data) // 2
    change = Change("x.tf", data[:half], data[half:])
    plain = unified_diff([change])
    masked = [
        mask(text_of(content)).encode("utf-8", "surrogateescape") for content in (change.before or b"", change.after)
    ]
    assert unified_diff([change], [Change("x.tf", *masked)]).count(b"\n") == plain.count(b"\n")
    text = text_of(data)
    once = mask(text)
    assert once.count("\n") == text.count("\n")
    assert mask(once) == once or MASK in once
    assert "\x1b" not in printable(text)


# --- YAML -----------------------------------------------------------------------------------------------------------


def yaml_edits(data: bytes) -> None:
    """Items put into a list, or entries taken out: done as wanted, or refused."""
    text, dice = text_of(data), dice_for(data)
    try:
        tree = yaml.read(text)
    except SyntaxProblem:
        return
    places = list(places_in(tree.root)) if tree.root else []
    if not places:
        return
    keys = dice.choice(places)
    if dice.random() < 0.5:
        wanted = (*keys, "added") if isinstance(keys[-1], str) and dice.random() < 0.5 else keys
        done = yaml_edit.prepend_items("x", tree, wanted, [Item("a: b # c", ""), Item("d", "why")], inherited=["e"])
    else:
        done = yaml_remove.remove("x", tree, dice.sample(places, min(len(places), 2)))
    if not isinstance(done, Refusal):
        yaml.read(apply_edits(text, done))


def places_in(root: Node) -> Iterator[Keys]:
    pending: list[tuple[Keys, Node]] = [((), root)]
    for _ in range(200):
        if not pending:
            return
        keys, node = pending.pop()
        if keys:
            yield keys
        if isinstance(node, Mapping):
            pending += (((*keys, entry.name or ""), entry.value) for entry in node.entries)
        elif isinstance(node, Sequence):
            pending += (((*keys, number), item) for number, item in enumerate(node.items))


# --- whole files ----------------------------------------------------------------------------------------------------


def plan(kind: str) -> Callable[[bytes], None]:
    """All that is done with a file of a ``kind`` and what stands beside it, but for reading and writing."""

    def run(data: bytes) -> None:
        check_files(*beside(kind, data))

    return run


HCL_WORDS = (
    'provider "aws" {',
    'backend "s3" {',
    "terraform {",
    "access_key",
    "secret_key",
    "profile",
    "role_arn",
    "= ",
    "${",
    "%{",
    "$${",
    "<<EOT\n",
    "<<-EOT\n",
    "EOT\n",
    "/*",
    "*/",
    "# ",
    "//",
    "\\u0041",
    "\r\n",
    "\xef\xbb\xbf",
    "assume_role {",
    'resource "spacelift_stack" "x" {',
    "before_init = [",
    "for_each",
    "[for x in y : x]",
    "locals {",
    "var.x",
    "=>",
    "...",
    'variable "x" {',
    "default",
    'dynamic "assume_role" {',
    "content {",
    "tf-oidc-migrate:ignore",
    "endpoints {",
)
JSON_WORDS = (
    '"provider": {',
    '"aws": [',
    '"//": ',
    '"terraform": {',
    '"backend": {"s3": {',
    '"access_key": ',
    "\\u0041",
    "${",
)
YAML_WORDS = (
    "- ",
    ": ",
    "<<: *a",
    "&a ",
    "*a",
    "|\n",
    ">-\n",
    "!!str ",
    "[",
    "]",
    "{",
    "}",
    "#",
    "before_init:",
    "'",
    "stacks:",
)
PYTHON_WORDS = (
    "AwsProvider(",
    "access_key=",
    "S3Backend(",
    "**",
    "from cdktf",
    "import ",
    "lambda",
    "f'",
    '"""',
    "\\\n",
)

TARGETS = {
    "scanner": Target(scanner, (".tf", ".hcl"), HCL_WORDS),
    "layout": Target(layout, (".tf", ".hcl"), HCL_WORDS),
    "hcl": Target(hcl, (".tf", ".hcl"), HCL_WORDS),
    "hcl-values": Target(lambda data: values(HCL, data), (".tf", ".hcl"), HCL_WORDS),
    "json": Target(tfjson, (".json",), JSON_WORDS),
    "json-values": Target(lambda data: values(JSON, data), (".json",), JSON_WORDS),
    "yaml": Target(yaml_edits, (".yml", ".yaml"), YAML_WORDS),
    "edits": Target(edits, (".tf",), HCL_WORDS),
    "diff": Target(diff, (".tf", ".py", ".yml"), HCL_WORDS),
    "strings-hcl": Target(strings("x.tf"), (".tf", ".hcl"), HCL_WORDS),
    "strings-json": Target(strings("x.tf.json"), (".json",), JSON_WORDS),
    "strings-python": Target(strings("x.py"), (".py",), HCL_WORDS),
    "strings-yaml": Target(strings("x.yml"), (".yml",), YAML_WORDS),
    "plan-hcl": Target(plan("hcl"), (".tf", ".tofu"), HCL_WORDS),
    "plan-tests": Target(plan("tests"), (".hcl", ".tfvars"), HCL_WORDS),
    "plan-json": Target(plan("json"), (".tf.json",), JSON_WORDS),
    "plan-terragrunt": Target(plan("terragrunt"), (".hcl",), HCL_WORDS),
    "plan-python": Target(plan("python"), (".py",), PYTHON_WORDS),
    "plan-yaml": Target(plan("yaml"), (".yml", ".yaml"), YAML_WORDS),
    "plan-runtime": Target(plan("runtime"), (".yml", ".yaml"), YAML_WORDS),
}
