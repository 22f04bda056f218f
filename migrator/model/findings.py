"""What is found, what becomes of it, and what a run on one repository comes to; plain data, fit to be pickled."""

from __future__ import annotations

from msgspec import Struct

from migrator.span import Edit


class Place(Struct, frozen=True, order=True):
    """A line of a file: ``path`` relative to the repository, ``line`` counted from 1; 0 stands for the whole file.

    The ``offset`` of what begins there tells it from others on its line; people are told of lines.
    """

    path: str
    line: int = 0
    offset: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path

    @property
    def key(self) -> str:
        """A name for what begins there, which nothing else has."""
        return f"{self}+{self.offset}"


class Rewrite(Struct, frozen=True):
    """Edits that are made all together, in all their files, or not at all; ``outcome`` says what they come to."""

    edits: tuple[Edit, ...]
    outcome: str


class _Explained(Struct, frozen=True):
    """A ``reason`` for people."""

    reason: str


class Refusal(_Explained, frozen=True, kw_only=True):
    """Found, and cannot be rewritten safely: ``reason`` says what and why, ``help`` what to do, ``code`` of
    which kind it is (`migrator.model.diagnostics`). Exit code 4.
    """

    code: str
    help: str = ""


class LeftAlone(_Explained, frozen=True, kw_only=True):
    """Found, and rightly left as it is: ``reason`` says what and why, ``help`` what to do, ``code`` of
    which kind it is (`migrator.model.diagnostics`). Not an error.
    """

    code: str
    help: str = ""


class Ignored(_Explained, frozen=True, kw_only=True):
    """Found, and left as it is because the user wants it so: ``reason`` says how they said it, ``code`` of which kind
    it is. Not an error.
    """

    code: str
    help: str = ""


Fix = Rewrite | Refusal | LeftAlone | Ignored


class Note(Struct, frozen=True, kw_only=True):
    """Something that a person must do: ``task`` in words, ``subjects`` what to do it to, ``paste`` a text to copy.

    ``code`` says of which kind it is, ``help`` how it is done. Notes alike but for their subjects are told as one.
    """

    task: str
    subjects: tuple[str, ...] = ()
    paste: str = ""
    code: str
    help: str = ""

    @property
    def line(self) -> str:
        """The task in one line with all that it is to be done to."""
        return f"{self.task.rstrip('.:')}: {', '.join(self.subjects)}" if self.subjects else self.task


class Finding(Struct, frozen=True):
    """One thing that a rule found at a place, and what is to become of it.

    ``subject`` names what the finding is about: a block by its type and labels, a stack, a file. ``names`` are the
    arguments or variables of the subject that were found. ``message`` says both for people; nothing depends on that.

    Findings that name the same ``group`` (a root module) stand or fall together: if one of them is refused, none of
    the group is rewritten. ``notes`` count unless the finding or its group is refused. ``needs`` names groups and
    places without which it is not rewritten, and which do not depend on it.
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
        """The code of the reason for which nothing becomes of it; ``""`` for a rewrite."""
        return "" if isinstance(self.fix, Rewrite) else self.fix.code

    @property
    def help(self) -> str:
        """What a person can do where nothing becomes of it; ``""`` for a rewrite."""
        return "" if isinstance(self.fix, Rewrite) else self.fix.help

    @property
    def fate(self) -> str:
        """What becomes of it, or why nothing does."""
        return self.fix.outcome if isinstance(self.fix, Rewrite) else self.fix.reason


class FileProblem(Struct, frozen=True):
    """A file that could not be read or understood, and was therefore left as it is. Exit code 3.

    ``code`` says of which kind the problem is, ``help`` what to do.
    """

    place: Place
    reason: str
    code: str
    help: str = ""


class Change(Struct, frozen=True):
    """A file before (None: it does not exist yet) and after."""

    path: str
    before: bytes | None
    after: bytes

    def __repr__(self) -> str:
        return f"Change({self.path!r})"  # files may hold secrets
