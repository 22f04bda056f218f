"""The page of each rule: what becomes of what, and why, as the rule's own module tells it."""

from __future__ import annotations

import inspect
import sys

from migrator.errors import UsageError
from migrator.rules.registry import Rule, all_rules

ALL = "all"
_INTRODUCTION = f"""# Rules

Each rule finds one kind of thing and says what becomes of it. `tf-oidc-migrate --explain RULE` prints a rule's page,
`--explain {ALL}` this document. Roles and hooks that are too long for a line are cut short by `…`.
"""


def explain(name: str) -> str:
    """The page of the rule called ``name``, in Markdown; of every rule if it is ``all``.

    Raises `UsageError` if there is no such rule.
    """
    rules = {rule.id: rule for rule in all_rules()}
    if name == ALL:
        return "\n".join([_INTRODUCTION, *(_page(rule, "##") for rule in rules.values())])
    if name not in rules:
        raise UsageError(f"--explain: there is no rule {name}; there are {', '.join([*rules, ALL])}")
    return _page(rules[name], "#")


def _page(rule: Rule, heading: str) -> str:
    told = inspect.getdoc(sys.modules[rule.check.__module__])
    return f"{heading} {rule.id}\n\n{told}\n"
