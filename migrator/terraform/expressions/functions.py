"""The functions of Terraform that the evaluator follows to the places of values."""

from __future__ import annotations

import posixpath
from collections.abc import Callable

from migrator.regex import regex
from migrator.syntax.hcl.strings import quote
from migrator.terraform.expressions.budget import EvaluationBudget, MissingError, UnknownError
from migrator.terraform.expressions.decoded_files import decoded, files_below
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


_INSERTED = regex(r"\$\{(?!path\.)([^{}]*)\}")


def _filled(expression: Expression, budget: EvaluationBudget) -> str:
    """The text of an expression with the values of its templates, except the paths of modules."""
    return _INSERTED.sub(lambda match: _string(expression.derived(match[1].strip()), budget), expression.text)


def _string(expression: Expression, budget: EvaluationBudget) -> str:
    value = string_of(expression, budget)
    if value is None:
        raise UnknownError
    return value


def _decode(expression: Expression, arguments: list[Expression], budget: EvaluationBudget) -> Expression:
    named = _filled(arguments[0], budget) if len(arguments) == 1 else ""
    data = decoded(expression.scope.module, named)
    if data is None:
        raise UnknownError
    return expression.derived(data)


def _fileset(expression: Expression, arguments: list[Expression], budget: EvaluationBudget) -> Expression:
    if len(arguments) != 2:
        raise UnknownError
    folder, pattern = _filled(arguments[0], budget), _string(arguments[1], budget)
    files = files_below(expression.scope.module, folder, pattern)
    if files is None:
        raise UnknownError
    return expression.derived(f"[{', '.join(map(quote, files))}]")


def _of_strings(function: Callable[..., str], count: int) -> Function:
    def apply(expression: Expression, arguments: list[Expression], budget: EvaluationBudget) -> Expression:
        if len(arguments) != count:
            raise UnknownError
        return expression.derived(quote(function(*(_string(argument, budget) for argument in arguments))))

    return apply


FUNCTIONS: dict[str, Function] = {
    "basename": _of_strings(posixpath.basename, 1),
    "fileset": _fileset,
    "jsondecode": _decode,
    "try": _try,
    "coalesce": _coalesce,
    "lookup": _lookup,
    "trimprefix": _of_strings(str.removeprefix, 2),
    "trimsuffix": _of_strings(str.removesuffix, 2),
    "yamldecode": _decode,
}
