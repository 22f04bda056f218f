"""A rule's page is true: what stands before in its examples becomes what stands after."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from migrator.cli.explain import ALL, explain
from migrator.cli.main import cli
from migrator.rules.registry import all_rules
from tests import program

ROOT = Path(__file__).parents[2]
RULES = [rule.id for rule in all_rules()]
ONLY_TELL = ("key-literals", "spacelift-inventory", "spacelift-mounted-files", "spacelift-not-read")
"""Rules without an example: what they find must not stand in any repository, or they change nothing."""

_BEFORE = re.compile(r"^Before(?:, with ``(?P<options>[^`]+)``)?:$", re.MULTILINE)
_FILE = re.compile(r"^```\w+\n# (?P<path>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def files(part: str) -> dict[str, str]:
    return {match["path"]: match["text"] for match in _FILE.finditer(part)}


EXAMPLES = [
    (rule, number, example)
    for rule in RULES
    for number, example in enumerate(re.split(r"^(?=Before(?:, with|:))", explain(rule), flags=re.MULTILINE)[1:])
]


def test_every_rule_has_an_example() -> None:
    assert {rule for rule, _, _ in EXAMPLES} == set(RULES) - set(ONLY_TELL)


@pytest.mark.parametrize(
    ("rule", "number", "example"), EXAMPLES, ids=[f"{marked[0]}-{marked[1]}" for marked in EXAMPLES]
)
def test_the_example_of_a_rule_is_what_becomes_of_it(rule: str, number: int, example: str, tmp_path: Path) -> None:
    heading = _BEFORE.match(example)
    assert heading
    before, _, after = example.partition("\nAfter:\n")
    repository = tmp_path / "shop"
    for path, text in files(before).items():
        (repository / path).parent.mkdir(parents=True, exist_ok=True)
        (repository / path).write_text(text)
    options = [*(heading["options"] or "").split(), "--report", str(tmp_path / "report.json")]
    program.run("--in-place", *options, repository, cwd=ROOT)
    (result,) = json.loads((tmp_path / "report.json").read_text())["results"]
    became = {
        path.relative_to(repository).as_posix(): path.read_text()
        for path in sorted(repository.rglob("*"))
        if path.is_file()
    }
    changed = {path: text for path, text in became.items() if files(before).get(path) != text}
    shown = files(after)
    assert changed.keys() == shown.keys()
    for path, text in changed.items():
        assert re.fullmatch(re.escape(shown[path]).replace("…", ".*"), text), text
    for told in re.findall(r"^```text\n(.*?)^```$", example, re.MULTILINE | re.DOTALL):
        lines = [f"{item['path']}:{item['line']}: {item['message']}: {item['code']}" for item in result["findings"]]
        assert set(told.splitlines()) <= set(lines)


def test_the_document_is_what_is_printed_of_all_rules() -> None:
    printed = CliRunner().invoke(cli, ["--explain", ALL])
    assert printed.exit_code == 0
    assert (ROOT / "docs" / "rules.md").read_text() == printed.output
    assert all(f"\n## {rule}\n" in printed.output for rule in RULES)


def test_a_rule_that_is_not_there_is_named_with_those_that_are() -> None:
    done = CliRunner().invoke(cli, ["--explain", "nope"])
    assert done.exit_code == 2
    assert "there is no rule and no code `nope`" in done.output
    listed = CliRunner().invoke(cli, ["--explain"]).output
    assert all(f"\n  {rule} " in listed for rule in RULES)
