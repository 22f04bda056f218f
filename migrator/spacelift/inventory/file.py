"""An inventory as a JSON file, which only the owner may read."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import msgspec

from migrator.errors import MigrateError
from migrator.spacelift.inventory.account import FORMAT, VERSION, Inventory


def write_inventory(path: str, inventory: Inventory) -> None:
    """Write the file with mode 0600, whole or not at all. Raises `MigrateError` for a file that cannot be written."""
    text = msgspec.json.format(msgspec.json.encode(inventory), indent=2) + b"\n"
    file = Path(path)
    try:
        descriptor, staged = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    except OSError as error:
        raise MigrateError(f"{path} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(text)
        os.replace(staged, file)
    except OSError as error:
        Path(staged).unlink(missing_ok=True)
        raise MigrateError(f"{path} cannot be written: {error.strerror}") from None


def read_inventory(path: str) -> Inventory:
    """The inventory in a file. Raises `MigrateError` for a file that holds none, or one of another version."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise MigrateError(f"{path} cannot be read: {error.strerror}") from None
    try:
        account = msgspec.json.decode(data, type=Inventory)
    except msgspec.DecodeError:
        raise MigrateError(f"{path} holds no inventory. help: write one with `tf-oidc-migrate inventory`") from None
    if (account.format, account.version) != (FORMAT, VERSION):
        reason = f"{path} holds an inventory of another version"
        raise MigrateError(f"{reason}. help: write it again with `tf-oidc-migrate inventory`")
    return account
