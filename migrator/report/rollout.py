"""The order in which a migration goes live, as Markdown: what to do, in which repository, stack and account.

Trust comes first and rotation last, as each step needs those before it:
https://docs.spacelift.io/integrations/cloud-providers/oidc/aws-oidc.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

from migrator.model import Finding, Refusal, RepoResult, Rewrite, StackRow
from migrator.report.markdown import code, prose
from migrator.report.shown import show_line, shown
from migrator.report.totals import refusals, rotations

_BACKENDS = "s3-backend"
_INTEGRATION = "spacelift-aws-integration"
_ON_STACKS = ("spacelift-hook", "spacelift-variables", _INTEGRATION)
_NO_TRUST: Mapping[str, Sequence[str]] = {}


def rollout(results: Iterable[RepoResult], trusts: Mapping[str, Sequence[str]] = _NO_TRUST) -> str:
    """The steps that are left after ``results``; ``trusts`` are the ARNs of roles, with the stacks that assume them.

    No secret is in it.
    """
    kept = [result for result in shown(results) if not result.error]
    if not any(result.changed for result in kept):
        return "# Order of rollout\n\nNothing was migrated, so there is nothing to roll out.\n"
    roles = {show_line(arn): [show_line(stack) for stack in stacks] for arn, stacks in trusts.items()}
    sections = (
        ("Let AWS trust the roles", _trust(kept, roles)),
        ("Make the variables and hooks live on the stacks", _live(kept)),
        ("Push the branch", _push(kept)),
        ("Let each stack run once, and confirm it", _confirm(kept)),
        ("Remove the static keys from stacks and contexts", _remove(kept)),
        ("Rotate the keys", _rotate(kept)),
    )
    lines = ["# Order of rollout", "", "Each step needs those before it."]
    for number, (title, body) in enumerate(sections, 1):
        lines += ["", f"## {number}. {title}", "", *body]
    return "\n".join((*lines, *_developers(kept), *_left(kept))) + "\n"


def _trust(results: Sequence[RepoResult], roles: Mapping[str, Sequence[str]]) -> Iterator[str]:
    repos = shlex.join(result.repo for result in results)
    yield "Each role needs a trust policy that admits the stacks, and its account the identity provider:"
    yield from ("", f"    tf-oidc-migrate trust --spacelift-host HOST {repos}", "")
    yield from (f"- {code(arn)}: {', '.join(map(code, stacks)) or 'every stack'}" for arn, stacks in roles.items())
    yield "- every role that a variable of the next step is set to: name it by `--role-arn`"
    if any(one.rule == _INTEGRATION for result in results for one in result.findings):
        yield "- the role of an AWS integration trusts Spacelift's account instead, by the policy of the next step"
    yield "- trust that is there stays until the keys are gone: runs of today's code still need it"


def _live(results: Sequence[RepoResult]) -> Iterator[str]:
    for result in results:
        for note in result.notes:
            if note.task.startswith("set ") and not note.paste:
                yield f"- {code(result.repo)}: {note.task} {', '.join(map(code, note.subjects))}"
    for result in results:
        places = sorted({str(one.place) for one in _rewritten(result, *_ON_STACKS)})
        if places:
            yield (
                f"- {code(result.repo)}: merge and apply the stacks' definitions before the code that they run:"
                f" {', '.join(map(code, places))}"
            )
        for note in result.notes:
            if note.paste:
                yield f"- {code(result.repo)}: {note.task} {', '.join(map(code, note.subjects))}"
                yield from ("", *(f"      {line}" for line in note.paste.splitlines()), "")


def _push(results: Sequence[RepoResult]) -> Iterator[str]:
    for result in results:
        if result.branch:
            yield f"- {code(result.repo)}: {code(result.branch)}"
    yield (
        "- pushing it starts proposed runs on the stacks that follow the repository, with the new code. Their token"
        " says `run_type:PROPOSED` and `scope:read`: the trust policy must admit it, or they fail"
    )
    yield (
        "- discard the runs that are waiting, for review or confirmation, on these stacks: they were planned with the"
        " old code and its keys"
    )
    yield from _stack_rows(results)


def _confirm(results: Sequence[RepoResult]) -> Iterator[str]:
    yield "- merge, then trigger one tracked run of each of these stacks; confirm it and see it applied"
    yield "- a plan without changes is what to expect: only the sign-in is another"
    for row in _stacks(results):
        for remark in row.remarks:
            yield f"- {code(row.title)}: {prose(remark)}"


def _remove(results: Sequence[RepoResult]) -> Iterator[str]:
    yield (
        "- `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_PROFILE`, the `TF_VAR_` variables of"
        " keys, and mounted `.aws/` files"
    )
    yield "- run each stack once more afterwards: nothing may have lived on them unseen"
    if any(_is_refused(result) for result in results):
        yield "- not where something was refused, which still signs in with them: see below"


def _rotate(results: Sequence[RepoResult]) -> Iterator[str]:
    yield "- deactivate the keys, wait for a day of runs, delete them; take the trust in their user out of the roles"
    for result in results:
        for note in rotations(result):
            yield f"- {code(result.repo)}: they stood at {', '.join(map(code, note.subjects))}"


def _developers(results: Sequence[RepoResult]) -> Iterator[str]:
    places = [
        f"- {code(result.repo)}: {code(str(one.place))}" for result in results for one in _rewritten(result, _BACKENDS)
    ]
    if places:
        yield from ("", "## For developers", "")
        yield "The configuration of these backends changes: run `terraform init -reconfigure` once in each checkout."
        yield from ("", *dict.fromkeys(places))


def _left(results: Sequence[RepoResult]) -> Iterator[str]:
    rows = [(result, place, reason) for result in results for place, reason in refusals(result)]
    if rows:
        yield from ("", "## Not migrated", "", "These still sign in as before, and need their keys:", "")
        yield from (f"- {code(f'{result.repo}: {place}')}: {prose(reason)}" for result, place, reason in rows)


def _stack_rows(results: Sequence[RepoResult]) -> Iterator[str]:
    yield from (f"    - {code(row.title)}, which runs {prose(row.code)}" for row in _stacks(results))


def _stacks(results: Sequence[RepoResult]) -> list[StackRow]:
    """The stacks that run migrated code, each once: those of which a hook is told."""
    rows = (row for result in results for row in result.stacks if row.hook)
    return list({(row.title, row.place.path, row.place.line): row for row in rows}.values())


def _rewritten(result: RepoResult, *rules: str) -> Iterator[Finding]:
    return (one for one in result.findings if one.rule.startswith(rules) and isinstance(one.fix, Rewrite))


def _is_refused(result: RepoResult) -> bool:
    return bool(result.problems) or any(isinstance(one.fix, Refusal) for one in result.findings)
