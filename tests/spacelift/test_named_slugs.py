"""``--slug STACK=SLUG`` names the slug of a stack, which is derived from the stack's name otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from migrator.cli.main import cli
from migrator.cli.trust import trust
from migrator.config.config import Config, HookPlace
from migrator.errors import UsageError
from migrator.migrate.pipeline import migrate_repo
from migrator.model.results import Mode

STACK = """resource "spacelift_stack" "shop" {
  name       = "Shop (live)"
  repository = "shop"
  branch     = "main"
}

terraform {
  backend "s3" {
    bucket   = "state"
    key      = "shop"
    region   = "eu-west-1"
    role_arn = "arn:aws:iam::123456789012:role/state"
  }
}
"""
BY = ["spacelift_stack.shop", "Shop (live)", "shop-live"]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / ".spacelift").mkdir(parents=True)
    (folder / "main.tf").write_text(STACK)
    (folder / ".spacelift/config.yml").write_text('version: "1"\n')
    return folder


@pytest.mark.unit
@pytest.mark.parametrize("stack", BY)
def test_the_runtime_configuration_names_the_slug(shop: Path, stack: str) -> None:
    options = ["--in-place", "--hook-in", "runtime-config", "--backend-auth", "hook", "--slug", f"{stack}=shop-2019"]
    done = CliRunner().invoke(cli, [*options, str(shop)])
    assert done.exit_code == 0, done.output
    text = (shop / ".spacelift/config.yml").read_text()
    assert "shop-2019:" in text
    assert "shop-live" not in text


@pytest.mark.unit
@pytest.mark.parametrize("in_file", [False, True])
def test_trust_policies_name_the_slug_and_do_not_call_it_a_guess(shop: Path, in_file: bool) -> None:
    host = ["--spacelift-host", "demo.app.spacelift.io", str(shop)]
    guessed = CliRunner().invoke(trust, host)
    assert "stack:shop-live:" in guessed.output
    assert "derived from the names" in guessed.output
    named = ["--slug", "Shop (live)=shop-2019"]
    if in_file:
        (shop / "tf-oidc-migrate.toml").write_text('[slugs]\n"spacelift_stack.shop" = "shop-2019"\n')
        named = []
    done = CliRunner().invoke(trust, [*host, *named])
    assert "stack:shop-2019:" in done.output
    assert "shop-live" not in done.output
    assert "derived from the names" not in done.output


@pytest.mark.unit
@pytest.mark.parametrize("slug", ["Shop", "", "a b", "a=b"])
def test_what_is_no_slug_is_wrong_usage(slug: str) -> None:
    with pytest.raises(UsageError, match="--slug"):
        Config(slugs=(("shop", slug),))


@pytest.mark.unit
def test_a_setting_that_is_no_slug_is_wrong_usage(shop: Path) -> None:
    (shop / "tf-oidc-migrate.toml").write_text("[slugs]\nshop = 3\n")
    assert "slugs must be a table" in migrate_repo(str(shop), Config(mode=Mode.PREVIEW)).error


@pytest.mark.unit
def test_a_derived_slug_is_told_as_a_guess_where_a_slug_decides(shop: Path) -> None:
    def told(**options: object) -> list[str]:
        result = migrate_repo(str(shop), Config(mode=Mode.PREVIEW, **options))  # type: ignore[arg-type]
        assert result.error == ""
        return [note.line for note in result.notes if note.code == "slug-is-guess"]

    assert told() == []
    [line] = told(hook_in=HookPlace.RUNTIME_CONFIG)
    assert "shop-live" in line
    config = (shop / ".spacelift/config.yml").read_text()
    (shop / ".spacelift/config.yml").write_text(
        'version: "2"\nstacks:\n  shop-live:\n    before_init:\n      - make x\n'
    )
    [line] = told()
    assert "--slug spacelift_stack.shop=SLUG" in next(
        note.help for note in migrate_repo(str(shop), Config(mode=Mode.PREVIEW)).notes if note.code == "slug-is-guess"
    )
    assert told(slugs=(("Shop (live)", "shop-live"),)) == []
    (shop / ".spacelift/config.yml").write_text(config)
    (shop / "attached.tf").write_text(
        'resource "spacelift_context_attachment" "a" {\n  context_id = "keys"\n  stack_id   = "shop-live"\n}\n'
    )
    assert len(told()) == 1
