"""The value of an expression without running Terraform, and the place of the value in the code.

The evaluator follows references to variables, locals, ``each`` and the variables of ``for``, through literal objects,
calls of modules and common functions. The place of a value is the place that a maintainer would edit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from migrator.errors import SyntaxProblem
from migrator.regex import regex
from migrator.span import Span
from migrator.syntax.hcl import parse as hcl
from migrator.syntax.hcl.scanner import skip_balanced
from migrator.syntax.hcl.strings import quote, string_value
from migrator.terraform.expressions.budget import EvaluationBudget, MissingError, UnknownError
from migrator.terraform.expressions.forms import Call, Loop, Written, call, comparison, conditional, loop

if TYPE_CHECKING:
    from migrator.syntax.terraform import Attribute, Block
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module, ModuleCall

_LONGEST_STRING = 10_000
_PATH = regex(r'(?:\.[\w-]+|\["[^"$\\]*"\]|\[[\w.]+\])*+')
_TRAVERSAL = regex(rf"(?P<root>(?:var|local|each)\.[\w-]+|[A-Za-z_]\w*)(?P<steps>{_PATH.pattern})")
_STEP = regex(r'\.(?P<name>[\w-]+)|\["(?P<literal>[^"]*)"\]|\[(?P<index>[\w.]+)\]')
_TEMPLATE = regex(r"(?<!\$)\$\{([^{}]++)\}")
_WHOLE_NUMBER = regex(r"0|[1-9]\d{0,14}", re.ASCII)
_CONVERSIONS = frozenset({"tomap", "tolist", "toset", "tostring", "sensitive", "nonsensitive"})

T = TypeVar("T")


class Scope(Struct, frozen=True, eq=False, dict=True):
    """The scope of an expression: a module as the ``call`` in the scope ``caller`` calls it, or without a call.

    ``names`` are ``each.key``, ``each.value`` and the variables of ``for``.
    """

    module: Module
    call: ModuleCall | None = None
    caller: Scope | None = None
    names: Mapping[str, Expression] = field(default_factory=dict)

    @cached_property
    def resolutions(self) -> dict[str, Expression]:
        """The resolved references of the scope, by their text."""
        return {}

    @property
    def functions(self) -> Mapping[str, Function]:
        """The functions that the evaluator supports in this scope, by name."""
        raise NotImplementedError

    def root(self, name: str) -> Expression | None:
        """The expression of a name, for example ``local.name``; None if it is unknown."""
        raise NotImplementedError

    def argument(self, document: Document, block: Block, name: str) -> Expression | None:
        """The argument ``name`` of a block in this scope, if it has one."""
        attribute = block.attribute(name)
        return None if attribute is None else self.expression(document, attribute)

    def expression(self, document: Document, attribute: Attribute) -> Expression:
        """The value of an argument in this scope."""
        return Expression(document.expression(attribute), self, document, attribute.value)

    def with_names(self, **names: Expression) -> Scope:
        """The scope with more names in it."""
        return replace(self, names={**self.names, **names})


class Expression(Written[Scope], frozen=True, eq=False):
    """An expression with its scope, and its value."""

    @property
    def string(self) -> str | None:
        """The value as a string; None if the value is unknown, or is no string."""
        return if_known(lambda: string_of(self, EvaluationBudget()))

    @property
    def origin(self) -> Expression | None:
        """The expression behind all references; None if it is unknown. A missing member is ``null``."""
        return if_known(lambda: follow(self, EvaluationBudget()), missing=self.derived("null"))

    @property
    def resolved(self) -> Expression:
        """The last known expression behind variables, locals and ``each``, for example a resource's attribute."""
        expression, budget = self, EvaluationBudget()
        with suppress(UnknownError, MissingError, SyntaxProblem):
            while traversal := _TRAVERSAL.fullmatch(expression.text.strip()):
                budget = budget.after_step()
                expression = _stepped(
                    expression, _root(expression.scope, traversal["root"]), traversal["steps"], budget
                )
        return expression

    @property
    def is_null(self) -> bool:
        """Whether the value is known to be ``null``."""
        return self.origin is not None and self.origin.text == "null"

    @property
    def strings(self) -> tuple[str, ...] | None:
        """The strings of a list; None if they are unknown."""
        return if_known(lambda: strings_of(self, EvaluationBudget()))

    @property
    def entries(self) -> list[tuple[str, Expression]] | None:
        """The entries of a map, or of a set of strings, with keys and values; None if they are unknown."""
        return if_known(lambda: list(_entries(self, EvaluationBudget()).items()))

    def object_item(self, name: str) -> Expression | None:
        """The item ``name`` of an object constructor; None without the item, or for another expression."""
        items = self.items
        return self.part(name, items[name]) if items is not None and name in items else None

    def member(self, name: str) -> Expression | None:
        """The member ``name`` of an object; None if the member is missing or unknown."""
        return if_known(lambda: member(self, name, EvaluationBudget()))


