"""Which comments go with a block or an argument that is removed, and which are of others that stay."""

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


def stays(
    comment: re.Match[str], text: str, block: Block, item: Attribute | Block, removed: Sequence[Attribute | Block]
) -> bool:
    """Whether a ``comment`` right above ``item`` in ``block`` stays when ``item``, one of the ``removed``, goes."""
    if _belongs_to_another(comment[0], item, removed):
        return True
    is_for_all = isinstance(item, Attribute) or _is_of_the_file(text, comment)
    return is_for_all and _heads_kept(text, block, item, removed) and not _SPEAKS_OF_CREDENTIALS.search(comment[0])


def _heads_kept(text: str, block: Block, item: Attribute | Block, removed: Sequence[Attribute | Block]) -> bool:
    """Whether ``item`` is the first of arguments on adjoining lines, of which one stays, or a file's first block.

    A comment on it may be for all of them.
    """
    if isinstance(item, Block) and item is block.items[0] and len(removed) < len(block.items):
        return True
    end = item.span.end
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
    """Whether a comment on a file's first block may be for the file: it begins with it, and says it once."""
    return not _GAP.search(text[: comment.start()].lstrip()) and text.count(comment[0]) == 1


def _belongs_to_another(comment: str, item: Attribute | Block, removed: Sequence[Attribute | Block]) -> bool:
    """Whether a comment is a block or an argument that someone commented out, and not one of those that go."""
    if isinstance(item, Block) and _COMMENTED_BLOCK.match(comment):
        return True
    argument = _COMMENTED_ARGUMENT.match(comment)
    names = {child.name for child in (item, *removed) if isinstance(child, Attribute)}
    return argument is not None and argument[1] not in names
