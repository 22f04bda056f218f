"""Diffs on standard output: with colours and page by page for people at a terminal, as they are for programs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from itertools import chain

import click

from migrator.report.colour import for_terminal
from migrator.secret import plain_line


def titled(repo: str, diff: bytes) -> bytes:
    """``diff`` below the name of its repository, in a line that programs which apply diffs pass over."""
    return f"# {plain_line(repo)}\n".encode("utf-8", "surrogateescape") + diff


def show(diffs: Iterable[bytes]) -> None:
    """Print ``diffs``; on a terminal in colours unless NO_COLOR is set (https://no-color.org), in a pager if long."""
    if not sys.stdout.isatty():
        for diff in diffs:
            click.echo(diff, nl=False)
        return
    is_plain = bool(os.environ.get("NO_COLOR"))
    texts = (for_terminal(diff, has_colours=not is_plain and not _is_dumb()) for diff in diffs)
    first_page: list[str] = []
    height = shutil.get_terminal_size().lines
    for text in texts:
        first_page.append(text)
        height -= text.count("\n")
        if height <= 0 and not _is_dumb():
            os.environ.setdefault("LESS", "FRX")  # as git does, so that colours are shown as such
            click.echo_via_pager(chain(first_page, texts), color=not is_plain)
            return
    click.echo("".join(first_page), nl=False, color=True)


def _is_dumb() -> bool:
    return os.environ.get("TERM", "dumb") == "dumb"
