"""What a person is told about a place: a stable code, what was found, why, and what to do.

A `Diagnostic` is one kind of message. It is a constant beside the code that uses it (in a rule's file, or in the
``diagnostics.py`` of a folder), so that the sentences of a kind are made in one place. Its code is what programs, the
settings file and ``--ignore`` go by; its sentences are for people alone.
"""

from __future__ import annotations

from msgspec import Struct

from migrator.model.findings import FileProblem, Ignored, LeftAlone, Note, Place, Refusal


class Diagnostic(Struct, frozen=True):
    """One kind of message.

    ``code`` is its stable name in kebab-case. ``found`` says what stands in the code, ``why`` why nothing was changed
    (or what was), ``help`` what to do: whole sentences, in which ``{names}`` stand for what a place fills in. ``page``
    is Markdown with more than the sentences can say, for ``--explain CODE`` and ``docs/codes.md``.
    """

    code: str
    found: str
    why: str = ""
    help: str = ""
    page: str = ""

    def refusal(self, **values: object) -> Refusal:
        """A refusal of this kind, its sentences filled in with ``values``."""
        return Refusal(self._reason(values), code=self.code, help=self._fill(self.help, values))

    def left_alone(self, **values: object) -> LeftAlone:
        """A place of this kind that is rightly left as it is."""
        return LeftAlone(self._reason(values), code=self.code, help=self._fill(self.help, values))

    def ignored(self, **values: object) -> Ignored:
        """A place of this kind that the user wants left as it is."""
        return Ignored(self._reason(values), code=self.code, help=self._fill(self.help, values))

    def note(self, *subjects: str, paste: str = "", **values: object) -> Note:
        """Something of this kind that a person must do, to each of ``subjects``; ``paste`` is a text to copy.

        What was ``found`` is the task; ``why`` it must be done comes before the help.
        """
        more = " ".join(self._fill(part, values) for part in (self.why, self.help) if part)
        return Note(task=self._fill(self.found, values), subjects=subjects, paste=paste, code=self.code, help=more)

    def problem(self, place: Place, **values: object) -> FileProblem:
        """A file that could not be read or understood, at ``place``."""
        return FileProblem(place, self._reason(values), code=self.code, help=self._fill(self.help, values))

    def _reason(self, values: dict[str, object]) -> str:
        return " ".join(self._fill(part, values) for part in (self.found, self.why) if part)

    @staticmethod
    def _fill(text: str, values: dict[str, object]) -> str:
        return text.format(**values) if text else ""
