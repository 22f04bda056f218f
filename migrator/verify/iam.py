"""The decision of a trust policy on a request: IAM's semantics, with a third answer for unknown elements.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html: an explicit Deny wins, then
an Allow, else the request is denied. All operators and keys of a condition must hold, each for any of its values
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html).
An operator, a key, a principal or an element that is not known here never allows.

No library does this: policyuniverse 1.5 lists whom a policy names, ignores negated operators, and evaluates no request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from msgspec import Struct

from migrator.regex import regex


class Effect(Enum):
    """The effect of a policy on a request; ``UNKNOWN`` if the policy uses an element that is not supported."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


class TrustRequest(Struct, frozen=True):
    """A call of STS: ``action``, who calls (``principals``, by kind, with all names of the caller), and the context.

    Values of the ``context`` are texts, or several texts for a key with several values; keys are in lower case.
    """

    action: str
    principals: Mapping[str, frozenset[str]]
    context: Mapping[str, tuple[str, ...]]


class Decision(Struct, frozen=True):
    """The effect of a policy, with the deciding statement and condition."""

    effect: Effect
    why: str


_Test = Callable[[str, str], bool]


def _like(pattern: str, value: str) -> bool:
    parts = ({"*": ".*", "?": "."}.get(mark, re.escape(mark)) for mark in pattern)
    return re.fullmatch("".join(parts), value, re.DOTALL) is not None


def _arn_like(pattern: str, value: str) -> bool:
    """Each of the six parts is matched for itself: no ``*`` reaches beyond a colon, but in the last part."""
    parts, other_parts = pattern.split(":", 5), value.split(":", 5)
    return len(parts) == len(other_parts) == 6 and all(_like(*pair) for pair in zip(parts, other_parts, strict=True))


_OPERATORS: dict[str, tuple[_Test, bool]] = {
    "stringequals": (lambda expected, value: expected == value, False),
    "stringnotequals": (lambda expected, value: expected == value, True),
    "stringequalsignorecase": (lambda expected, value: expected.lower() == value.lower(), False),
    "stringnotequalsignorecase": (lambda expected, value: expected.lower() == value.lower(), True),
    "stringlike": (_like, False),
    "stringnotlike": (_like, True),
    "arnequals": (_arn_like, False),
    "arnlike": (_arn_like, False),
    "arnnotequals": (_arn_like, True),
    "arnnotlike": (_arn_like, True),
}
"""The comparison of an operator, and whether the operator is a negation. ``ArnEquals`` and ``ArnLike`` are the same."""

_OF_ISSUERS = regex(r"[\w/-]+\.[\w./-]+:\w+")
"""Keys of tokens: those that the request does not have are not there. Of other keys nothing is known."""

_VARIABLE = regex(r"\$\{")
_ELEMENTS = frozenset({"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition"})


def decide(policy: Any, request: TrustRequest) -> Decision:
    """The decision of a trust policy on a request; an invalid policy is unknown, never allowed."""
    if not isinstance(policy, Mapping):
        return Decision(Effect.UNKNOWN, "The trust policy is no JSON object.")
    statements = policy.get("Statement")
    statement_list = [statements] if isinstance(statements, Mapping) else statements
    if not isinstance(statement_list, list) or not all(isinstance(statement, Mapping) for statement in statement_list):
        return Decision(Effect.UNKNOWN, "The trust policy has no statements that can be read.")
    reasons: dict[tuple[bool, bool | None], str] = {}
    """Of the first statement that allows (True) or may deny, and that is about the request or may be: what decides."""
    denial = "no statement allows it"
    for number, statement in enumerate(statement_list, 1):
        allows = statement.get("Effect") == "Allow"
        answer, why = _matches(statement, request)
        if statement.get("Effect") not in ("Allow", "Deny"):
            answer, why = None, "its Effect is neither Allow nor Deny"
        reason = f"statement {statement.get('Sid') or number}: {why}"
        reasons.setdefault((allows, answer), reason)
        denial = reason if allows and answer is False else denial
    order = (
        (Effect.DENIED, (False, True)),
        (Effect.UNKNOWN, (False, None)),
        (Effect.ALLOWED, (True, True)),
        (Effect.UNKNOWN, (True, None)),
    )
    return next(
        (Decision(effect, reasons[key]) for effect, key in order if key in reasons), Decision(Effect.DENIED, denial)
    )


