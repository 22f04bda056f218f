"""The small parts: edits, sources, diffs, secrets, options."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.config.config import Config, is_role_arn
from migrator.errors import EditConflict, MigrateError, UsageError
from migrator.model.findings import Change
from migrator.secret.mask import MASK, mask
from migrator.secret.names import names_secret
from migrator.secret.printable import printable
from migrator.secret.shapes import shown_key
from migrator.spacelift.hooks.command import hook
from migrator.span import Cover, Edit, Span, apply_edits
from migrator.syntax.source import SourceFile, newline_at, with_newlines
from migrator.writing import undo_log
from migrator.writing.diff import unified_diff
from migrator.writing.lock import LOG
from migrator.writing.replace import Replacement, uninterrupted
from tests.conftest import Repo

KEY_ID, KEY = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def edit(start: int, end: int, text: str) -> Edit:
    return Edit("f", Span(start, end), text)


def test_edits_refer_to_the_text_as_it_was() -> None:
    assert apply_edits("0123456789", [edit(8, 9, ""), edit(0, 1, "zero"), edit(5, 5, "-"), edit(5, 5, "+")]) == (
        "zero1234-+5679"
    )


def test_the_same_edit_counts_once() -> None:
    assert apply_edits("ab", [edit(1, 1, "x"), edit(1, 1, "x")]) == "axb"


@pytest.mark.parametrize("other", [edit(3, 5, "x"), edit(1, 3, "x"), edit(3, 3, "x"), edit(2, 4, "other")])
def test_colliding_edits(other: Edit) -> None:
    with pytest.raises(EditConflict):
        apply_edits("0123456789", [edit(2, 4, ""), other])


def test_removals_that_overlap_are_one() -> None:
    assert apply_edits("0123456789", [edit(3, 6, ""), edit(2, 4, ""), edit(2, 3, ""), edit(8, 9, "")]) == "0167" + "9"
    assert apply_edits("0123456789", [edit(0, 1, "zero"), edit(2, 8, ""), edit(3, 5, "")]) == "zero189"


def test_what_some_spans_cover() -> None:
    cover = Cover([Span(6, 9), Span(7, 8), Span(1, 3), Span(3, 4), Span(2, 3), Span(9, 9)])
    assert [offset for offset in range(10) if offset in cover] == [1, 2, 3, 6, 7, 8]
    assert 0 not in Cover([])


@given(st.binary())
def test_any_bytes_survive(data: bytes) -> None:
    source = SourceFile("f", data)
    assert source.encode(source.text) == data


@given(st.text(alphabet="a\r\n", max_size=20), st.integers(0, 20))
def test_lines(text: str, offset: int) -> None:
    source = SourceFile("f", text.encode())
    offset = min(offset, len(text))
    assert source.line(offset) == text[:offset].count("\n") + 1


def test_the_line_ending_in_use() -> None:
    text = "a\r\nb\nc"
    assert [newline_at(text, offset) for offset in (0, 3, 5)] == ["\r\n", "\r\n", "\n"]
    assert newline_at("none", 2) == "\n"
    assert newline_at("\r\na", 2) == "\r\n"
    assert newline_at("\na\r\n", 1) == newline_at("\na\r", 0) == "\n"


def test_what_is_written_has_the_line_ending_in_use() -> None:
    assert [with_newlines("a\nb\n", newline) for newline in ("\n", "\r\n")] == ["a\nb\n", "a\r\nb\r\n"]
    assert with_newlines("new\ncopied\r\n", "\r\n") == "new\r\ncopied\r\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\nb\n", b"a\nc\n"),
        (b"a", b"a\n"),
        (b"a\n", b"a"),
        (b"", b"a\n"),
        (None, b"new\n"),
        (b"a\r\nb\n", b"a\nb\r\n"),
        (b"-- x\n++ y\n", b"++ x\n-- y\n"),
        (b"\xff\n\x0c\n\xe2\x80\xa8\n", b"\xfe\n\x0c\n\xe2\x80\xa8x\n"),
    ],
)
@pytest.mark.parametrize("name", ["main.tf", "with space.tf", "ümläut\t.tf"])
@pytest.mark.system
def test_git_applies_the_diff(tmp_path: Path, name: str, before: bytes | None, after: bytes) -> None:
    repo = Repo(tmp_path)
    repo.git("init", "--quiet")
    if before is not None:
        repo.write(name, before)
    diff = unified_diff([Change(name, before, after)])
    done = subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], cwd=tmp_path, input=diff, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / name).read_bytes() == after


@pytest.mark.parametrize(
    "text",
    [
        f'access_key = "{KEY_ID}"',
        f"secret: '{KEY}'",
        f"export AWS_SECRET_ACCESS_KEY={KEY}",
        f'# secret_key = "{KEY}"',
        f"arn:{KEY_ID}:x",
        f'"{KEY_ID}:{KEY}"',
    ],
)
def test_keys_are_masked(text: str) -> None:
    assert MASK in mask(text)
    assert not any(key[4:9] in mask(text) for key in (KEY_ID, KEY))


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('db_password = "hunter22"', "hunter22"),
        ('  "auth-token": "abc-def"', "abc-def"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabcd\n-----END RSA PRIVATE KEY-----", "MIIE"),
        ("-----BEGIN PRIVATE KEY-----\n+MIIE", "MIIE"),
        ('"export AWS_SECRET_ACCESS_KEY=hunter2hunter2"', "hunter2"),
        ("curl -H 'Authorization: Bearer hunter2c' x", "hunter2c"),
        ("https://user:hunter2d@host/", "hunter2d"),
        ('PATH_TO_KEY = "AKIAIOSFODNN7EXAMPLE"', "IOSFODNN7"),
        ('secret_key = "./1aB/2cD3/eF4gH5iJ6"', "cD3"),
        ('secret_key = "${get_env("CI_SECRET", "hunter22")}"', "hunter22"),
        ('secret_key = "${local.is_prod ? "hunter22" : "hunter23"}"', "hunter2"),
        ('secret_key = "hunter22${local.end}${upper("hunter23")}"', "hunter2"),
        ('secret_key = "${hunter22"', "hunter22"),
    ],
)
def test_other_secrets_are_masked(text: str, secret: str) -> None:
    assert secret not in mask(text)
    assert mask(text).count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "role_arn = var.aws_role_arn",
        hook("arn:aws:iam::123456789012:role/spacelift", Config()),
        hook("$TF_VAR_aws_role_arn", Config()),
        'web_identity_token_file = "/mnt/workspace/spacelift.oidc"',
        "secret_key = var.secret_key",
        'secret_key = "${var.secret_key}"',
        'secret_key = "${get_env("CI_SECRET")}"',
        'secret_key = "${lookup(local.names, "ci_user")}"',
        "commit 0123456789012345678901234567890123456789",
        'source = "terraform-aws-modules/vpc/aws"',
        'role_arn = "arn:aws:iam::123456789012:role/spacelift"',
        'PATH_TO_PRIVATE_KEY = "mykey"',
        'pathToSecret: "keys/mine"',
        'private_key = "../../keys/mykey"',
        "--private-key ~/.ssh/id_rsa",
    ],
)
def test_what_is_no_secret_is_shown(text: str) -> None:
    assert mask(text) == text


def test_a_private_key_keeps_its_first_line_and_their_number() -> None:
    head = "-----BEGIN PRIVATE KEY-----"
    assert mask(f"a\n{head}\nMIIE\n-----END PRIVATE KEY-----\nb\n") == f"a\n{head}\n{MASK}\n{MASK}\nb\n"


def test_a_key_is_told_by_its_ends() -> None:
    assert shown_key(KEY_ID) == "AKIA…MPLE"
    assert shown_key(KEY) == shown_key(f"{KEY_ID}X") == ""


@pytest.mark.parametrize(
    ("name", "tells"),
    [
        ("db_password", True),
        ("API_KEY", True),
        ("secret_arn", False),
        ("token_file", False),
        ("region", False),
        ("PATH_TO_PRIVATE_KEY", False),
        ("pathToKey", False),
        ("ssh_path_to_private_key", False),
        ("empath_token", True),
    ],
)
def test_names_that_tell(name: str, tells: bool) -> None:
    assert names_secret(name) is tells


def test_nothing_acts_on_a_terminal() -> None:
    assert printable("a\x1b[31mb\u202ec\udcff\n\t") == "a\\x1b[31mb\\u202ec\\udcff\n\t"


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_arns_of_roles(partition: str) -> None:
    assert is_role_arn(f"arn:{partition}:iam::123456789012:role/team/deployer+=,.@-_1")


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "<ROLE ARN>",
        "arn:aws:iam::12345:role/x",
        "arn:aws:iam::123456789012:user/x",
        "arn:aws:iam::123456789012:role/",
        "arn:aws-isolated:iam::123456789012:role/x",
        "arn:aws:iam::123456789012:role/x y",
        "arn:aws:iam::123456789012:role/x\n",
        "arn:aws:iam::123456789012:role/$(id)",
        "x arn:aws:iam::123456789012:role/x",
    ],
)
def test_no_arns_of_roles(arn: str) -> None:
    assert not is_role_arn(arn)
    with pytest.raises(UsageError):
        Config(role_arn=arn)
    with pytest.raises(UsageError):
        Config(backend_role_arn=arn)


@pytest.mark.parametrize("path", ["relative", "", "/with space", "/$(id)", "/a\nb", '/"'])
def test_no_token_files(path: str) -> None:
    with pytest.raises(UsageError):
        Config(token_file=path)


def test_an_empty_message() -> None:
    with pytest.raises(UsageError):
        Config(message=" \n")


def replacing(folder: Path, changes: Sequence[Change], checkpoint: Callable[[], None] = lambda: None) -> Replacement:
    log = folder / LOG
    return Replacement(folder, changes, checkpoint, log, partial(undo_log.recover, folder, log))


def test_replacing_files_is_all_or_nothing(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text("old")
    changes = [Change("a", b"old", b"new"), Change("c", None, b"new"), Change("b", b"not the old", b"new")]
    with (
        pytest.raises(MigrateError, match="changed b"),
        replacing(tmp_path, changes) as replacement,
    ):
        replacement.commit()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old", "b": "old"}
    with replacing(tmp_path, changes[:2]) as replacement:
        replacement.commit()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "new", "b": "old", "c": "new"}


def test_an_interrupt_while_staging_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(KeyboardInterrupt), uninterrupted() as checkpoint:
        signal.raise_signal(signal.SIGINT)
        with replacing(tmp_path, [Change("a", b"old", b"new")], checkpoint):
            pytest.fail("it went on")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old"}


def test_an_interrupt_acts_when_the_block_is_done() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        signal.raise_signal(signal.SIGINT)
        done.append(True)
    assert done == [True]
