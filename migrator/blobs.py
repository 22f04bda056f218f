"""What git makes of a file's content: the id of the object that it is stored as."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

_ID = re.compile(rb"\$Id(?::[^$\n]*)?\$")


def blob_id(data: bytes, like: str) -> str:
    """The object id that git gives to ``data``, by the algorithm of the id ``like``."""
    digest = hashlib.sha256() if len(like) == 64 else hashlib.sha1(usedforsecurity=False)
    digest.update(b"blob %d\0" % len(data))
    digest.update(data)
    return digest.hexdigest()


def to_lf(data: bytes) -> bytes:
    """``data`` with the line endings that git stores where it converts them."""
    return data.replace(b"\r\n", b"\n")


def conversion(data: bytes, sha: str) -> Callable[[bytes], bytes] | None:
    """What git does to a file before it stores it, if ``data`` is stored as ``sha``; None if that is not known.

    It converts line endings and, with the attribute ``ident``, takes ids out: https://git-scm.com/docs/gitattributes.
    """
    ways: tuple[Callable[[bytes], bytes], ...] = (bytes, to_lf, _without_id, lambda one: _without_id(to_lf(one)))
    return next((way for way in ways if blob_id(way(data), sha) == sha), None)


def _without_id(data: bytes) -> bytes:
    return _ID.sub(b"$Id$", data)


def checked_out(data: bytes, stored: bytes, sha: str) -> bytes:
    """``data`` as git would write it to the work tree, if it is ``stored`` as ``sha``: with that as its id."""
    if stored in (data, to_lf(data)):
        return data
    return _ID.sub(b"$Id: %s $" % sha.encode(), data)
