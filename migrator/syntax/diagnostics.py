"""Messages about edits that a syntax cannot make."""

from __future__ import annotations

from migrator.model.diagnostics import Diagnostic

UNEDITABLE = Diagnostic(
    "not-editable",
    found="The text here cannot be edited in place: {reason}.",
    why="Nothing was changed here.",
    help="Migrate this place by hand, or write each item on a line of its own and run again.",
)
