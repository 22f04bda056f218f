"""Results as plain data and back: what a report or a journal holds. ``docs/report.schema.json`` describes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from migrator.errors import MigrateError
from migrator.model.account import AccountStack
from migrator.model.engine import Engine, Evidence
from migrator.model.findings import FileProblem, Finding, Fix, Ignored, LeftAlone, Note, Place, Refusal, Rewrite
from migrator.model.fleet import (
    Code,
    KnownCall,
    KnownInput,
    KnownModule,
    KnownReceiver,
    KnownRoot,
    KnownStack,
    RepoIdentity,
    RoleUser,
    Survey,
)
from migrator.model.module_source import ModuleSource
from migrator.model.results import Mode, RepoResult, Revision, SigningRow, StackRow, Stage, TrustRow
from migrator.model.verification import Proof, Verdict, VerifiedStack

VERSION = 2
"""Of the data's shape: raised when a reader of the version before could misunderstand it."""

OUTCOMES: dict[type[Fix], str] = {
    Rewrite: "rewritten",
    Refusal: "refused",
    LeftAlone: "left-alone",
    Ignored: "ignored",
}

_FIXES: dict[str, Callable[[str, str, str], Fix]] = {
    "rewritten": lambda detail, _code, _help: Rewrite((), detail),
    "refused": lambda detail, code, help_: Refusal(detail, code=code, help=help_),
    "left-alone": lambda detail, code, help_: LeftAlone(detail, code=code, help=help_),
    "ignored": lambda detail, code, help_: Ignored(detail, code=code, help=help_),
}


def to_plain(result: RepoResult) -> dict[str, Any]:
    """``result`` as JSON knows data; bytes that are no UTF-8 become lone surrogates.

    The edits of a rewrite are left out: the diff tells what came of them, and they may hold what the diff masks.
    """
    return {
        "repository": result.repo,
        "mode": result.mode.value,
        "findings": [_plain_finding(finding) for finding in result.findings],
        "problems": [
            {**_plain_place(problem.place), "reason": problem.reason, "code": problem.code, "help": problem.help}
            for problem in result.problems
        ],
        "notes": [_plain_note(note) for note in result.notes],
        "stacks": [_plain_stack(stack_row) for stack_row in result.stacks],
        "signers": [_plain_signer(signing_row) for signing_row in result.signers],
        "trusts": [{"role": trust_row.role, "stacks": list(trust_row.stacks)} for trust_row in result.trusts],
        "verified": [_plain_verified(verified_stack) for verified_stack in result.verified],
        "mapped": list(result.mapped),
        "changed": list(result.changed),
        "diff": result.diff.decode("utf-8", "surrogateescape"),
        "is_masked": result.is_masked,
        "branch": result.branch,
        "commit": result.commit,
        "base": result.base,
        "was_there": result.was_there,
        "pushed": result.pushed,
        "pull_request": result.pull_request,
        "inputs": [list(item) for item in result.inputs],
        "fingerprint": result.fingerprint,
        "error": result.error,
        "stages": [asdict(stage) for stage in result.stages],
        "revision": asdict(result.revision),
    }


