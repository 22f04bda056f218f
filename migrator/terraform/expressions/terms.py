"""The values of expressions, as far as known: terms, and equal terms are one object.

A term is a literal, a symbol, for example a variable of a module, or an operation on other terms. Equal terms have the
same value in one run; different terms may or may not have the same value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from weakref import WeakValueDictionary

from msgspec import Struct
from msgspec.structs import force_setattr

from migrator.regex import regex
from migrator.span import Span
from migrator.syntax.hcl import parse as hcl
from migrator.syntax.hcl.strings import string_value
from migrator.terraform.expressions.forms import member_type, optional_members

_MOST_PARTS = 2_000
_LONGEST = 100_000
_WORDS = {"null": None, "true": True, "false": False}
_CONVERTS = regex(r"\b(?:optional\(|number\b|bool\b|set\()")


class TermsError(Exception):
    """The evaluation exceeds its limits, so the value stays unknown."""


class Term(Struct, frozen=True, eq=False, weakref=True):
    """``op`` is the kind, ``name`` the name, ``scope`` the module or call, and ``parts`` the operands of a term.

    ``symbols`` are the symbols in the term: a term without symbols has the same value everywhere.
    """

    op: str
    name: str = ""
    scope: str = ""
    parts: tuple[Term, ...] = ()
    symbols: frozenset[Term] = frozenset()

    def __repr__(self) -> str:
        return f"Term({self.op!r}, where={self.scope!r})"

    @property
    def string(self) -> str | None:
        """The value as a string; None if the value is unknown, or is no string."""
        value = json.loads(self.name) if self.op == "literal" else None
        return value if isinstance(value, str) else None

    @property
    def text(self) -> str | None:
        """The text that a template makes of the value; None if the value is unknown."""
        value = json.loads(self.name) if self.op == "literal" else None
        return None if value is None else value if isinstance(value, str) else self.name

    @property
    def entries(self) -> dict[str, Term] | None:
        """The members of a known object, tuple or set, by their keys; None for anything else."""
        if self.op == "object":
            return dict(zip(json.loads(self.name), self.parts, strict=True))
        if self.op == "set":
            return {term.text or "": term for term in self.parts}
        return {str(index): part for index, part in enumerate(self.parts)} if self.op == "tuple" else None


_KNOWN: WeakValueDictionary[tuple[object, ...], Term] = WeakValueDictionary()
_ATOMS = frozenset({"var", "each", "count", "resource", "in", "provider", "run"})
"""The kinds of symbols; the parts of a symbol, if any, are not evaluated."""


def term(op: str, name: str = "", scope: str = "", parts: Iterable[Term] = ()) -> Term:
    """The one term with these parts."""
    operands = tuple(parts)
    if len(operands) > _MOST_PARTS or len(name) > _LONGEST:
        raise TermsError
    key = (op, name, scope, operands)
    known_term = _KNOWN.get(key)
    if known_term is None:
        symbols = (
            frozenset[Term]().union(*(term.symbols for term in operands)) if op not in _ATOMS else frozenset[Term]()
        )
        known_term = Term(op, name, scope, operands, symbols)
        if op in _ATOMS:
            varying = (term for part in operands for term in part.symbols if term.op in ("each", "count"))
            force_setattr(known_term, "symbols", frozenset({known_term, *varying}))
        _KNOWN[key] = known_term
    return known_term


def literal(value: object) -> Term:
    """A string, number, boolean or null."""
    return term("literal", json.dumps(value, ensure_ascii=False))


NULL = literal(None)
MISSING = term("missing")
"""A missing member of an object: an error that ``try`` catches."""


def made_object(entries: Mapping[str, Term]) -> Term:
    """An object with known keys."""
    keys = sorted(entries)
    return term("object", json.dumps(keys, ensure_ascii=False), parts=(entries[key] for key in keys))


def made_tuple(items: Iterable[Term]) -> Term:
    """A tuple, list or set with known elements."""
    return term("tuple", parts=items)


def made_set(items: Iterable[Term]) -> Term:
    """A set in Terraform's order; unknown elements have no known order."""
    elements = tuple(items)
    if any(element.string is None for element in elements):
        return term("call", "toset", parts=(made_tuple(elements),))
    return term(
        "set", parts=(element for _, element in sorted({element.string or "": element for element in elements}.items()))
    )


def get(base: Term, key: Term) -> Term:
    """The element of ``base`` for ``key``."""
    if MISSING in (base, key):
        return MISSING
    name = key.text
    if name is not None and (entries := base.entries) is not None:
        return entries.get(name, MISSING)
    if name is not None and base.op == "typed":
        return _typed_member(base, name)
    return term("get", parts=(base, literal(name) if name is not None else key))


def _typed_member(base: Term, name: str) -> Term:
    member = get(base.parts[0], literal(name))
    default = optional_members(base.name).get(name)
    return typed(member_type(base.name, name), member if default is None else or_default(member, _constant(default)))


