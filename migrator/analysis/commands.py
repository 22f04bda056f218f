"""The shell commands in a list of a YAML file."""

from __future__ import annotations

from migrator.syntax.yaml.tree import Keys, Scalar, Sequence, Tree, resolved

_EXCHANGE = "assume-role-with-web-identity"


def commands(tree: Tree, keys: Keys) -> tuple[str, ...]:
    """The strings in the list at ``keys``, which need not exist."""
    found = tree.find(keys)
    nodes = map(resolved, found.node.items) if found and isinstance(found.node, Sequence) else ()
    return tuple(node.value for node in nodes if isinstance(node, Scalar))


def has_hook(tree: Tree, keys: Keys) -> bool:
    """Whether a command in the list at ``keys`` exchanges a token already; the shell's comments do not count."""
    lines = (line for command in commands(tree, keys) for line in command.splitlines())
    return any(_EXCHANGE in line and not line.lstrip().startswith("#") for line in lines)
