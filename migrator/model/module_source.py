"""The source of a ``module`` block: https://developer.hashicorp.com/terraform/language/modules/sources."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from migrator.regex import regex

_GETTER = regex(r"([A-Za-z0-9]+)::(.*)", re.DOTALL)
_SHORT_SSH = regex(r"(?:[^@/:\s]+@)?[^@/:\s]+:(?!//)(?P<path>.+)")
_HOSTED = regex(r"(?:github\.com|bitbucket\.org|gitlab\.com)/(?P<path>.+)")
_REGISTRY = regex(
    r"(?:(?P<host>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::\d+)?)/)?"
    r"(?P<namespace>[A-Za-z0-9_-]+)/(?P<name>[A-Za-z0-9_-]+)/(?P<provider>[a-z0-9]+)"
)


class ModuleSource(Struct, frozen=True):
    """The ``folder`` of a repository called ``name``; ``namespace`` is the owner (``""``: not known).

    ``ref`` is the branch, tag or commit, ``""`` for the default branch. A registry, which calls repositories
    terraform-PROVIDER-NAME, has releases: ``is_released``.
    """

    name: str
    namespace: str = ""
    folder: str = ""
    ref: str = ""
    is_released: bool = False

    def is_in(self, name: str, namespace: str) -> bool:
        """Whether the source may be the repository called ``name``; owners must match if both are known."""
        owner, known_namespace = self.namespace.lower(), namespace.lower()
        return self.name.lower() == name.lower() and (not owner or not known_namespace or owner == known_namespace)

    def is_at_head(self, branches: Collection[str]) -> bool:
        """Whether the source follows one of the ``branches``, or the default branch, and no release or commit."""
        return not self.is_released and (not self.ref or self.ref in branches)


def is_local(source: str) -> bool:
    """Whether Terraform takes ``source`` for a path: from the module on, or, which is copied, an absolute one."""
    return source.startswith(("./", "../", "/"))


def parse_source(source: str) -> ModuleSource | None:
    """The git repository or registry module of ``source``; None for paths, archives and other sources."""
    getter = _GETTER.match(source)
    if is_local(source) or (getter is not None and getter[1].lower() != "git"):
        return None
    text, _, query = (getter[2] if getter else source).partition("?")
    start = text.find("://") + 3 if "://" in text else 0
    base, _, folder = text[start:].partition("//")
    base, folder = text[:start] + base, posixpath.normpath(folder) if folder else ""
    ref = (parse_qs(query).get("ref") or [""])[0]
    match = _REGISTRY.fullmatch(base) if getter is None else None
    if match is not None:
        namespace = match["namespace"] if match["host"] is None else ""
        name = f"terraform-{match['provider']}-{match['name']}"
        return ModuleSource(name, namespace, folder.strip("/"), is_released=True)
    path = _path(base)
    owner, name = posixpath.split(re.sub(r"\.git$", "", path.strip("/")))
    if not name or not owner:
        return None
    owner = re.sub(r"(?:^|/)_git$", "", owner)
    return ModuleSource(name, owner, "" if folder == "." else folder.strip("/"), ref)


def _path(base: str) -> str:
    """The path of a repository on its host."""
    if "://" in base:
        try:
            return urlsplit(base).path
        except ValueError:
            return ""
    match = _HOSTED.fullmatch(base) or _SHORT_SSH.fullmatch(base)
    return match["path"] if match else ""
