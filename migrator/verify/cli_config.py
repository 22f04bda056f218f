"""The CLI configuration of engines: providers come from this machine, unless the user says otherwise.

See https://developer.hashicorp.com/terraform/cli/config/config-file#provider-installation. A plugin cache has the
layout of a mirror.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from migrator.regex import regex
from migrator.syntax.hcl.strings import quote

_CACHE = regex(r'(?m)^\s*plugin_cache_dir\s*=\s*"([^"]+)"')
_MIRROR = regex(r'filesystem_mirror\s*\{[^}]*?\bpath\s*=\s*"([^"]+)"')
_OVERRIDES = regex(r"dev_overrides\s*\{[^}]*\}")
_IMPLIED = (
    "~/.terraform.d/plugins",
    "~/.local/share/terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
)


def write_cli_config(folder: Path, *, fetch: bool) -> Path:
    """Write the configuration into ``folder``; with ``fetch`` engines may download providers as the user's may."""
    text = _users()
    parts = [f"  filesystem_mirror {{\n    path = {quote(path)}\n  }}" for path in dict.fromkeys(_mirrors(text))]
    overrides = _OVERRIDES.search(text)
    if overrides:
        parts.insert(0, f"  {overrides[0]}")
    if fetch:
        parts.append("  direct {}")
    file = folder / "terraform.rc"
    file.write_text("provider_installation {\n" + "\n".join(parts) + "\n}\n")
    return file


def _users() -> str:
    configured = os.environ.get("TF_CLI_CONFIG_FILE")
    paths = [configured] if configured else [os.path.expanduser(name) for name in ("~/.terraformrc", "~/.tofurc")]
    texts = []
    for path in paths:
        try:
            texts.append(Path(path).read_text("utf-8", "replace"))
        except OSError:
            continue
    return "\n".join(texts)


def _mirrors(text: str) -> Iterator[str]:
    folders = [os.environ.get("TF_PLUGIN_CACHE_DIR", ""), *_CACHE.findall(text), *_MIRROR.findall(text), *_IMPLIED]
    for path in folders:
        real = os.path.expanduser(path.replace("$HOME", "~"))
        if path and os.path.isdir(real):
            yield real
    if not any(os.path.isdir(os.path.expanduser(path)) for path in folders if path):
        yield os.devnull