def _matches(statement: Mapping[str, Any], request: TrustRequest) -> tuple[bool | None, str]:
    """Whether a statement applies to the request, None if not known; with the deciding element."""
    unknown = set(statement) - _ELEMENTS
    if unknown:
        return None, f"the element {min(unknown)} is not known"
    is_open: tuple[bool | None, str] | None = None
    for part in (_action(statement, request), _principal(statement, request)):
        if part[0] is False:
            return part
        is_open = part if part[0] is None else is_open
    condition = _condition(statement.get("Condition"), request)
    return condition if is_open is None or condition[0] is False else is_open


def _action(statement: Mapping[str, Any], request: TrustRequest) -> tuple[bool | None, str]:
    actions, others = _texts(statement.get("Action")), _texts(statement.get("NotAction"))
    if actions is None or others is None or bool(actions) == bool(others):
        return None, "its Action cannot be read"
    is_named = any(_like(action.lower(), request.action.lower()) for action in actions or others)
    return is_named is bool(actions), f"its Action does not hold {request.action}"


def _principal(statement: Mapping[str, Any], request: TrustRequest) -> tuple[bool | None, str]:
    if ("Principal" in statement) == ("NotPrincipal" in statement):
        return None, "its Principal cannot be read"
    is_negated = "NotPrincipal" in statement
    principal = statement["NotPrincipal" if is_negated else "Principal"]
    kinds = {"*": "*"} if principal == "*" else principal
    if not isinstance(kinds, Mapping):
        return None, "its Principal cannot be read"
    is_named = False
    for kind, names in kinds.items():
        identifiers = _texts(names)
        if identifiers is None or kind not in ("*", "AWS", "Federated", "Service", "CanonicalUser"):
            return None, f"its Principal {kind} cannot be read"
        if "*" in identifiers and ("AWS" not in request.principals or kind not in ("*", "AWS")):
            return None, "whether its Principal * means a caller with a token is not known"
        names_of_request = request.principals.get(kind, frozenset())
        is_named |= not names_of_request.isdisjoint(identifiers) or "*" in identifiers
    if is_negated and statement.get("Effect") == "Allow":
        return None, "NotPrincipal with Allow is not known"
    return is_named is not is_negated, "its Principal is somebody else"


def _condition(condition: Any, request: TrustRequest) -> tuple[bool | None, str]:
    if condition is None:
        return True, "no condition"
    if not isinstance(condition, Mapping):
        return None, "its Condition cannot be read"
    open_reason, conditions = "", []
    for operator, keys in condition.items():
        if not isinstance(keys, Mapping):
            return None, f"the condition {operator} cannot be read"
        for key, values in keys.items():
            name = str(key).lower()
            is_known = name in request.context or _OF_ISSUERS.fullmatch(name)
            answer = _holds(str(operator), _texts(values), request.context.get(name)) if is_known else None
            if answer is False:
                return False, f"{operator} {key} does not hold"
            if answer is None:
                open_reason = open_reason or f"the condition {operator} {key} is not known"
            conditions.append(f"{operator} {key}")
    return (None, open_reason) if open_reason else (True, " and ".join(conditions) or "no condition")


def _holds(operator: str, policy_values: list[str] | None, request_values: tuple[str, ...] | None) -> bool | None:
    """Whether one key of a condition holds; None if that is not known."""
    if policy_values is None or any(map(_VARIABLE.search, policy_values)):
        return None
    name = operator.lower()
    quantifier, colon, base_operator = name.rpartition(":")
    if quantifier not in ("", "foranyvalue", "forallvalues") or (colon and not quantifier):
        return None
    if base_operator == "null" and not quantifier:
        states = {value.lower() for value in policy_values}
        return None if not states <= {"true", "false"} else ("true" if request_values is None else "false") in states
    is_optional = base_operator.endswith("ifexists")
    operation = _OPERATORS.get(base_operator.removesuffix("ifexists"))
    if operation is None:
        return None
    test, is_negated = operation
    if request_values is None or not request_values:
        return is_optional or quantifier == "forallvalues" or (is_negated and quantifier != "foranyvalue")
    answers = [
        any(test(policy_value, value) for policy_value in policy_values) is not is_negated for value in request_values
    ]
    if not quantifier and len(request_values) > 1:
        return None
    return all(answers) if quantifier == "forallvalues" else any(answers)


def _texts(value: Any) -> list[str] | None:
    """A text, or a list of texts, as a list; None for anything else. A number or a boolean counts as its text."""
    items = [] if value is None else value if isinstance(value, list) else [value]
    texts = [
        element if isinstance(element, str) else str(element).lower()
        for element in items
        if not isinstance(element, dict | list)
    ]
    return texts if len(texts) == len(items) else None
