"""One commit as ``git fast-import`` takes it: a look at what is there, blobs, trees, commit and branch in one process.

See https://git-scm.com/docs/git-fast-import#_input_format.
"""

from __future__ import annotations

import os
from collections.abc import Mapping


def import_stream(
    branch: str, base: str, author: str, committer: str, message: str, contents: Mapping[str, tuple[str, bytes]]
) -> bytes:
    """What makes ``branch`` at ``base`` with one commit that gives the paths of ``contents`` these modes and bytes.

    ``author`` and ``committer`` are as ``git var`` prints them. What git prints is for `import_answer`.
    """
    said = message.encode("utf-8", "backslashreplace")
    head = f"commit refs/heads/{branch}\nmark :1\nauthor {author}\ncommitter {committer}\n"
    asked = [b"ls %s " % base.encode() + _quoted(path) + b"\n" for path in contents]
    pieces = [b"feature done\n", *asked, os.fsencode(head), b"data %d\n" % len(said), said, f"\nfrom {base}\n".encode()]
    for path, (mode, data) in contents.items():
        pieces += [f"M {mode} inline ".encode(), _quoted(path), b"\ndata %d\n" % len(data), data, b"\n"]
    return b"".join([*pieces, b"get-mark :1\ndone\n"])


def import_answer(printed: str) -> tuple[str, list[tuple[str, str] | None]]:
    """The commit's id, and the mode and id that each path had at ``base``, None for one that was not there."""
    *rows, commit = printed.rstrip("\n").split("\n")
    words = (row.split(maxsplit=3) for row in rows)
    return commit, [None if len(one) < 4 or one[0] == "missing" else (one[0], one[2]) for one in words]


def _quoted(path: str) -> bytes:
    """The path as a C string."""
    return b'"' + os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
