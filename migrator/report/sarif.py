"""All results as SARIF 2.1.0, the format of code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import quote

from migrator.model.findings import Finding, Fix, Ignored, LeftAlone, Place, Refusal, Rewrite
from migrator.regex import regex
from migrator.report.totals import State
from migrator.secret.mask import mask, mask_shapes
from migrator.workspace.diagnostics import BACKEND_IGNORED_BY_COMMENT, IGNORED_BY_COMMENT

if TYPE_CHECKING:
    from migrator.report.collected import Collected

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
SOLE_BASE = "%SRCROOT%"

_LEVELS: dict[type[Fix], str] = {Refusal: "error", Rewrite: "warning", LeftAlone: "note", Ignored: "note"}
_IN_SOURCE = (IGNORED_BY_COMMENT.code, BACKEND_IGNORED_BY_COMMENT.code)
_Item = dict[str, Any]
_NO_BYTE = regex("[\ud800-\udc7f\udd00-\udfff]")
"""Surrogates that encode no byte of a file's name."""


def write(collected: Collected, out: TextIO) -> None:
    """Write the report: one run, whose paths are relative to a base for each repository."""
    is_sole = collected.totals.repositories < 2
    run = collected.run
    head = {"driver": {"name": "tf-oidc-migrate", "semanticVersion": run.version, "rules": list(_rules())}}
    out.write(f'{{\n"$schema": "{SCHEMA}",\n"version": "2.1.0",\n"runs": [{{\n"tool": {json.dumps(head)},\n')
    out.write('"columnKind": "unicodeCodePoints",\n"versionControlProvenance": [')
    _write_items(out, map(json.dumps, _provenance(collected, is_sole)))
    out.write('],\n"originalUriBaseIds": {')
    _write_items(out, (f"{json.dumps(name)}: {json.dumps(base)}" for name, base in _bases(collected, is_sole)))
    out.write('},\n"results": [')
    _write_items(out, map(json.dumps, _results(collected, is_sole)))
    is_successful = not collected.totals.states[State.FAILED] and not collected.totals.problems
    ended = run.date.replace(" UTC", ":00Z").replace(" ", "T")
    seen = {"not understood": sum(len(result.not_understood) for _, result, _ in collected)}
    invocation = {"executionSuccessful": is_successful, "commandLine": run.command, "endTimeUtc": ended}
    out.write(f'],\n"invocations": [{json.dumps(invocation | {"properties": seen})[:-1]},')
    out.write('\n"toolExecutionNotifications": [')
    _write_items(out, map(json.dumps, _notifications(collected, is_sole)))
    out.write("]}]\n}]\n}\n")


def _write_items(out: TextIO, items: Iterable[str]) -> None:
    for number, entry in enumerate(items):
        out.write((",\n" if number else "\n") + entry)


def _rules() -> Iterator[_Item]:
    from migrator.rules.registry import all_rules

    for rule in all_rules():
        module = inspect.getmodule(rule.check)
        text = {"text": mask((inspect.getdoc(module) if module else None) or rule.summary)}
        yield {
            "id": rule.id,
            "shortDescription": {"text": rule.summary},
            "fullDescription": text,
            "help": text,
            "defaultConfiguration": {"level": "warning"},
        }


def _base(number: int, is_sole: bool) -> str:
    return SOLE_BASE if is_sole else f"repository-{number}"


def _provenance(collected: Collected, is_sole: bool) -> Iterator[_Item]:
    for number, result, _ in collected:
        revision = result.revision
        fields = {"revisionId": revision.commit, "branch": revision.branch}
        if revision.remote:
            at = {"mappedTo": {"uriBaseId": _base(number, is_sole)}}
            yield {"repositoryUri": revision.remote, **{name: text for name, text in fields.items() if text}, **at}


def _bases(collected: Collected, is_sole: bool) -> Iterator[tuple[str, _Item]]:
    for number, result, _ in collected:
        yield _base(number, is_sole), {"description": _message(f"the repository {result.title}")}


def _results(collected: Collected, is_sole: bool) -> Iterator[_Item]:
    for number, result, places in collected:
        seen: Counter[tuple[str, str, str]] = Counter()
        for place, finding in zip(places, result.findings, strict=False):
            key = (finding.rule, finding.place.path, " ".join((finding.subject, *finding.names)))
            seen[key] += 1
            yield {
                "ruleId": finding.rule,
                "level": _LEVELS[type(finding.fix)],
                "message": _message(_message_of(finding)),
                "locations": [_location(place, _base(number, is_sole))],
                "partialFingerprints": {"primaryLocationLineHash": _fingerprint(key, seen[key])},
                **_properties(finding.code, finding.help),
                **_suppressions(finding),
            }


def _message_of(finding: Finding) -> str:
    return f"{finding.message}: {finding.fate}" + (f" help: {finding.help}" if finding.help else "")


def _notifications(collected: Collected, is_sole: bool) -> Iterator[_Item]:
    for number, result, places in collected:
        for place, problem in zip(places[len(result.findings) :], result.problems, strict=True):
            location = _location(place, _base(number, is_sole))
            properties = _properties(problem.code, problem.help)
            yield {"level": "error", "message": _message(problem.reason), "locations": [location], **properties}
        if result.error:
            yield {"level": "error", "message": _message(f"{result.title}: {result.error}")}


def _message(text: str) -> _Item:
    """The ``text`` with escapes: SARIF uses brackets for links and braces for placeholders, 3.11.5 and 3.11.6."""
    escaped = text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return {"text": escaped.replace("{", "{{").replace("}", "}}")}


def _location(place: Place, base: str) -> _Item:
    path = quote(_NO_BYTE.sub("\ufffd", mask_shapes(place.path)).encode("utf-8", "surrogateescape"), safe="/")
    region = {"region": {"startLine": place.line}} if place.line else {}
    return {"physicalLocation": {"artifactLocation": {"uri": path, "uriBaseId": base}, **region}}


def _fingerprint(key: tuple[str, str, str], ordinal: int) -> str:
    """The fingerprint of a finding, independent of the line; ``key`` is masked, so that no secret can be guessed."""
    return f"{hashlib.sha256(chr(0).join(key).encode()).hexdigest()[:32]}:{ordinal}"


def _properties(code: str, help_: str) -> _Item:
    """The code and the advice, in the property bag of 3.8 for data outside of the format."""
    return {"properties": {"code": code, "help": help_}} if code else {}


def _suppressions(finding: Finding) -> _Item:
    if not isinstance(finding.fix, Ignored):
        return {}
    kind = "inSource" if finding.code in _IN_SOURCE else "external"
    return {"suppressions": [{"kind": kind, "justification": finding.fate}]}
