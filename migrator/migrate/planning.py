"""The planning of one repository: run the rules, decide on the findings, edit in memory, and read the outcome again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from migrator.decide.context import Context
from migrator.decide.signers.roles import trust_rows
from migrator.decide.signers.table import signing_rows
from migrator.decide.survey import Surveyor
from migrator.migrate.accepted import unknown_codes, with_accepted
from migrator.migrate.diagnostics import CHANGES_COLLIDE
from migrator.migrate.guessed_slugs import notes_on_slugs
from migrator.migrate.masking import masked
from migrator.migrate.other_ci import notes_on_other_ci
from migrator.migrate.repository_names import notes_on_names
from migrator.migrate.settlement import Settlement, within_scope
from migrator.migrate.stages import staged
from migrator.model.findings import Change, Finding, Note, Place, Refusal, Rewrite
from migrator.model.fleet import ALONE, Fleet, KnownCall, KnownInput, KnownModule, Survey
from migrator.model.results import KEYS_RULE, Mode, Plan, StagedChanges
from migrator.rules.registry import all_rules
from migrator.terraform.outside_calls import registered
from migrator.terraform.outside_identities import plain_defaults, plain_identity
from migrator.terraform.secrets import Secrets
from migrator.terraform.usage.interfaces import Interface, interfaces

if TYPE_CHECKING:
    from migrator.config.config import Config
    from migrator.workspace.workspace import Workspace


class Planning:
    """The planning of ``workspace``, called ``repo`` in the ``fleet``, with the options of ``config``; writes nothing.

    All findings are decided at construction. Everything else is computed on demand, since other repositories need only
    the survey.
    """

    def __init__(self, workspace: Workspace, config: Config, repo: str = "", fleet: Fleet = ALONE) -> None:
        self._context = Context(workspace, config, repo, fleet)
        self._settlement = _decide(self._context)
        self._context.earlier_findings = tuple(self._settlement.findings)
        self._surveyor = Surveyor(self._context)

    @property
    def context(self) -> Context:
        """The context of all decisions."""
        return self._context

    @property
    def changes(self) -> Sequence[Change]:
        """The files that change."""
        return self._settlement.changes

    @cached_property
    def survey(self) -> Survey:
        """The facts for the other repositories of a run."""
        context = self._context
        interfaces_changed = list(interfaces(context.workspace, self._settlement.changes))
        changed = {interface.module.path for interface in interfaces_changed}
        interfaces_changed += (
            Interface(module, (), ())
            for module in context.web_identity.modules_with_literal_role()
            if module.path not in changed
        )
        modules = tuple(self._known_module(interface) for interface in interfaces_changed)
        calls = tuple(
            replace(outside_call.known_call, refusal=self._refusal(outside_call.known_call))
            for outside_call in context.outside_calls
        )
        registered_modules = tuple(registered(context.workspace))
        return replace(self._surveyor.survey(context.repo), calls=calls, modules=modules, registered=registered_modules)

    def _refusal(self, call: KnownCall) -> str:
        """The reason why the call of a module of another repository cannot follow the module; ``""`` if it can."""
        if not self._context.called_modules:
            return ""
        refused = (finding for finding in self._settlement.findings if isinstance(finding.fix, Refusal))
        groups = {finding.group: finding.fate for finding in refused if finding.group}
        called = (
            called_module
            for called_module in self._context.called_modules
            if any(call is outside_call.known_call for outside_call in called_module.calls)
        )
        return next((groups[called_module.group] for called_module in called if called_module.group in groups), "")

    def _known_module(self, interface: Interface) -> KnownModule:
        context, path = self._context, interface.module.path
        workspace, repo = context.workspace, context.repo
        title = f"{repo}: {path or '.'}"
        gains = tuple(
            KnownInput(
                name,
                plain_identity(
                    interface.module,
                    context.web_identity.identity_of_variable(interface.module, name),
                    f"{title}: {name}",
                ),
            )
            for name in interface.gains
        )
        defaults = tuple(plain_defaults(interface.module, context.role_mappings.residues, title)) if gains else ()
        folder = os.path.realpath(workspace.root / path)
        place = Place(min(document.path for document in interface.module.documents))
        return KnownModule(repo, workspace.identity, path, place, folder, gains, interface.loses, defaults=defaults)

    def plan(self) -> Plan:
        """All changes, with everything to report about them."""
        workspace, config = self._context.workspace, self._context.config
        findings, changes = self._settlement.findings, self._settlement.changes
        touched = [workspace.documents[change.path] for change in changes if change.path in workspace.documents]
        has_diff = not config.show_secrets and (config.mode is Mode.PREVIEW or config.keep_diff)
        paths = {finding.place.path for finding in findings} & workspace.documents.keys()
        secrets = Secrets(workspace, [*touched, *(workspace.documents[path] for path in sorted(paths))])
        stages = self._stages() if config.stages else ()
        plan = Plan(
            findings=tuple(
                with_accepted(sorted(_without_repeats(findings), key=lambda finding: finding.place), workspace, config)
            ),
            changes=tuple(changes),
            problems=tuple(workspace.problems),
            notes=(
                *_notes(findings),
                *notes_on_names(self._context),
                *notes_on_slugs(self._context),
                *notes_on_other_ci(self._context, findings, changes),
                *workspace.notes,
                *unknown_codes(workspace),
            ),
            signers=signing_rows(self._context),
            trusts=trust_rows(self._context),
            mapped=tuple(sorted(self._context.role_mappings.used_mappings)),
            stacks=tuple(self._surveyor.rows()),
            masked=tuple(map(secrets.masked, changes)) if has_diff else (),
            stages=stages,
        )
        return masked(plan, secrets.known_secrets)

    def _stages(self) -> tuple[StagedChanges, ...]:
        """The changes in the stages in which they go live."""
        context = self._context
        context_without_keys = Context(context.workspace, context.config, context.repo, context.fleet)
        return staged(
            context.workspace, self._settlement, _decide(context_without_keys, without=frozenset({KEYS_RULE}))
        )


def _decide(context: Context, without: frozenset[str] = frozenset()) -> Settlement:
    """The outcomes of the findings of all rules, except for the rules ``without``.

    Findings of a later phase never change the outcome of earlier findings.
    """
    settlement = Settlement(context.workspace, [])
    rules_asked = (rule for rule in all_rules() if rule.id not in without)
    for _, rules in groupby(sorted(rules_asked, key=attrgetter("phase")), key=attrgetter("phase")):
        context.earlier_findings, context.changes = tuple(settlement.findings), tuple(settlement.changes)
        findings = dict.fromkeys(finding for rule in rules for finding in rule.check(context))
        settlement = _extended(
            settlement,
            [within_scope(context.workspace, finding) for finding in sorted(findings, key=attrgetter("rule"))],
        )
    return settlement


def _extended(settlement: Settlement, findings: list[Finding]) -> Settlement:
    both = Settlement(settlement.workspace, [*settlement.findings, *findings], settlement.changes, settlement.verdicts)
    if any(isinstance(finding.fix, Rewrite) for finding in findings):
        both.run()
    if both.findings[: len(settlement.findings)] == settlement.findings:
        return both
    collides = CHANGES_COLLIDE.refusal()
    settlement.findings += (
        replace(finding, fix=collides) if isinstance(finding.fix, Rewrite) else finding for finding in findings
    )
    return settlement


def _without_repeats(findings: Iterable[Finding]) -> Iterable[Finding]:
    """The findings without those that are the same for another group."""
    return {(finding.rule, finding.place, finding.message, finding.fix): finding for finding in findings}.values()


def _notes(findings: Sequence[Finding]) -> tuple[Note, ...]:
    """The notes of findings that are not refused; notes that differ only in subjects become one."""
    refused = {finding.group for finding in findings if isinstance(finding.fix, Refusal)} - {None}
    subjects: dict[Note, dict[str, None]] = {}
    for finding in findings:
        if finding.group not in refused and not isinstance(finding.fix, Refusal):
            for note in finding.notes:
                subjects.setdefault(replace(note, subjects=()), {}).update(dict.fromkeys(note.subjects))
    return tuple(replace(note, subjects=tuple(subjects_of)) for note, subjects_of in subjects.items())
