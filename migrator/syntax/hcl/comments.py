"""The comments that go with a removed block or argument, and the comments that stay."""

from __future__ import annotations

import re
from collections.abc import Sequence

from migrator.regex import regex
from migrator.syntax.terraform import Attribute, Block

COMMENT = regex(r"(?:#|//)[^\n]*|/\*(?s:.*?)\*/")
_GAP = regex(r"\n[ \t]*\r?\n")
_SPEAKS_OF_CREDENTIALS = regex(r"(?i)key|credential|secret|token|profile|auth|\biam\b|shared_|sign|log.?in")
_COMMENTED_BLOCK = regex(r"(?:#|//|/\*)[\s#/]*[a-z_]+[ \t]+\"[^\n]*\{")
_COMMENTED_ARGUMENT = regex(r"(?:#|//|/\*)[\s#/]*([A-Za-z_][\w-]*)\s*=(?!=)")


def is_kept(
    comment: re.Match[str], text: str, block: Block, element: Attribute | Block, removed: Sequence[Attribute | Block]
) -> bool:
    """Whether a ``comment`` right above ``element`` of ``block`` stays; ``element`` is one of the ``removed``."""
    if _belongs_to_another(comment[0], element, removed):
        return True
    is_for_all = isinstance(element, Attribute) or _is_of_the_file(text, comment)
    return is_for_all and _heads_kept(text, block, element, removed) and not _SPEAKS_OF_CREDENTIALS.search(comment[0])


def _heads_kept(text: str, block: Block, element: Attribute | Block, removed: Sequence[Attribute | Block]) -> bool:
    """Whether a comment on ``element`` may be for others that stay.

    This is so for the first of arguments on adjoining lines, and for the first block of a file.
    """
    if isinstance(element, Block) and element is block.items[0] and len(removed) < len(block.items):
        return True
    end = element.span.end
    for other in block.items:
        if other.span.start > end:
            between = text[end : other.span.start]
            if between.count("\n") > 1 or COMMENT.search(between.partition("\n")[2]):
                return False
            if other not in removed:
                return True
            end = other.span.end
    return False


def _is_of_the_file(text: str, comment: re.Match[str]) -> bool:
    """Whether a comment on a file's first block may be about the file: the comment begins the file and occurs once."""
    return not _GAP.search(text[: comment.start()].lstrip()) and text.count(comment[0]) == 1


def _belongs_to_another(comment: str, element: Attribute | Block, removed: Sequence[Attribute | Block]) -> bool:
    """Whether a comment is a block or an argument that someone commented out, and not one of those that go."""
    if isinstance(element, Block) and _COMMENTED_BLOCK.match(comment):
        return True
    argument = _COMMENTED_ARGUMENT.match(comment)
    names = {child.name for child in (element, *removed) if isinstance(child, Attribute)}
    return argument is not None and argument[1] not in names
