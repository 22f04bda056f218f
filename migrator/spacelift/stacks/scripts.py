"""The scripts that hooks run, and what hooks and scripts export into the environment of a run.

A script that a hook sources runs in the shell of the hook, so that its variables last for the rest of the phase:
https://docs.spacelift.io/concepts/stack/stack-settings.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.regex import regex
from migrator.spacelift.stacks.exchange import EXCHANGE
from migrator.spacelift.stacks.mounted import content_of
from migrator.spacelift.stacks.resource import resources
from migrator.terraform.credential_names import assigned, exported

if TYPE_CHECKING:
    from migrator.workspace.workspace import Workspace

_SCRIPT = regex(r"(?:^|[\s;&|/])((?:\./)?[\w./-]*?[\w-]+\.(?:ba)?sh|\./[\w./-]+)(?![\w.])")
_SOURCED = regex(r"(?:^|[\s;&|({\"'])(?:source|\.)[ \t]+[\"']?([^\s\"';&|)<]+)")
_BEFORE = regex(r"(?:\./|(?:\.\./)+|\$\{?\w+\}?/|/mnt/workspace/(?:source/)?)*")
_COMMENT = regex(r"(?m)^[ \t]*#.*$")


class Export(Struct, frozen=True):
    """A static variable that a command exports, and the script that does so; ``""`` for the command itself."""

    variable: str
    script: str = ""

    @property
    def through(self) -> str:
        """The script in a sentence, after the name of the hook."""
        return f", by `{self.script}`," if self.script else ""


def scripts(workspace: Workspace, said: str) -> Iterator[str]:
    """The texts of the scripts of the repository that commands name."""
    for path in map(posixpath.normpath, _SCRIPT.findall(said)):
        yield from (text for _, text in _files(workspace, path))


def export(workspace: Workspace, commands: Iterable[str]) -> Export | None:
    """The first export of a static variable, ignoring hooks that exchange a token; None if there is none."""
    for command in commands:
        for line in (line for line in command.splitlines() if EXCHANGE not in line):
            if variable := exported(line):
                return Export(variable)
            for path, text in _sourced(workspace, line):
                found = () if EXCHANGE in text else map(assigned, text.splitlines())
                if variable := next(filter(None, found), ""):
                    return Export(variable, path)
    return None


def _sourced(workspace: Workspace, line: str) -> Iterator[tuple[str, str]]:
    """The paths and texts of the files that a command sources, in the repository or mounted."""
    for named in _SOURCED.findall(line):
        match = _BEFORE.match(named)
        path = named[match.end() :] if match else named
        yield from _files(workspace, path)
        for file in resources(workspace, "spacelift_mounted_file") if path else ():
            relative = file.string("relative_path") or ""
            if f"/{relative}".endswith(f"/{path}"):
                text, _ = content_of(workspace, file)
                yield relative, _COMMENT.sub("", text or "")


def _files(workspace: Workspace, path: str) -> Iterator[tuple[str, str]]:
    for found in workspace.files_called(posixpath.basename(path)):
        script = workspace.documents.get(found) or workspace.other(found)
        if script is not None and f"/{found}".endswith(f"/{path}"):
            yield found, _COMMENT.sub("", script.text)