def if_known(ask: Callable[[], T], missing: T | None = None) -> T | None:
    """The answer of ``ask``, or ``missing`` if a literal object lacks the member; None if the answer is unknown."""
    try:
        return ask()
    except MissingError:
        return missing
    except (UnknownError, SyntaxProblem):
        return None


def strings_of(expression: Expression, budget: EvaluationBudget) -> tuple[str, ...] | None:
    """The strings of a list; None if they are unknown."""
    resolved = follow(expression, budget)
    function_call = call(resolved.text.strip())
    if function_call is not None and function_call.function == "concat" and not function_call.suffix:
        lists = [strings_of(resolved.derived(argument), budget.after_step()) for argument in function_call.arguments]
        return None if None in lists else tuple(string for strings in lists for string in strings or ())
    items = resolved.elements
    values = [string_of(element, budget) for element in items or ()]
    return None if items is None or None in values else tuple(value for value in values if value is not None)


def string_of(expression: Expression, budget: EvaluationBudget) -> str | None:
    """The value of an expression as a string, also for a whole number; None for anything else."""
    resolved = follow(expression, budget)
    if _WHOLE_NUMBER.fullmatch(resolved.text):
        return resolved.text
    literal = string_value(resolved.text)
    return literal if literal is not None or not resolved.text.startswith('"') else _fill(resolved, budget)


def _fill(template: Expression, budget: EvaluationBudget) -> str | None:
    values = {
        inner: string_of(template.derived(inner.strip()), budget.after_step())
        for inner in _TEMPLATE.findall(template.text)
    }
    if not values or None in values.values():
        return None
    filled = _TEMPLATE.sub(lambda match: quote(values[match[1]] or "")[1:-1], template.text)
    if len(filled) > _LONGEST_STRING:
        raise UnknownError
    return string_value(filled)


def follow(expression: Expression, budget: EvaluationBudget) -> Expression:
    """The expression at the end of the references of ``expression``. Raises `UnknownError` or `MissingError`."""
    budget = budget.after_step()
    text = expression.text.strip()
    if text[:1] in ("{", "[") or string_value(text) is not None:
        return expression
    if text.startswith("(") and skip_balanced(text, 0) == len(text):
        return follow(expression.derived(text[1:-1]), budget)
    if text.startswith('"') and (inner := hcl.interior(text, Span(0, len(text)))) is not None:
        return follow(expression.derived(inner.of(text)), budget)
    function_call = call(text)
    if function_call is not None and _PATH.fullmatch(function_call.suffix):
        return _walk(expression, _apply(expression, function_call, budget), function_call.suffix, budget)
    if (parts := conditional(text)) is not None:
        return follow(expression.derived(parts[1 if _holds(expression, parts[0], budget) else 2]), budget)
    traversal = _TRAVERSAL.fullmatch(text)
    if traversal is None or text in ("null", "true", "false"):
        return expression
    root, followed = traversal["root"], expression.scope.resolutions
    if root not in followed:
        followed[root] = follow(_root(expression.scope, root), budget)
    return _walk(expression, followed[root], traversal["steps"], budget) if traversal["steps"] else followed[root]


def _walk(expression: Expression, target: Expression, steps: str, budget: EvaluationBudget) -> Expression:
    target = _stepped(expression, target, steps, budget)
    return target if target is expression else follow(target, budget)


def _stepped(expression: Expression, target: Expression, steps: str, budget: EvaluationBudget) -> Expression:
    for step in _STEP.finditer(steps):
        name = step["name"] or step["literal"] or _index(expression.derived(step["index"] or ""), budget)
        target = member(target, name, budget)
    return target


