"""Python programs: the calls in them, by the full name of what is called (libcst)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from migrator.errors import SyntaxProblem


@dataclass(frozen=True, slots=True)
class Call:
    """A call: ``name`` in full, whatever it was imported as, ``line`` from 1, and the names of its ``keywords``."""

    name: str
    line: int
    keywords: tuple[str, ...]


def calls(text: str, names: Collection[str]) -> Iterator[Call]:
    """The calls of the ``names`` in a Python program. Raises `SyntaxProblem` where the text is none."""
    import libcst  # here: few repositories have a program that is of interest
    from libcst.metadata import MetadataWrapper, PositionProvider, QualifiedNameProvider

    try:
        wrapper = MetadataWrapper(libcst.parse_module(text), unsafe_skip_copy=True)
        positions = wrapper.resolve(PositionProvider)
        qualified = wrapper.resolve(QualifiedNameProvider)
    except libcst.ParserSyntaxError as error:
        raise SyntaxProblem(_offset(text, error.raw_line), "it is no Python program") from None
    except RecursionError:
        raise SyntaxProblem(0, "it is nested too deeply") from None
    for node, found in qualified.items():
        if isinstance(node, libcst.Call):
            resolved = found() if callable(found) else found  # libcst puts most of the work off until here
            name = next((one.name for one in resolved if one.name in names), None)
            if name is not None:
                keywords = tuple(argument.keyword.value for argument in node.args if argument.keyword is not None)
                yield Call(name, positions[node].start.line, keywords)


def _offset(text: str, line: int) -> int:
    return sum(len(one) + 1 for one in text.split("\n")[: max(line - 1, 0)])
