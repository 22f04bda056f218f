"""Whether a provider or backend speaks to AWS at all: emulators and S3-compatible stores have keys of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrator.analysis.values import resolve
from migrator.document import Document
from migrator.model import LeftAlone, Refusal
from migrator.partitions import DOMAINS
from migrator.syntax.terraform import Attribute, Block
from migrator.workspace import Module

_EMULATOR = re.compile(
    r"localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|localstack|host\.docker\.internal|\bmoto\b|\bminio\b", re.I
)
_AWS_HOST = re.compile(rf"(?:https?://)?[^/]*\.(?:{'|'.join(map(re.escape, DOMAINS))})(?::\d+)?(?:/.*)?", re.I)
_ENDPOINT_ARGUMENT = re.compile(r"(?:\w+_)?endpoint")
_MODES = frozenset({"ec2_metadata_service_endpoint", "use_fips_endpoint", "use_dualstack_endpoint"})


def foreign_endpoint(module: Module, document: Document, block: Block) -> LeftAlone | Refusal | None:
    """Why the block is no sign-in to AWS, or may be none; None if it has no endpoints, or they are AWS's own."""
    for attribute in _endpoints(document, block):
        name = "endpoint" if attribute.name in ("endpoint", "endpoints") else f"{attribute.name} endpoint"
        expression = document.expression(attribute)
        value = "" if expression == "null" else resolve(module, expression)
        if reason := foreign_host(name, value, expression):
            return reason
    return None


def foreign_host(name: str, value: str | None, expression: str) -> LeftAlone | Refusal | None:
    """Why the endpoint called ``name`` is not AWS's, or may not be; ``value`` is None where it is not known."""
    if _EMULATOR.search(value if value is not None else expression):
        return LeftAlone(f"its {name} is an emulator's")
    if value is None:
        return Refusal(f"its {name} is not known here, and may not be AWS")
    return LeftAlone(f"its {name} is not AWS") if value and not _AWS_HOST.fullmatch(value) else None


def is_endpoint(argument: str) -> bool:
    """Whether an argument of that name holds one endpoint."""
    return _ENDPOINT_ARGUMENT.fullmatch(argument) is not None and argument not in _MODES


def _endpoints(document: Document, block: Block) -> Iterator[Attribute]:
    for attribute in block.attributes:
        if attribute.name == "endpoints":
            yield from document.object_items(attribute) or (attribute,)
        elif is_endpoint(attribute.name):
            yield attribute
    for nested in block.blocks():
        if nested.type == "endpoints":
            yield from nested.attributes
        elif nested.type == "dynamic" and nested.labels == ("endpoints",):
            for content in nested.blocks("content"):
                yield from content.attributes
