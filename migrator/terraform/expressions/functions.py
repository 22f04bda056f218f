"""The functions of Terraform that the evaluator follows to the places of values."""

from __future__ import annotations

from migrator.terraform.expressions.budget import EvaluationBudget, MissingError, UnknownError
from migrator.terraform.expressions.decoded_files import decoded
from migrator.terraform.expressions.evaluate import Expression, Function, follow, member, string_of


def _try(_: Expression, arguments: list[Expression], budget: EvaluationBudget) -> Expression:
    for argument in arguments:
        try:
            return follow(argument, budget)
        except MissingError:
            continue
    raise UnknownError


def _coalesce(_: Expression, arguments: list[Expression], budget: EvaluationBudget) -> Expression:
    for argument in arguments:
        value = follow(argument, budget)
        if value.text not in ("null", '""'):
            return value
    raise UnknownError


def _lookup(_: Expression, arguments: list[Expression], budget: EvaluationBudget) -> Expression:
    if len(arguments) < 2 or (key := string_of(arguments[1], budget)) is None:
        raise UnknownError
    try:
        return follow(member(arguments[0], key, budget), budget)
    except MissingError:
        if len(arguments) == 2:
            raise
        return follow(arguments[2], budget)


def _decode(expression: Expression, arguments: list[Expression], _: EvaluationBudget) -> Expression:
    data = decoded(expression.scope.module, arguments[0].text) if len(arguments) == 1 else None
    if data is None:
        raise UnknownError
    return expression.derived(data)


FUNCTIONS: dict[str, Function] = {
    "jsondecode": _decode,
    "try": _try,
    "coalesce": _coalesce,
    "lookup": _lookup,
    "yamldecode": _decode,
}
