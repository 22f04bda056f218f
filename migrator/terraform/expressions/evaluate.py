"""What an expression means where that can be said without running Terraform, and where that meaning is written.

References to variables, locals, ``each`` and the variables of ``for`` are followed through literal objects, calls of
modules and the functions that people put around them, to the place where a maintainer would edit the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from migrator.errors import SyntaxProblem
from migrator.regex import regex
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
        return _known(lambda: _string(self, EvaluationBudget()))

    @property
    def origin(self) -> Expression | None:
        """The expression behind all references; None where that is not known. A missing one is ``null``."""
        return _known(lambda: _follow(self, EvaluationBudget()), missing=self.derived("null"))

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
        return _known(lambda: _strings(self, EvaluationBudget()))

    @property
    def entries(self) -> list[tuple[str, Expression]] | None:
        """The entries of the map, or of the set of strings, that it is: keys and values; None if they are not known."""
        return _known(lambda: list(_entries(self, EvaluationBudget()).items()))

    def member(self, name: str) -> Expression | None:
        """What the object that it is has under ``name``; None where it has nothing, or that is not known."""
        return _known(lambda: _member(self, name, EvaluationBudget()))


def _known(ask: Callable[[], T], missing: T | None = None) -> T | None:
    try:
        return ask()
    except MissingError:
        return missing
    except (UnknownError, SyntaxProblem):
        return None


def _strings(expression: Expression, budget: EvaluationBudget) -> tuple[str, ...] | None:
    items = _follow(expression, budget).elements
    values = [_string(item, budget) for item in items or ()]
    return None if items is None or None in values else tuple(value for value in values if value is not None)


def _string(expression: Expression, budget: EvaluationBudget) -> str | None:
    found = _follow(expression, budget)
    literal = string_value(found.text)
    return literal if literal is not None or not found.text.startswith('"') else _fill(found, budget)


def _fill(template: Expression, budget: EvaluationBudget) -> str | None:
    values = {
        inner: _string(template.derived(inner.strip()), budget.more()) for inner in _TEMPLATE.findall(template.text)
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
    if expression.text.isdecimal():
        return expression.text
    name = _string(expression, budget)
    if name is None:
        raise UnknownError
    return name


def _holds(expression: Expression, condition: str, budget: EvaluationBudget) -> bool:
    """Whether a comparison, or a reference to a boolean, is true. Raises `UnknownError` where that is not known."""
    sides, made = comparison(condition), call(condition)
    if made is not None and made.function == "contains" and len(made.arguments) == 2 and not made.rest:
        listed, item = (expression.derived(argument) for argument in made.arguments)
        return _contains(_strings(listed, budget), _string(item, budget))
    if sides is None:
        found = _follow(expression.derived(condition), budget).text.strip('"')
        if found not in ("true", "false"):
            raise UnknownError
        return found == "true"
    left, right = (_scalar(expression.derived(side), budget) for side in sides[:2])
    return (left == right) == sides[2]


def _contains(listed: tuple[str, ...] | None, item: str | None) -> bool:
    if listed is None or item is None:
        raise UnknownError
    return item in listed


def _scalar(expression: Expression, budget: EvaluationBudget) -> str:
    try:
        found = _follow(expression, budget).text
    except MissingError:
        return "null"
    value = found if found in ("null", "true", "false") or found.isdecimal() else _string(expression, budget)
    if value is None:
        raise UnknownError
    return value if value == found else quote(value)


def _root(scope: Scope, root: str) -> Expression:
    kind, _, name = root.partition(".")
    found = scope.names.get(root)
    if found is None and kind == "var":
        found = _variable(scope, name)
    if found is None and kind == "local":
        found = _last(scope, name, scope.module.blocks("locals"))
    if found is None:
        raise UnknownError
    return found


def _variable(scope: Scope, name: str) -> Expression | None:
    """What the call of the module says, or a file with values, else the variable's default."""
    declarations = list(scope.module.blocks("variable", name))
    constraint = _last(scope, "type", declarations)
    found = None
    if scope.call is not None and scope.caller is not None:
        found = scope.caller.argument(scope.call.document, scope.call.block, name)
    elif value := scope.module.value(name):
        document, attribute = value
        if attribute is None:
            return None
        found = Expression(document.expression(attribute), scope)  # without its place: values are not edited there
    found = found or _last(scope, "default", declarations)
    return replace(found, type_=constraint.text) if found is not None and constraint is not None else found


def _last(scope: Scope, name: str, blocks: Iterable[tuple[Document, Block]]) -> Expression | None:
    """The argument ``name`` of the first of the blocks that has it, unless an override file says otherwise."""
    having = [(document, block) for document, block in blocks if block.attribute(name)]
    overriding = [item for item in having if item[0].is_override]
    chosen = overriding[-1:] or having[:1]
    return scope.argument(*chosen[0], name) if chosen else None


def _apply(expression: Expression, made: Call, budget: EvaluationBudget) -> Expression:
    """What a function makes of its arguments, for those that people put around values that are written elsewhere."""
    arguments = [expression.derived(argument) for argument in made.arguments]
    if made.function in _CONVERSIONS and len(arguments) == 1:
        return _follow(arguments[0], budget)
    special = _FUNCTIONS.get(made.function)
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
    if len(arguments) < 2 or (key := _string(arguments[1], budget)) is None:
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


_FUNCTIONS: dict[str, Callable[[Expression, list[Expression], EvaluationBudget], Expression]] = {
    "jsondecode": _decode,
    "try": _try,
    "coalesce": _coalesce,
    "lookup": _lookup,
    "yamldecode": _decode,
}


def _member(expression: Expression, name: str, budget: EvaluationBudget) -> Expression:
    found = _follow(expression, budget)
    if (items := found.items) is not None and name in items:
        return found.part(name, items[name])
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
        keyed = [(_string(element, budget), element) for element in elements]
        if any(key is None for key, _ in keyed):
            raise UnknownError
        return {key: element for key, element in keyed if key is not None}
    if (members := found.parts) is None:
        raise UnknownError
    return members


def _loop(found: Expression, parts: Loop, budget: EvaluationBudget) -> Iterator[tuple[str, Expression]]:
    source = _follow(found.derived(parts.source), budget)
    elements = source.elements
    pairs = (
        _entries(source, budget).items()
        if elements is None
        else [(str(i), expression) for i, expression in enumerate(elements)]
    )
    for key, value in pairs:
        values = (value,) if len(parts.names) == 1 else (source.derived(quote(key)), value)
        inner = Expression("", found.scope.with_names(**dict(zip(parts.names, values, strict=False))))
        if not parts.condition or _holds(inner, parts.condition, budget):
            if (name := _string(inner.derived(parts.key), budget)) is None:
                raise UnknownError
            yield name, inner.derived(parts.value)
