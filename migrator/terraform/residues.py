"""The value of an expression in each instance of a module, through locals, outputs and calls of modules.

In its module, an expression is a term over the module's variables. For a caller, the expression is a term over the
caller's variables, and finally over those of a root module. A value that only a run knows is a symbol of its instance,
so that two instances of a module never look equal by mistake.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from migrator.syntax.hcl.strings import string_value
from migrator.syntax.terraform import Attribute, Block
from migrator.terraform.expressions.term_reader import read, replaced
from migrator.terraform.expressions.terms import NULL, Term, TermsError, literal, made_object, or_default, term, typed

if TYPE_CHECKING:
    from migrator.terraform.providers import Provider
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module, ModuleCall
    from migrator.workspace.workspace import Workspace

Identity = tuple[tuple[str, Term], ...]
"""The credential arguments of a provider as terms of a module; empty for the environment."""

_MOST_WAYS = 2_000
_META = frozenset({"provider", "depends_on"})
_REPEATS = ("for_each", "count")


class Residues:
    """The terms of the expressions of a repository; each is evaluated once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._values: dict[tuple[str, str, str], Term] = {}
        self._locals: dict[tuple[str, str], Term] = {}
        self._known: dict[ModuleCall, dict[Term, Term]] = {}
        self._seen: dict[tuple[ModuleCall, Identity], Identity] = {}
        self._at_roots: dict[tuple[str, Identity], frozenset[tuple[str, Identity]]] = {}
        self._being_read: set[object] = set()

    def identity(self, provider: Provider) -> Identity:
        """The credentials of a provider as terms of its module; override files count for more."""
        merged: dict[str, Term] = {}
        holder = f"provider.{provider.block.labels[0] if provider.block.labels else ''}.{provider.alias or ''}"
        for block in sorted(provider.family, key=lambda block: block.document.is_override):
            merged |= {
                argument.name: self.argument(block.module, block.document, argument, holder)
                for argument in block.credentials
            }
        return without_nulls(merged)

    def argument(self, module: Module, document: Document, attribute: Attribute, holder: str = "") -> Term:
        """The term of an argument; ``holder`` is the block with the ``each`` and ``count``."""
        return self.value(module, document.expression(attribute), holder)

    def value(self, module: Module, text: str, holder: str = "") -> Term:
        """The term of an expression in a module."""
        key = (module.path, text, holder)
        if key not in self._values:
            self._values[key] = self._read(module, text, holder)
        return self._values[key]

    def seen_from(self, call: ModuleCall, called: Module, identity: Identity) -> Identity:
        """An identity of the called module, in the terms of the caller."""
        key = (call, identity)
        if key not in self._seen:
            seen = {name: self._through(call, called, term) for name, term in identity}
            self._seen[key] = self._in_all_instances(call, without_nulls(seen))
        return self._seen[key]

    def at_roots(self, module: Module, identity: Identity) -> frozenset[tuple[str, Identity]]:
        """An identity of ``module`` in the terms of the root modules that lead there, each with its path.

        A module that other repositories call is such a root module, too.

        Raises `TermsError` where the ways are too many to follow.
        """
        key = (module.path, identity)
        if key not in self._at_roots:
            instances, seen, pending = set[tuple[str, Identity]](), {key}, [(module, identity)]
            while pending:
                current, current_identity = pending.pop()
                if self._workspace.unread_caller(current) is not None:
                    raise TermsError
                calls = self._workspace.calls.get(current.path, ())
                if not calls or current.path in self._workspace.called_elsewhere:
                    instances.add((current.path, current_identity))
                for call in calls:
                    above = (call.caller.path, self.seen_from(call, current, current_identity))
                    if above not in seen:
                        seen.add(above)
                        pending.append((call.caller, above[1]))
                if len(seen) > _MOST_WAYS:
                    raise TermsError
            self._at_roots[key] = frozenset(instances)
        return self._at_roots[key]

    # --- what stands where --------------------------------------------------------------------------------------------

    def _read(self, module: Module, text: str, holder: str) -> Term:
        unknown = term("resource", text[:1000], f"{module.path}: {holder}")
        key = ("value", module.path, text, holder)
        if key in self._being_read:  # the expression refers to itself
            return unknown
        self._being_read.add(key)
        try:
            return read(text, lambda root, steps: self._name(module, holder, root, steps))
        except (TermsError, RecursionError):
            return unknown
        finally:
            self._being_read.discard(key)

    def _name(self, module: Module, holder: str, root: str, steps: Sequence[str]) -> tuple[Term, int]:
        path = module.path
        if root in ("each", "count"):
            return term(root, holder, path), 0
        if not steps:
            return term("run", root), 0
        if root in ("path", "terraform"):
            return term("run", f"{root}.{steps[0]}", path if steps[0] == "module" else ""), 1
        if root == "var":
            return term("var", steps[0], path), 1
        if root == "local":
            return self._local(module, steps[0]), 1
        if root == "data" and len(steps) > 1:
            return self._data(module, steps[0], steps[1]), 2
        if root == "module" and len(steps) > 1 and (value := self._output(module, steps[0], steps[1])) is not None:
            return value, 2
        return term("resource", f"{root}.{steps[0]}", path), 1

    def _local(self, module: Module, name: str) -> Term:
        key = (module.path, name)
        if key not in self._locals:
            text = _last((document, attribute) for document, _, attribute in module.locals_called(name))
            unknown = term("resource", f"local.{name}", module.path)
            self._locals[key] = unknown if text is None else self.value(module, text)
        return self._locals[key]

    def _data(self, module: Module, type_: str, label: str) -> Term:
        """A data source: equal if its arguments and its provider are equal, and nothing else matters."""
        unknown = term("resource", f"data.{type_}.{label}", module.path)
        definitions = [
            definition for definition in module.blocks("data", type_) if definition[1].labels == (type_, label)
        ]
        if (
            len(definitions) != 1
            or any(definitions[0][1].blocks())
            or any(definitions[0][1].attribute(argument) for argument in _REPEATS)
        ):
            return unknown
        document, block = definitions[0]
        provider_argument = block.attribute("provider")
        name = document.expression(provider_argument).strip('"') if provider_argument else type_.partition("_")[0]
        entries = {
            attribute.name: self.argument(module, document, attribute)
            for attribute in block.attributes
            if attribute.name not in _META
        }
        return term("data", type_, parts=(made_object(entries), self._provider(module, name)))

    def _provider(self, module: Module, name: str) -> Term:
        """The configuration of the provider ``name`` in a module."""
        local, _, alias = name.partition(".")
        for document, block in module.blocks("provider", local):
            is_proxy = all(isinstance(argument, Attribute) and argument.name == "alias" for argument in block.items)
            if (document.literal(block.attribute("alias")) or "") == alias and not is_proxy:
                return term("resource", f"provider.{name}", module.path)
        is_called = module.path in self._workspace.calls
        return term("provider" if is_called else "resource", name if is_called else f"provider.{name}", module.path)

    def _output(self, module: Module, label: str, name: str) -> Term | None:
        """An output of a module with one call without repetition; None for any other module."""
        for called_path, call in self._calls_of.get((module.path, label), ()):
            called = self._workspace.modules.get(called_path)
            if called is None or _repeats(call):
                return None
            value = _last(_arguments(called.blocks("output", name), "value"))
            return None if value is None else self._through(call, called, self.value(called, value))
        return None

    @cached_property
    def _calls_of(self) -> Mapping[tuple[str, str], list[tuple[str, ModuleCall]]]:
        calls_by_key: dict[tuple[str, str], list[tuple[str, ModuleCall]]] = {}
        for path, calls in self._workspace.calls.items():
            for call in calls:
                calls_by_key.setdefault((call.caller.path, _label(call)), []).append((path, call))
        return {key: calls for key, calls in calls_by_key.items() if len(calls) == 1}

    # --- what a caller makes of it ------------------------------------------------------------------------------------

    def _through(self, call: ModuleCall, called: Module, value: Term) -> Term:
        """A term of the called module, in the terms of its caller."""

        def replace(term: Term) -> Term | None:
            if term.op == "var" and term.scope == called.path:
                return self._argument(call, called, term)
            if term.op == "provider" and term.scope == called.path:
                return self._passed_provider(call, term)
            if term.op in ("resource", "in", "each", "count", "var", "provider"):
                return _within(call, term)
            return term if term.op == "run" else None

        try:
            return replaced(value, replace, self._known.setdefault(call, {}))
        except (TermsError, RecursionError):
            return _within(call, term("resource", "more than is followed", called.path, (value,)))

    def _argument(self, call: ModuleCall, called: Module, variable: Term) -> Term:
        values = list(_arguments(_blocks(call), variable.name))
        declared = list(called.blocks("variable", variable.name))
        type_, default, nullable = (_last(_arguments(declared, name)) for name in ("type", "default", "nullable"))
        value = self.value(called, default) if default is not None else None
        if values:
            passed = self.argument(call.caller, *values[-1], _label(call))
            value = or_default(passed, value) if nullable == "false" and value is not None else passed
        if value is None:
            return _within(call, variable)
        return typed(string_value(type_) or type_, value) if type_ is not None else value

    def _passed_provider(self, call: ModuleCall, provider: Term) -> Term:
        for document, block in reversed(_blocks(call)):
            if (passed := block.attribute("providers")) is not None:
                for entry in document.object_items(passed):
                    if entry.name == provider.name:
                        return self._provider(call.caller, document.expression(entry).strip('"'))
                return _within(call, provider)
        return _within(call, provider) if "." in provider.name else self._provider(call.caller, provider.name)

    def _in_all_instances(self, call: ModuleCall, identity: Identity) -> Identity:
        """The identity of all instances of a repeated call, if the identity is the same."""
        symbols = {term for _, value in identity for term in value.symbols if _is_of(call, term)}
        keys = list(self._keys(call)) if symbols else []
        identities = {tuple((name, _at(value, symbols, key)) for name, value in identity) for key in keys}
        return without_nulls(dict(identities.pop())) if len(identities) == 1 else identity

    def _keys(self, call: ModuleCall) -> Iterator[Term]:
        """The values of ``each``, or ``count``, in the instances of a call, if they are known."""
        for document, block in reversed(_blocks(call)):
            for_each, count = (block.attribute(name) for name in _REPEATS)
            entries = self.argument(call.caller, document, for_each).entries if for_each else None
            number = self.argument(call.caller, document, count).text if count else None
            for key, value in (entries or {}).items():
                yield made_object({"key": literal(key), "value": value})
            if number is not None and number.isdecimal() and int(number) < _MOST_WAYS:
                yield from (made_object({"index": literal(index)}) for index in range(int(number)))


