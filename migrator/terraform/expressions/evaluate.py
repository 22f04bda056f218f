"""What an expression means where that can be said without running Terraform, and where that meaning is written.

References to variables, locals, ``each`` and the variables of ``for`` are followed through literal objects, calls of
modules and the functions that people put around them, to the place where a maintainer would edit the value.
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
from migrator.terraform.expressions.decoded_files import decoded
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
_WHOLE = regex(r"0|[1-9]\d{0,14}", re.ASCII)
_CONVERSIONS = frozenset({"tomap", "tolist", "toset", "tostring", "sensitive", "nonsensitive"})

T = TypeVar("T")


class Scope(Struct, frozen=True, eq=False, dict=True):
    """Where an expression stands: a module, as the ``call`` in the scope ``caller`` calls it, or as nobody does.

    ``names`` are ``each.key``, ``each.value`` and the variables of ``for``.
    """

    module: Module
    call: ModuleCall | None = None
    caller: Scope | None = None
    names: Mapping[str, Expression] = field(default_factory=dict)

    @cached_property
    def followed(self) -> dict[str, Expression]:
        """What references lead to."""
        return {}

    @property
    def functions(self) -> Mapping[str, Function]:
        """What functions make of their arguments, of those that mean more here than their call says."""
        return FUNCTIONS

    def root(self, name: str) -> Expression | None:
        """What a name such as ``local.name`` stands for; None where that is not known."""
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
    """An expression, and what it comes to."""

    @property
    def string(self) -> str | None:
        """The string that it is; None where that is not known, or is no string."""
        return known(lambda: string_of(self, EvaluationBudget()))

    @property
    def origin(self) -> Expression | None:
        """The expression behind all references; None where that is not known. A missing one is ``null``."""
        return known(lambda: _follow(self, EvaluationBudget()), missing=self.derived("null"))

    @property
    def behind(self) -> Expression:
        """What variables, locals and ``each`` lead to, as far as that is known, such as a resource's attribute."""
        found, budget = self, EvaluationBudget()
        with suppress(UnknownError, MissingError, SyntaxProblem):
            while traversal := _TRAVERSAL.fullmatch(found.text.strip()):
                budget = budget.more()
                found = _stepped(found, _root(found.scope, traversal["root"]), traversal["steps"], budget)
        return found

    @property
    def is_null(self) -> bool:
        """Whether it is known to be ``null``."""
        return self.origin is not None and self.origin.text == "null"

    @property
    def strings(self) -> tuple[str, ...] | None:
        """The strings of the list that it is; None where they are not known."""
        return known(lambda: strings_of(self, EvaluationBudget()))

    @property
    def entries(self) -> list[tuple[str, Expression]] | None:
        """The entries of the map, or of the set of strings, that it is: keys and values; None if they are not known."""
        return known(lambda: list(_entries(self, EvaluationBudget()).items()))

    def own(self, name: str) -> Expression | None:
        """What the object constructor that it is says of ``name``; None if it is none, or says nothing."""
        items = self.items
        return self.part(name, items[name]) if items is not None and name in items else None

    def member(self, name: str) -> Expression | None:
        """What the object that it is has under ``name``; None where it has nothing, or that is not known."""
        return known(lambda: _member(self, name, EvaluationBudget()))


def known(ask: Callable[[], T], missing: T | None = None) -> T | None:
    """What is asked for, ``missing`` where a literal object does not have it; None where that is not known."""
    try:
        return ask()
    except MissingError:
        return missing
    except (UnknownError, SyntaxProblem):
        return None


def strings_of(expression: Expression, budget: EvaluationBudget) -> tuple[str, ...] | None:
    """The strings of the list that an expression is; None where they are not known."""
    found = _follow(expression, budget)
    made = call(found.text.strip())
    if made is not None and made.function == "concat" and not made.rest:
        lists = [strings_of(found.derived(argument), budget.more()) for argument in made.arguments]
        return None if None in lists else tuple(string for strings in lists for string in strings or ())
    items = found.elements
    values = [string_of(element, budget) for element in items or ()]
    return None if items is None or None in values else tuple(value for value in values if value is not None)


