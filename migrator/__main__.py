"""``tf-oidc-migrate``, which is also ``python -m migrator``."""

from __future__ import annotations

import os
import sys

_INTERRUPTED, _BROKEN_PIPE = 130, 141  # 128 and the signal's number, as shells count


def main() -> None:
    """The console script; an interrupt ends it with 130 whenever it comes."""
    try:
        from migrator.cli import execute  # here: an interrupt while it loads is one too

        sys.exit(execute())
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:  # the reader of a diff has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_BROKEN_PIPE)


if __name__ == "__main__":
    main()
