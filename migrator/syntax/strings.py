"""The values of names in a file of any language: every string, reference, name and comment.

One walk over tokens: brackets are frames, ``=`` and ``:`` assign the next value to a name. The walk is no parser and
rejects nothing: of an invalid text, the part before the error is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from msgspec import Struct, field

from migrator.errors import SyntaxProblem
from migrator.regex import regex
from migrator.secret.names import names_secret
from migrator.syntax.json.parse import LABELS
from migrator.syntax.string_tokens import Token, hcl_tokens, json_tokens, python_tokens
from migrator.syntax.yaml.tree import Alias, Mapping, Node, Scalar, Sequence

TEXT, NAME, REFERENCE, COMMENT = "text", "name", "reference", "comment"

_TITLES = frozenset({"name", "key", "variable", "env"})
_TITLED = frozenset({"value", "content", "default", "secret_string", "string_value"})
_STATEMENTS = frozenset({"else", "try", "finally"})
_ENDS_COMPARISON = frozenset({"?", "&&", "||", "and", "or", "if", "else"})
_MOST_NAMES, _NEAR = 30, 100
_SAID = regex(r"([\w-]{1,80})[\"']?[ \t]*[=:][ \t]*\\?[\"']?\Z")
_MOST_IN_YAML = 200_000  # aliases may multiply the values
_JOINING = frozenset(
    {"join", "format", "concat", "coalesce", "compact", "flatten", "element", "try", "replace", "trim"}
)
_JOINING |= {
    "trimspace",
    "chomp",
    "sensitive",
    "nonsensitive",
    "tostring",
    "base64encode",
    "base64decode",
    "jsonencode",
}
_JOINING |= {"yamlencode", "urlencode", "str", "strip", "encode", "b64encode", "dumps"}
_FILES = frozenset({"file", "filebase64", "templatefile", "fileexists", "open", "Path"})
"""Functions that are handed a path."""

_NUMBER = regex(r"\d{4,}")
_SAYS = regex(r"\w+|--?[\w-]+")


class Lexeme(Struct):
    """A piece of a file: a text, a reference, a name, a comment.

    ``header`` is the header of the outermost block around the piece. ``names`` are the names of the value, outermost
    first, and ``statement`` is the offset of the outermost name. A piece that ``is_passed_on`` is an argument of a
    function, or compared, and need not be the value.
    """

    kind: str
    start: int
    end: int
    header: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    statement: int = -1
    is_passed_on: bool = False


class _Frame(Struct):
    opening: str
    header: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    outermost_start: int = -1
    is_passed_on: bool = False
    name: str = ""
    statement: int = -1
    words: list[tuple[str, Lexeme | None]] = field(default_factory=list)
    pieces: list[Lexeme] = field(default_factory=list)
    first: int = 0
    title: str = ""
    is_index: bool = False
    is_file: bool = False
    is_guess: bool = False
    was_compared: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the current value, outermost first; of very many names, only the outermost and the innermost."""
        if not self.name:
            return self.path
        return (*self.path[:_MOST_NAMES], self.name)

    @property
    def passes_on(self) -> bool:
        """Whether the current text need not be the value of the innermost name."""
        return (self.is_passed_on and not self.name) or self.was_compared

    @property
    def outermost(self) -> int:
        """The offset where the outermost name begins."""
        return self.outermost_start if self.path else self.statement

    def inner(self, opening: str, first: int) -> _Frame:
        """The frame for a bracket that opens in this frame."""
        return _Frame(
            opening,
            self.header,
            self.names,
            self.outermost,
            is_passed_on=self.passes_on,
            is_file=self.is_file,
            first=first,
        )


def lexemes(path: str, text: str) -> list[Lexeme]:
    """All strings, names and comments of the file at ``path``, in order; none if the language is unknown."""
    if path.endswith((".yml", ".yaml")):
        return _in_yaml(text)
    if path.endswith(".json"):
        return _in_blocks(path, _Walk(text, json_tokens(text), ends_lines=False).written)
    if path.endswith(".py"):
        return _Walk(text, python_tokens(text), is_python=True).written
    if path.endswith((".tf", ".tofu", ".hcl", ".tfvars", ".tfbackend")):
        return _Walk(text, hcl_tokens(text)).written
    return []