def string_of(expression: Expression, budget: EvaluationBudget) -> str | None:
    """The string that an expression is, or that a whole number becomes; None for anything else."""
    found = _follow(expression, budget)
    if _WHOLE.fullmatch(found.text):
        return found.text
    literal = string_value(found.text)
    return literal if literal is not None or not found.text.startswith('"') else _fill(found, budget)


def _fill(template: Expression, budget: EvaluationBudget) -> str | None:
    values = {
        inner: string_of(template.derived(inner.strip()), budget.more()) for inner in _TEMPLATE.findall(template.text)
    }
    if not values or None in values.values():
        return None
    filled = _TEMPLATE.sub(lambda match: quote(values[match[1]] or "")[1:-1], template.text)
    if len(filled) > _LONGEST_STRING:
        raise UnknownError
    return string_value(filled)


def _follow(expression: Expression, budget: EvaluationBudget) -> Expression:
    budget = budget.more()
    text = expression.text.strip()
    if text[:1] in ("{", "[") or string_value(text) is not None:
        return expression
    if text.startswith("(") and skip_balanced(text, 0) == len(text):
        return _follow(expression.derived(text[1:-1]), budget)
    if text.startswith('"') and (inner := hcl.interior(text, Span(0, len(text)))) is not None:
        return _follow(expression.derived(inner.of(text)), budget)
    made = call(text)
    if made is not None and _PATH.fullmatch(made.rest):
        return _walk(expression, _apply(expression, made, budget), made.rest, budget)
    if (parts := conditional(text)) is not None:
        return _follow(expression.derived(parts[1 if _holds(expression, parts[0], budget) else 2]), budget)
    traversal = _TRAVERSAL.fullmatch(text)
    if traversal is None or text in ("null", "true", "false"):
        return expression
    root, followed = traversal["root"], expression.scope.followed
    if root not in followed:
        followed[root] = _follow(_root(expression.scope, root), budget)
    return _walk(expression, followed[root], traversal["steps"], budget) if traversal["steps"] else followed[root]


def _walk(expression: Expression, found: Expression, steps: str, budget: EvaluationBudget) -> Expression:
    found = _stepped(expression, found, steps, budget)
    return found if found is expression else _follow(found, budget)


def _stepped(expression: Expression, found: Expression, steps: str, budget: EvaluationBudget) -> Expression:
    for step in _STEP.finditer(steps):
        name = step["name"] or step["literal"] or _index(expression.derived(step["index"] or ""), budget)
        found = _member(found, name, budget)
    return found


def _index(expression: Expression, budget: EvaluationBudget) -> str:
    name = string_of(expression, budget)
    if name is None:
        raise UnknownError
    return name


def _holds(expression: Expression, condition: str, budget: EvaluationBudget) -> bool:
    """Whether a comparison, or a reference to a boolean, is true. Raises `UnknownError` where that is not known."""
    sides, made = comparison(condition), call(condition)
    if made is not None and made.function == "contains" and len(made.arguments) == 2 and not made.rest:
        listed, element = (expression.derived(argument) for argument in made.arguments)
        strings, string = strings_of(listed, budget), string_of(element, budget)
        if strings is None or string is None:
            raise UnknownError
        return string in strings
    if sides is None:
        found = _follow(expression.derived(condition), budget).text.strip('"')
        if found not in ("true", "false"):
            raise UnknownError
        return found == "true"
    left, right = (_scalar(expression.derived(side), budget) for side in sides[:2])
    return (left == right) == sides[2]


def _scalar(expression: Expression, budget: EvaluationBudget) -> str:
    try:
        found = _follow(expression, budget).text
    except MissingError:
        return "null"
    value = found if found in ("null", "true", "false") or found.isdecimal() else string_of(expression, budget)
    if value is None:
        raise UnknownError
    return value if value == found else quote(value)


