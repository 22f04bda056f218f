"""What reading an account, or an inventory, needs beyond the program's own libraries."""

from __future__ import annotations

from importlib.util import find_spec

from migrator.errors import MigrateError

_NEEDED = ("gql", "msgspec", "requests")
_HOW = "pipx inject tf-oidc-migrate 'gql[requests]' msgspec, or in a checkout: pip install '.[inventory]'"


def require() -> None:
    """Raise `MigrateError` if a library is missing: the error says how to add all of them."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        message = f"An inventory needs {' and '.join(missing)}, which this Python does not have"
        raise MigrateError(f"{message}. help: add the libraries: {_HOW}")
