"""Edits of the items of Terragrunt's literal objects, unless other code needs the items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from migrator.errors import SyntaxProblem
from migrator.model.findings import Note, Place, Refusal
from migrator.model.notes import ROTATE
from migrator.secret.shapes import shapes
from migrator.syntax.hcl.strings import string_value
from migrator.syntax.terraform import BodyChange
from migrator.terragrunt.diagnostics import LOCAL_SHARED, OBJECT_UNREADABLE, REMOVE_LOCALS
from migrator.terragrunt.units import Terragrunt, used_elsewhere

if TYPE_CHECKING:
    from migrator.span import Edit
    from migrator.terraform.expressions.evaluate import Expression
    from migrator.terragrunt.values import LiteralObject


def change_objects(
    terragrunt_files: Terragrunt, inside: str, changes: Iterable[tuple[LiteralObject, BodyChange]]
) -> tuple[Edit, ...] | Refusal:
    """The edits of ``changes`` to objects in blocks called ``inside``, or the refusal of these edits."""
    edits: list[Edit] = []
    for holder, change in changes:
        if change == BodyChange():
            continue
        if name := used_elsewhere(holder, inside, terragrunt_files.documents):
            return LOCAL_SHARED.refusal(name=name)
        try:
            edits += holder.document.change_object(holder.span, change)
        except SyntaxProblem as problem:
            return OBJECT_UNREADABLE.refusal(reason=problem.reason)
    return tuple(edits)


def rotate(value: Expression, place: Place) -> Iterator[Note]:
    """Notes about the key in ``value`` at ``place``, if the key is written in the code, also as a default there."""
    origin = value.origin
    if origin is None or not string_value(origin.text):
        yield from (ROTATE.note(str(place)) for _ in islice(shapes(value.text), 1))
        return
    document = origin.document
    if origin.span is not None and document is not None:
        origin_place = Place(document.path, document.source.line(origin.span.start))
        if str(origin_place) != str(place):
            yield REMOVE_LOCALS.note(str(origin_place))
        place = origin_place
    yield ROTATE.note(str(place))