def _root(scope: Scope, root: str) -> Expression:
    found = scope.names.get(root) or scope.root(root)
    if found is None:
        raise UnknownError
    return found


def _apply(expression: Expression, made: Call, budget: EvaluationBudget) -> Expression:
    """What a function makes of its arguments, for those that people put around values that are written elsewhere."""
    arguments = [expression.derived(argument) for argument in made.arguments]
    if made.function in _CONVERSIONS and len(arguments) == 1:
        return _follow(arguments[0], budget)
    special = expression.scope.functions.get(made.function)
    return expression if special is None else special(expression, arguments, budget)


def _try(_: Expression, arguments: list[Expression], budget: EvaluationBudget) -> Expression:
    for argument in arguments:
        try:
            return _follow(argument, budget)
        except MissingError:
            continue
    raise UnknownError


def _coalesce(_: Expression, arguments: list[Expression], budget: EvaluationBudget) -> Expression:
    for argument in arguments:
        found = _follow(argument, budget)
        if found.text not in ("null", '""'):
            return found
    raise UnknownError


def _lookup(_: Expression, arguments: list[Expression], budget: EvaluationBudget) -> Expression:
    if len(arguments) < 2 or (key := string_of(arguments[1], budget)) is None:
        raise UnknownError
    try:
        return _follow(_member(arguments[0], key, budget), budget)
    except MissingError:
        if len(arguments) == 2:
            raise
        return _follow(arguments[2], budget)


def _decode(expression: Expression, arguments: list[Expression], _: EvaluationBudget) -> Expression:
    data = decoded(expression.scope.module, arguments[0].text) if len(arguments) == 1 else None
    if data is None:
        raise UnknownError
    return expression.derived(data)


Function = Callable[[Expression, list[Expression], EvaluationBudget], Expression]

FUNCTIONS: dict[str, Function] = {
    "jsondecode": _decode,
    "try": _try,
    "coalesce": _coalesce,
    "lookup": _lookup,
    "yamldecode": _decode,
}


def _member(expression: Expression, name: str, budget: EvaluationBudget) -> Expression:
    found = _follow(expression, budget)
    if (own := found.own(name)) is not None:
        return own
    if (elements := found.elements) is not None:
        if not name.isdecimal() or int(name) >= len(elements):
            raise MissingError
        return elements[int(name)]
    value = _entries(found, budget).get(name)
    if value is None:
        raise MissingError
    return value


def _entries(expression: Expression, budget: EvaluationBudget) -> dict[str, Expression]:
    found = _follow(expression, budget)
    text = found.text.strip()
    made = call(text)
    if made is not None and made.function == "merge" and not made.rest:
        budget = budget.more()
        return {
            key: value
            for argument in made.arguments
            if (part := _follow(found.derived(argument), budget)).text != "null"
            for key, value in _entries(part, budget).items()
        }
    if (parts := loop(text)) is not None:
        return dict(_loop(found, parts, budget.more()))
    if (elements := found.elements) is not None:
        keyed = [(string_of(element, budget), element) for element in elements]
        if any(key is None for key, _ in keyed):
            raise UnknownError
        return {key: element for key, element in keyed if key is not None}
    if (members := found.parts) is None:
        raise UnknownError
    return members


def _loop(found: Expression, parts: Loop, budget: EvaluationBudget) -> Iterator[tuple[str, Expression]]:
    source = _follow(found.derived(parts.source), budget)
    elements = source.elements
    listed = None if elements is None else {str(number): element for number, element in enumerate(elements)}
    for key, value in (_entries(source, budget) if listed is None else listed).items():
        values = (value,) if len(parts.names) == 1 else (source.derived(quote(key)), value)
        inner = Expression("", found.scope.with_names(**dict(zip(parts.names, values, strict=False))))
        if not parts.condition or _holds(inner, parts.condition, budget):
            if (name := string_of(inner.derived(parts.key), budget)) is None:
                raise UnknownError
            yield name, inner.derived(parts.value)
