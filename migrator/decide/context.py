"""What a rule looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrator.config.config import Config
    from migrator.decide.ambient import Ambient
    from migrator.decide.facts import Facts
    from migrator.decide.hooks import Wishes
    from migrator.decide.web_identity import WebIdentity
    from migrator.model.findings import Change, Finding
    from migrator.model.fleet import KnownCall
    from migrator.terraform.outside_calls import Called
    from migrator.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule looks at; ``settled`` are the findings of the phases before, with their fates.

    ``changes`` are what those come to, ``called`` the modules of other repositories whose variables change, ``callers``
    the calls of this one's by others, which know it as ``repo``.
    """

    workspace: Workspace
    facts: Facts
    config: Config
    web_identity: WebIdentity
    wishes: Wishes
    ambient: Ambient
    settled: tuple[Finding, ...] = ()
    changes: tuple[Change, ...] = ()
    called: tuple[Called, ...] = ()
    callers: tuple[KnownCall, ...] = ()
    repo: str = ""
