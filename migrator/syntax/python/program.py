"""Python programs: calls by the full name of the function, and every argument with its place (libcst).

This module changes nothing, and never turns a tree into text: all spans refer to the original text. libcst loads
slowly, so this module should be imported only for a relevant program.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import libcst as cst
from libcst import metadata

from migrator.errors import SyntaxProblem
from migrator.span import Span
from migrator.syntax.diagnostics import UNCLEAR_CALL
from migrator.syntax.python.check import line_start, read
from migrator.syntax.python.items import Call, Item, Items, Maker
from migrator.syntax.python.tree import Tree, names_below, strings_and_names

if TYPE_CHECKING:
    from migrator.model.findings import Refusal

_DEPTH = 8
_Found = cst.Call | cst.ClassDef | cst.Comment | cst.ImportFrom | cst.Import


@lru_cache(maxsize=16)
def parse(text: str) -> Program:
    """The program of ``text``. Raises `SyntaxProblem` if the text is no program."""
    try:
        text.encode()
        read(text)
        return Program(text, metadata.MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True))
    except cst.ParserSyntaxError as error:
        raise SyntaxProblem(line_start(text, error.raw_line), "the file is not a Python program") from None
    except UnicodeEncodeError:
        raise SyntaxProblem(0, "the text is not UTF-8") from None
    except RecursionError:
        raise SyntaxProblem(0, "the text is nested too deeply") from None


class Program(Tree):
    """A Python program that was understood."""

    def __init__(self, text: str, wrapper: metadata.MetadataWrapper) -> None:
        super().__init__(text, wrapper)
        nodes = (node for node in (self._module, *self._parents) if isinstance(node, _Found))
        self._found = sorted(nodes, key=lambda node: self._bytes[node].start)
        self.imports = tuple(
            import_ for node in self._of(cst.ImportFrom, cst.Import) if (import_ := self._import(node))
        )
        self._calls: dict[frozenset[str], tuple[Call, ...]] = {}
        self.comments = tuple(self._span(node) for node in self._of(cst.Comment))
        self._comments_by_line = {self.line(comment.start): comment for comment in self.comments}

    def _of(self, *kinds: type[cst.CSTNode]) -> list[cst.CSTNode]:
        return [node for node in self._found if isinstance(node, kinds)]

    def comments_on(self, span: Span) -> str:
        """The comments on the first and last line of ``span``, and those on lines of their own right above."""
        first, last = self.line(span.start), self.line(span.end)
        by_line = self._comments_by_line
        spans = [by_line[line] for line in {first, last} if line in by_line]
        above = first - 1
        while above in by_line and not self._line_before(by_line[above]).strip():
            spans.append(by_line[above])
            above -= 1
        return "\n".join(comment.of(self.text) for comment in spans)

    def _line_before(self, comment: Span) -> str:
        return self.text[self.text.rfind("\n", 0, comment.start) + 1 : comment.start]

    def assigned_to(self, call: Call) -> str | None:
        """The only name that is bound to the result of the call."""
        statement = self._parents.get(call.node)
        target = statement.targets[0].target if isinstance(statement, cst.Assign) else None
        if isinstance(statement, cst.AnnAssign):
            target = statement.target
        if isinstance(target, cst.Name):
            bound = self._binding(target)
            return target.value if bound and bound[1] is call.node else None
        return None

    def is_used(self, call: Call) -> bool:
        """Whether the name that the call is assigned to is read anywhere."""
        statement = self._parents.get(call.node)
        targets = (
            [assign_target.target for assign_target in statement.targets] if isinstance(statement, cst.Assign) else []
        )
        targets += [statement.target] if isinstance(statement, cst.AnnAssign) else []
        names = [
            base_assign_target_expression
            for base_assign_target_expression in targets
            if isinstance(base_assign_target_expression, cst.Name)
        ]
        return any(base_assignment.references for name in names for base_assignment in self._assignments(name))

    def is_free(self, call: Call, name: str) -> bool:
        """Whether nothing that the call can see is called ``name``."""
        scope = self._scopes.get(call.node)
        return scope is not None and not scope[name]

    def bound_at(self, call: Call, argument: Item) -> list[int] | Refusal:
        """The positions that bind the name at the root of ``argument`` in the call's function, class or module."""
        node = argument.node
        while isinstance(node, cst.Attribute):
            node = node.value
        if not isinstance(node, cst.Name):
            return UNCLEAR_CALL.refusal(reason="the scope of the call is not a plain name")
        positions: list[int] = []
        for assignment in self._assignments(node):
            target = assignment.node if isinstance(assignment, metadata.Assignment) else None
            if target is None:
                continue
            if any(isinstance(ancestor, cst.CompFor | cst.Lambda) for ancestor in self._ancestors(target)):
                return UNCLEAR_CALL.refusal(reason="the scope of the call is bound within an expression")
            if isinstance(target, cst.Param) or isinstance(self._parents.get(target), cst.Param):
                continue
            function, class_ = self._frames(target)
            if (function or class_) == call.frame:
                positions.append(self._span(target).end)
        return (
            UNCLEAR_CALL.refusal(reason="the scope of the call is bound more than once")
            if len(positions) > 1
            else positions
        )

    def names_in(self, argument: Item) -> Iterator[tuple[str, str]]:
        """The names in an expression, each with the kind of binding: ``loop``, ``parameter`` or ``""``."""
        for node in names_below(argument.node):
            for assignment in self._assignments(node):
                target = getattr(assignment, "node", None)
                yield node.value, self._binder(target) if isinstance(target, cst.CSTNode) else ""

    def makes(self, call: Call, argument: Item, class_name: str) -> bool:
        """Whether ``argument`` is an instance of the class with that full name, or of a subclass in this program."""
        node = self._meant(argument.node)
        if isinstance(node, cst.Call):
            return class_name in self._full_names(node.func) or self._extends(node.func, class_name)
        if isinstance(node, cst.Name) and call.class_ and call.function and node.value == "self":
            classes = (ancestor for ancestor in self._ancestors(call.node) if isinstance(ancestor, cst.ClassDef))
            return self._has_base(next(classes), class_name, _DEPTH)
        return False

    def made_by(self, call: Call, argument: Item) -> Maker | None:
        """What made the object that ``argument`` is; None if it is unknown."""
        node = self._meant(argument.node)
        if isinstance(node, cst.Call):
            return Maker(self._module.code_for_node(node.func).rpartition(".")[2], node)
        if isinstance(node, cst.Name) and call.class_ and call.function and node.value == "self":
            class_ = next(ancestor for ancestor in self._ancestors(call.node) if isinstance(ancestor, cst.ClassDef))
            return Maker(class_.name.value, class_, is_self=True)
        return None

    @cached_property
    def bases(self) -> dict[str, list[str]]:
        """The names of the bases of each class."""
        classes = [node for node in self._of(cst.ClassDef) if isinstance(node, cst.ClassDef)]
        return {
            node.name.value: [self._module.code_for_node(base.value).rpartition(".")[2] for base in node.bases]
            for node in classes
        }

    # --- calls ----------------------------------------------------------------------------------------------------

    def calls(self, names: Iterable[str]) -> tuple[Call, ...]:
        """The calls of the full ``names`` in the order of the text."""
        names_called = frozenset(names)
        if names_called not in self._calls:
            self._calls[names_called] = tuple(self._find(names_called))
        return self._calls[names_called]

    def _find(self, names: Collection[str]) -> Iterator[Call]:
        for node in self._of(cst.Call):
            if isinstance(node, cst.Call):
                full_names = {(_known(full_name, names), full_name) for full_name in self._full_names(node.func)}
                imported = {name for name, _ in full_names if name}
                starred = None if full_names else self._starred(node.func, names)
                if imported or starred:
                    yield self._call(node, starred or min(imported), names, len(full_names) > 1, starred is not None)

    def _starred(self, func: cst.BaseExpression, names: Collection[str]) -> str | None:
        """The name that a star import may have brought."""
        if not isinstance(func, cst.Name):
            return None
        modules = [import_.module for import_ in self.imports if import_.is_star]
        full = (f"{module}.{func.value}" for module in modules)
        return next((name for full_name in full if (name := _known(full_name, names))), None)

    def _call(self, node: cst.Call, name: str, names: Collection[str], is_ambiguous: bool, is_starred: bool) -> Call:
        span, func = self._span(node), self._module.code_for_node(node.func)
        arguments = self._arguments(node)
        others, objection = self._passed(arguments, names)
        if is_ambiguous:
            objection = UNCLEAR_CALL.refusal(reason=f"{func} may have several meanings")
        if is_starred:
            objection = UNCLEAR_CALL.refusal(reason=f"{func} comes from a star import")
        function, class_ = self._frames(node)
        return Call(
            name=name,
            span=span,
            callee=func,
            line=self.line(span.start),
            arguments=arguments,
            others=others,
            objection=objection,
            function=function,
            class_=class_,
            statements=self._statements(node),
            node=node,
        )

    def _passed(self, arguments: Items, names: Collection[str]) -> tuple[tuple[Items, ...], Refusal | None]:
        """The dicts that the call passes by ``**``, and the reason if they are not all known."""
        dicts: list[Items] = []
        for argument in arguments.items:
            if argument.star == "*":
                return (), UNCLEAR_CALL.refusal(reason=f"what {argument.span.of(self.text)} holds is not known")
            if argument.star == "**":
                mapping = self._mapping(argument.node, names)
                if mapping is None or any(entry.name is None for entry in mapping.items):
                    return (), UNCLEAR_CALL.refusal(
                        reason=f"what {_first_line(argument.span.of(self.text))} holds is not known"
                    )
                dicts.append(mapping)
        return tuple(dicts), None

    def _mapping(self, node: cst.CSTNode, names: Collection[str], uses: int = 1) -> Items | None:
        """The entries of a dict: a literal, a call of ``dict``, or a name for such a dict that no other code uses."""
        if isinstance(node, cst.Dict):
            return self._dict(node, uses)
        if isinstance(node, cst.Call) and self._full_names(node.func) == {"builtins.dict"}:
            return self._arguments(node, uses)
        if isinstance(node, cst.Name) and uses == 1:
            bound = self._binding(node)
            if bound is None or not all(self._is_argument(access.node, names) for access in bound[0].references):
                return None
            if isinstance(bound[1], cst.Dict | cst.Call):
                return self._mapping(bound[1], names, max(len(bound[0].references), 1))
        return None

    def _is_argument(self, node: cst.CSTNode, names: Collection[str]) -> bool:
        """Whether ``node`` follows ``**`` in a call of one of the ``names``."""
        argument = self._parents.get(node)
        call = self._parents.get(argument) if isinstance(argument, cst.Arg) and argument.star == "**" else None
        return isinstance(call, cst.Call) and any(_known(full_name, names) for full_name in self._full_names(call.func))

    # --- values ---------------------------------------------------------------------------------------------------

    def string(self, argument: Item) -> str | None:
        """The string value of an argument: from a literal, a constant, or both; None if the value is not known."""
        return self._string(argument.node, _DEPTH)

    def meaning(self, argument: Item) -> str | None:
        """The value of an argument in terms that hold in any file; None if the value needs names of this file."""
        names = [name for node in names_below(argument.node) for name in self._qualified(node)]
        if any(name.source is metadata.QualifiedNameSource.LOCAL for name in names):
            return None
        return f"{argument.value.of(self.text)}: {', '.join(sorted({name.name for name in names}))}"

    def boolean(self, argument: Item) -> bool | None:
        """The boolean value of an argument: a literal or a constant; None for any other value."""
        node = self._meant(argument.node)
        return {"True": True, "False": False}.get(node.value) if isinstance(node, cst.Name) else None

    def is_none(self, argument: Item) -> bool:
        """Whether an argument's value is ``None``."""
        return isinstance(argument.node, cst.Name) and argument.node.value == "None"

    def elements(self, argument: Item, *, through_names: bool = False) -> Items | None:
        """The elements of an argument's value, if the value is a list, a tuple, or a constant for one."""
        node = self._meant(argument.node) if through_names else argument.node
        if isinstance(node, cst.Tuple) and node.lpar:
            end = argument.value.end if node is argument.node else self._span(node).end + 1
            start = end - self._length(node)
            span = Span(start, end)
        elif isinstance(node, cst.List):
            span = self._span(node)
        else:
            return None
        items = tuple(
            self._item(
                base_element, None, base_element.value, "*" if isinstance(base_element, cst.StarredElement) else ""
            )
            for base_element in node.elements
        )
        return Items(Span(span.start + 1, span.end - 1), items, self._statement_start(node))

    def is_simple(self, argument: Item) -> bool:
        """Whether an argument's value can be used with an operator without brackets."""
        node = argument.node
        bare = cst.Name | cst.Attribute | cst.Call | cst.Subscript | cst.ListComp | cst.List
        return isinstance(node, bare) or bool(getattr(node, "lpar", ()))

    def structure(self, argument: Item) -> Items | None:
        """The entries of an argument's value, if the value is a dict or a call with arguments."""
        node = self._meant(argument.node)
        if isinstance(node, cst.Call):
            return self._arguments(node)
        return self._dict(node, 1) if isinstance(node, cst.Dict) else None

    def texts(self, argument: Item) -> Iterator[str]:
        """Every literal text in an argument's value, and in the constants that the value names."""
        pending: list[tuple[cst.CSTNode, int]] = [(argument.node, _DEPTH)]
        while pending:
            node, depth = pending.pop()
            for literal in strings_and_names(node):
                if isinstance(literal, cst.SimpleString | cst.FormattedStringText):
                    yield literal.value
                elif isinstance(literal, cst.Name) and depth and (bound := self._binding(literal)):
                    pending.append((bound[1], depth - 1))


def _known(full: str, names: Collection[str]) -> str | None:
    """The one of ``names`` that matches a full name; generated bindings may be in a package: ``infra.imports.aws``."""
    if full in names:
        return full
    _, imported, rest = f".{full}".rpartition(".imports.")
    generated = f"imports.{rest}"
    return generated if imported and generated in names else None


def _first_line(text: str) -> str:
    line, newline, _ = text.partition("\n")
    return line.rstrip() + "…" * bool(newline) if not {'"', "'"} & set(line) else "**{…}"
