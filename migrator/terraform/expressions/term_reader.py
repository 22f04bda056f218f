"""The terms of expressions, by the syntax tree of python-hcl2; the caller says what names refer to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from migrator.errors import SyntaxProblem
from migrator.regex import regex
from migrator.syntax.hcl.strings import string_value
from migrator.syntax.hcl.tree import children, is_wrapped, kind, tree, trees, words
from migrator.terraform.expressions.term_functions import call, rebuilt
from migrator.terraform.expressions.terms import (
    NULL,
    Term,
    TermsError,
    choice,
    equal,
    get,
    literal,
    made_object,
    made_tuple,
    template,
    term,
)

if TYPE_CHECKING:
    from lark import Token, Tree

    Node = Tree[Token] | Token

Names = Callable[[str, Sequence[str]], tuple[Term, int] | Term]
"""The term of a name with attributes, and the number of the attributes in the name itself."""

_SIMPLE = regex(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*")
_EMPTY: Mapping[str, Term] = {}
_IMPURE = frozenset({"uuid", "timestamp", "bcrypt"})
_CATCHING = frozenset({"try", "can"})
_UNIFYING = frozenset({"coalesce", "coalescelist", "merge", "tostring"})
_WORDS = {"null": None, "true": True, "false": False}


def read(text: str, names: Names) -> Term:
    """The term of an expression. Raises `TermsError` if the expression cannot be read."""
    text = text.strip()
    string = string_value(text)
    if text in _WORDS or string is not None:
        return literal(_WORDS.get(text, string))
    if _SIMPLE.fullmatch(text):
        first, *steps = text.split(".")
        return _stepped(names, first, steps)
    try:
        return _Reader(names).expression(tree(text))
    except (RecursionError, SyntaxProblem):
        raise TermsError from None


def replaced(value: Term, replace: Callable[[Term], Term | None], cache: dict[Term, Term]) -> Term:
    """The ``value`` with some parts replaced; ``cache`` holds earlier results."""
    replacement = cache.get(value)
    if replacement is None:
        replacement = replace(value)
        if replacement is None:
            replacement = (
                rebuilt(value, tuple(replaced(term, replace, cache) for term in value.parts))
                if value.symbols
                else value
            )
        cache[value] = replacement
    return replacement


def _stepped(names: Names, first: str, steps: Sequence[str]) -> Term:
    target = names(first, steps)
    base, names_used = target if isinstance(target, tuple) else (target, len(steps))
    for step in steps[names_used:]:
        base = get(base, literal(step))
    return base


class _Reader:
    """Reads one expression; ``bound`` are the names of the loops around a part, each with its value.

    ``depth`` counts these loops, since an inner loop may reuse a name. Inside of ``try`` and ``can`` an error
    ``is_caught``: results that are not chosen count there, because Terraform fails if the results have no common type.
    """

    def __init__(
        self, names: Names, bound: Mapping[str, Term] = _EMPTY, depth: int = 0, *, is_caught: bool = False
    ) -> None:
        self._names = names
        self._bound = bound
        self._depth = depth
        self._is_caught = is_caught

    def expression(self, node: Node) -> Term:
        """The term of a part of a syntax tree."""
        special = getattr(self, f"_{kind(node)}", None)
        if special is not None:
            return cast("Callable[[Node], Term]", special)(node)
        return self._other(node)

    def _other(self, node: Node) -> Term:
        """Any other syntax; equal text in an equal scope makes an equal term."""
        if not hasattr(node, "data"):
            return term("token", str(node))
        return term("node", kind(node), parts=map(self.expression, children(cast("Tree[Token]", node))))

    def _expr_term(self, node: Node) -> Term:
        inner = trees(node)
        return self.expression(inner[0]) if len(inner) == 1 else self._other(node)

    def _int_lit(self, node: Node) -> Term:
        return literal(int(words(node)))

    def _literal_value(self, node: Node) -> Term:
        return literal(_WORDS[words(node)])

    def _identifier(self, node: Node) -> Term:
        name = words(node)
        return self._bound[name] if name in self._bound else _stepped(self._names, name, ())

    # --- what a name leads to -----------------------------------------------------------------------------------------

    def _get_attr_expr_term(self, node: Node) -> Term:
        return self._traversal(node)

    def _index_expr_term(self, node: Node) -> Term:
        return self._traversal(node)

    def _traversal(self, node: Node) -> Term:
        current: Node = node
        steps: list[Node] = []
        while kind(current) in ("get_attr_expr_term", "index_expr_term") or is_wrapped(current):
            parts = trees(current)
            steps = [*parts[1:], *steps]
            current = parts[0]
        name = words(current)
        if kind(current) != "identifier" or name in self._bound:
            return self._steps(self.expression(current), steps)
        attributes: list[str] = []
        for step in steps:
            if kind(step) != "get_attr":
                break
            attributes.append(words(trees(step)[0]))
        target = self._names(name, attributes)
        base, names_used = target if isinstance(target, tuple) else (target, len(attributes))
        return self._steps(base, steps[names_used:])

    def _steps(self, base: Term, steps: Sequence[Node]) -> Term:
        for step in steps:
            if kind(step) == "get_attr":
                base = get(base, literal(words(trees(step)[0])))
            elif kind(step) == "short_index":
                base = get(base, literal(int(words(step).lstrip("."))))
            elif kind(step) == "braces_index":
                base = get(base, self.expression(trees(step)[0]))
            else:
                raise TermsError
        return base

    def _full_splat_expr_term(self, node: Node) -> Term:
        base, splat = trees(node)
        return self._splat(self.expression(base), lambda term: self._steps(term, trees(splat)))

    def _attr_splat_expr_term(self, node: Node) -> Term:
        base, splat = trees(node)
        steps = trees(splat)
        own_steps = next((index for index, tree in enumerate(steps) if kind(tree) != "get_attr"), len(steps))
        return self._steps(
            self._splat(self.expression(base), lambda term: self._steps(term, steps[:own_steps])), steps[own_steps:]
        )

    def _splat(self, base: Term, step: Callable[[Term], Term]) -> Term:
        if base.op in ("tuple", "set"):
            return made_tuple(map(step, base.parts))
        if base.op in ("object", "literal"):
            return made_tuple([step(base)] if base is not NULL else [])
        return term("splat", parts=(base, step(self._symbol("element"))))

    def _symbol(self, name: str) -> Term:
        return term("bound", f"{self._depth}.{name}")

    # --- what is made of other things ---------------------------------------------------------------------------------

    def _string(self, node: Node) -> Term:
        pieces: list[Term] = []
        for part in (child for piece in trees(node) for child in children(piece)):
            if kind(part) == "interpolation":
                pieces.append(self.expression(trees(part)[0]))
            elif hasattr(part, "data"):
                return term("node", "string", parts=map(self._other_or_text, trees(node)))
            else:
                pieces.append(_text(str(part)))
        if self._is_caught and any(piece.text is None for piece in pieces):
            return term("node", "string", parts=pieces)
        return pieces[0] if len(pieces) == 1 else template(pieces)

    def _other_or_text(self, node: Node) -> Term:
        return term("node", kind(node), parts=map(self.expression, children(cast("Tree[Token]", node))))

    def _heredoc_template(self, node: Node) -> Term:
        if re.search(r"[$%]\{", words(node)):
            raise TermsError
        return term("token", words(node))

    def _tuple(self, node: Node) -> Term:
        return made_tuple(map(self.expression, trees(node)))

    def _object(self, node: Node) -> Term:
        """An object; of equal keys the last counts, so the order of members matters if a key is unknown."""
        members = [(self._key(key), self.expression(value)) for key, value in map(trees, trees(node))]
        if any(key.text is None for key, _ in members):
            return term("node", "object", parts=(part for member in members for part in member))
        return made_object({key.text or "": value for key, value in members})

    def _key(self, node: Node) -> Term:
        inner = trees(node)[0]
        name = trees(inner)[0] if is_wrapped(inner) else inner
        if kind(name) == "identifier" and "(" not in words(node):
            return literal(words(name))
        return self.expression(inner)

    def _function_call(self, node: Node) -> Term:
        argument_list = next((tree for tree in trees(node) if kind(tree) == "arguments"), None)
        name = "::".join(words(tree) for tree in trees(node) if tree is not argument_list)
        if name in _IMPURE:
            raise TermsError
        reader = self._catching() if name in _CATCHING else self
        arguments = [reader.expression(tree) for tree in trees(argument_list)] if argument_list is not None else []
        if argument_list is not None and "ELLIPSIS" in map(kind, children(argument_list)):
            last = arguments.pop()
            if last.op not in ("tuple", "set"):
                return term("node", f"{name}...", parts=(*arguments, last))
            arguments += last.parts
        if self._is_caught and name in _UNIFYING:
            return term("node", name, parts=arguments)
        return call(name, tuple(arguments))

    def _conditional(self, node: Node) -> Term:
        condition, yes, no = map(self.expression, trees(node))
        return term("node", "?", parts=(condition, yes, no)) if self._is_caught else choice(condition, yes, no)

    def _binary_op(self, node: Node) -> Term:
        left, right = trees(node)
        operator, other = trees(right)
        is_plain = all(kind(tree) == "expr_term" for tree in (left, other))
        if is_plain and words(operator) in ("==", "!="):
            return equal(self.expression(left), self.expression(other), is_negated=words(operator) == "!=")
        return term("node", words(operator), parts=(self.expression(left), self.expression(other)))

    def _for_tuple_expr(self, node: Node) -> Term:
        return self._loop(node)

    def _for_object_expr(self, node: Node) -> Term:
        return self._loop(node)

    def _loop(self, node: Node) -> Term:
        intro, *results = trees(node)
        *names, source_node = trees(intro)
        source, called = self.expression(source_node), [words(tree) for tree in names]
        condition = trees(results.pop())[-1] if kind(results[-1]) == "for_cond" else None
        is_plain = "ELLIPSIS" not in map(kind, children(cast("Tree[Token]", node)))
        if source.entries is not None and is_plain:
            with suppress(_UnknownError):
                return self._collection(
                    list(self._rounds(source, called, results, condition)), is_object=len(results) == 2
                )
        inner = self._with(called, [self._symbol(str(index)) for index in range(len(called))])
        parts = [inner.expression(result) for result in (*results, *([condition] if condition is not None else ()))]
        return term("node", f"{kind(node)} {len(called)} {len(results)} {is_plain}", parts=(source, *parts))

    def _rounds(
        self, source: Term, called: Sequence[str], results: Sequence[Node], condition: Node | None
    ) -> Iterator[list[Term]]:
        for key, value in (source.entries or {}).items():
            number = literal(int(key)) if source.op == "tuple" else literal(key)
            inner = self._with(called, (number, value)[-len(called) :])
            holds = literal(True) if condition is None else inner.expression(condition)
            if holds.text not in ("true", "false"):
                raise _UnknownError
            if holds.text == "true":
                yield [inner.expression(child) for child in results]

    def _collection(self, rounds: Sequence[Sequence[Term]], *, is_object: bool) -> Term:
        if not is_object:
            return made_tuple(value for (value,) in rounds)
        if any(key.text is None for key, _ in rounds):
            raise _UnknownError
        return made_object({key.text or "": value for key, value in rounds})

    def _with(self, names: Sequence[str], values: Sequence[Term]) -> _Reader:
        bound = {**self._bound, **dict(zip(names, values, strict=True))}
        return _Reader(self._names, bound, self._depth + 1, is_caught=self._is_caught)

    def _catching(self) -> _Reader:
        return _Reader(self._names, self._bound, self._depth, is_caught=True)


class _UnknownError(Exception):
    """A loop has unknown results."""


def _text(raw: str) -> Term:
    string = string_value(f'"{raw}"')
    if string is None:
        raise TermsError
    return literal(string)
