"""Runs the rules, settles what they want, makes the edits in memory and reads the outcome again: a `Plan`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from migrator.analysis.backends import S3Backend
from migrator.analysis.facts import Facts, gather
from migrator.analysis.providers import Provider
from migrator.config import Config
from migrator.errors import EditConflict, SyntaxProblem
from migrator.model import Change, Finding, Note, Place, Plan, Refusal, Rewrite
from migrator.rules.registry import Context, all_rules
from migrator.secret import STATIC_KEYS
from migrator.span import Edit, Span, settle
from migrator.syntax.languages import syntax_of
from migrator.workspace import Document, Workspace

_SHORTEST_SECRET = 8


def make_plan(workspace: Workspace, config: Config) -> Plan:
    """What ``config`` asks for on ``workspace``; nothing is written."""
    facts = gather(workspace)
    context = Context(workspace, facts, config)
    found = (finding for rule in all_rules() for finding in rule.check(context))
    settled = _Settlement(workspace, [_within_scope(workspace, finding) for finding in found])
    settled.run()
    return Plan(
        findings=tuple(sorted(settled.findings, key=lambda finding: finding.place)),
        changes=tuple(settled.changes),
        problems=tuple(workspace.problems),
        notes=_notes(settled.findings),
        secrets=frozenset(_secrets(facts)),
    )


def _notes(findings: Sequence[Finding]) -> tuple[Note, ...]:
    """The notes of what is not refused, those alike but for their subjects as one."""
    refused = {finding.group for finding in findings if isinstance(finding.fix, Refusal)} - {None}
    subjects: dict[tuple[str, str], dict[str, None]] = {}
    for finding in findings:
        if finding.group not in refused and not isinstance(finding.fix, Refusal):
            for note in finding.notes:
                subjects.setdefault((note.task, note.paste), {}).update(dict.fromkeys(note.subjects))
    return tuple(Note(task, tuple(listed), paste) for (task, paste), listed in subjects.items())


def _within_scope(workspace: Workspace, finding: Finding) -> Finding:
    if isinstance(finding.fix, Rewrite):
        objections = (workspace.objection(edit.path) for edit in finding.fix.edits)
        objection = next((one for one in objections if one), None)
        if objection is not None:
            return replace(finding, fix=Refusal(objection))
    return finding


@dataclass
class _Settlement:
    """Declines what cannot be done until the rest can be done whole."""

    workspace: Workspace
    findings: list[Finding]
    changes: list[Change] = field(default_factory=list)

    def run(self) -> None:
        self._decline_what_the_parser_rejects()
        while True:
            self._decline_groups()
            declined = self._make_changes()
            if not declined:
                return
            for index, reason in declined.items():
                self._decline(index, reason)

    def _decline(self, index: int, reason: str) -> None:
        self.findings[index] = replace(self.findings[index], fix=Refusal(reason))

    def _rewrites(self) -> Iterator[tuple[int, Rewrite]]:
        return ((index, one.fix) for index, one in enumerate(self.findings) if isinstance(one.fix, Rewrite))

    def _decline_groups(self) -> None:
        """A group of which one part is refused is refused whole."""
        refused = {one.group: one for one in reversed(self.findings) if one.group and isinstance(one.fix, Refusal)}
        for index, _ in list(self._rewrites()):
            group = self.findings[index].group
            if group and (cause := refused.get(group)):
                self._decline(index, f"not without {cause.place}, which is refused")

    def _decline_what_the_parser_rejects(self) -> None:
        verdicts: dict[tuple[str, int], str | None] = {}
        for index, rewrite in list(self._rewrites()):
            reasons = (self._verdict(edit, verdicts) for edit in rewrite.edits)
            if reason := next((reason for reason in reasons if reason), None):
                self._decline(index, reason)

    def _verdict(self, edit: Edit, verdicts: dict[tuple[str, int], str | None]) -> str | None:
        document = self.workspace.documents.get(edit.path)
        if document is None:
            return None
        for block in document.blocks:
            if block.span.start < edit.span.end and edit.span.start < block.span.end:
                key = (edit.path, block.span.start)
                if key not in verdicts:
                    verdicts[key] = _parser_objection(document, block.span)
                return verdicts[key]
        return None

    def _make_changes(self) -> dict[int, str]:
        """Make all accepted edits in memory; the indices of findings that turn out to be impossible, with reasons."""
        wanted: dict[str, list[Edit]] = {}
        for index, rewrite in self._rewrites():
            for edit in rewrite.edits:
                wanted.setdefault(edit.path, []).append(edit)
                if _collides(wanted[edit.path]):
                    return {index: f"its change of {edit.path} collides with another"}
        self.changes = []
        for path, edits in sorted(wanted.items()):
            document = self.workspace.documents.get(path)
            text, items = (document.text, document.items) if document else ("", ())
            after = syntax_of(path).finish(text, items, edits)
            if objection := _objection(path, {item.span.of(text) for item in items}, after):
                return {
                    index: f"the outcome in {path} would not be sound: {objection}"
                    for index, rewrite in self._rewrites()
                    if any(edit.path == path for edit in rewrite.edits)
                }
            before = document.source.data if document else None
            data = document.source.encode(after) if document else after.encode()
            if data != before:
                self.changes.append(Change(path, before, data))
        return {}


def _collides(edits: Iterable[Edit]) -> bool:
    try:
        settle(edits)
    except EditConflict:
        return True
    return False


def _objection(path: str, known: set[str], after: str) -> str | None:
    """What is wrong with a file's new text."""
    try:
        syntax_of(path).verify(known, after)
    except SyntaxProblem as problem:
        return problem.reason
    return None


def _parser_objection(document: Document, block: Span) -> str | None:
    try:
        document.syntax.check(document.text, block)
    except SyntaxProblem as problem:
        return f"{problem.reason} at {Place(document.path, document.source.line(problem.offset))}"
    return None


def _secrets(facts: Facts) -> Iterator[str]:
    """The literal keys that the repository's providers and backends hold."""
    holders: list[Provider | S3Backend] = [*facts.providers, *facts.stray_backends]
    holders += (backend for root in facts.roots for backend in root.backends)
    for holder in holders:
        for attribute in holder.credentials:
            value = holder.document.literal(attribute)
            if attribute.name in STATIC_KEYS and value and len(value) >= _SHORTEST_SECRET:
                yield value
