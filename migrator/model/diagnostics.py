"""The messages about places: a stable code, the observation, the reason, and the advice.

A `Diagnostic` is one kind of message: a constant in the module that uses the kind (in a rule's file, or in the
``diagnostics.py`` of a folder). Programs, the settings file and ``--ignore`` use the code; the sentences are for people
alone.
"""

from __future__ import annotations

from msgspec import Struct

from migrator.model.findings import FileProblem, Ignored, LeftAlone, Note, Place, Refusal


class Diagnostic(Struct, frozen=True):
    """One kind of message.

    ``code`` is the stable name in kebab-case. ``found`` is the observation, ``why`` the reason for no change (or the
    change), and ``help`` the advice. All are whole sentences with ``{names}`` for the values of a place. ``page`` is
    Markdown with details for ``--explain CODE`` and ``docs/codes.md``.
    """

    code: str
    found: str
    why: str = ""
    help: str = ""
    page: str = ""

    def refusal(self, **values: object) -> Refusal:
        """A refusal of this kind, with ``values`` in the sentences."""
        return Refusal(self._reason(values), code=self.code, help=self._fill(self.help, values))

    def left_alone(self, **values: object) -> LeftAlone:
        """The outcome for a place of this kind that needs no change."""
        return LeftAlone(self._reason(values), code=self.code, help=self._fill(self.help, values))

    def ignored(self, **values: object) -> Ignored:
        """The outcome for a place of this kind that the user excludes."""
        return Ignored(self._reason(values), code=self.code, help=self._fill(self.help, values))

    def note(self, *subjects: str, paste: str = "", **values: object) -> Note:
        """Something of this kind that a person must do, to each of ``subjects``; ``paste`` is a text to copy.

        ``found`` is the task; ``why`` comes before the help.
        """
        advice = " ".join(self._fill(part, values) for part in (self.why, self.help) if part)
        return Note(task=self._fill(self.found, values), subjects=subjects, paste=paste, code=self.code, help=advice)

    def problem(self, place: Place, **values: object) -> FileProblem:
        """A file that could not be read or understood, at ``place``."""
        return FileProblem(place, self._reason(values), code=self.code, help=self._fill(self.help, values))

    def _reason(self, values: dict[str, object]) -> str:
        return " ".join(self._fill(part, values) for part in (self.found, self.why) if part)

    @staticmethod
    def _fill(text: str, values: dict[str, object]) -> str:
        return text.format(**values) if text else ""
