"""Findings and their outcomes: plain data, which can be pickled.

Tags and other names of fields are those of `migrator.report.serial`.
"""

from __future__ import annotations

from msgspec import Struct

from migrator.span import Edit


class Place(Struct, frozen=True, order=True):
    """A line of a file: ``path`` relative to the repository, ``line`` counted from 1; 0 is the whole file.

    ``offset`` distinguishes places on one line; people see the line only.
    """

    path: str
    line: int = 0
    offset: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path

    @property
    def key(self) -> str:
        """A unique name for the place."""
        return f"{self}+{self.offset}"


class Rewrite(Struct, frozen=True, tag_field="outcome", tag="rewritten", rename={"outcome": "detail"}):
    """Edits in one or more files that are made together or not at all; ``outcome`` is a sentence on the result."""

    edits: tuple[Edit, ...]
    outcome: str


class _Explained(Struct, frozen=True, tag_field="outcome", rename={"reason": "detail"}):
    """A ``reason`` for people."""

    reason: str


class Refusal(_Explained, frozen=True, kw_only=True, tag="refused"):
    """A finding that cannot be rewritten safely. Exit code 4.

    ``reason`` is a sentence for people, ``help`` the advice, ``code`` the kind (`migrator.model.diagnostics`).
    """

    code: str
    help: str = ""


class LeftAlone(_Explained, frozen=True, kw_only=True, tag="left-alone"):
    """A finding that needs no rewrite. Not an error.

    ``reason`` is a sentence for people, ``help`` the advice, ``code`` the kind (`migrator.model.diagnostics`).
    """

    code: str
    help: str = ""


class Ignored(_Explained, frozen=True, kw_only=True, tag="ignored"):
    """A finding that the user excludes or accepts. Not an error.

    ``reason`` is a sentence for people, ``help`` the advice, ``code`` the kind of the refusal or of the exclusion.
    """

    code: str
    help: str = ""


Fix = Rewrite | Refusal | LeftAlone | Ignored


class Note(Struct, frozen=True, kw_only=True):
    """A task for a person: ``task`` is the sentence, ``subjects`` are the objects, ``paste`` is a text to copy.

    ``code`` is the kind, ``help`` the advice. Notes that differ only in their subjects are reported as one note.
    """

    task: str
    subjects: tuple[str, ...] = ()
    paste: str = ""
    code: str
    help: str = ""

    @property
    def line(self) -> str:
        """The task in one line, with all subjects."""
        return f"{self.task.rstrip('.:')}: {', '.join(self.subjects)}" if self.subjects else self.task


class Finding(Struct, frozen=True):
    """One observation of a rule at a place, and the outcome.

    ``subject`` is the name of a block (type and labels), a stack or a file. ``names`` are the subject's arguments or
    variables. ``message`` says both for people; no code depends on the text.

    Findings with the same ``group`` (a root module) belong together: one refused finding prevents all rewrites of the
    group. ``notes`` count unless the finding or the group is refused. ``needs`` are the groups and places that the
    rewrite depends on.
    """

    rule: str
    place: Place
    message: str
    fix: Fix
    group: str | None = None
    notes: tuple[Note, ...] = ()
    needs: frozenset[str] = frozenset()
    subject: str = ""
    names: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """The code of the reason why the finding has no rewrite; ``""`` for a rewrite."""
        return "" if isinstance(self.fix, Rewrite) else self.fix.code

    @property
    def help(self) -> str:
        """The advice for a finding without a rewrite; ``""`` for a rewrite."""
        return "" if isinstance(self.fix, Rewrite) else self.fix.help

    @property
    def fate(self) -> str:
        """The rewrite of the finding in words, or the reason why the finding has no rewrite."""
        return self.fix.outcome if isinstance(self.fix, Rewrite) else self.fix.reason


class FileProblem(Struct, frozen=True):
    """A file that could not be read or parsed, and was not changed. Exit code 3.

    ``code`` is the kind of the problem, ``help`` the advice.
    """

    place: Place
    reason: str
    code: str
    help: str = ""


class Change(Struct, frozen=True):
    """A file before (None: a new file) and after the migration."""

    path: str
    before: bytes | None
    after: bytes

    def __repr__(self) -> str:
        return f"Change({self.path!r})"  # files may hold secrets
