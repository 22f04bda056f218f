"""The forge for a repository's URL."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from migrator.errors import missing_extra
from migrator.remotes.credentials import GITHUB, GITLAB, ForgeHost, default_host, host_of, token
from migrator.remotes.url import parse_url, without_user

if TYPE_CHECKING:
    from migrator.remotes.forge_base import Forge

KINDS = (GITHUB, GITLAB)


class ForgeRepo(Struct, frozen=True):
    """A repository of a forge."""

    host: ForgeHost
    owner: str
    name: str

    @property
    def kind(self) -> str:
        """The kind of git host, from `KINDS`."""
        return self.host.kind

    @property
    def path(self) -> str:
        """The path ``owner/name`` of the repository."""
        return f"{self.owner}/{self.name}"


def forge_of(location: str) -> ForgeRepo | None:
    """The repository at a forge for a URL, for example that of ``origin``; None if the forge is not known.

    A host is known if the host is github.com or gitlab.com, or if GITHUB_API_URL, GITHUB_SERVER_URL, GITLAB_URL or
    CI_SERVER_URL names the host, or by the host's own name. Raises `UsageError` if one of these variables holds no URL.
    """
    url = parse_url(without_user(location))
    host = host_of(url) if url is not None else None
    if url is None or host is None:
        return None
    root = urlsplit(host.root).path.strip("/")
    owner, _, name = url.name.removeprefix(f"{root}/" if root else "").rpartition("/")
    return ForgeRepo(host, owner, name) if owner and name else None


def open_forge(host: ForgeHost | str, *, throttle: float = 1.0, patience: float = 300.0) -> Forge:
    """The forge at ``host``, or the one that the environment means by a kind of `KINDS`.

    Writes are ``throttle`` seconds apart; a forge that asks for a pause of more than ``patience`` seconds is an error.
    Raises `MigrateError` without a token for the forge, or without the forge's library.
    """
    if isinstance(host, str):
        host = default_host(host)
    try:  # here: both libraries are an extra, and slow to load
        if host.kind == GITHUB:
            from migrator.remotes.github import GitHub as Client
        else:
            from migrator.remotes.gitlab import GitLab as Client  # type: ignore[assignment]
    except ImportError:
        raise missing_extra("Pull requests need more packages.", "forges") from None
    return Client(host, token(host), throttle=throttle, patience=patience)
