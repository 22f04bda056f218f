"""The exceptions of the package, and the exit codes; no message ever holds a value read from a file."""

from __future__ import annotations

from enum import IntEnum


class MigrateError(Exception):
    """An error that ends the work on one repository; the message is a sentence for the user."""


def missing_extra(message: str, extra: str) -> MigrateError:
    """The error of a command that needs the packages of an ``extra``; ``message`` is the sentence that says so."""
    advice = f"Install the extra `{extra}`, for example `pipx install '.[{extra}]'` in a checkout of the tool."
    return MigrateError(f"{message} help: {advice}")


class EmptyRepository(MigrateError):
    """A repository without a commit: nothing can be migrated, and nothing is wrong."""


class UsageError(MigrateError):
    """An option or argument with a value that is not allowed; exit code 2."""


class SyntaxProblem(Exception):
    """A text that cannot be understood.

    ``offset`` is the number of characters from the start of the text, ``reason`` a sentence without any value of the
    text.
    """

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset
        self.reason = reason


class EditConflict(Exception):
    """Two edits that claim the same characters."""


class OutputError(MigrateError):
    """Standard output that cannot be written, so that the user did not get the output."""


class ExitCode(IntEnum):
    """The exit code of a run, for scripts.

    A failure has precedence over all other codes. ``--check`` reports a possible change (1) before a refusal (4): a
    script that accepts refusals must not overlook a change.
    """

    DONE = 0
    WOULD_CHANGE = 1
    USAGE = 2
    FAILED = 3
    REFUSED = 4
    INTERRUPTED = 130
