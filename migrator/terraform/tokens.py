"""The token of web identity that is in the code already: static keys beside it hide whether a run has the token."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from migrator.terraform.diagnostics import OTHER_TOKEN

if TYPE_CHECKING:
    from migrator.model.findings import Refusal
    from migrator.syntax.terraform import Attribute
    from migrator.workspace.document import Document

_WORKSPACE, _OF_SPACELIFT = "/mnt/workspace/", "spacelift"


def token_refusal(document: Document, arguments: Iterable[Attribute]) -> Refusal | None:
    """The refusal to remove keys beside web identity with these ``arguments``, if the token is not Spacelift's."""
    for argument in arguments:
        text = document.literal(argument) or ""
        if argument.name == "web_identity_token" and text:
            return OTHER_TOKEN.refusal(used="a token in the code")
        is_path = argument.name == "web_identity_token_file" and text.startswith("/")
        if is_path and not text.startswith(_WORKSPACE) and _OF_SPACELIFT not in text:
            return OTHER_TOKEN.refusal(used=f"the file {text}")
    return None
