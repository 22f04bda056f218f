"""Results in a form for reports: no secret in any text, and no control characters for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from migrator.model.findings import Rewrite
from migrator.secret.mask import mask, mask_shapes
from migrator.secret.printable import printable

if TYPE_CHECKING:
    from migrator.model.results import RepoResult

_LONG = frozenset({"diff", "paste"})
"""The texts that keep their line ends."""

_NAMES = frozenset(
    (
        *("repo", "path", "rule", "group", "root", "changed", "branch", "base", "commit", "diff", "code"),
        *("folder", "remote"),
    )
)
"""Paths and names, and a masked diff: in these, only certain credentials are hidden."""


def show(result: RepoResult) -> RepoResult:
    """The ``result`` without the diff: each text is masked, printable, and on one line except for texts to copy."""
    return show_with_diff(replace(result, diff=b""))


def show_with_diff(result: RepoResult) -> RepoResult:
    """The same with the diff, which keeps the lines. No report shows the hashes of the files that were read."""
    cleaned: RepoResult = _cleaned(replace(result, inputs=()))
    return cleaned


def show_line(text: str) -> str:
    """The ``text`` masked, printable and in one line."""
    return str(_cleaned(text))


def shown(results: Iterable[RepoResult]) -> Iterator[RepoResult]:
    """The ``results`` as `show` makes them, one at a time."""
    return map(show, results)


def _cleaned(value: Any, name: str = "") -> Any:
    """The ``value`` for a report, without the edits of rewrites; carriage returns at line ends are dropped."""
    if isinstance(value, Rewrite):
        return Rewrite((), _cleaned(value.outcome))
    if isinstance(value, Struct):
        return replace(value, **{name: _cleaned(getattr(value, name), name) for name in value.__struct_fields__})
    if isinstance(value, tuple):
        return tuple([_cleaned(part, name) for part in value])
    if isinstance(value, bytes):
        return _cleaned(value.decode("utf-8", "surrogateescape"), name).encode("utf-8", "surrogateescape")
    if not isinstance(value, str):
        return value
    is_name = name in _NAMES
    clean = _clean if is_name or len(value) > _OFTEN else _clean_once
    return clean(value, is_name, name in _LONG)


def _clean(text: str, is_name: bool, is_long: bool) -> str:
    hidden = mask_shapes(text) if is_name else mask(text)
    cleaned = printable(hidden.replace("\r\n", "\n"))
    return cleaned if is_long else cleaned.replace("\n", "\\n").replace("\t", "\\t")


_OFTEN = 500
"""Texts of at most so many characters are the same again and again: reasons, roles, advice."""

_clean_once = lru_cache(maxsize=1024)(_clean)