class _Walk:
    """Goes through the tokens of a text once."""

    def __init__(self, text: str, tokens: Iterator[Token], *, ends_lines: bool = True, is_python: bool = False) -> None:
        self.written: list[Lexeme] = []
        self._source = text
        self._is_python = is_python
        self._frames = [_Frame("")]
        self._last = Token("", 0, 0)
        steps: dict[str, Callable[[Token], object]] = {
            "comment": self._comment,
            "word": self._word,
            "string": self._string,
            "text": self._text,
            "end": self._end,
            "give": self._give,
            "compare": self._compare,
            "comma": self._comma,
            "newline": self._newline,
            "open": self._open,
            "close": self._close,
        }
        for token in tokens:
            if token.kind != "newline" or ends_lines:
                steps[token.kind](token)
            self._last = token

    def _add(self, kind: str, token: Token) -> Lexeme:
        frame = self._frames[-1]
        piece = Lexeme(kind, token.start, token.end, frame.header, frame.names, frame.outermost, frame.passes_on)
        self.written.append(piece)
        return piece

    def _comment(self, token: Token) -> None:
        self._add(COMMENT, token)

    def _word(self, token: Token) -> None:
        frame = self._frames[-1]
        word = self._source[token.start : token.end]
        frame.words.append((word, None))
        if word[0] == "." and self.written and self.written[-1].kind == REFERENCE:
            self.written[-1].end = token.end
        elif word in _ENDS_COMPARISON:
            frame.was_compared = False
        elif frame.names and not frame.is_file:
            self._add(TEXT if _NUMBER.fullmatch(word) else REFERENCE, token)

    def _string(self, token: Token) -> None:
        self._frames.append(self._frames[-1].inner('"', token.end))

    def _text(self, token: Token) -> None:
        self._frames[-1].pieces.append(self._add(TEXT, token))

    def _end(self, token: Token) -> None:
        frame = self._frames.pop() if len(self._frames) > 1 else self._frames[-1]
        outer = self._frames[-1]
        source = self._source[frame.first : token.start]
        for piece in frame.pieces or ():
            piece.kind = NAME if outer.is_index or outer.is_file else TEXT
            piece.is_passed_on |= outer.was_compared
            outer.words.append((source, piece))
        if not frame.pieces:
            outer.words.append((source, None))
        if outer.name.lower() in _TITLES:
            outer.title = source

    def _give(self, token: Token) -> None:
        frame = self._frames[-1]
        is_colon = self._source[token.start] == ":"
        if (
            (frame.name and not frame.is_guess)
            or not frame.words
            or (is_colon and frame.opening in ("", "[", "${") and not self._is_python)
        ):
            return
        words, frame.words = frame.words, []
        if is_colon and self._is_python and frame.opening == "" and (len(words) > 1 or words[0][0] in _STATEMENTS):
            return
        name, piece = words[-1]
        for _, literal in words:
            if literal is not None:
                literal.kind = NAME
        if piece is None and self.written and self.written[-1].end == self._last.end:
            self.written.pop()  # the word was no reference
        frame.is_guess = False
        frame.name, frame.statement = name.rpartition(".")[2], token.start

    def _compare(self, _: Token) -> None:
        frame = self._frames[-1]
        frame.was_compared = True
        if frame.words and (piece := frame.words[-1][1]) is not None:
            piece.is_passed_on = True

    def _comma(self, _: Token) -> None:
        self._finish(self._frames[-1])

    def _finish(self, frame: _Frame) -> None:
        """Finish a value at a comma or the end of a line; an argument after a title has the title as its name."""
        before = frame.words[-1][0] if frame.opening in ("(", "[") and not frame.name and frame.words else ""
        frame.is_guess = bool(before) and frame.words[-1][1] is not None and _SAYS.fullmatch(before) is not None
        frame.is_guess = frame.is_guess and names_secret(before)
        frame.name, frame.statement = (before.lstrip("-"), self._last.start) if frame.is_guess else ("", -1)
        frame.words, frame.was_compared = [], False

    def _newline(self, _: Token) -> None:
        frame = self._frames[-1]
        if frame.opening == "" or (frame.opening == "{" and not self._is_python):
            self._finish(frame)

    def _open(self, token: Token) -> None:
        frame = self._frames[-1]
        opening = self._source[token.start : token.end]
        is_close = self._last.end == token.start and self._last.kind in ("word", "close", "end")
        header = frame.header
        if opening == "{" and not frame.name and frame.opening in ("", "{") and frame.words:
            words = tuple(word for word, _ in frame.words)
            header = words if not header or words == ("variables",) else header
            for _, piece in frame.words:
                if piece is not None:
                    piece.kind = NAME
        is_call = is_close and opening == "(" and bool(frame.words) and not _joins(frame.words[-1][0])
        new = frame.inner(opening, len(self.written))
        new.header = header
        new.is_index = is_close and opening == "["
        new.is_passed_on |= new.is_index or is_call
        new.is_file |= is_call and frame.words[-1][0] in _FILES
        if opening[0] in "$%" and (
            match := _SAID.search(self._source, max(frame.first, token.start - _NEAR), token.start)
        ):
            new.path = (*new.path[:_MOST_NAMES], match[1])
        self._frames.append(new)

    def _close(self, _: Token) -> None:
        if len(self._frames) == 1:
            return
        frame = self._frames.pop()
        if frame.title:
            for piece in self.written[frame.first :]:
                if piece.names and piece.names[-1].lower() in _TITLED:
                    piece.names = (*piece.names, frame.title)
        outer = self._frames[-1]
        if frame.is_index and frame.words:
            outer.words.append((frame.words[-1][0], None))
        elif frame.opening == "{" and not outer.name and outer.opening in ("", "{"):
            outer.words = []


