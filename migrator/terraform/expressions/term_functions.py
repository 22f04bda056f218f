"""The results of functions for terms, as far as known; any other call is a term itself."""

from __future__ import annotations

import re
from collections.abc import Callable

from migrator.terraform.expressions.terms import (
    MISSING,
    NULL,
    Term,
    choice,
    equal,
    get,
    literal,
    made_object,
    made_set,
    made_tuple,
    or_default,
    template,
    term,
    typed,
)


def rebuilt(original: Term, parts: tuple[Term, ...]) -> Term:
    """A term like ``original`` with other parts."""
    if parts == original.parts:
        return original
    if original.op in _MAKERS:
        return _MAKERS[original.op](original, parts)
    return term(original.op, original.name, original.scope, parts)


def call(name: str, arguments: tuple[Term, ...]) -> Term:
    """The result of a function for its arguments."""
    special = _FUNCTIONS.get(name)
    result = None if special is None or not arguments else special(arguments)
    if result is None and MISSING in arguments and name not in ("try", "can"):
        return MISSING
    return result if result is not None else term("call", name, parts=arguments)


def _as_list(arguments: tuple[Term, ...]) -> Term | None:
    return made_tuple(arguments[0].parts) if arguments[0].op in ("tuple", "set") else None


def _as_map(arguments: tuple[Term, ...]) -> Term | None:
    """The same value if its elements have one type: Terraform makes no map of other elements."""
    value = arguments[0]
    types = {(term.op, term.string is None, term.name if term.op == "object" else "") for term in value.parts}
    return value if value.op == "object" and len(types) < 2 else None


def _as_set(arguments: tuple[Term, ...]) -> Term | None:
    is_known = arguments[0].op in ("tuple", "set") and all(term.string is not None for term in arguments[0].parts)
    return made_set(arguments[0].parts) if is_known else None


def _lookup(arguments: tuple[Term, ...]) -> Term | None:
    member = get(*arguments[:2]) if len(arguments) > 1 else None
    if member is None or len(arguments) == 2:
        return member
    return arguments[2] if member is MISSING else member if arguments[0].entries and arguments[1].text else None


def _merge(arguments: tuple[Term, ...]) -> Term | None:
    terms = [term for term in arguments if term is not NULL]
    if len(terms) == 1:
        return terms[0]
    if any(term.op != "object" for term in terms):
        return None
    return made_object({key: value for term in terms for key, value in (term.entries or {}).items()})


def _try(arguments: tuple[Term, ...]) -> Term | None:
    remaining = [argument for argument in arguments if not _lacks(argument)]
    if not remaining:
        return MISSING
    is_sure = _is_sure(remaining[0]) or len(set(remaining)) == 1
    return remaining[0] if is_sure else term("call", "try", parts=remaining)


def _lacks(value: Term) -> bool:
    """Whether ``value`` is an error, or contains an error."""
    return value is MISSING or (value.op in ("object", "tuple") and any(map(_lacks, value.parts)))


def _is_sure(value: Term) -> bool:
    """Whether ``value`` is no error for any values of its symbols."""
    return value.op in ("literal", "var") or (value.op in ("object", "tuple") and all(map(_is_sure, value.parts)))


def _coalesce(arguments: tuple[Term, ...]) -> Term | None:
    remaining = [argument for argument in arguments if argument not in (NULL, literal(""))]
    is_string = bool(remaining) and remaining[0].string is not None  # of other types, Terraform may convert the value
    is_sure = bool(remaining) and (is_string or len(set(remaining)) == 1)
    return remaining[0] if is_sure else term("call", "coalesce", parts=remaining) if remaining else None


def _element(arguments: tuple[Term, ...]) -> Term | None:
    items, index = arguments[0], arguments[-1].text
    is_known = items.op == "tuple" and items.parts and index is not None and index.isdecimal()
    return items.parts[int(index or 0) % len(items.parts)] if is_known and len(arguments) == 2 else None


def _single(arguments: tuple[Term, ...]) -> Term | None:
    items = arguments[0]
    return (items.parts or (NULL,))[0] if items.op in ("tuple", "set") and len(items.parts) < 2 else None


def _concat(arguments: tuple[Term, ...]) -> Term | None:
    return (
        made_tuple(part for term in arguments for part in term.parts)
        if all(argument.op == "tuple" for argument in arguments)
        else None
    )


def _join(arguments: tuple[Term, ...]) -> Term | None:
    if len(arguments) != 2 or arguments[1].op not in ("tuple", "set"):
        return None
    pieces = [piece for string in arguments[1].parts for piece in (arguments[0], string)][1:]
    return template(pieces)


def _format(arguments: tuple[Term, ...]) -> Term | None:
    pieces = re.split(r"(%s)", arguments[0].string or "%")
    if any("%" in piece for piece in pieces[::2]) or len(pieces) // 2 != len(arguments) - 1:
        return None
    return template(
        literal(piece) if number % 2 == 0 else arguments[number // 2 + 1] for number, piece in enumerate(pieces)
    )


def _keys(arguments: tuple[Term, ...]) -> Term | None:
    return made_tuple(map(literal, arguments[0].entries or {})) if arguments[0].op == "object" else None


def _zipmap(arguments: tuple[Term, ...]) -> Term | None:
    keys, values = (term.parts for term in arguments) if len(arguments) == 2 else ((), ())
    is_known = all(term.op == "tuple" for term in arguments) and len(keys) == len(values)
    names = [term.string for term in keys]
    return made_object(dict(zip(map(str, names), values, strict=True))) if is_known and None not in names else None


def _decoded(arguments: tuple[Term, ...]) -> Term | None:
    return arguments[0].parts[0] if arguments[0].op == "call" and arguments[0].name == "jsonencode" else None


def _words(change: Callable[[str], str]) -> Callable[[tuple[Term, ...]], Term | None]:
    def apply(arguments: tuple[Term, ...]) -> Term | None:
        string = arguments[0].string if len(arguments) == 1 else None
        return None if string is None else literal(change(string))

    return apply


_FUNCTIONS: dict[str, Callable[[tuple[Term, ...]], Term | None]] = {
    **dict.fromkeys(("sensitive", "nonsensitive"), lambda arguments: arguments[0] if len(arguments) == 1 else None),
    "coalesce": _coalesce,
    "concat": _concat,
    "element": _element,
    "format": _format,
    "join": _join,
    "jsondecode": _decoded,
    "keys": _keys,
    "lookup": _lookup,
    "lower": _words(str.lower),
    "merge": _merge,
    "one": _single,
    "reverse": lambda arguments: made_tuple(arguments[0].parts[::-1]) if arguments[0].op == "tuple" else None,
    "tolist": _as_list,
    "tomap": _as_map,
    "toset": _as_set,
    "tostring": template,
    "trimspace": _words(str.strip),
    "try": _try,
    "upper": _words(str.upper),
    "values": lambda arguments: made_tuple(arguments[0].parts) if arguments[0].op == "object" else None,
    "zipmap": _zipmap,
}

_MAKERS: dict[str, Callable[[Term, tuple[Term, ...]], Term]] = {
    "get": lambda _, parts: get(*parts),
    "default": lambda _, parts: or_default(*parts),
    "typed": lambda original, parts: typed(original.name, *parts),
    "if": lambda _, parts: choice(*parts),
    "==": lambda _, parts: equal(*parts, is_negated=False),
    "!=": lambda _, parts: equal(*parts, is_negated=True),
    "template": lambda _, parts: template(parts),
    "call": lambda original, parts: call(original.name, parts),
}
