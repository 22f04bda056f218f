"""Text as Markdown: text of a repository appears unchanged, without markup, links or mentions."""

from __future__ import annotations

import re

from migrator.regex import regex

CELL = 160
"""The most characters of a text in a table's cell."""

_PROSE = 2000

_TOKEN = regex(r"`[^`\n]+`|\barn:aws[\w-]*:[\w:/.*+=,@-]*[\w*]|\$\w+")
"""The code in a sentence: text in backticks, ARNs and environment variables."""

_ESCAPED = regex(r"[\\`*\[\]<|~]|(?<!\w)_|_(?!\w)|&(?=#?\w+;)|^[-+#>]|!(?=\[)")
_LINKING = regex(r":(?=//)|(?<=\bwww)\.", re.IGNORECASE)
_MENTION = regex(r"([@#])(?=\w)")


def prose(text: str) -> str:
    """The ``text`` as words, in a table's cell or a list; only a very long text is cut."""
    text = cut(text, _PROSE)
    parts: list[str] = []
    end = 0
    for match in _TOKEN.finditer(text):
        parts += (_plain(text[end : match.start()]), code(match[0].strip("`"), _PROSE))
        end = match.end()
    return "".join((*parts, _plain(text[end:])))


def code(text: str, most: int = CELL) -> str:
    """The ``text`` as code in a table's cell or a list, limited to a number of characters."""
    if not text:
        return ""
    text = cut(text, most)
    return f"<code>{_plain(text)}</code>" if re.search(r"[`|\\]", text) or text != text.strip() else f"`{text}`"


def fenced(text: str) -> list[str]:
    """The lines of a block of code with ``text``, which shows each character of it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return [fence, *text.splitlines(), fence]


def linked(text: str, address: str) -> str:
    """The ``text``, which is Markdown, as a link to ``address``, if there is an address."""
    return f"[{text}]({address.replace('(', '%28').replace(')', '%29')})" if address else text


def cut(text: str, most: int = CELL) -> str:
    """The ``text``, limited to a number of characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _plain(text: str) -> str:
    escaped = _ESCAPED.sub(lambda match: "&lt;" if match[0] == "<" else "\\" + match[0], text)
    return _LINKING.sub(lambda match: f"&#{ord(match[0])};", _MENTION.sub("\\1\u200b", escaped))
