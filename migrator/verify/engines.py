"""The engine that a root module is verified with: terraform or tofu, of the stack's version if one is installed.

Engines are searched in ``PATH``, in the folders of tfenv (https://github.com/tfutils/tfenv), tofuenv and tenv
(https://tofuutils.github.io/tenv), and at the path that the user names.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.errors import MigrateError, UsageError
from migrator.regex import regex
from migrator.verify.programs import bare_environment, run

if TYPE_CHECKING:
    from migrator.model.engine import Evidence
    from migrator.model.version_constraints import Version

_FOLDERS = (
    ("TFENV_CONFIG_DIR", "~/.tfenv", "versions/*/terraform"),
    ("TFENV_ROOT", "~/.tfenv", "versions/*/terraform"),
    ("TOFUENV_ROOT", "~/.tofuenv", "versions/*/tofu"),
    ("TENV_ROOT", "~/.tenv", "Terraform/*/terraform"),
    ("TENV_ROOT", "~/.tenv", "OpenTofu/*/tofu"),
)
_VERSION = regex(r"(\d+)\.(\d+)\.(\d+)")


class EngineProgram(Struct, frozen=True):
    """An engine that is installed at ``path``."""

    path: str
    version: Version
    is_tofu: bool = False

    @property
    def title(self) -> str:
        """The engine for people."""
        return f"{'OpenTofu' if self.is_tofu else 'Terraform'} {'.'.join(map(str, self.version))}"


class Engines:
    """The engines of this machine; ``chosen`` is the path of the engine that overrides all stacks.

    Raises `UsageError` if the chosen path is no engine.
    """

    def __init__(self, chosen: str | None, home: Path) -> None:
        self._home = home
        self._chosen = _program_at(chosen, home) if chosen else None
        if chosen and self._chosen is None:
            raise UsageError(f"--engine {chosen} is no terraform and no tofu")

    @cached_property
    def _installed(self) -> list[EngineProgram]:
        """The installed engines; those in ``PATH`` come first."""
        paths = [path for name in ("terraform", "tofu") if (path := shutil.which(name))]
        programs = [engine for path in paths if (engine := _program_at(path, self._home))]
        paths_of_programs = {engine.path for engine in programs}
        return [*programs, *(engine for engine in _in_folders() if engine.path not in paths_of_programs)]

    def engine_for(self, evidence: Iterable[Evidence]) -> tuple[EngineProgram | None, bool]:
        """The engine for a stack with this ``evidence``, and whether the stack may run that engine.

        None if no engine is installed.
        """
        firm = [entry for entry in evidence if not entry.is_soft]
        lowest = max((entry.low for entry in firm), default=(0, 0, 0))
        firm = [entry for entry in firm if not entry.is_default or entry.high > lowest]
        if self._chosen is not None:
            return self._chosen, _fits(self._chosen, firm)
        fitting = [engine for engine in self._installed if _fits(engine, firm)]
        if fitting:
            return max(fitting, key=lambda engine: engine.version), True
        return (self._installed[0] if self._installed else None), False


def _fits(engine: EngineProgram, evidence: list[Evidence]) -> bool:
    is_tofu = any(entry.is_tofu for entry in evidence)
    return engine.is_tofu is is_tofu and all(entry.low <= engine.version < entry.high for entry in evidence)


def _program_at(path: str, home: Path) -> EngineProgram | None:
    """The engine with the version that the engine prints; None if the engine prints no version."""
    try:
        completed = run([path, "version", "-json"], home, bare_environment(home), 30)
        version_text = json.loads(completed.printed)["terraform_version"]
    except (MigrateError, ValueError, KeyError, TypeError):
        return None
    version = _VERSION.match(str(version_text))
    if version is None:
        return None
    is_tofu = "tofu" in Path(path).name
    return EngineProgram(path, (int(version[1]), int(version[2]), int(version[3])), is_tofu)


def _in_folders() -> Iterator[EngineProgram]:
    for variable, default, pattern in _FOLDERS:
        folder = Path(os.environ.get(variable) or os.path.expanduser(default))
        for program in sorted(folder.glob(pattern)):
            version = _VERSION.fullmatch(program.parent.name)
            if version and os.access(program, os.X_OK):
                parts = (int(version[1]), int(version[2]), int(version[3]))
                yield EngineProgram(str(program), parts, program.name == "tofu")
