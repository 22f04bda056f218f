"""The check of a root module and its backend by the engine: valid, and with the same state as before."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migrator.errors import MigrateError
from migrator.model.verification import Proof, failed, not_proven, proven
from migrator.regex import regex
from migrator.syntax.hcl.strings import string_value
from migrator.verify import diagnostics
from migrator.verify.programs import CompletedProgram, run

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.roots import Root
    from migrator.terraform.backends import S3Backend
    from migrator.verify.engines import EngineProgram

PLACE = ("bucket", "key", "region", "workspace_key_prefix", "endpoint", "dynamodb_table")
"""The arguments that say which state a backend uses, and which table locks the state."""

_MISSING = regex(
    r"Failed to query available provider packages|Failed to install provider|provider registry"
    r"|Missing required provider|Could not (?:download|retrieve)|Failed to download module|Module not installed"
    r"|Failed to (?:resolve|load) provider|Required plugins are not installed|remote module registry|proxyconnect"
)


class Initialised(Struct, frozen=True):
    """The results of ``init`` and ``validate``; ``backend`` is the engine's configuration of the backend."""

    validate: Proof
    backend: Mapping[str, Any] | None
    complaint: str = ""


def initialise(
    engine: EngineProgram,
    is_own: bool,
    folder: Path,
    environment: Mapping[str, str],
    data: Path,
    arguments: Sequence[str],
    *,
    with_backend: bool,
) -> Initialised:
    """Run ``init``, with or without the backend, and ``validate``; ``data`` is a folder for the engine's files.

    ``is_own``: the stack runs this engine. The validation runs even if the backend fails.
    """
    lock = folder / ".terraform.lock.hcl"
    had_lock = lock.exists()
    variables = {**environment, "TF_DATA_DIR": str(data)}
    command = [engine.path, "init", "-input=false", "-no-color"]
    extra = ["-reconfigure", *arguments] if with_backend else ["-backend=false"]
    try:
        completed = run([*command, *extra], folder, variables)
        backend = _recorded(data) if with_backend else None
        complaint = ""
        if completed.status != 0 and with_backend and backend is None and not _MISSING.search(_flat(completed)):
            complaint = completed.failure
            completed = run([*command, "-backend=false"], folder, variables)
        if completed.status == 0:
            completed = run([engine.path, "validate", "-no-color"], folder, variables)
    except MigrateError as error:
        completed, backend, complaint = CompletedProgram(1, "", str(error)), None, str(error)
    finally:
        if not had_lock:
            lock.unlink(missing_ok=True)
    return Initialised(_validity(completed, engine, is_own), backend, complaint)


def _flat(completed: CompletedProgram) -> str:
    return " ".join(completed.complaint.split())


def _validity(completed: CompletedProgram, engine: EngineProgram, is_own: bool) -> Proof:
    if completed.status == 0:
        note = "" if is_own else ", which is not the version of the stack"
        return proven("validate", f"{engine.title} finds the root module valid{note}.")
    if _MISSING.search(_flat(completed)):
        return not_proven("validate", diagnostics.NO_PROVIDERS.refusal(said=completed.failure.rstrip(".")))
    if not is_own:
        return not_proven(
            "validate", diagnostics.OTHER_ENGINE.refusal(engine=engine.title, said=completed.failure.rstrip("."))
        )
    return failed("validate", diagnostics.INVALID.refusal(engine=engine.title, said=completed.failure.rstrip(".")))


def _recorded(data: Path) -> Mapping[str, Any] | None:
    try:
        backend = json.loads((data / "terraform.tfstate").read_text())["backend"]["config"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return backend if isinstance(backend, dict) else None


def backend_arguments(root: Root, folder: Path, variables: Mapping[str, str | None], top: Path) -> list[str] | Proof:
    """The arguments of ``init`` that complete a partial backend, or the reason why they are not known."""
    partial = sorted({backend.document.path for backend in root.backends if backend.is_partial})
    if "TF_CLI_ARGS_init" in variables or not partial:
        return []
    if len(partial) > 1:
        return not_proven("state", diagnostics.MANY_FILES.refusal(files=", ".join(partial)))
    return [f"-backend-config={os.path.relpath(top / partial[0], folder)}"]


def state_proof(initialised: Initialised, root: Root, before: Context | None, is_own: bool, engine: str) -> Proof:
    """Whether the backend that the engine initialised leads to the state from ``before``."""
    if initialised.backend is None:
        if not initialised.complaint:
            return not_proven("state", diagnostics.NO_PROVIDERS.refusal(said="the backend was not reached"))
        if not is_own:
            return not_proven(
                "state", diagnostics.OTHER_ENGINE.refusal(engine=engine, said=initialised.complaint.rstrip("."))
            )
        return failed("state", diagnostics.BACKEND_FAILED.refusal(said=initialised.complaint.rstrip(".")))
    if before is None:
        return not_proven("state", diagnostics.NO_BASE.refusal())
    old = next((old_root for old_root in before.facts.roots if old_root.module.path == root.module.path), None)
    new_values = {name: initialised.backend.get(name) or "" for name in PLACE}
    if old is None:
        return not_proven(
            "state", diagnostics.NO_OLD_BACKEND.refusal(place=f"s3://{new_values['bucket']}/{new_values['key']}")
        )
    for name in PLACE:
        old_value = _literal(old.backends, name)
        if old_value is None:
            return not_proven("state", diagnostics.UNKNOWN_STATE.refusal(name=name))
        if old_value != new_values[name]:
            reason = diagnostics.OTHER_STATE.refusal(
                name=name, before=old_value or "not set", after=new_values[name] or "not set"
            )
            return failed("state", reason)
    return proven("state", f"The backend leads to s3://{new_values['bucket']}/{new_values['key']}, as before.")


def _literal(backends: Sequence[S3Backend], name: str) -> str | None:
    """The old value of an argument; ``""`` if the argument was not set, None if no literal has the value."""
    blocks = [backend for backend in backends if not backend.is_partial]
    block = next((backend for backend in reversed(blocks) if backend.document.is_override), blocks[0])
    text = ""
    for backend in (block, *(partial for partial in backends if partial.is_partial)):
        attribute = backend.block.attribute(name)
        if attribute is not None:
            expression = backend.document.expression(attribute)
            value = "" if expression == "null" else string_value(expression)
            if value is None or (text and backend.is_partial and text != value):
                return None
            text = value
    return text
