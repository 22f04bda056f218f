"""The syntax tree of an expression, as python-hcl2 reads the text; used for meanings, never for edits."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, cast

from migrator.errors import SyntaxProblem
from migrator.syntax.hcl.scanner import tokens

if TYPE_CHECKING:
    from lark import Token, Tree

    Node = Tree[Token] | Token

_LONGEST = 50_000
_LINE_BREAKS = ("new_line_or_comment", "NL_OR_COMMENT")


@lru_cache(maxsize=4096)
def tree(text: str) -> Tree[Token]:
    """The syntax tree of an expression. Raises `SyntaxProblem` without the text of the expression."""
    if len(text) > _LONGEST:
        raise SyntaxProblem(0, "the text is too long")
    import hcl2.api  # here: the parser and its grammar take longer to load than a run that needs neither
    from lark.exceptions import LarkError

    try:
        attribute = trees(trees(hcl2.api.parses_to_tree(f"x = {on_one_line(text)}\n"))[0])[0]
        return trees(attribute)[1]
    except (LarkError, RecursionError, IndexError):
        raise SyntaxProblem(0, "the text cannot be parsed") from None


def on_one_line(text: str) -> str:
    """The ``text`` without comments, and without line breaks that have no meaning."""
    if "\n" not in text and "#" not in text and "/" not in text:
        return text
    pieces: list[str] = []
    opened: list[str] = []
    for token in tokens(text):
        piece = text[token.start : token.end]
        if token.kind in ("template", "open"):
            opened.append(piece[-1] if token.kind == "open" else "$")
        elif token.kind == "close" and opened:
            opened.pop()
        is_idle = token.kind == "newline" and opened and opened[-1] in "([$"
        pieces.append(" " if is_idle or token.kind in ("comment", "inline") else piece)
    return "".join(pieces)


def children(node: Tree[Token]) -> list[Node]:
    """The children of a node, except for line breaks."""
    return [child for child in node.children if child is not None and kind(child) not in _LINE_BREAKS]


def kind(node: Node) -> str:
    """The name of a node in the grammar."""
    return str(node.data) if hasattr(node, "data") else str(node.type)


def trees(node: Node) -> list[Tree[Token]]:
    """The parts of a node that are more than punctuation."""
    return [cast("Tree[Token]", child) for child in children(cast("Tree[Token]", node)) if hasattr(child, "data")]


def words(node: Node) -> str:
    """All words of a node."""
    return str(node) if isinstance(node, str) else "".join(map(str, node.scan_values(lambda _: True)))


def is_wrapped(node: Node) -> bool:
    """Whether a node is nothing but another, without brackets around that."""
    return kind(node) == "expr_term" and len(children(cast("Tree[Token]", node))) == 1 and len(trees(node)) == 1
