"""Diffs and summaries: with colours and page by page for people at a terminal, as they are for programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

import click

from migrator.model.results import Mode, RepoResult
from migrator.report.colour import for_terminal
from migrator.secret.printable import plain_line
from migrator.workspace.discover import checkout_of


def titled(repo: str, diff: bytes) -> bytes:
    """The ``diff`` below a line with the name of the repository, which programs that apply diffs ignore."""
    return f"# {plain_line(repo)}\n".encode("utf-8", "surrogateescape") + diff


def show(diffs: Iterable[bytes], *, has_pager: bool = True) -> None:
    """Print ``diffs``; on a terminal in colours unless NO_COLOR is set (https://no-color.org), in a pager if long."""
    if not sys.stdout.isatty():
        for diff in diffs:
            click.echo(diff, nl=False)
        return
    texts = (for_terminal(diff, has_colours=_has_colours()) for diff in diffs)
    first_page: list[str] = []
    height = _size().lines
    for text in texts:
        first_page.append(text)
        height -= text.count("\n")
        if height <= 0 and has_pager and _may_page():
            _page(chain(first_page, texts))
            return
    click.echo("".join(first_page), nl=False, color=True)


def say(text: Callable[[int, bool], str], *, has_pager: bool = True) -> None:
    """Print a ``text`` for people on standard error; on a terminal in colours, wrapped, and in a pager if it is long.

    ``text`` is called with the width to wrap at, 0 for none, and whether the terminal has colours.
    """
    if not sys.stderr.isatty():
        click.echo(text(0, False), err=True, nl=False)
        return
    size = _size()
    rendered = text(size.columns, _has_colours())
    if sys.stdout.isatty() and has_pager and _may_page() and rendered.count("\n") >= size.lines:
        _page([rendered])
    else:
        click.echo(rendered, err=True, nl=False, color=True)


def list_changed(result: RepoResult, folder: str) -> None:
    """Print the paths that would change, one a line, as ``terraform fmt -check`` does.

    ``folder`` is the repository's folder: paths are relative to the current folder. ``""`` is for a temporary folder:
    then the repository's name precedes the path.
    """
    root = Path(os.path.realpath(folder))
    root = checkout_of(root) or root
    for path in result.changed if result.mode is Mode.CHECK else ():
        click.echo(plain_line(os.path.relpath(root / path) if folder else f"{result.repo}/{path}"))


def _size() -> os.terminal_size:
    from shutil import get_terminal_size  # here: most runs in CI have no terminal

    return get_terminal_size()


def _page(texts: Iterable[str]) -> None:
    os.environ.setdefault("LESS", "FRX")  # as git does, so that colours are shown as such
    click.echo_via_pager(texts, color=_has_colours())


def _may_page() -> bool:
    return not _is_dumb() and not os.environ.get("NO_PAGER")


def _has_colours() -> bool:
    return not os.environ.get("NO_COLOR") and not _is_dumb()


def _is_dumb() -> bool:
    return os.environ.get("TERM", "dumb") == "dumb"
