"""The parts of a summary, and how many of their lines are shown, so that the whole has about sixty."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

LINES = 60
"""The approximate number of lines of a summary that is not verbose, if none of the lines wraps."""

FEW = 3
"""The number of places of a kind to list before the others are counted."""

_VERBOSE = "-v lists all"


class Section(NamedTuple):
    """A part of the summary: ``blocks`` of lines; a summary that is too long omits whole blocks.

    ``least`` is the number of lines that the section has in any case; ``unit`` is the noun for a block.
    """

    title: str
    blocks: list[list[str]]
    least: int
    unit: tuple[str, str]
    style: str = ""

    @property
    def size(self) -> int:
        """The number of lines of all blocks."""
        return sum(map(len, self.blocks))


def rooms(sections: list[Section], *, verbose: bool) -> list[int]:
    """The number of lines for each section: all lines, if the whole summary is not too long."""
    if verbose:
        return [section.size for section in sections]
    lines_left = LINES - 2 - 2 * len(sections)
    rooms = [min(section.size, section.least) for section in sections]
    lines_left -= sum(rooms)
    for index, section in enumerate(sections):
        extra_lines = max(min(section.size - rooms[index], lines_left), 0)
        rooms[index] += extra_lines
        lines_left -= extra_lines
    return rooms


def fitted(section: Section, room: int) -> Iterator[str]:
    """The first blocks that fit into ``room`` lines, at least one, and a line that counts the others."""
    if section.size <= room:
        yield from chain(*section.blocks)
        return
    used = 1
    for number, block in enumerate(section.blocks):
        used += len(block)
        if number and used > room:
            singular, plural = section.unit
            left = count(len(section.blocks) - number, f"more {singular}", f"more {plural}")
            yield f"  … and {left} ({_VERBOSE})"
            return
        yield from block


def listed(rows: list[str], indent: str, *, verbose: bool) -> Iterator[str]:
    """All ``rows``, or the first few and the number of the others."""
    is_whole = verbose or len(rows) <= FEW + 1
    yield from (f"{indent}{row}" for row in (rows if is_whole else rows[:FEW]))
    if not is_whole:
        yield f"{indent}… and {len(rows) - FEW} more ({_VERBOSE})"


def wrapped(line: str, width: int) -> list[str]:
    """The ``line``, wrapped at words below the indent if longer than ``width``; a width of 0 wraps nothing."""
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    if not width or len(line) <= width:
        return [line]
    from textwrap import wrap  # here: few lines are long, and most runs in CI have no width

    return wrap(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )


def count(number: int, singular: str, plural: str) -> str:
    """A number with a noun."""
    return f"{number:,} {singular if number == 1 else plural}"
