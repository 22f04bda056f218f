"""Whatever a module looks like, nothing of it is lost but what was taken out."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

from migrator.config.config import Auth, BackendAuth, Config, ProviderAuth
from migrator.migrate.pipeline import migrate_repo
from migrator.model.results import Mode
from tests.system.hostile_layouts import Laid, laid_out

ARN = "arn:aws:iam::123456789012:role/r"
MODULES = 50
MODES: tuple[dict[str, Any], ...] = (
    {},
    {"role_arn": ARN},
    {"portable": True},
    {"backend_auth": BackendAuth.NATIVE},
    {"backend_auth": BackendAuth.HOOK},
    {"provider_auth": ProviderAuth.HOOK, "backend_auth": BackendAuth.HOOK, "backend_role_arn": ARN},
    {"include_ambient": True},
    {"keep_variables": True},
    {"auth": Auth.CLOUD_INTEGRATION, "role_arn": ARN},
)


def _complaints(made: Laid, folder: Path) -> list[str]:
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    text = b"\n".join(after.values()).decode()
    plain = text.replace("\r\n", "\n")
    found = [f"{comment} is lost" for comment in made.comments if comment not in text]
    found += [f"{untouched_text} is changed" for untouched_text in made.untouched if untouched_text not in plain]
    for name, before in made.files.items():
        now = after[name]
        found += [f"{name} lost its mark"] if before[:3] == b"\xef\xbb\xbf" != now[:3] else []
        is_windows = b"\r\n" in before and not before.replace(b"\r\n", b"").count(b"\n")
        found += [f"{name} has other line endings"] if is_windows and now.replace(b"\r\n", b"").count(b"\n") else []
    return found


def test_nothing_is_lost_in_any_layout(dice: random.Random, tmp_path: Path) -> None:
    for number in range(MODULES):
        made, options = laid_out(dice), dice.choice(MODES)
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, data in made.files.items():
            (folder / name).write_bytes(data)
        result = migrate_repo(str(folder), Config(mode=Mode.IN_PLACE, **options))
        said = f"{options}: {made.files}"
        assert (result.error, result.problems) == ("", ()), said
        assert _complaints(made, folder) == [], said
        again = migrate_repo(str(folder), Config(mode=Mode.CHECK, **options))
        assert (again.changed, again.error) == ((), ""), said
        shutil.rmtree(folder)