def or_default(value: Term, default: Term) -> Term:
    """``value``, or ``default`` for null."""
    if value in (NULL, MISSING):
        return default
    is_known = default is NULL or value.op in ("literal", "object", "tuple")
    return value if is_known else term("default", parts=(value, default))


def typed(type_: str, value: Term) -> Term:
    """``value`` as a variable of the type ``type_`` takes it: converted, with the optional members of the type."""
    if value.op in ("missing", "literal"):
        return _converted(type_, value)
    if value.op in ("tuple", "set"):
        elements = [typed(member_type(type_, ""), part) for part in value.parts]
        return made_set(elements) if type_.startswith("set(") else made_tuple(elements)
    if value.op == "object":
        entries = {key: typed(member_type(type_, key), member) for key, member in (value.entries or {}).items()}
        defaults = {key: _constant(text) for key, text in optional_members(type_).items()}
        attributes = {key: or_default(entries.get(key, NULL), default) for key, default in defaults.items()}
        return made_object(entries | attributes)
    return value if is_taken_as_passed(type_) else term("typed", type_, parts=(value,))


def is_taken_as_passed(type_: str) -> bool:
    """Whether a variable of the type ``type_`` takes values without additions and conversions."""
    return _CONVERTS.search(type_) is None


def _converted(type_: str, value: Term) -> Term:
    text = value.text
    if text is None or type_ not in ("string", "number", "bool"):
        return value
    if type_ == "number":
        return literal(int(text)) if re.fullmatch(r"-?(?:0|[1-9]\d{0,15})", text) else value
    return literal(text) if type_ == "string" else literal(text == "true") if text in ("true", "false") else value


def _constant(text: str) -> Term:
    """The value of a default in a type constraint, which has no references."""
    text, text_span = text.strip(), Span(0, len(text.strip()))
    if (string := string_value(text)) is not None:
        return literal(string)
    if text in _WORDS or re.fullmatch(r"\d+", text):
        return literal(_WORDS[text] if text in _WORDS else int(text))
    if (items := hcl.object_items(text, text_span)) is not None:
        return made_object({attribute.name: _constant(attribute.value.of(text)) for attribute in items})
    elements = hcl.list_items(text, text_span)
    return term("token", text) if elements is None else made_tuple(_constant(span.of(text)) for span in elements)


def choice(condition: Term, yes: Term, no: Term) -> Term:
    """``condition ? yes : no``: an error if Terraform cannot unify the types."""
    types = {_type(yes), _type(no)} - {""}
    is_unsure = NULL in (yes, no) and not types.isdisjoint({"object", "list"})  # null may be of another type
    is_unsure |= len(types) == 1 and types <= {"bool", "number"} and not (_type(yes) and _type(no))
    if (is_unsure or "mixed" in types) and yes is not no:  # and members are converted to those of the other
        return term("if", parts=(condition, yes, no))
    if len(types) > 1 and types not in ({"string", "number"}, {"string", "bool"}):
        return MISSING
    if len(types) > 1 and (yes.text is None or no.text is None):
        return term("if", parts=(condition, yes, no))
    if len(types) > 1:
        yes, no = literal(yes.text), literal(no.text)
    outcome = {"true": yes, "false": no}.get(condition.text or "")
    return outcome if outcome is not None else yes if yes is no else term("if", parts=(condition, yes, no))


def _type(value: Term) -> str:
    """The kind of the value; ``""`` if the kind is unknown, and for null, which has any type."""
    if value.op in ("object", "tuple", "set"):
        is_mixed = {"bool", "number", "mixed"} & set(map(_type, value.parts))
        return "mixed" if is_mixed else "object" if value.op == "object" else "list"
    if value.op != "literal" or value is NULL:
        return {"==": "bool", "!=": "bool", "template": "string"}.get(value.op, "")
    return "string" if value.string is not None else "bool" if value.name in ("true", "false") else "number"


def equal(left: Term, right: Term, *, is_negated: bool) -> Term:
    """``left == right``, or ``left != right``."""
    if left.op == right.op == "literal" and (left.string is None) == (right.string is None):
        return literal((left is right) != is_negated)
    return term("!=" if is_negated else "==", parts=(left, right))


def template(parts: Iterable[Term]) -> Term:
    """The text of several pieces one after the other."""
    pieces: list[Term] = []
    for part in _flat(parts):
        if pieces and part.text is not None and pieces[-1].text is not None:
            pieces[-1] = literal(f"{pieces[-1].text}{part.text}")
        elif part is not literal(""):
            pieces.append(part)
    if len(pieces) == 1:  # the same value as a string
        return pieces[0] if pieces[0].text is None else literal(pieces[0].text)
    return term("template", parts=pieces) if pieces else literal("")


def _flat(parts: Iterable[Term]) -> Iterator[Term]:
    for part in parts:
        yield from part.parts if part.op == "template" else (part,)