def _in_blocks(path: str, strings: list[Lexeme]) -> list[Lexeme]:
    """The pieces of Terraform's JSON with the headers of blocks that HCL would have."""
    if path.endswith((".tf.json", ".tofu.json")):
        for piece in strings:
            length = 1 + LABELS.get(piece.names[0], 0) if piece.names else 0
            piece.header, piece.names = piece.names[:length], piece.names[length:]
    return strings


def _in_yaml(text: str) -> list[Lexeme]:
    from migrator.syntax.yaml.parse import read  # here: PyYAML is needed for few files

    strings: list[Lexeme] = []
    followed: set[tuple[int, tuple[str, ...], int]] = set()
    with suppress(SyntaxProblem):
        root = read(text).root
        pending: list[tuple[Node, tuple[str, ...], int]] = [(root, (), 0)] if root else []
        while pending and len(strings) < _MOST_IN_YAML:
            node, names, statement = pending.pop()
            if isinstance(node, Alias):
                node = node.target
                if (place := (id(node), names, statement)) in followed:
                    continue
                followed.add(place)
            if isinstance(node, Scalar) and not node.is_null:
                strings.append(Lexeme(TEXT, *_content(text, node), (), names, statement))
            elif isinstance(node, Sequence):
                pending += ((element, names, statement) for element in node.items)
            elif isinstance(node, Mapping):
                titled = [candidate for candidate in node.entries if (candidate.name or "").lower() in _TITLES]
                title = next((candidate.value.value for candidate in titled if isinstance(candidate.value, Scalar)), "")
                for entry in node.entries:
                    name = entry.name or ""
                    strings.append(Lexeme(NAME, entry.key.span.start, entry.key.span.end))
                    path = (name, title) if title and name.lower() in _TITLED else (name,)
                    pending.append((entry.value, (*names, *path), entry.key.start))
    return strings


def _content(text: str, node: Scalar) -> tuple[int, int]:
    """The offsets of a scalar's characters: within the quotes, or below the header of a block scalar."""
    start, end = node.span.start, node.span.end
    first = text[start : start + 1]
    if node.is_plain or first not in tuple("|>\"'"):
        return start, end
    if first in "\"'":
        return start + 1, end - 1
    line = text.find("\n", start, end)
    return (line + 1, end) if line >= 0 else (end, end)


def _joins(function: str) -> bool:
    """Whether the result of ``function`` contains the arguments."""
    return function in _JOINING or function.rpartition(".")[2] in _JOINING
