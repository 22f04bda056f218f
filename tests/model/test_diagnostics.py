"""Every message has a code and plain sentences, and nothing that the program does depends on the sentences."""

from __future__ import annotations

import ast
import importlib
import inspect
import io
import json
import pkgutil
import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import migrator
from migrator.config.config import Config
from migrator.migrate.pipeline import migrate_repo
from migrator.model.diagnostics import Diagnostic
from migrator.model.results import Mode, RepoResult
from migrator.report import sarif
from migrator.report.collected import Collected
from migrator.report.rollout import rollout
from migrator.report.steps import steps
from migrator.secret.mask import mask, mask_shapes
from tests.conftest import FIXTURES
from tests.rules.test_fixtures import CASES, case_id, options

LONGEST = 25
MESSAGES = ("Refusal", "LeftAlone", "Ignored", "Note", "FileProblem")
MADE_OF_OTHERS = {
    "migrator.model.diagnostics": "they are made here",
    "migrator.report.serial": "they are read again",
    "migrator.migrate.accepted": "a refusal that the user accepts is turned into a place that is ignored",
    "migrator.rules.hook_findings": "a refusal is turned into a place that is left alone",
    "migrator.terraform.usage.orphans": "a refusal is turned into a place that is left alone",
}
"""Where a message may be made without a diagnostic."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_BAD_START = re.compile(r"(?i)(?:it|its|one|them|they|there)\b")
_HOUSE_WORDS = re.compile(r"(?i)\b(?:ambient|foreign|wants?|is told|is fed|lives? on|knows? no|beside)\b(?!`)")
_COMMAND = re.compile(r"`[^`]+`")


@cache
def modules() -> tuple[ModuleType, ...]:
    found = (module.name for module in pkgutil.walk_packages(migrator.__path__, "migrator."))
    return tuple(importlib.import_module(name) for name in sorted(found) if not name.endswith("__main__"))


@cache
def known() -> dict[str, Diagnostic]:
    """Every constant, by the module that makes it and its name."""
    return {
        f"{module.__name__}.{name}": value
        for module in modules()
        for name, value in vars(module).items()
        if isinstance(value, Diagnostic) and re.search(rf"(?m)^{name} = Diagnostic\(", inspect.getsource(module))
    }


EVERY = sorted(known())


def sentences(text: str) -> list[str]:
    return [sentence for sentence in _SENTENCE.split(text.strip()) if sentence]


def calls(module: ModuleType) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Call))


def named(module: ModuleType, node: ast.AST) -> Diagnostic | None:
    """The message that an expression in ``module`` names, if it is one."""
    value = None
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        value = getattr(module, node.id, None)
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        value = getattr(getattr(module, node.value.id, None), node.attr, None)
    return value if isinstance(value, Diagnostic) else None


def test_there_are_as_many_codes_as_messages() -> None:
    codes = [diagnostic.code for diagnostic in known().values()]
    assert len(codes) > 200
    assert sorted({code for code in codes if codes.count(code) > 1}) == []


@pytest.mark.parametrize("name", EVERY)
def test_a_message_is_in_plain_words(name: str) -> None:
    diagnostic = known()[name]
    assert re.fullmatch(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", diagnostic.code)
    assert mask(diagnostic.code) == mask_shapes(diagnostic.code) == diagnostic.code
    for text in (diagnostic.found, diagnostic.why, diagnostic.help):
        assert not _HOUSE_WORDS.search(_COMMAND.sub("", text)), text
        for sentence in sentences(re.sub(r"(?<=\.)\{\w+\}$", "", text)):
            assert sentence.endswith(".") or _COMMAND.fullmatch(sentence) or re.fullmatch(r"\{\w+\}", sentence)
            assert sentence[0].isupper() or sentence[0] in "`{", sentence
            assert not _BAD_START.match(sentence), sentence
            assert len(sentence.split()) <= LONGEST, sentence
    assert diagnostic.found
    assert diagnostic.page == diagnostic.page.strip()
    assert len(sentences(_COMMAND.sub("x", diagnostic.page))) in (0, *range(2, 9))


def test_a_refusal_says_what_to_do_and_every_message_is_used() -> None:
    used: set[str] = set()
    for module in modules():
        for call in calls(module):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "refusal":
                for node in ast.walk(call.func.value):
                    refused = named(module, node)
                    assert refused is None or refused.help, (module.__name__, refused)
        used |= {
            found.code for node in ast.walk(ast.parse(inspect.getsource(module))) if (found := named(module, node))
        }
    assert sorted({diagnostic.code for diagnostic in known().values()} - used) == []


def test_no_message_is_made_without_a_diagnostic() -> None:
    made = {
        (module.__name__, call.lineno)
        for module in modules()
        for call in calls(module)
        if isinstance(call.func, ast.Name) and call.func.id in MESSAGES and module.__name__ not in MADE_OF_OTHERS
    }
    assert sorted(made) == []


# --- no message is data -----------------------------------------------------------------------------------------------


def _without_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every message made from now on holds nothing but its code, and the values that were filled in."""

    def values_of(values: dict[str, object]) -> str:
        return " ".join(str(value) for _, value in sorted(values.items()))

    def reason(self: Diagnostic, values: dict[str, object]) -> str:
        return f"{self.code} {values_of(values)}".strip()

    monkeypatch.setattr(Diagnostic, "_reason", reason)
    monkeypatch.setattr(Diagnostic, "_fill", staticmethod(lambda _text, values: values_of(values)))


