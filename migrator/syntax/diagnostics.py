"""Messages about edits that a syntax cannot make."""

from __future__ import annotations

from migrator.model.diagnostics import Diagnostic

UNEDITABLE = Diagnostic(
    "not-editable",
    found="The text here cannot be edited in place: {reason}.",
    why="Nothing was changed here.",
    help="Migrate this place by hand, or write each item on a line of its own and run again.",
)
UNCLEAR_CALL = Diagnostic(
    "python-call-unclear",
    found="The call in this Python program cannot be followed: {reason}.",
    why="Where the change belongs is not known, so nothing was changed.",
    help="Write the call with plain names that have one meaning, or migrate the call by hand.",
)
UNCLEAR_NAME = Diagnostic(
    "python-name-unclear",
    found="The change needs a name that this Python program cannot use: {reason}.",
    why="Nothing was changed here.",
    help="Import the name at the top of the file, and run again.",
)
