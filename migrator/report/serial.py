"""Conversion of this program's data to plain data and back, by the types of fields: for reports, journals and plans.

``docs/report.schema.json`` describes the plain data of results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from msgspec import Struct

from migrator.errors import MigrateError
from migrator.model.findings import FileProblem, Finding, Fix, Ignored, LeftAlone, Refusal, Rewrite
from migrator.model.results import RepoResult, StackRow

if TYPE_CHECKING:
    from cattrs import Converter

_T = TypeVar("_T")
_S = TypeVar("_S", bound=Struct)
_Plain = dict[str, Any]

VERSION = 2
"""The version of the data's shape: raised when a reader of the version before could misunderstand the data."""

OUTCOMES: dict[type[Fix], str] = {
    Rewrite: "rewritten",
    Refusal: "refused",
    LeftAlone: "left-alone",
    Ignored: "ignored",
}


def outcome(finding: Finding) -> str:
    """The word for the outcome of ``finding`` in plain data."""
    return OUTCOMES[type(finding.fix)]


def to_plain(value: Any) -> Any:
    """The JSON data for ``value``, a `Struct` of results, surveys or options.

    Bytes that are no UTF-8 become lone surrogates. The edits of a rewrite and the needs of a finding are omitted: the
    diff has the outcome, and edits may hold text that the diff masks.
    """
    return _converter().unstructure(value)


def from_plain(kind: type[_T], plain: Any) -> _T:
    """The value of the `Struct` ``kind`` that `to_plain` made ``plain``.

    Raises `MigrateError` for data of another shape, and any error that the `Struct` raises for its values.
    """
    from cattrs.errors import BaseValidationError, StructureHandlerNotFoundError

    try:
        return _converter().structure(plain, kind)
    except (AttributeError, KeyError, TypeError, ValueError, BaseValidationError, StructureHandlerNotFoundError):
        raise MigrateError("The stored data is not of a shape that this version can read") from None


@cache
def _converter() -> Converter:
    """The converter for all data; made when first used, since a preview for people needs none."""
    from cattrs import Converter

    converter = Converter(detailed_validation=False, unstruct_collection_overrides={tuple: list, frozenset: sorted})

    def writer(kind: type[Struct], others: Mapping[str, str] = MappingProxyType({})) -> Callable[[Struct], _Plain]:
        """The way from a ``kind`` to plain data, where ``others`` are the names of some fields; ``""`` has none."""
        hints = get_type_hints(kind)
        fields = [(name, others.get(name, name), hints[name]) for name in kind.__struct_fields__]
        shown = [field for field in fields if field[1]]
        return lambda value: {key: converter.unstructure(getattr(value, name), hint) for name, key, hint in shown}

    def reader(
        kind: type[_S], others: Mapping[str, str] = MappingProxyType({}), *, is_strict: bool = True
    ) -> Callable[[_Plain, object], _S]:
        """The way back; strict data has no keys but those of fields."""
        hints = get_type_hints(kind)
        fields = {others.get(name, name): (name, hints[name]) for name in kind.__struct_fields__}

        def read(plain: _Plain, _: object) -> _S:
            known = [(fields[key], part) for key, part in plain.items() if is_strict or key in fields]
            return kind(**{name: converter.structure(part, hint) for (name, hint), part in known})

        return read

    def flatten(kind: type[Struct], inner: Mapping[str, Sequence[str]], **others: str) -> None:
        """Let the plain data of ``kind`` contain the fields of the value of ``inner`` instead of ``inner``.

        The plain data may hold more: a report adds the state.
        """
        write, read = writer(kind, others), reader(kind, others, is_strict=False)

        def write_flat(value: Struct) -> _Plain:
            fields = write(value)
            parts = [(fields.pop(field), names) for field, names in inner.items()]
            return {**{name: part[name] for part, names in parts for name in names}, **fields}

        def read_flat(fields: _Plain, _: object) -> object:
            rest = dict(fields)
            parts = {field: {name: rest.pop(name) for name in names} for field, names in inner.items()}
            return read({**rest, **parts}, kind)

        converter.register_unstructure_hook(kind, write_flat)
        converter.register_structure_hook(kind, read_flat)

    converter.register_unstructure_hook_factory(_is_struct, writer)
    converter.register_structure_hook_factory(_is_struct, reader)
    for primitive in (str, int, bool):
        converter.register_structure_hook(primitive, _checked)
    converter.register_unstructure_hook(bytes, lambda content: content.decode("utf-8", "surrogateescape"))
    converter.register_structure_hook(bytes, lambda text, _: text.encode("utf-8", "surrogateescape"))
    for fix in OUTCOMES:
        converter.register_unstructure_hook(fix, _plain_fix)
    converter.register_structure_hook(Fix, _fix)
    place = {"place": ("path", "line")}
    flatten(Finding, {**place, "fix": ("outcome", "code", "detail", "help")}, needs="")
    flatten(FileProblem, place)
    flatten(StackRow, place, repo="repository")
    flatten(RepoResult, {}, repo="repository")
    return converter


def _is_struct(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _checked(value: Any, kind: type[Any]) -> Any:
    if type(value) is not kind:
        raise TypeError
    return value


def _plain_fix(fix: Fix) -> dict[str, str]:
    if isinstance(fix, Rewrite):
        return {"outcome": OUTCOMES[Rewrite], "code": "", "detail": fix.outcome, "help": ""}
    return {"outcome": OUTCOMES[type(fix)], "code": fix.code, "detail": fix.reason, "help": fix.help}


def _fix(fields: Mapping[str, str], _: object) -> Fix:
    if fields["outcome"] == OUTCOMES[Rewrite]:
        return Rewrite((), fields["detail"])
    kinds = {OUTCOMES[kind]: kind for kind in (Refusal, LeftAlone, Ignored)}
    return kinds[fields["outcome"]](fields["detail"], code=fields["code"], help=fields["help"])
