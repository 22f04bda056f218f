"""The subjects of Spacelift's OIDC tokens, and the patterns of IAM that match those of some runs and no others.

A token's ``sub`` is what the account's subject template makes of its run:
https://docs.spacelift.io/integrations/cloud-providers/oidc/subject-template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from migrator.errors import UsageError
from migrator.regex import regex

DEFAULT_TEMPLATE = "space:{spaceId}:{callerType}:{callerId}:run_type:{runType}:scope:{scope}"
RUN_TYPES = ("PROPOSED", "TRACKED", "TASK", "TESTING", "DESTROY")
SCOPES = ("read", "write")

_PLACEHOLDERS = frozenset({"spaceId", "spacePath", "callerType", "callerId", "runId", "runType", "scope"})
_PARTS = regex(r"\{(\w+)\}|([\w:/|-]+)", re.ASCII)
_LONGEST = 1000
_ID = regex(r"[A-Za-z0-9][\w-]*", re.ASCII)
_SPACE_PATH = regex(r"(?:/[A-Za-z0-9][\w-]*)+(?:/\*)?", re.ASCII)


class Runs(Struct, frozen=True):
    """Some runs of a Spacelift account; ``""`` means any.

    ``space`` is an id, the path of a space (``/root/production``) or of all spaces below a space
    (``/root/production/*``). A ``stack`` may be of another ``kind``: a ``module``. Raises `UsageError` for any other
    value.
    """

    space: str = ""
    stack: str = ""
    run_type: str = ""
    scope: str = ""
    kind: str = "stack"

    def __post_init__(self) -> None:
        if self.space and not _ID.fullmatch(self.space) and not _SPACE_PATH.fullmatch(self.space):
            raise UsageError("--space must be the id of a space, for example production-01HND2KV9A, or a path of ids")
        if self.stack and not _ID.fullmatch(self.stack):
            raise UsageError("--stack must be the slug of a stack, for example my-app")

    @property
    def is_any_stack(self) -> bool:
        """Whether the runs include those of every stack."""
        return not self.space and not self.stack


class SubjectTemplate(Struct, frozen=True):
    """An account's subject template. Raises `UsageError` for one that Spacelift would not take, or that is ambiguous.

    A separator must be between two placeholders that none of their values contains: ``:`` or ``|``, or ``/`` without a
    path in the subject. Otherwise one subject, and one pattern, could mean several stacks.
    """

    text: str = DEFAULT_TEMPLATE

    def __post_init__(self) -> None:
        parts = _PARTS.findall(self.text)
        if len(self.text) > _LONGEST or "".join(f"{{{name}}}" if name else text for name, text in parts) != self.text:
            raise UsageError("--subject-template must consist of letters, digits, placeholders in braces and -_:/|")
        unknown = {name for name, _ in parts if name} - _PLACEHOLDERS
        if unknown or not any(name for name, _ in parts):
            names = ", ".join(f"{{{name}}}" for name in sorted(_PLACEHOLDERS))
            raise UsageError(f"--subject-template must hold at least one placeholder, and only these: {names}")
        is_apart = True
        for name, text in parts:
            if name and not is_apart:
                raise UsageError(f"--subject-template must have a separator, {self._separators[0]}, before {{{name}}}")
            is_apart = not name and (is_apart or not set(text).isdisjoint(self._separators))

    @property
    def _separators(self) -> str:
        return ":|" if "{spacePath}" in self.text else ":|/"

    def pattern(self, runs: Runs) -> str:
        """The pattern for ``StringLike`` that matches the subjects of ``runs`` and no others.

        A ``*`` is for each value that may be anything, and the pattern has all separators of the template. Since no
        value contains a separator, no ``*`` reaches beyond its own value. If everything specific is before the first
        ``*``, the rest is left out. Raises `UsageError` for a part that the subject does not contain.
        """
        values = dict(self._values(runs))
        parts = _PARTS.findall(self.text)
        pieces = [values.get(name, "*") if name else text for name, text in parts]
        first = next((index for index, piece in enumerate(pieces) if "*" in piece), len(pieces))
        if {piece for (name, _), piece in zip(parts[first:], pieces[first:], strict=True) if name} != {"*"}:
            return "".join(pieces)
        return self._up_to_separator("".join(pieces[: first - 1]), pieces[first - 1] if first else "") + "*"

    def _up_to_separator(self, value: str, literal: str) -> str:
        end = re.match(f"[^{self._separators}]*[{self._separators}]", literal) if value else None
        return value + (end[0] if end else literal)

    def _values(self, runs: Runs) -> Iterator[tuple[str, str]]:
        if runs.stack:
            yield "callerId", self._described(runs.stack, "stack", "callerId")
            yield "callerType", runs.kind
        if runs.run_type:
            yield "runType", self._described(runs.run_type, "run type", "runType")
        if runs.scope:
            yield "scope", self._described(runs.scope, "scope", "scope")
        if runs.space.startswith("/"):
            yield "spacePath", self._described(runs.space, "path", "spacePath")
        elif runs.space and "{spaceId}" not in self.text and "{spacePath}" in self.text:
            yield "spacePath", f"*/{runs.space}"
        elif runs.space:
            yield "spaceId", self._described(runs.space, "space", "spaceId")

    def _described(self, value: str, title: str, placeholder: str) -> str:
        if f"{{{placeholder}}}" not in self.text:
            raise UsageError(
                f"The subject template has no {{{placeholder}}}. A trust policy cannot allow a single {title} then"
            )
        return value