def _index(expression: Expression, budget: EvaluationBudget) -> str:
    name = string_of(expression, budget)
    if name is None:
        raise UnknownError
    return name


def _holds(expression: Expression, condition: str, budget: EvaluationBudget) -> bool:
    """Whether a comparison, or a reference to a boolean, is true. Raises `UnknownError` if that is unknown."""
    sides, function_call = comparison(condition), call(condition)
    if (
        function_call is not None
        and function_call.function == "contains"
        and len(function_call.arguments) == 2
        and not function_call.suffix
    ):
        listed, element = (expression.derived(argument) for argument in function_call.arguments)
        strings, string = strings_of(listed, budget), string_of(element, budget)
        if strings is None or string is None:
            raise UnknownError
        return string in strings
    if sides is None:
        value = follow(expression.derived(condition), budget).text.strip('"')
        if value not in ("true", "false"):
            raise UnknownError
        return value == "true"
    left, right = (_scalar(expression.derived(side), budget) for side in sides[:2])
    return (left == right) == sides[2]


def _scalar(expression: Expression, budget: EvaluationBudget) -> str:
    try:
        text = follow(expression, budget).text
    except MissingError:
        return "null"
    value = text if text in ("null", "true", "false") or text.isdecimal() else string_of(expression, budget)
    if value is None:
        raise UnknownError
    return value if value == text else quote(value)


def _root(scope: Scope, root: str) -> Expression:
    target = scope.names.get(root) or scope.root(root)
    if target is None:
        raise UnknownError
    return target


def _apply(expression: Expression, function_call: Call, budget: EvaluationBudget) -> Expression:
    """The result of a function that people put around values of another place."""
    arguments = [expression.derived(argument) for argument in function_call.arguments]
    if function_call.function in _CONVERSIONS and len(arguments) == 1:
        return follow(arguments[0], budget)
    special = expression.scope.functions.get(function_call.function)
    return expression if special is None else special(expression, arguments, budget)


Function = Callable[[Expression, list[Expression], EvaluationBudget], Expression]


def member(expression: Expression, name: str, budget: EvaluationBudget) -> Expression:
    """The attribute or element ``name`` of a value. Raises `MissingError` if there is none, or `UnknownError`."""
    resolved = follow(expression, budget)
    if (item := resolved.object_item(name)) is not None:
        return item
    if (elements := resolved.elements) is not None:
        if not name.isdecimal() or int(name) >= len(elements):
            raise MissingError
        return elements[int(name)]
    value = _entries(resolved, budget).get(name)
    if value is None:
        raise MissingError
    return value


def _entries(expression: Expression, budget: EvaluationBudget) -> dict[str, Expression]:
    resolved = follow(expression, budget)
    text = resolved.text.strip()
    function_call = call(text)
    if function_call is not None and function_call.function == "merge" and not function_call.suffix:
        budget = budget.after_step()
        return {
            key: value
            for argument in function_call.arguments
            if (part := follow(resolved.derived(argument), budget)).text != "null"
            for key, value in _entries(part, budget).items()
        }
    if (parts := loop(text)) is not None:
        return dict(_loop(resolved, parts, budget.after_step()))
    if (elements := resolved.elements) is not None:
        keyed = [(string_of(element, budget), element) for element in elements]
        if any(key is None for key, _ in keyed):
            raise UnknownError
        return {key: element for key, element in keyed if key is not None}
    if (members := resolved.parts) is None:
        raise UnknownError
    return members


def _loop(resolved: Expression, parts: Loop, budget: EvaluationBudget) -> Iterator[tuple[str, Expression]]:
    source = follow(resolved.derived(parts.source), budget)
    elements = source.elements
    listed = None if elements is None else {str(number): element for number, element in enumerate(elements)}
    for key, value in (_entries(source, budget) if listed is None else listed).items():
        values = (value,) if len(parts.names) == 1 else (source.derived(quote(key)), value)
        inner = Expression("", resolved.scope.with_names(**dict(zip(parts.names, values, strict=False))))
        if not parts.condition or _holds(inner, parts.condition, budget):
            if (name := string_of(inner.derived(parts.key), budget)) is None:
                raise UnknownError
            yield name, inner.derived(parts.value)
