"""The scopes of a CDKTF program's providers, their variables, and the places for new variables.

A provider's scope is the stack, or a construct in one, that its call names first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from migrator.cdktf.calls import VARIABLE, CdktfCall
from migrator.cdktf.diagnostics import SCOPE_ON_SAME_LINE, SCOPE_SHARED
from migrator.model.findings import Refusal
from migrator.span import Span

if TYPE_CHECKING:
    from migrator.syntax.python.items import Call, Maker, Statement

_STACK = "cdktf.TerraformStack"

Key = tuple[str, Span | None, str]
"""A scope: its file, function or class, and expression."""


def scope_of(provider: CdktfCall) -> Key:
    """The key of a provider's scope: an expression in a function, or ``self`` in a class."""
    return _scope(provider, provider.call)


def _scope(provider: CdktfCall, call: Call) -> Key:
    scope = call.argument(0, "scope")
    text = scope.value.of(provider.program.text) if scope else ""
    frame = call.class_ if text == "self" else call.frame
    return provider.document.path, frame, text


def may_be_one(one: CdktfCall, other: CdktfCall, families: Mapping[str, AbstractSet[str]]) -> bool:
    """Whether the scopes of two calls may be the same stack or construct; see `families`."""
    makers = [_maker(one), _maker(other)]
    known = [maker for maker in makers if maker is not None]
    if len(known) < 2 or (known[0].node is known[1].node and one.document is other.document):
        return True
    names = {maker.name for maker in known if maker.is_self}
    made = [maker.name for maker in known if not maker.is_self]
    if not names or len(names) + len(made) < 2:  # two objects, or two classes with one name
        return False
    return any(names <= family for family in ([families.get(made[0], {made[0]})] if made else families.values()))


def _maker(call: CdktfCall) -> Maker | None:
    scope = call.call.argument(0, "scope")
    return call.program.made_by(call.call, scope) if scope else None


def families(calls: Sequence[CdktfCall]) -> dict[str, set[str]]:
    """For each class in the files of ``calls``, the names of the class and of all its bases."""
    bases: dict[str, list[str]] = {}
    for program in {call.program for call in calls}:
        for name, names in program.bases.items():
            bases.setdefault(name, []).extend(names)
    found: dict[str, set[str]] = {}
    for name in bases:
        family, pending = found.setdefault(name, set()), [name]
        while pending:
            base = pending.pop()
            pending += () if base in family else bases.get(base, ())
            family.add(base)
    return found


def is_in_same_frame(call: CdktfCall, other: CdktfCall) -> bool:
    """Whether both are local to the same function, class or module."""
    return call.document is other.document and call.call.frame == other.call.frame


def declared_variables(provider: CdktfCall, key: Key) -> dict[str, Call]:
    """The variables of a scope by their names in Terraform."""
    variables: dict[str, Call] = {}
    for call in provider.program.calls({VARIABLE}):
        identifier = call.argument(1, "id")
        name = provider.program.string(identifier) if identifier else None
        if name is not None and _scope(provider, call) == key:
            variables[name] = call
    return variables


def is_stack(provider: CdktfCall) -> bool:
    """Whether the scope is a stack, in which ids of variables are their names."""
    scope = provider.call.argument(0, "scope")
    return scope is not None and provider.program.makes(provider.call, scope, _STACK)


def anchor_of(lead: CdktfCall, group: Sequence[CdktfCall]) -> Statement | Refusal:
    """The statement before which one declaration of a variable is visible to all calls of ``group``."""
    scope = lead.call.argument(0, "scope")
    bound = lead.program.bound_at(lead.call, scope) if scope else []
    if isinstance(bound, Refusal):
        return bound
    for statement in lead.call.statements:
        if all(place < statement.span.start for place in bound):
            if any(call.call.frame != lead.call.frame or not _reaches(call.call, statement) for call in group):
                return SCOPE_SHARED.refusal()
            return statement
    return SCOPE_ON_SAME_LINE.refusal()


def _reaches(call: Call, anchor: Statement) -> bool:
    """Whether code before ``anchor`` always runs before ``call``."""
    return any(
        statement.block == anchor.block and statement.span.start >= anchor.span.start for statement in call.statements
    )
