"""The content of files that Spacelift mounts: https://docs.spacelift.io/concepts/configuration/environment."""

from __future__ import annotations

import base64
import binascii
import posixpath
import re
from typing import TYPE_CHECKING

from migrator.regex import regex
from migrator.spacelift.stacks.exchange import text_of
from migrator.syntax.hcl.strings import string_value

if TYPE_CHECKING:
    from migrator.spacelift.stacks.resource import Resource
    from migrator.workspace.document import Document
    from migrator.workspace.workspace import Workspace

_PATH = regex(r"\"(?:\$\{path\.(?:module|root)\}/)?([^\"$]+)\"(?:\s*,.*)?", re.DOTALL)


def content_of(workspace: Workspace, mounted: Resource) -> tuple[str | None, Document | None]:
    """The content of a mounted file, None if not known, and the file of the repository with the content."""
    content = mounted.argument("content") or mounted.argument("content_wo")
    if content is None:
        return None, None
    text = content.resolved.text.strip()
    if (literal := string_value(text)) is not None:
        try:
            return base64.b64decode(literal, validate=True).decode(), None
        except (binascii.Error, UnicodeDecodeError):
            return None, None
    encoded, read = (re.fullmatch(rf"{name}\((.*)\)", text, re.DOTALL) for name in ("base64encode", "filebase64"))
    inner = encoded and re.fullmatch(r"(file|templatefile|\w+encode)\((.*)\)", encoded[1].strip(), re.DOTALL)
    named = read[1] if read else inner[2] if inner and not inner[1].endswith("encode") else None
    if named is not None:
        file = _file(workspace, mounted.document, named)
        return (file.text, file) if file is not None else (None, None)
    if encoded is None:
        return None, None
    said = text_of(content.derived(encoded[1]))
    return f"{said}\n{inner[2]}" if inner else said or None, None


def _file(workspace: Workspace, document: Document, argument: str) -> Document | None:
    """The file that an expression names, relative to ``document``."""
    match = _PATH.fullmatch(argument.strip())
    if match is None:
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(document.path), match[1]))
    return workspace.documents.get(path) or workspace.other(path)
