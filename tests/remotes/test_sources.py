"""From arguments and lists to repositories."""

from __future__ import annotations

import io
import pickle
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.errors import UsageError
from migrator.remotes.sources import RepoSource, sources
from tests.conftest import MakeRepo

TOKEN = "ghp_EXAMPLEexampleEXAMPLEexampleEXAMPLE0"
ROLE = "arn:aws:iam::123456789012:role/terraform"


def one(argument: str) -> RepoSource:
    (source,) = sources([argument], [])
    return source


def listed(tmp_path: Path, text: str | bytes, *arguments: str) -> list[RepoSource]:
    file = tmp_path / "list.txt"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return sources(arguments, [str(file)])


def refusal(tmp_path: Path, text: str | bytes, *arguments: str) -> str:
    with pytest.raises(UsageError) as caught:
        listed(tmp_path, text, *arguments)
    return str(caught.value).removeprefix(str(tmp_path))


# --- places ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "name", "shown"),
    [
        ("https://github.com/acme/shop.git", "acme/shop", "https://github.com/acme/shop.git"),
        ("https://GitHub.com:443/acme/shop/", "acme/shop", "https://github.com/acme/shop/"),
        ("https://me@dev.example.com/acme/shop", "acme/shop", "https://dev.example.com/acme/shop"),
        ("https://gitlab.com/acme/infra/dns.git", "acme/infra/dns", "https://gitlab.com/acme/infra/dns.git"),
        ("http://git.example.com:8080/acme/shop", "acme/shop", "http://git.example.com:8080/acme/shop"),
        ("git@github.com:acme/shop.git", "acme/shop", "ssh://github.com/acme/shop.git"),
        ("github.com:acme/shop", "acme/shop", "ssh://github.com/acme/shop"),
        ("ssh://git@git.example.com:2222/acme/shop.git", "acme/shop", "ssh://git.example.com:2222/acme/shop.git"),
        ("git://git.example.com/acme/shop.git", "acme/shop", "git://git.example.com/acme/shop.git"),
        ("file:///srv/git/acme/shop.git", "acme/shop", "file:///srv/git/acme/shop.git"),
        ("https://[::1]:8443/acme/shop", "acme/shop", "https://[::1]:8443/acme/shop"),
    ],
)
def test_urls(url: str, name: str, shown: str) -> None:
    source = one(url)
    assert (source.url_or_path, source.name, source.branch, source.settings) == (url, name, None, {})
    assert (source.shown, source.is_local) == (shown, False)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ext::sh -c whoami", "The transport ext is not supported"),
        ("codecommit::eu-west-1://shop", "The transport codecommit is not supported"),
        ("ftp://example.com/acme/shop", "The transport ftp is not supported"),
        ("fd::17", "The transport fd is not supported"),
        ("https+ext://example.com/shop", "The transport https\\+ext is not supported"),
        ("--upload-pack=touch x", "must not begin with a dash"),
        ("ssh://-oProxyCommand=x/acme/shop", "must name a host"),
        ("-oProxyCommand=x:acme/shop", "must not begin with a dash"),
        ("https://", "must name a host"),
        ("https:///acme/shop", "must name a host"),
        ("https://example.com/", "must name a repository"),
        ("https://example.com:port/acme/shop", "cannot be parsed"),
        ("https://[::1/acme/shop", "cannot be parsed"),
        ("https://example.com/acme/shop?x=1", "must not contain a query"),
        ("https://example.com/a\nhost=evil", "control characters"),
        ("file://host/acme/shop", "three slashes"),
        ("nowhere/*", "No git checkout matches"),
    ],
)
def test_no_repositories(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        one(text)


@pytest.mark.parametrize(
    "url",
    [
        f"https://me:{TOKEN}@github.com/acme/shop",
        f"https://:{TOKEN}@github.com/acme/shop",
        f"https://{TOKEN}@github.com/acme/shop",
        f"https://me%3A{TOKEN}@github.com/acme/shop",
        f"https://a@b:{TOKEN}@github.com/acme/shop",
        f"ssh://me:{TOKEN}@github.com/acme/shop",
        f"me:{TOKEN}@github.com:acme/shop",
        f"ftp://me:{TOKEN}@github.com/acme/shop",
        "https://glpat-x@gitlab.com/acme/shop",
    ],
)
def test_a_token_in_a_url_is_refused_and_not_told(url: str, tmp_path: Path) -> None:
    for call in (lambda: one(url), lambda: listed(tmp_path, url), lambda: RepoSource(url, "acme/shop")):
        with pytest.raises(UsageError) as caught:
            call()
        assert TOKEN not in str(caught.value)
        assert "glpat" not in str(caught.value)


def test_who_signs_in_is_not_shown() -> None:
    source = one("https://somebody@git.example.com/acme/shop")
    assert "somebody" not in f"{source!r} {source} {source.shown} {source.name}"


def test_a_source_can_be_sent_to_a_worker() -> None:
    source = RepoSource("git@github.com:acme/shop.git", "acme/shop", "main", {"path": "infra"})
    assert pickle.loads(pickle.dumps(source)) == source
    assert len({source, source}) == 1


def test_folders_and_globs(make_repo: MakeRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b", "a", "c"):
        make_repo({"main.tf": ""}, name=name)
    (tmp_path / "plain").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "with:colon").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert [source.name for source in sources(["*"], [])] == ["a", "b", "c"]
    assert [source.url_or_path for source in sources(["~/[ab]"], [])] == [f"{tmp_path}/a", f"{tmp_path}/b"]
    assert [source.name for source in sources(["c", "plain", "with:colon"], [])] == ["c", "plain", "with:colon"]
    assert all(source.is_local for source in sources(["*", "plain", "with:colon"], []))
    assert [one(name).url_or_path for name in ("file", "nowhere")] == ["file", "nowhere"], "the job tells of it"


def test_folders_of_one_checkout(make_repo: MakeRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_repo({"a/main.tf": "", "b/main.tf": ""}, name="mono")
    make_repo({"main.tf": ""}, name="mono/a/inner")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("mono/b")
    for others in (["mono/b"], ["mono"], ["link"]):
        with pytest.raises(
            UsageError,
            match=r"mono/a and .* are folders of the same checkout. help: migrate that checkout without batch",
        ):
            sources(["mono/a", *others], [])
    assert len(sources(["mono", "mono/a/inner", "mono/"], [])) == 2


def test_a_folder_whose_name_is_a_glob(make_repo: MakeRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_repo({"main.tf": ""}, name="[a]")
    make_repo({"main.tf": ""}, name="a")
    monkeypatch.chdir(tmp_path)
    assert one("[a]").url_or_path == "[a]"


# --- one and the same -----------------------------------------------------------------------------------------------


def test_what_is_named_twice_is_one(make_repo: MakeRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_repo({"main.tf": ""}, name="a")
    (tmp_path / "link").symlink_to("a")
    monkeypatch.chdir(tmp_path)
    same = ["https://github.com/acme/shop.git", "git@github.com:Acme/shop", "ssh://git@github.com/acme/shop/"]
    found = sources([*same, "a", "./a/", "link", f"file://{tmp_path}/bare", f"file://{tmp_path}/x/../bare/"], [])
    assert [source.url_or_path for source in found] == [same[0], "a", f"file://{tmp_path}/bare"]


def test_what_only_looks_alike_is_not() -> None:
    found = sources(
        [
            "https://github.com/acme/shop",
            "https://gitlab.com/acme/shop",
            "https://gitlab.com/Acme/shop",
            "https://gitlab.com:8443/acme/shop",
            "https://gitlab.com/acme/shop2",
        ],
        [],
    )
    assert [source.name for source in found] == [
        "https://github.com/acme/shop",
        "https://gitlab.com/acme/shop",
        "Acme/shop",
        "https://gitlab.com:8443/acme/shop",
        "acme/shop2",
    ]


def test_the_one_that_says_more_wins(tmp_path: Path) -> None:
    text = "https://github.com/acme/shop branch=dev path=infra\ngit@github.com:acme/shop.git\n"
    (source,) = listed(tmp_path, text, "https://github.com/acme/shop.git")
    assert (source.branch, source.settings) == ("dev", {"path": "infra"})


def test_two_that_say_different_things(tmp_path: Path) -> None:
    text = "https://github.com/acme/shop path=infra\n\ngit@github.com:acme/shop path=web\n"
    assert refusal(tmp_path, text) == "/list.txt:3: ssh://github.com/acme/shop is named twice, with different settings"


# --- lists ----------------------------------------------------------------------------------------------------------


def test_a_list(tmp_path: Path) -> None:
    text = f"""\ufeff# the fleet
https://github.com/acme/shop.git   # the shop

  git@github.com:acme/infra.git branch=main role-arn={ROLE} path='live/eu west' exclude="*.old" # it's ours
https://git.example.com/acme/c%23 backend-role-arn={ROLE}\r
# https://github.com/acme/gone "
"""
    found = listed(tmp_path, text, "https://github.com/acme/first")
    assert [(source.name, source.branch, source.settings) for source in found] == [
        ("acme/first", None, {}),
        ("acme/shop", None, {}),
        ("acme/infra", "main", {"role-arn": ROLE, "path": "live/eu west", "exclude": "*.old"}),
        ("acme/c%23", None, {"backend-role-arn": ROLE}),
    ]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"https://github.com/acme/shop\nx y=z\n")))
    with pytest.raises(UsageError, match="standard input:2: After the repository"):
        sources([], ["-"])


def test_folders_in_a_list(make_repo: MakeRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("my repo", "a", "b"):
        make_repo({"main.tf": ""}, name=name)
    monkeypatch.chdir(tmp_path)
    found = listed(tmp_path, "'my repo' path=x\n[ab] exclude=old\n")
    assert [(source.name, source.settings) for source in found] == [
        ("my repo", {"path": "x"}),
        ("a", {"exclude": "old"}),
        ("b", {"exclude": "old"}),
    ]
    assert (
        refusal(tmp_path, "a branch=main")
        == "/list.txt:1: branch= is for URLs only. A local checkout is migrated as it is checked out"
    )


def test_an_empty_list(tmp_path: Path) -> None:
    assert listed(tmp_path, "") == listed(tmp_path, "# nothing\n\n") == sources([], []) == []


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        (
            "brunch=main",
            "After the repository, each setting must be key=value, with a key of branch, role-arn,",
        ),
        ("main", "After the repository, each setting must be key=value, with a key of branch"),
        ("branch=", "branch= must occur once, with a value"),
        ("path=a path=b", "path= must occur once, with a value"),
        ("role-arn=arn:aws:iam::1:user/me", "role-arn= must be the ARN of an IAM role"),
        ("path=/etc", "path= must be a folder inside the repository"),
        ("path=a/../../b", "path= must be a folder inside the repository"),
        ("branch=--upload-pack=x", "branch= must not begin with a dash"),
        ("path='a", "A quote is not closed"),
        ('path="a\\', "A quote is not closed"),
    ],
)
def test_settings_that_make_no_sense(rest: str, reason: str, tmp_path: Path) -> None:
    message = refusal(tmp_path, f"\n# x\nhttps://github.com/acme/shop {rest}\n")
    assert message.startswith(f"/list.txt:3: {reason}")


def test_lists_that_cannot_be_read(tmp_path: Path) -> None:
    assert "must be a text file" in refusal(tmp_path, b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        sources([], [str(tmp_path / "nothing")])
    with pytest.raises(UsageError, match="cannot be read"):
        sources([], [str(tmp_path)])


@given(st.text(min_size=1))
def test_any_argument_is_a_place_or_a_sentence(text: str) -> None:
    with suppress(UsageError):
        assert RepoSource(text, "x").shown


@given(st.text(min_size=1))
def test_any_line_is_a_place_or_a_sentence(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch, suppress(UsageError):
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode("utf-8", "surrogatepass"))))
        assert all(source.name for source in sources([], ["-"]))
