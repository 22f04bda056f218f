"""Regular expressions that are compiled when they are first used: a run uses few of the program's."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class _Regex:
    """The methods of a compiled expression, all of which are bound here when one of them is first asked for."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self.pattern = pattern
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self.pattern, self._flags)
        self.__dict__.update({item: getattr(compiled, item) for item in dir(compiled) if not item.startswith("_")})
        return self.__dict__[name]


def regex(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """The expression ``pattern``, for a constant of a module."""
    return cast("re.Pattern[AnyStr]", _Regex(pattern, flags))
