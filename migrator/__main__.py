"""``tf-oidc-migrate`` as a console script and as ``python -m migrator``."""

from __future__ import annotations

import gc
import io
import os
import sys

from migrator.errors import OutputError

TYPE_CHECKING = False  # typing is not loaded here: an interrupt while a module loads before `main` is a traceback
if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_FAILED, _INTERRUPTED = 3, 130  # the second is 128 and the signal's number, as shells count


class _Output(io.FileIO):
    """Standard output: a failed write raises `OutputError` once, and later output is dropped."""

    def __init__(self, *, is_closed: bool) -> None:
        super().__init__(os.open(os.devnull, os.O_WRONLY) if is_closed else 1, "wb", closefd=False)
        self._lost = "it is closed" if is_closed else ""
        self._has_reported = False

    def write(self, data: ReadableBuffer, /) -> int:
        """Write ``data``. Raises `OutputError`."""
        try:
            if not self._lost:
                return super().write(data)
        except OSError as error:
            self._lost = error.strerror or "output failed"
        if not self._has_reported:
            self._has_reported = True
            raise OutputError(f"standard output cannot be written: {self._lost}")
        return len(memoryview(data).cast("B"))


def main() -> None:
    """The console script; an interrupt at any time ends the script with 130."""
    gc.set_threshold(50_000)  # a short run is never searched for garbage: what it loads stays until the end
    try:
        _guard_output()
        from migrator.cli.main import execute  # here: an interrupt while the module loads counts, too

        try:
            code = execute()
        finally:
            gc.freeze()  # nor then, even if a command ends the program itself
            sys.stdout.flush()
    except KeyboardInterrupt:
        code = _report("interrupted", _INTERRUPTED)
    except OutputError as error:
        code = _report(f"Error: {error}", _FAILED)
    except OSError as error:  # no sentence can be written to standard error either
        code = _report(f"Error: {error.strerror}", _FAILED)
    sys.exit(code)


def _guard_output() -> None:
    was = sys.stdout
    is_terminal = was is not None and was.isatty()
    encoding, errors = (was.encoding, was.errors) if was is not None else ("utf-8", "backslashreplace")
    buffer = io.BufferedWriter(_Output(is_closed=was is None))
    sys.stdout = io.TextIOWrapper(buffer, encoding=encoding, errors=errors, line_buffering=is_terminal)


def _report(sentence: str, code: int) -> int:
    """Print the reason for the end with ``code``, if standard error is open."""
    from contextlib import suppress

    with suppress(OSError, AttributeError):
        print(sentence, file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    main()
