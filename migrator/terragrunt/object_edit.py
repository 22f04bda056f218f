"""Edits that remove or comment out items of Terragrunt's literal objects, unless other code needs the items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from migrator.errors import SyntaxProblem
from migrator.model.findings import Note, Place, Refusal
from migrator.model.notes import ROTATE
from migrator.syntax.hcl.strings import string_value
from migrator.syntax.languages import HCL
from migrator.syntax.terraform import Attribute
from migrator.terragrunt.diagnostics import LOCAL_SHARED, OBJECT_UNREADABLE, REMOVE_LOCALS
from migrator.terragrunt.units import Terragrunt, used_elsewhere
from migrator.terragrunt.values import Value

if TYPE_CHECKING:
    from migrator.span import Edit

Change = tuple[Value, Sequence[Attribute], Sequence[Attribute]]
"""An object, its items to be removed, and those to be commented out."""


def change_objects(found: Terragrunt, inside: str, changes: Iterable[Change]) -> tuple[Edit, ...] | Refusal:
    """The edits of ``changes`` to objects that the blocks called ``inside`` are given, or why they cannot be made."""
    edits: list[Edit] = []
    for holder, removed, commented in changes:
        if holder.span is None or not (removed or commented):
            continue
        if name := used_elsewhere(holder, inside, found.documents):
            return LOCAL_SHARED.refusal(name=name)
        document = holder.config.document
        try:
            edits += HCL.change_object(document.path, document.text, holder.span, removed, commented, ())
        except SyntaxProblem as problem:
            return OBJECT_UNREADABLE.refusal(reason=problem.reason)
    return tuple(edits)


def rotate(value: Value, place: Place) -> Iterator[Note]:
    """Notes about the key in ``value`` at ``place``, if the key is written in the code."""
    found = value.origin
    if found is None or not string_value(found.text):
        return
    if found.span is not None:
        document = found.config.document
        there = Place(document.path, document.source.line(found.span.start))
        if str(there) != str(place):
            yield REMOVE_LOCALS.note(str(there))
        place = there
    yield ROTATE.note(str(place))
