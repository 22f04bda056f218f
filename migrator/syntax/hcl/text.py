"""New Terraform files; `migrator.syntax.hcl.layout.align` aligns the text like ``terraform fmt``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from migrator.syntax.hcl.strings import quote
from migrator.syntax.terraform import Reference


def block(header: str, arguments: Mapping[str, object]) -> str:
    """A block with its arguments: texts, references, and lists and objects of these."""
    return f"{header} {{\n{body(arguments, 2)}}}\n"


def body(arguments: Mapping[str, object], indent: int) -> str:
    """Arguments, each on a line that is indented by ``indent`` spaces."""
    return "".join(
        f"{' ' * indent}{_key(name)} = {expression(argument, indent)}\n" for name, argument in arguments.items()
    )


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) else quote(name)


def expression(value: object, indent: int) -> str:
    """A value in HCL; further lines are indented by ``indent`` spaces and more."""
    if isinstance(value, Reference):
        return value.address
    if isinstance(value, bool | int):
        return str(value).lower()
    if isinstance(value, Mapping):
        return f"{{\n{body(value, indent + 2)}{' ' * indent}}}"
    if isinstance(value, list):
        items = [expression(entry, indent + 2 * (len(value) > 1)) for entry in value]
        if len(items) == 1:
            return f"[{items[0]}]"
        rows = "".join(f"{' ' * (indent + 2)}{row},\n" for row in items)
        return f"[\n{rows}{' ' * indent}]"
    return quote(str(value))
