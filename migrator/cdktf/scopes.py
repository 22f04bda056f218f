"""The scopes of a CDKTF program's providers, their variables, and the places for new variables.

A provider's scope is the stack, or a construct in one, that its call names first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from migrator.cdktf.calls import VARIABLE, CdktfCall
from migrator.cdktf.diagnostics import SCOPE_ON_SAME_LINE, SCOPE_SHARED
from migrator.model.findings import Refusal
from migrator.span import Span

if TYPE_CHECKING:
    from migrator.syntax.python.items import Call, Statement

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
