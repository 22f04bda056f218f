"""The documents say what is so: examples are outputs, commands are parsed, links lead somewhere, options are real."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from migrator.cli.commands import PROGRAM, load, named_in, title
from migrator.cli.main import cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
EXAMPLES = re.findall(r"<!-- example: tf-oidc-migrate ([^\n]*) -->\n```\w*\n(.*?)```", README, re.DOTALL)
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")), *sorted(ROOT.glob("docs/**/*.md"))]
PAGE_IDS = [page.relative_to(ROOT).as_posix() for page in PAGES]

NEW_RULE = "google-static-keys"
"""The rule that docs/development/add-a-rule.md adds."""

_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_ENDS = ("|", ">", "&&", ";", "#", ")", "2>")


def printed(arguments: str) -> str:
    """What the program prints on standard output."""
    command = [sys.executable, "-m", "migrator", *arguments.split()]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize(("arguments", "shown"), EXAMPLES)
def test_an_example_is_what_the_program_prints(arguments: str, shown: str) -> None:
    parts = [part for part in shown.split("...\n") if part]
    output = printed(arguments)
    assert parts
    for part in parts:
        assert part in output


# The README


def one_liners() -> list[str]:
    """The two commands of the README that do all their set-up."""
    block = README.partition("## Try it")[2].partition("```sh\n")[2].partition("```")[0]
    return block.splitlines()


def test_the_first_command_of_the_readme_succeeds() -> None:
    command = one_liners()[0]
    assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
    run = command.rpartition(" && ")[2]
    assert run == ".venv/bin/tf-oidc-migrate --preview fixtures/repos/webshop"
    done = subprocess.run(
        [sys.executable, "-m", "migrator", *run.split()[1:]], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "fixtures/rules" not in done.stderr
    assert EXAMPLES


def test_ci_ends_with_the_test_command_of_the_readme() -> None:
    first, second = one_liners()
    set_up, _, command = second.rpartition(" && ")
    assert set_up.startswith("python3 -m venv .venv && .venv/bin/pip install ")
    assert first != second
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == command


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 200


def test_every_option_is_listed_and_only_those() -> None:
    text = (ROOT / "docs" / "options.md").read_text()
    real = {name for parameter in cli.params for name in parameter.opts if name.startswith("--")}
    table = re.search(r"\| option \|.*?\n\n", text, re.DOTALL)
    assert table
    named = set(re.findall(r"--[a-z][a-z-]+", table[0]))
    assert real - named <= {"--verbose", "--quiet", "--help", "--help-all"}
    assert named <= real | {"--version"}


# Every page


def headings(page: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them."""
    text = _FENCE.sub("", page.read_text())
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=PAGE_IDS)
def test_every_link_leads_to_a_page_and_a_heading(page: Path) -> None:
    text = re.sub(r"`[^`\n]+`(?!\])", "", _FENCE.sub("", page.read_text()))
    for path, anchor in re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", text):
        target = page.parent / path if path else page
        assert target.exists(), f"{page.name}: {path}"
        if anchor:
            assert anchor in headings(target), f"{page.name}: {path}#{anchor}"


def test_every_page_is_listed() -> None:
    docs = ROOT / "docs"
    listed = set(re.findall(r"^\| \[([\w/-]+\.md)\]", (docs / "README.md").read_text(), re.MULTILINE))
    assert listed == {page.relative_to(docs).as_posix() for page in docs.glob("**/*.md")} - {"README.md"}


def test_no_text_installs_a_name_that_is_on_no_index() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    for path in filter(None, tracked):
        if (ROOT / path).is_file():
            text = (ROOT / path).read_text(errors="replace")
            assert not re.search(rf"(?:pip|pipx|uv tool) install (?:-\S+ )*[\"']?{PROGRAM}\b", text), path


def commands(text: str) -> Iterator[tuple[list[str], bool]]:
    """The arguments of each command of this program that a page prints, and whether a block has it whole."""
    blocks = [match[2].replace("\\\n", " ") for match in _FENCE.finditer(text) if match[1] in ("sh", "yaml")]
    lines = [(line, True) for block in blocks for line in block.splitlines()]
    sentences = _FENCE.sub("", text).replace("\n", " ")
    lines += [(line, False) for line in re.findall(rf"`({PROGRAM} [^`]+)`", sentences)]
    for line, is_whole in lines:
        found = re.search(rf"(?:^|[\s/]){PROGRAM}(?: |$)(.*)", line)
        if found and "_COMPLETE" not in line and not line.lstrip().startswith("#") and "pipx inject" not in line:
            words = shlex.split(found[1], comments=True)
            end = next((number for number, word in enumerate(words) if word.startswith(_ENDS)), len(words))
            yield words[:end], is_whole


@pytest.mark.parametrize("page", PAGES, ids=PAGE_IDS)
def test_every_command_is_one_that_the_program_takes(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of options, their values and their number are checked; folders and files need not be there."""
    for arguments, is_whole in commands(page.read_text()):
        name = named_in(arguments)
        command = load(name)
        for parameter in command.params:
            if isinstance(parameter.type, click.Path):
                monkeypatch.setattr(parameter.type, "exists", False)
        rest = arguments[len(name.split()) :]
        words = ["s3-backend" if word in ("RULE", "CODE", "NAME", NEW_RULE) else word for word in rest]
        try:
            command.make_context(title(name), words, **command.context_settings)
        except click.exceptions.Exit as done:
            assert done.exit_code == 0
        except click.UsageError as error:
            if isinstance(error, click.MissingParameter) and not is_whole:
                continue  # a sentence names the part of a command that it is about
            pytest.fail(f"{page.name}: {title(name)} {shlex.join(rest)}: {error.format_message()}")
        finally:
            monkeypatch.undo()


def test_commands_are_found_in_blocks_and_sentences() -> None:
    text = "Run `tf-oidc-migrate --check\na b`.\n\n```sh\n.venv/bin/tf-oidc-migrate batch status | cat  # x\n```\n"
    assert list(commands(text)) == [(["batch", "status"], True), (["--check", "a", "b"], False)]
    assert len(list(commands(README))) > 6
