"""The decision on the changes of rules: each is made as a whole or not at all, with all dependent changes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from migrator.errors import EditConflict, SyntaxProblem
from migrator.migrate.diagnostics import (
    DEPENDS_ON_REFUSED,
    EDITS_COLLIDE,
    REFUSED_IN_OTHER_MODULE,
    UNPARSED_BLOCK,
    UNSOUND_OUTCOME,
)
from migrator.model.findings import Change, Finding, Place, Refusal, Rewrite
from migrator.span import Edit, Span, settle
from migrator.syntax.languages import language_of
from migrator.terraform.outside_calls import frozen_by
from migrator.terraform.usage.diagnostics import CALLER_CANNOT_FOLLOW
from migrator.terraform.usage.interfaces import declared as declared_names
from migrator.terraform.usage.interfaces import declared_in

if TYPE_CHECKING:
    from migrator.syntax.terraform import Attribute, Block
    from migrator.workspace.document import Document
    from migrator.workspace.workspace import Workspace


def within_scope(workspace: Workspace, finding: Finding) -> Finding:
    """The ``finding``, refused if the finding changes a file out of scope."""
    if isinstance(finding.fix, Rewrite):
        objections = (workspace.objection_to(edit) for edit in finding.fix.edits)
        objection = next((refusal for refusal in objections if refusal), None)
        if objection is not None:
            return replace(finding, fix=objection)
    return finding


class Settlement(Struct):
    """The decision on findings: declines changes until all remaining changes can be made as a whole."""

    workspace: Workspace
    findings: list[Finding]
    changes: list[Change] = field(default_factory=list)
    verdicts: dict[tuple[str, int], Refusal | None] = field(default_factory=dict)

    def run(self) -> None:
        """Decline findings until all that are left can be made together."""
        self._decline_what_the_parser_rejects()
        while True:
            self._decline_groups()
            declined = self._make_changes()
            if not declined:
                return
            for index, reason in declined.items():
                self._decline(index, reason)

    def _decline(self, index: int, reason: Refusal) -> None:
        self.findings[index] = replace(self.findings[index], fix=reason)

    def _rewrites(self) -> Iterator[tuple[int, Rewrite]]:
        return ((index, finding.fix) for index, finding in enumerate(self.findings) if isinstance(finding.fix, Rewrite))

    def _decline_groups(self) -> None:
        """Refuse each group with a refused part as a whole, and so the group's changes in other modules."""
        while True:
            refused = [finding for finding in reversed(self.findings) if isinstance(finding.fix, Refusal)]
            groups = {finding.group: finding for finding in refused if finding.group}
            places = {(finding.rule, finding.place) for finding in refused}
            needed = {name: finding for finding in refused for name in (finding.group, finding.place.key) if name}
            declined = 0
            for index, _ in list(self._rewrites()):
                finding = self.findings[index]
                if finding.group in groups:
                    self._decline(index, DEPENDS_ON_REFUSED.refusal(place=groups[finding.group].place))
                    declined += 1
                elif (finding.rule, finding.place) in places:
                    self._decline(index, REFUSED_IN_OTHER_MODULE.refusal())
                    declined += 1
                elif missing := sorted(finding.needs & needed.keys()):
                    self._decline(index, DEPENDS_ON_REFUSED.refusal(place=needed[missing[0]].place))
                    declined += 1
            if not declined:
                return

    def _decline_what_the_parser_rejects(self) -> None:
        for index, rewrite in list(self._rewrites()):
            reasons = (self._verdict(edit) for edit in rewrite.edits)
            if reason := next((reason for reason in reasons if reason), None):
                self._decline(index, reason)

    def _verdict(self, edit: Edit) -> Refusal | None:
        document = self.workspace.documents.get(edit.path)
        if document is None:
            return None
        index = bisect_right(document.blocks, edit.span.start, key=lambda block: block.span.end)
        if index == len(document.blocks) or edit.span.end <= document.blocks[index].span.start:
            return None
        block = document.blocks[index]
        key = (edit.path, block.span.start)
        if key not in self.verdicts:
            self.verdicts[key] = _parser_objection(document, block.span)
        return self.verdicts[key]

    def _make_changes(self) -> dict[int, Refusal]:
        """Make all accepted edits in memory; the indices of findings that turn out to be impossible, with reasons."""
        edits_of: dict[str, list[Edit]] = {}
        for _, rewrite in self._rewrites():
            for edit in rewrite.edits:
                edits_of.setdefault(edit.path, []).append(edit)
        for path in edits_of:
            if _collides(edits_of[path]):
                return self._culprit(path)
        self.changes = []
        for path, edits in sorted(edits_of.items()):
            document = self.workspace.documents.get(path)
            text, items = (document.text, document.items) if document else ("", ())
            after, objection = _outcome(path, text, items, edits)
            reason = UNSOUND_OUTCOME.refusal(path=path, reason=objection) if objection else None
            frozen = frozen_by(self.workspace, document, path)
            if frozen is not None and {*declared_in(path, after)} != {*declared_names(items)}:
                reason = reason or CALLER_CANNOT_FOLLOW.refusal(reason=frozen)
            if reason:
                return {
                    index: reason
                    for index, rewrite in self._rewrites()
                    if any(edit.path == path for edit in rewrite.edits)
                }
            before = document.source.data if document else None
            data = document.source.encode(after) if document else after.encode()
            if data != before:
                self.changes.append(Change(path, before, data))
        return {}

    def _culprit(self, path: str) -> dict[int, Refusal]:
        """The first rewrite that cannot be made together with the rewrites before."""
        edits_made: list[Edit] = []
        for index, rewrite in self._rewrites():
            edits_made += (edit for edit in rewrite.edits if edit.path == path)
            if _collides(edits_made):
                return {index: EDITS_COLLIDE.refusal(path=path)}
        return {}


def _collides(edits: Iterable[Edit]) -> bool:
    try:
        settle(edits)
    except EditConflict:
        return True
    return False


def _outcome(path: str, text: str, items: Sequence[Attribute | Block], edits: Sequence[Edit]) -> tuple[str, str | None]:
    """A file's new text, and the error in the text if there is one."""
    language = language_of(path)
    try:
        after = language.finish(text, items, edits)
        language.verify({element.span.of(text) for element in items}, after)
    except SyntaxProblem as problem:
        return text, problem.reason
    return after, None


def _parser_objection(document: Document, block: Span) -> Refusal | None:
    try:
        document.syntax.check(document.text, block)
    except SyntaxProblem as problem:
        place = Place(document.path, document.source.line(problem.offset))
        return UNPARSED_BLOCK.refusal(reason=f"{problem.reason} ({place})")
    return None