def is_varying(identity: Identity) -> bool:
    """Whether an identity differs, as far as known, between the instances of ``for_each`` or ``count``."""
    return any(term.op in ("each", "count") for _, value in identity for term in value.symbols)


def without_nulls(entries: Mapping[str, Term]) -> Identity:
    """The identity of several arguments; null arguments do not count."""
    return tuple(sorted(((name, term) for name, term in entries.items() if term is not NULL), key=lambda pair: pair[0]))


def _at(member: Term, symbols: set[Term], value: Term) -> Term:
    return replaced(
        member, lambda term: value if term in symbols else term if term.op in ("in", "resource") else None, {}
    )


def _is_of(call: ModuleCall, symbol: Term) -> bool:
    return symbol.op in ("each", "count") and symbol.scope == call.caller.path and symbol.name == _label(call)


def _within(call: ModuleCall, inner: Term) -> Term:
    """A symbol of the called module with a value that only a run knows."""
    repeated = _repeats(call)
    symbols = [term("each" if repeated == "for_each" else "count", _label(call), call.caller.path)] if repeated else []
    return term("in", _label(call), call.caller.path, (inner, *symbols))


def _repeats(call: ModuleCall) -> str:
    return next((name for name in _REPEATS for _, block in _blocks(call) if block.attribute(name)), "")


