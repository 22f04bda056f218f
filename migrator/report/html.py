"""All results as one HTML page, which loads nothing from elsewhere and needs a script only to sort and filter."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from html import escape
from importlib import resources
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TextIO

from migrator.regex import regex
from migrator.report.difflines import Line, lines_of
from migrator.report.places import link, place_of
from migrator.report.rollout import MOST
from migrator.report.serial import outcome
from migrator.report.steps import HOOK, hook_of, steps
from migrator.report.text import headline
from migrator.report.totals import State, Totals, places_of, rotations, state_of

if TYPE_CHECKING:
    from markupsafe import Markup

    from migrator.report.collected import Collected

_LINES = 2000
"""The number of lines to show of one repository's diff; the rest is counted."""

_TOKEN = regex(
    r"""(?P<i>(?:^\s*|(?<=\{\s))[\w-]+(?=\s*=[^=])) | (?P<s>"(?:\\.|[^"\\])*"?) | (?P<c>(?:\#|//).*)
    | (?P<k>^\s*[a-z_][\w-]*(?=\s+["{]|\s*\{)) | (?P<n>\b(?:\d+(?:\.\d+)?|true|false|null)\b)""",
    re.VERBOSE,
)
"""The parts of HCL with colours: names, strings, comments, block types, numbers."""

_VERDICTS = {"proven": "rewritten", "failed": "refused", "not proven": "left-alone", "not needed": "left-alone"}
"""The look of a cell of a verification is that of the outcome of a finding."""

_TAGS = {Line.ADDED: "ins", Line.REMOVED: "del"}


def write(collected: Collected, out: TextIO) -> None:
    """Write the page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        loader=PackageLoader("migrator.report", "page"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals.update(diff_html=diff_html, headline=headline, outcome=outcome, rotations=rotations)
    environment.globals.update(link=link, place_of=place_of, places_of=places_of, verdicts=_VERDICTS)
    environment.globals.update(steps_of=steps, hook=HOOK, hook_of=hook_of)
    environment.filters["figure"] = "{:,}".format
    environment.filters["said"] = _sentence
    out.writelines(environment.get_template("report.html.j2").generate(_context(collected)))


def _context(collected: Collected) -> dict[str, Any]:
    totals = collected.totals
    style, script = _part("report.css"), _part("report.js")
    return {
        "run": collected.run,
        "totals": totals,
        "states": _shares({state.value: totals.states[state] for state in State}),
        "outcomes": _shares(totals.places),
        "labels": {state.value: totals.label(state) for state in State} | _words(totals),
        "state_of": state_of,
        "steps": steps(((number, result) for number, result, _ in collected.ranked()), MOST),
        "results": collected.ranked_with_diffs,
        "briefly": collected.ranked,
        "style": style,
        "script": script,
        "policy": f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'",
    }


def _words(totals: Totals) -> dict[str, str]:
    """The outcome of a finding in words."""
    rewritten = "To rewrite" if totals.is_dry else "Rewritten"
    return {"rewritten": rewritten, "refused": "Refused", "left-alone": "Left alone", "ignored": "Ignored"}


def _sentence(text: str) -> Markup:
    """A sentence with code in backticks."""
    from markupsafe import Markup

    parts = re.split(r"`([^`]+)`", text)
    marked = (f"<code>{escape(part)}</code>" if number % 2 else escape(part) for number, part in enumerate(parts))
    return Markup("".join(marked))  # noqa: S704 - each part is escaped


def _part(name: str) -> Markup:
    """A part of the page that this program made, for use without escapes."""
    from markupsafe import Markup

    return Markup(resources.files("migrator.report").joinpath("page", name).read_text("utf-8"))  # noqa: S704


def _hash(text: str) -> str:
    """The source expression that lets this very text be applied, and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _shares(counts: Mapping[str, int]) -> list[tuple[str, int, float, float]]:
    """For each kind with findings: the count, and the start and length of the share in a bar, in per cent."""
    present = {kind: count for kind, count in counts.items() if count}
    starts = accumulate(present.values(), initial=0)
    unit = 100 / (sum(present.values()) or 1)
    return [
        (kind, present[kind], start * unit, present[kind] * unit) for kind, start in zip(present, starts, strict=False)
    ]


def diff_html(diff: bytes) -> Markup:
    """A masked diff as HTML; from a file's header only the name is shown."""
    from markupsafe import Markup

    return Markup("".join(_diff_lines(diff.decode())))  # noqa: S704 - each part is escaped


def _diff_lines(diff: str) -> Iterator[str]:
    lines = list(lines_of(diff))
    note = ""
    for kind, text in lines[:_LINES]:
        if kind in (Line.FILE, Line.HEAD):
            note = " (new)" if text.startswith("new file") else "" if kind is Line.FILE else note
            if text.startswith("+++ "):
                yield f"<b>{escape(text[4:].removeprefix('b/').rstrip())}{note}\n</b>"
        elif kind in (Line.HUNK, Line.REMARK):
            yield f"<u>{escape(text)}\n</u>"
        else:
            inner = escape(text[:1]) + _highlighted(text[1:]) + "\n"
            tag = _TAGS.get(kind)
            yield f"<{tag}>{inner}</{tag}>" if tag else inner
    if len(lines) > _LINES:
        yield f"<u>… and {len(lines) - _LINES:,} more lines</u>"


def _highlighted(text: str) -> str:
    parts: list[str] = []
    end = 0
    for match in _TOKEN.finditer(text):
        parts += (escape(text[end : match.start()]), f"<i class={match.lastgroup}>{escape(match[0])}</i>")
        end = match.end()
    return "".join((*parts, escape(text[end:])))