def behaviour(result: RepoResult) -> dict[str, Any]:
    """All that a result comes to but for its sentences."""
    report = io.StringIO()
    collected = Collected([result])
    sarif.write(collected, report)
    run = json.loads(report.getvalue())["runs"][0]
    totals = collected.totals
    order = [line for line in rollout(collected).splitlines() if re.match("#|- .*`: ", line)]
    return {
        "findings": [
            (
                finding.rule,
                finding.place,
                finding.subject,
                finding.names,
                type(finding.fix),
                finding.code,
                finding.group,
                finding.needs,
            )
            for finding in result.findings
        ],
        "changes": (result.changed, result.fingerprint),
        "problems": [(problem.place, problem.code) for problem in result.problems],
        "notes": [(note.code, note.subjects, note.paste) for note in result.notes],
        "stacks": [(row.title, row.place, row.repo, row.code, bool(row.hook)) for row in result.stacks],
        "signers": result.signers,
        "trusts": result.trusts,
        "steps": sorted(
            (step.code, step.paste, repository.names)
            for step in steps([(1, result)])
            for repository in step.repositories
        ),
        "rollout": [re.split(r"`: ", line)[0] for line in order],
        "totals": (totals.states, totals.outcomes, totals.problems, totals.files, totals.rotations, totals.stacks),
        "sarif": [
            (
                sarif_result["ruleId"],
                sarif_result["level"],
                sarif_result["locations"],
                sarif_result["partialFingerprints"],
                sarif_result.get("properties", {}).get("code"),
                [suppression["kind"] for suppression in sarif_result.get("suppressions", [])],
            )
            for sarif_result in run["results"]
        ],
    }


def _same_without_sentences(folder: Path, config: Config, monkeypatch: pytest.MonkeyPatch) -> RepoResult:
    before = migrate_repo(str(folder), config)
    assert before.error == ""
    with monkeypatch.context() as patch:
        _without_sentences(patch)
        after = migrate_repo(str(folder), config)
        assert behaviour(after) == behaviour(before)
    reasons = [finding.fate for finding in before.findings if finding.code]
    assert not reasons or reasons != [finding.fate for finding in after.findings if finding.code], (
        "the sentences are there still"
    )
    return before


@pytest.mark.parametrize("role", [None, "arn:aws:iam::123456789012:role/spacelift"], ids=["variable", "literal"])
@pytest.mark.parametrize("name", ["webshop", "platform-code", "two-accounts", "cdktf-app"])
def test_a_repository_is_the_same_without_sentences(
    name: str, role: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / name
    shutil.copytree(FIXTURES / "repos" / name, folder, symlinks=True)
    assert _same_without_sentences(
        folder, Config(mode=Mode.CHECK, keep_hashes=True, role_arn=role), monkeypatch
    ).findings


@pytest.mark.case
@pytest.mark.parametrize("case", CASES[::9], ids=case_id)
def test_a_case_is_the_same_without_sentences(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "webshop"
    shutil.copytree(case / "before", folder, symlinks=True)
    _same_without_sentences(folder, Config(mode=Mode.CHECK, keep_hashes=True, **options(case)), monkeypatch)
