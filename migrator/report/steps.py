"""The order in which a migration goes live, in one line a step; `migrator.report.rollout` has all details."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.model.account import ACCOUNT
from migrator.model.findings import Finding, Note, Rewrite
from migrator.model.notes import ATTACH_HOOK, OF_VALUES
from migrator.model.results import CODE, KEYS, STACKS, stages_of

if TYPE_CHECKING:
    from migrator.model.results import RepoResult

STEPS = (
    "Let AWS trust the roles",
    "Set the variables and the hooks on the stacks",
    "Push the branch",
    "Run each stack once, and confirm the run",
    "Remove the static keys from stacks and contexts",
    "Rotate the keys",
)
"""The steps by which a migration goes live, in order."""

STAGES = {
    STACKS: ("what the stacks need", "Merge this branch first, and apply the definitions of the stacks"),
    CODE: ("the code", "Merge this branch after the stage before is applied. Confirm one run of each stack"),
    KEYS: ("the removal of static keys", "Merge this branch after each stack ran once. Then run each stack once more"),
}
"""The stages of a migration in words, and when to merge each."""

_STACK_SIDE = "spacelift-"
_KEYS = "spacelift-credentials"
_BACKENDS = "s3-backend"
_INTEGRATION = "spacelift-aws-integration"
_MANY = 4
_TRUST = "tf-oidc-migrate trust --spacelift-host HOST{roles} REPO"


def short_steps(result: RepoResult) -> Iterator[str]:
    """The steps after the migration of one repository, in order."""
    if not result.changed or result.error:
        return
    many, one_by_one = f"{len(result.trusts)} roles", ", ".join(row.role for row in result.trusts)
    roles = one_by_one if len(result.trusts) < _MANY else many
    role_names = " and ".join(filter(None, (roles, "the roles that the variables name" if any(to_set(result)) else "")))
    is_integrated = any(integrated(result))
    role = " --role-arn ARN" * any(to_set(result))
    trust = (
        "use the policy in the tasks"
        if is_integrated and not result.trusts
        else f"run `{_TRUST.format(roles=role)}`, and apply the module that the command writes"
    )
    yield f"Let AWS trust {role_names or 'the roles'}: {trust}."
    elsewhere = dict.fromkeys(row.repo for row in result.stacks if row.repo not in ("", ACCOUNT) and row.hook)
    to_attach = any(note.code == ATTACH_HOOK.code for note in result.notes)
    steps_before = ["set the variables"] * any(to_set(result)) + [
        "merge and apply the definitions of the stacks"
    ] * any(stack_side(result))
    steps_before += [f"merge and apply the definitions of the stacks in {', '.join(elsewhere)}"] * bool(elsewhere)
    steps_before += ["apply the module that `tf-oidc-migrate attach` writes"] * to_attach
    to_paste = any(note.paste for note in result.notes if note not in tuple(to_set(result)))
    pasted = [f"paste the {'integration' if is_integrated else 'commands into `before_init`'}"] * to_paste
    if steps_before or pasted:
        yield f"Before the code is merged: {', '.join([*steps_before, *pasted])}."
    pushed = f"Discard runs that wait for confirmation, and push {result.branch or 'the branch'}."
    yield f"{pushed} The proposed runs of the branch must plan without errors."
    reinitialise = (
        " Developers run `terraform init -reconfigure` once on their machines." if any(reconfigured(result)) else ""
    )
    yield f"Merge, and confirm one run of each stack.{reinitialise}"
    yield "Remove the static keys from stacks and contexts, run each stack once more, and delete the keys in AWS."


def staged(result: RepoResult) -> Iterator[str]:
    """When to merge the branch of each stage; or a word on ``--stages``, if one commit holds several stages."""
    for number, stage in enumerate(result.stages, 1):
        title, wait = STAGES[stage.name]
        commit = f" ({stage.commit[:12]})" if stage.commit else ""
        yield f"{number}. {stage.branch}{commit}: {title}. {wait}."
    stages = stages_of(result.findings)
    if not result.stages and len(stages) > 1 and result.changed and not result.error:
        *others, last = (STAGES[stage][0] for stage in stages)
        titles = f"{', '.join(others)} and {last}"
        yield f"One commit changes {titles}. To merge these one by one, run again with --stages."


def to_set(result: RepoResult) -> Iterator[Note]:
    """The notes on values that stacks need."""
    return (note for note in result.notes if note.code in OF_VALUES)


def stack_side(result: RepoResult) -> Iterator[Finding]:
    """The changes in the definitions of stacks, which must go live before the code."""
    return (finding for finding in rewritten(result, _STACK_SIDE) if finding.rule != _KEYS)


def integrated(result: RepoResult) -> Iterator[Finding]:
    """The findings on the AWS integration of stacks, if runs sign in by the integration."""
    return (finding for finding in result.findings if finding.rule == _INTEGRATION)


def keys_removed(result: RepoResult) -> Iterator[Finding]:
    """The settings of Spacelift from which static keys were taken."""
    return rewritten(result, _KEYS)


def reconfigured(result: RepoResult) -> Iterator[Finding]:
    """The backends with a changed configuration."""
    return rewritten(result, _BACKENDS)


def rewritten(result: RepoResult, rule: str) -> Iterator[Finding]:
    """The changes of rules with names that begin with ``rule``."""
    return (
        finding for finding in result.findings if finding.rule.startswith(rule) and isinstance(finding.fix, Rewrite)
    )
