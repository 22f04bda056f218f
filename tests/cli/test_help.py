"""Help that a newcomer can read: whole sentences, short main pages, and all commands in one place."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from migrator.cli.commands import COMMANDS, load
from tests import program

NAMES = ["", *COMMANDS]


def options(command: click.Command) -> list[click.Option]:
    context = click.Context(command, **command.context_settings)
    return [parameter for parameter in command.get_params(context) if isinstance(parameter, click.Option)]


def shown(*arguments: str, name: str = "") -> str:
    return CliRunner().invoke(load(name), list(arguments)).output


@pytest.mark.unit
@pytest.mark.parametrize("name", NAMES)
def test_the_text_of_every_option_is_a_sentence(name: str) -> None:
    for item in options(load(name)):
        text = (item.help or "").partition("  [default:")[0]
        assert text[:1].isupper(), item.opts
        assert text.endswith("."), item.opts
        assert len(text.split()) >= 3, item.opts
        assert text.split()[0].rstrip(".") not in ("It", "Its", "One", "Them", "Of", "With", "As"), item.opts


@pytest.mark.unit
@pytest.mark.parametrize("name", ["", "batch"])
def test_a_main_page_shows_few_options_and_the_other_page_all(name: str) -> None:
    short, long = shown("--help", name=name), shown("--help-all", name=name)

    def rows(page: str) -> list[str]:
        return [line for line in page.splitlines() if line.startswith("  -")]

    assert 10 <= len(rows(short)) <= 15
    assert len(rows(long)) == len(options(load(name)))
    assert "--help-all" in short


@pytest.mark.unit
def test_the_main_page_lists_every_command() -> None:
    page = shown("--help")
    for name, (_, sentence) in COMMANDS.items():
        assert f"  {name} " in page
        assert sentence in page
    assert len(page.splitlines()) <= 70
    assert max(map(len, page.splitlines())) <= 82


@pytest.mark.system
@pytest.mark.parametrize("name", NAMES)
def test_help_of_a_command_is_what_its_own_option_prints(name: str) -> None:
    by_command, by_option = program.run("help", *name.split()), program.run(*name.split(), "--help")
    assert (by_command.returncode, by_command.stdout) == (0, by_option.stdout)
    assert by_option.stdout.startswith(f"Usage: tf-oidc-migrate {name}".rstrip())


@pytest.mark.system
@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["help", "btach"], "Did you mean `batch`?"),
        (["btach"], "Did you mean `batch`?"),
        (["trsut", "--role-arn", "x"], "Did you mean `trust`?"),
        (["--explain", "file-not-prased"], "Did you mean `file-not-parsed`?"),
        (["--ignore", "file-not-prased"], "Did you mean `file-not-parsed`?"),
        (["no-such-folder"], "does not exist"),
    ],
)
def test_a_mistyped_name_is_a_usage_error_with_the_nearest_name(arguments: list[str], hint: str) -> None:
    done = program.run(*arguments)
    assert done.returncode == 2
    assert hint in done.stderr
