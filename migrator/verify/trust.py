"""The level ``trust``: whether trust policies let each type of run assume the roles that the run signs in with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migrator.config.config import is_role_arn
from migrator.errors import MigrateError
from migrator.model.verification import OPEN, Proof, failed, not_proven, proven, worst
from migrator.regex import regex
from migrator.trust.policy import Issuer, Role
from migrator.verify import diagnostics
from migrator.verify.exchange import exchange_of
from migrator.verify.iam import Decision, Effect, TrustRequest, decide
from migrator.verify.identity import environment_of, signers_of
from migrator.verify.runs import RunType, run_types, subject

if TYPE_CHECKING:
    from migrator.verify.fleet import VerifiedRoot
    from migrator.verify.policies import Policies
    from migrator.verify.stacks import RunStack

_CELL = "trust"
_STAND_INS = ("stand-in-01", "other-02")
_NAME = regex(r"[A-Za-z0-9][\w-]*")
_WEB = "sts:AssumeRoleWithWebIdentity"
_TAGS = "sts:TagSession"


class TrustSettings(Struct, frozen=True):
    """The issuer of trusted tokens, the source of policies, and the types of runs to check; all types if none."""

    issuer: Issuer
    policies: Policies
    types: tuple[str, ...] = ()
    role_arn: str | None = None


def trust_proof(root: VerifiedRoot, stack: RunStack | None, settings: TrustSettings) -> Proof:
    """Whether every type of run of ``stack`` may assume the roles with which the root module signs in."""
    if stack is None:
        return not_proven(_CELL, diagnostics.NO_STACK.refusal())
    if root.program:
        return not_proven(_CELL, diagnostics.OTHER_PROGRAM.refusal(what=root.program))
    chains = role_chains(root, stack, settings.role_arn)
    if not chains:
        signs = stack.has_integration
        return not_proven(_CELL, (diagnostics.INTEGRATION if signs else diagnostics.NO_ROLE_KNOWN).refusal())
    proofs = [proof for chain in chains for proof in _chain(chain, stack, settings)]
    verdict = worst(proofs)
    if verdict in OPEN:
        return next(proof for proof in proofs if proof.verdict is verdict)
    return proven(_CELL, " ".join(dict.fromkeys(proof.reason for proof in proofs)))


def role_chains(root: VerifiedRoot, stack: RunStack, role_arn: str | None) -> list[tuple[str, ...]]:
    """The roles that runs of a stack assume: the first with the token, each further role with the role before.

    A role that only a run knows is the expression in the code.
    """
    exchange = exchange_of(tuple(command.text for command in stack.commands or ()))
    variables = {"TF_VAR_aws_role_arn": role_arn, **stack.variables} if role_arn else stack.variables
    known_values = {name: value for name, value in variables.items() if value}
    role = (exchange.role_for(known_values) if exchange else None) or ""
    environment = environment_of(stack, role, exchange is not None)
    chains: dict[tuple[str, ...], None] = {(role,): None} if role else {}
    for signed in signers_of(root.repo.context, root.path, stack, environment, role_arn):
        if signed.by.role:
            chains[signed.roles] = None
    return list(chains)


def _chain(chain: tuple[str, ...], stack: RunStack, settings: TrustSettings) -> Iterator[Proof]:
    for number, role in enumerate(chain):
        if not is_role_arn(role):
            yield not_proven(_CELL, diagnostics.NO_ROLE_VALUE.refusal(name=role))
            return
        try:
            policy = settings.policies(role)
        except MigrateError as error:
            yield not_proven(_CELL, diagnostics.NO_POLICY.refusal(role=role, why=f"{error}"))
            return
        if policy is None:
            yield not_proven(_CELL, diagnostics.NO_POLICY.refusal(role=role, why="no file holds the policy"))
            return
        if number:
            yield _assumed(role, chain[number - 1], policy, stack)
        else:
            yield from _signed_in(role, policy, stack, settings)


def _signed_in(role: str, policy: Any, stack: RunStack, settings: TrustSettings) -> Iterator[Proof]:
    issuer, types = settings.issuer, run_types(stack, settings.types)
    tags = stack.has_session_tags or issuer.has_session_tags
    runs_by_reason: dict[str, list[str]] = {}
    for run in types:
        for action in (_WEB, *([_TAGS] if tags else ())):
            decision, is_certain = _decided(role, policy, stack, run, action, issuer)
            if decision.effect is Effect.ALLOWED and is_certain:
                runs_by_reason.setdefault(decision.why, []).append(str(run))
            elif decision.effect is Effect.UNKNOWN:
                yield not_proven(_CELL, diagnostics.UNKNOWN_POLICY.refusal(role=role, why=decision.why))
                return
            elif is_certain:
                sub = subject(stack, run, issuer.template.text)
                yield failed(
                    _CELL, diagnostics.DENIED.refusal(role=role, action=action, run=run, subject=sub, why=decision.why)
                )
                return
            else:
                unknown = "slug" if stack.space or not stack.slug else "id of the space"
                yield not_proven(_CELL, diagnostics.UNKNOWN_SUBJECT.refusal(what=unknown, role=role))
                return
    for reason, runs in runs_by_reason.items():
        yield proven(_CELL, f"{role} admits {', '.join(dict.fromkeys(runs))} by {reason}.")


def _decided(
    role: str, policy: Any, stack: RunStack, run: RunType, action: str, issuer: Issuer
) -> tuple[Decision, bool]:
    """The decision of a policy on a run, and whether the decision is the same for all unknown parts of the subject."""
    names = sorted(set(_NAME.findall(json.dumps(policy))))  # an unknown part may be any of these, or another
    slugs = [stack.slug] if stack.slug and not stack.is_guess else [stack.slug or _STAND_INS[0], _STAND_INS[1], *names]
    spaces = [stack.space] if stack.space else [*_STAND_INS, *names]
    decisions = [
        decide(policy, _request(role, subject(stack, run, issuer.template.text, space, slug), action, issuer))
        for slug in slugs
        for space in spaces
    ]
    return decisions[0], len({decision.effect for decision in decisions}) == 1


def _request(role: str, sub: str, action: str, issuer: Issuer) -> TrustRequest:
    context = {f"{issuer.host}:aud": (issuer.host,), f"{issuer.host}:sub": (sub,)}
    return TrustRequest(action, {"Federated": frozenset({issuer.provider_arn(Role(role))})}, context)


def _assumed(role: str, by: str, policy: Any, stack: RunStack) -> Proof:
    """Whether the role before in a chain may assume a role."""
    caller = Role(by)
    root = f"arn:{caller.partition}:iam::{caller.account}:root"
    principals: Mapping[str, frozenset[str]] = {"AWS": frozenset({by, root, caller.account})}
    actions = ("sts:AssumeRole", *([_TAGS] if stack.has_session_tags else ()))
    for action in actions:
        decision = decide(policy, TrustRequest(action, principals, {"aws:principalarn": (by,)}))
        if decision.effect is Effect.UNKNOWN:
            return not_proven(_CELL, diagnostics.UNKNOWN_POLICY.refusal(role=role, why=decision.why))
        if decision.effect is Effect.DENIED:
            return failed(_CELL, diagnostics.CHAIN_DENIED.refusal(role=role, action=action, by=by, why=decision.why))
    return proven(_CELL, f"{role} admits {by} by {decision.why}.")
