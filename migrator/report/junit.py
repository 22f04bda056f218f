"""All results as JUnit XML for CI systems: a suite for each repository, a case for each finding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, TextIO
from xml.sax.saxutils import escape, quoteattr

from migrator.model.findings import Finding, Ignored, LeftAlone, Refusal
from migrator.model.verification import Verdict
from migrator.regex import regex

if TYPE_CHECKING:
    from migrator.model.results import RepoResult
    from migrator.report.collected import Collected, Run

_ILLEGAL = regex("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""The characters that XML 1.0 does not allow: https://www.w3.org/TR/xml/#charsets."""

_VERDICTS = {
    Verdict.PROVEN: "system-out",
    Verdict.NOT_NEEDED: "system-out",
    Verdict.FAILED: "failure",
    Verdict.NOT_PROVEN: "skipped",
}
_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


class _Case(NamedTuple):
    name: str
    group: str
    verdict: str  # the element for the outcome
    kind: str
    text: str


def write(collected: Collected, out: TextIO) -> None:
    """Write the report, in the dialect of Jenkins' junit-10.xsd: a refusal fails, an error or unreadable file errs."""
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="tf-oidc-migrate">\n')
    for _, result, _ in collected:
        cases = list(_cases(result))
        counts = {name: sum(case.verdict == verdict for case in cases) for name, verdict in _COUNTED.items()}
        out.write(f"<testsuite{_attributes(name=result.title, tests=len(cases), **counts)}>\n")
        out.write(_properties(collected.run, result))
        out.writelines(map(_element, cases))
        out.write("</testsuite>\n")
    out.write("</testsuites>\n")


def _properties(run: Run, result: RepoResult) -> str:
    revision = result.revision
    properties = {"remote": revision.remote, "branch": revision.branch, "commit": revision.commit}
    properties |= {"date": run.date, "version": run.version, "command": run.command}
    properties["not understood"] = str(len(result.not_understood) or "")
    rows = (f"    <property{_attributes(name=name, value=value)}/>\n" for name, value in properties.items() if value)
    return f"  <properties>\n{''.join(rows)}  </properties>\n"


def _element(case: _Case) -> str:
    attributes = _attributes(message=case.text, type=case.kind) if case.kind else ""
    inner = f"<{case.verdict}{attributes}>{escape(_legal(case.text))}</{case.verdict}>"
    return f"  <testcase{_attributes(name=case.name, classname=case.group)}>{inner}</testcase>\n"


def _attributes(**values: object) -> str:
    return "".join(f" {name}={quoteattr(_legal(str(value)))}" for name, value in values.items())


def _cases(result: RepoResult) -> Iterator[_Case]:
    for finding in result.findings:
        yield _case(finding)
    for problem in result.problems:
        yield _Case(
            str(problem.place), "files", "error", problem.code or "unreadable", _advised(problem.reason, problem.help)
        )
    for row in result.verified:
        for proof in row.proofs:
            text = f"{proof.reason} help: {proof.help}" if proof.help else proof.reason
            yield _Case(f"{row.title}: {proof.cell}", "verify", _VERDICTS[proof.verdict], proof.code, text)
    if result.error:
        yield _Case("repository", "repository", "error", "failed", result.error)
    elif not result.verified and not result.findings and not result.problems:
        yield _Case("repository", "repository", "system-out", "", "nothing to migrate")


def _case(finding: Finding) -> _Case:
    name = f"{finding.place}: {finding.message}"
    match finding.fix:
        case Refusal(reason, code=code, help=advice):
            return _Case(name, finding.rule, "failure", code or "refused", _advised(reason, advice))
        case Ignored(reason):
            return _Case(name, finding.rule, "skipped", "ignored", reason)
        case LeftAlone(reason, help=advice):
            return _Case(name, finding.rule, "system-out", "", f"left alone: {_advised(reason, advice)}")
        case _:
            return _Case(name, finding.rule, "system-out", "", finding.fate)


def _advised(reason: str, advice: str) -> str:
    return f"{reason} help: {advice}" if advice else reason


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
