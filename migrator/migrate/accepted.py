"""Refusals that a team has accepted: with ``--ignore``, in the settings file, or in a comment with their codes.

A refused place stays unchanged, accepted or not. An accepted refusal counts as `Ignored`, and not for the exit code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from migrator.migrate.diagnostics import DEPENDS_ON_REFUSED, REFUSED_IN_OTHER_MODULE
from migrator.model.catalogue import catalogue
from migrator.model.diagnostics import Diagnostic
from migrator.model.findings import Finding, Ignored, Note, Place, Refusal
from migrator.model.nearest import nearest
from migrator.workspace.discover import Kind
from migrator.workspace.document import Document

if TYPE_CHECKING:
    from migrator.config.config import Config
    from migrator.workspace.workspace import Workspace

UNKNOWN_CODE = Diagnostic(
    "unknown-code-in-comment",
    found="A comment accepts refusals with the code `{code}`, and there is no such code.",
    help="Run `tf-oidc-migrate --explain` to list all codes.{nearest}",
)


def with_accepted(findings: Sequence[Finding], workspace: Workspace, config: Config) -> list[Finding]:
    """The ``findings``, with accepted refusals as `Ignored`.

    A finding that is refused only because of another refused finding is accepted together with the other.
    """
    refused = [finding for finding in findings if isinstance(finding.fix, Refusal)]
    if not refused:
        return list(findings)
    accepted = {finding for finding in refused if _acceptance(finding, workspace, config)}
    if accepted:
        accepted |= set(_followers(refused, accepted))
    return [_ignored(finding, workspace, config) if finding in accepted else finding for finding in findings]


def unknown_codes(workspace: Workspace) -> list[Note]:
    """A note for each code in a comment that is not a code of any message."""
    places: dict[str, list[str]] = {}
    for document in workspace.documents.values():
        for code, lines in document.accepted.items() if document.is_read and b"ignore[" in document.source.data else ():
            if code not in catalogue():
                places.setdefault(code, []).extend(str(Place(document.path, line[0])) for line in lines[:1])
    return [
        UNKNOWN_CODE.note(*subjects, code=code, nearest=nearest(code, catalogue())) for code, subjects in places.items()
    ]


def _acceptance(finding: Finding, workspace: Workspace, config: Config) -> str:
    """The way in which the user accepted the refusal of a finding, for people; ``""`` if the user did not."""
    assert isinstance(finding.fix, Refusal)  # noqa: S101 - for mypy
    code, place = finding.fix.code, finding.place
    if not code:
        return ""
    if config.accepts(code, place.path):
        return f"`--ignore {code}` or the settings file accepts this refusal."
    document = workspace.documents.get(place.path) or Document(workspace.root, place.path, Kind.SCRIPT)
    lines = document.accepted.get(code, ())
    return (
        "A comment accepts this refusal."
        if any(not place.line or place.line in line_range for line_range in lines)
        else ""
    )


def _ignored(finding: Finding, workspace: Workspace, config: Config) -> Finding:
    assert isinstance(finding.fix, Refusal)  # noqa: S101 - for mypy
    acceptance = _acceptance(finding, workspace, config) or "The refusal that causes this one is accepted."
    fix = Ignored(f"{acceptance} {finding.fix.reason}", code=finding.fix.code, help=finding.fix.help)
    return replace(finding, fix=fix)


def _followers(refused: Sequence[Finding], accepted: set[Finding]) -> Iterable[Finding]:
    """The findings that are refused because of others alone, if those are all ``accepted``."""
    by_name: dict[str, list[Finding]] = {}
    for finding in refused:
        for name in {finding.group, finding.place.key} - {None}:
            by_name.setdefault(str(name), []).append(finding)
    for finding in refused:
        if finding not in accepted and _follows(finding):
            causes = _causes(finding, by_name)
            if causes and causes <= accepted:
                yield finding


def _causes(finding: Finding, by_name: dict[str, list[Finding]]) -> set[Finding]:
    """The refusals that others' refusals come from, seen from ``finding``."""
    causes, seen, pending = set[Finding](), {finding}, [finding]
    while pending:
        current = pending.pop()
        for name in {current.group, current.place.key, *current.needs} - {None}:
            for other in by_name.get(str(name), ()):
                if not _follows(other):
                    causes.add(other)
                elif other not in seen:
                    seen.add(other)
                    pending.append(other)
    return causes


def _follows(finding: Finding) -> bool:
    return isinstance(finding.fix, Refusal) and finding.fix.code in FOLLOWING


FOLLOWING = frozenset({DEPENDS_ON_REFUSED.code, REFUSED_IN_OTHER_MODULE.code})
"""The codes of refusals that only follow from another one, as a part of the same root module is refused."""