def _blocks(call: ModuleCall) -> list[tuple[Document, Block]]:
    """The blocks of the call and of its override files; the last block counts most."""
    definitions = [
        block for block in call.caller.blocks("module", call.block.labels[0]) if block[1].labels == call.block.labels
    ]
    overriding = [definition for definition in definitions if definition[0].is_override]
    own_block = [(call.document, call.block)]
    return [
        *(
            (definition for definition in definitions if not definition[0].is_override)
            if call.document.is_override
            else own_block
        ),
        *overriding,
    ]


def _label(call: ModuleCall) -> str:
    return ".".join(call.block.labels)


def _arguments(blocks: Iterable[tuple[Document, Block]], name: str) -> Iterator[tuple[Document, Attribute]]:
    return ((document, attribute) for document, block in blocks if (attribute := block.attribute(name)) is not None)


def _last(arguments: Iterable[tuple[Document, Attribute]]) -> str | None:
    """The expression that counts: an override file's, else the only one; raises `TermsError` if files differ."""
    definitions = list(arguments)
    chosen = [definition for definition in definitions if definition[0].is_override][-1:] or definitions
    expressions = {document.expression(attribute).strip() for document, attribute in chosen}
    if len(expressions) > 1:
        raise TermsError
    return expressions.pop() if expressions else None
