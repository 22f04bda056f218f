"""Where a browser finds a remote, and what is never part of the address."""

from __future__ import annotations

import pytest

from migrator.git.web_address import web_address
from migrator.model.results import Revision
from tests.conftest import MakeRepo


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("git@github.com:acme/shop.git", "https://github.com/acme/shop"),
        ("ssh://git@gitlab.acme.example:2222/infra/live/shop.git", "https://gitlab.acme.example/infra/live/shop"),
        ("https://github.com/acme/shop", "https://github.com/acme/shop"),
        ("https://user:word@git.acme.example:8443/acme/shop.git/", "https://git.acme.example:8443/acme/shop"),
        ("http://GitLab.acme.example/acme/shop", "http://gitlab.acme.example/acme/shop"),
        ("/srv/git/shop.git", ""),
        ("file:///srv/git/shop.git", ""),
        ("ext::sh -c 'x'", ""),
        ("javascript:alert(1)", ""),
        ("https://github.com/acme/<b>", ""),
        ("", ""),
    ],
)
def test_a_remote_as_a_browser_finds_it(url: str, address: str) -> None:
    assert web_address(url) == address


@pytest.mark.system
def test_the_revision_of_a_checkout(make_repo: MakeRepo) -> None:
    from migrator.git.branch import Checkout

    repo = make_repo({"main.tf": "locals {}\n"}, name="ws")
    repo.git("remote", "add", "origin", "git@github.com:acme/shop.git")
    checkout = Checkout.open(repo.root)
    assert checkout is not None
    commit = repo.git("rev-parse", "HEAD").strip()
    branch = repo.git("branch", "--show-current").strip()
    assert checkout.revision == Revision("ws", "https://github.com/acme/shop", branch, commit)