def from_plain(plain: Mapping[str, Any]) -> RepoResult:
    """What `to_plain` was given, but for the edits. Raises `MigrateError` if ``plain`` is something else."""
    try:
        return RepoResult(
            plain["repository"],
            Mode(plain["mode"]),
            findings=tuple(_finding(item) for item in plain["findings"]),
            problems=tuple(
                FileProblem(_place(item), item["reason"], code=item.get("code", ""), help=item.get("help", ""))
                for item in plain["problems"]
            ),
            notes=tuple(_note(item) for item in plain["notes"]),
            stacks=tuple(_stack(item) for item in plain["stacks"]),
            signers=tuple(_signer(item) for item in plain["signers"]),
            trusts=tuple(TrustRow(item["role"], tuple(item["stacks"])) for item in plain["trusts"]),
            verified=tuple(_verified(item) for item in plain.get("verified", ())),
            mapped=tuple(plain["mapped"]),
            changed=tuple(plain["changed"]),
            diff=plain["diff"].encode("utf-8", "surrogateescape"),
            is_masked=plain["is_masked"],
            branch=plain["branch"],
            commit=plain["commit"],
            base=plain["base"],
            was_there=plain["was_there"],
            pushed=plain["pushed"],
            pull_request=plain["pull_request"],
            inputs=tuple((path, digest) for path, digest in plain.get("inputs", ())),
            fingerprint=plain.get("fingerprint", ""),
            error=plain["error"],
            stages=tuple(Stage(**stage) for stage in plain.get("stages", ())),
            revision=Revision(**plain.get("revision", {})),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise MigrateError("this is no result that this version can read") from None


def survey_to_plain(survey: Survey) -> dict[str, Any]:
    """``survey`` as JSON knows data."""
    plain = asdict(survey)
    for item in (plain, *plain["told"]):
        for root in item["roots"]:
            root["in_runtime_config"] = sorted(root["in_runtime_config"])
        for known in (*item["roots"], *item["modules"]):
            known["identity"]["branches"] = sorted(known["identity"]["branches"])
    return plain


def survey_from_plain(plain: Mapping[str, Any]) -> Survey:
    """What `survey_to_plain` was given. Raises `MigrateError` if ``plain`` is something else."""
    try:
        roots = (
            KnownRoot(
                **{
                    **root,
                    "identity": _identity(root["identity"]),
                    "in_runtime_config": frozenset(root["in_runtime_config"]),
                    "engine": _engine(root["engine"]),
                    "variables": _pairs(root["variables"]),
                }
            )
            for root in plain["roots"]
        )
        stacks = (
            KnownStack(
                **{
                    **stack,
                    "place": _place(stack["place"]),
                    "code": Code(**stack["code"]),
                    "lists": tuple((name, None if item is None else tuple(item)) for name, item in stack["lists"]),
                    "evidence": _evidence(stack["evidence"]),
                    "roles": _pairs(stack["roles"]),
                    "obstacles": _pairs(stack["obstacles"]),
                    "sets": tuple(stack["sets"]),
                    "account": _account(stack["account"]),
                }
            )
            for stack in plain["stacks"]
        )
        receivers = (
            KnownReceiver(
                item["repo"],
                _place(item["place"]),
                item["title"],
                None if item["labels"] is None else tuple(item["labels"]),
            )
            for item in plain["receivers"]
        )
        return Survey(
            plain["repo"],
            tuple(roots),
            tuple(stacks),
            tuple(receivers),
            tuple(plain["labels"]),
            tuple(map(_call, plain["calls"])),
            tuple(map(_module, plain["modules"])),
            tuple(map(survey_from_plain, plain["told"])),
            tuple((name, ModuleSource(**source)) for name, source in plain["registered"]),
            tuple(RoleUser(**user) for user in plain["role_users"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise MigrateError("this is no survey that this version can read") from None


def _account(plain: Mapping[str, Any] | None) -> AccountStack | None:
    if plain is None:
        return None
    lists = {name: tuple(plain[name]) for name in ("static_keys", "sets", "attached_hooks", "early", "drift")}
    return AccountStack(**{**plain, **lists, "checksums": _pairs(plain["checksums"])})


def _call(plain: Mapping[str, Any]) -> KnownCall:
    source = ModuleSource(**plain["source"]) if plain["source"] else None
    return KnownCall(**{**plain, "place": _place(plain["place"]), "source": source})


def _module(plain: Mapping[str, Any]) -> KnownModule:
    return KnownModule(
        **{
            **plain,
            "identity": _identity(plain["identity"]),
            "place": _place(plain["place"]),
            "gains": tuple(KnownInput(item["name"], _pairs(item["origin"])) for item in plain["gains"]),
            "loses": tuple(plain["loses"]),
            "addresses": _pairs(plain["addresses"]),
            "defaults": _pairs(plain["defaults"]),
            "refused_by": tuple(plain["refused_by"]) if plain.get("refused_by") else None,
        }
    )


def _pairs(plain: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in plain)


def _engine(plain: Mapping[str, Any] | None) -> Engine | None:
    if plain is None:
        return None
    entries = tuple((slug, _evidence(found)) for slug, found in plain["entries"])
    return Engine(_evidence(plain["code"]), entries, _evidence(plain["defaults"]))


def _evidence(plain: Iterable[Mapping[str, Any]]) -> tuple[Evidence, ...]:
    return tuple(Evidence(**{**item, "low": tuple(item["low"]), "high": tuple(item["high"])}) for item in plain)


def _identity(plain: Mapping[str, Any]) -> RepoIdentity:
    return RepoIdentity(plain["name"], plain["namespace"], frozenset(plain["branches"]))


def outcome(finding: Finding) -> str:
    """What became of ``finding``, in the word that plain data has for it."""
    return OUTCOMES[type(finding.fix)]


def _plain_place(place: Place) -> dict[str, Any]:
    return {"path": place.path, "line": place.line}


def _place(plain: Mapping[str, Any]) -> Place:
    return Place(plain["path"], plain["line"], plain.get("offset", 0))


def _plain_note(note: Note) -> dict[str, Any]:
    return {
        "task": note.task,
        "subjects": list(note.subjects),
        "paste": note.paste,
        "code": note.code,
        "help": note.help,
    }


def _note(plain: Mapping[str, Any]) -> Note:
    subjects = tuple(plain["subjects"])
    return Note(plain["task"], subjects, plain["paste"], code=plain.get("code", ""), help=plain.get("help", ""))


def _plain_finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        **_plain_place(finding.place),
        "subject": finding.subject,
        "names": list(finding.names),
        "message": finding.message,
        "outcome": outcome(finding),
        "code": finding.code,
        "detail": finding.fate,
        "help": finding.help,
        "group": finding.group,
        "notes": [_plain_note(note) for note in finding.notes],
    }


def _finding(plain: Mapping[str, Any]) -> Finding:
    notes = tuple(_note(item) for item in plain["notes"])
    about = {"subject": plain.get("subject", ""), "names": tuple(plain.get("names", ()))}
    return Finding(plain["rule"], _place(plain), plain["message"], _fix(plain), plain["group"], notes, **about)


def _fix(plain: Mapping[str, Any]) -> Fix:
    return _FIXES[plain["outcome"]](plain["detail"], plain.get("code", ""), plain.get("help", ""))


def _plain_stack(stack: StackRow) -> dict[str, Any]:
    return {
        "title": stack.title,
        **_plain_place(stack.place),
        "repository": stack.repo,
        "code": stack.code,
        "hook": stack.hook,
        "remarks": list(stack.remarks),
    }


def _stack(plain: Mapping[str, Any]) -> StackRow:
    remarks = tuple(plain["remarks"])
    return StackRow(plain["title"], _place(plain), plain["repository"], plain["code"], plain["hook"], remarks)


def _plain_verified(row: VerifiedStack) -> dict[str, Any]:
    proofs = [{**asdict(proof), "verdict": proof.verdict.value} for proof in row.proofs]
    return {**asdict(row), "proofs": proofs, "skipped": list(row.skipped)}


def _verified(plain: Mapping[str, Any]) -> VerifiedStack:
    proofs = tuple(Proof(**{**item, "verdict": Verdict(item["verdict"])}) for item in plain["proofs"])
    skipped = tuple(plain["skipped"])
    return VerifiedStack(plain["root"], plain["stack"], plain["place"], plain["engine"], proofs, skipped)


def _plain_signer(row: SigningRow) -> dict[str, Any]:
    return {
        "root": row.root,
        "who": row.who,
        "before": row.before,
        "after": row.after,
        "role": row.role,
        "is_keyless": row.is_keyless,
    }


def _signer(plain: Mapping[str, Any]) -> SigningRow:
    role, is_keyless = plain.get("role", ""), plain.get("is_keyless", False)
    return SigningRow(plain["root"], plain["who"], plain["before"], plain["after"], role, is_keyless)
