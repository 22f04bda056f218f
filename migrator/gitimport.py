"""One commit as ``git fast-import`` takes it: blobs, trees, commit and branch in one process.

See https://git-scm.com/docs/git-fast-import#_input_format.
"""

from __future__ import annotations

import os
from collections.abc import Mapping


def import_stream(
    branch: str, base: str, author: str, committer: str, message: str, contents: Mapping[str, tuple[str, bytes]]
) -> bytes:
    """What makes ``branch`` at ``base`` with one commit that gives the paths of ``contents`` these modes and bytes.

    ``author`` and ``committer`` are as ``git var`` prints them; git prints the commit's id.
    """
    said = message.encode("utf-8", "backslashreplace")
    head = f"feature done\ncommit refs/heads/{branch}\nmark :1\nauthor {author}\ncommitter {committer}\n"
    pieces = [os.fsencode(head), b"data %d\n" % len(said), said, f"\nfrom {base}\n".encode()]
    for path, (mode, data) in contents.items():
        pieces += [f"M {mode} inline ".encode(), _quoted(path), b"\ndata %d\n" % len(data), data, b"\n"]
    return b"".join([*pieces, b"get-mark :1\ndone\n"])


def _quoted(path: str) -> bytes:
    """The path as a C string."""
    return b'"' + os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
