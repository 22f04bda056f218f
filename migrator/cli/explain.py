"""The page of each rule and of each code, from the text in the module."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from typing import TYPE_CHECKING

from migrator.errors import UsageError
from migrator.model.catalogue import catalogue
from migrator.model.nearest import nearest
from migrator.rules.registry import Rule, all_rules

if TYPE_CHECKING:
    from migrator.model.diagnostics import Diagnostic

ALL, CODES = "all", "codes"
_RULES = f"""# Rules

Each rule finds one kind of thing and says what becomes of it. `tf-oidc-migrate --explain RULE` prints a rule's page,
`--explain {ALL}` this document. Roles and hooks that are too long for a line are cut short by `…`.
"""
_CODES = f"""# Codes

Every refused place, every place that was left alone, and every note has a code. `tf-oidc-migrate --explain CODE` prints
the page of a code, and `--explain {CODES}` prints this document. `…` stands for what depends on the place.

A refused place keeps exit code 4 until somebody changes the place by hand or accepts the refusal:

- `--ignore CODE` on the command line accepts all refusals with this code;
- `ignore = ["CODE"]` in the [settings file](settings.md) does the same, and under `[[paths]]` for some folders only;
- the comment `# tf-oidc-migrate:ignore[CODE]` on a block or argument accepts the refusal there. Commas separate several
  codes.
"""
_WIDTH = 110


def explain(name: str) -> str:
    """The page of the rule or code called ``name``, in Markdown; ``all`` rules, all ``codes``, or the list for ``""``.

    Raises `UsageError` if there is no such rule or code.
    """
    rules = {rule.id: rule for rule in all_rules()}
    if name == ALL:
        return "\n".join([_RULES, *(_rule_page(rule, "##") for rule in rules.values())])
    codes = catalogue()
    if name == CODES:
        return "\n".join([_CODES, *(_code_page(diagnostic, "##") for diagnostic in codes.values())])
    if not name:
        return _list(rules, codes)
    pages = [_rule_page(rules[name], "#")] if name in rules else []
    pages += [_code_page(codes[name], "#")] if name in codes else []
    if not pages:
        hint = nearest(name, [*rules, *codes])
        raise UsageError(f"--explain: there is no rule and no code `{name}`.{hint} `--explain` alone lists all.")
    return "\n".join(pages)


def _list(rules: dict[str, Rule], codes: dict[str, Diagnostic]) -> str:
    """All rules and codes, one a line."""
    width = max(map(len, [*rules, *codes]))
    rows = [(rule.id, rule.summary) for rule in rules.values()]
    lines = ["Rules:", *(_row(name, text, width) for name, text in rows), "", "Codes:"]
    lines += [_row(code, _filled(diagnostic.found), width) for code, diagnostic in codes.items()]
    return "\n".join([*lines, "", "`tf-oidc-migrate --explain NAME` prints the page of a rule or code."]) + "\n"


def _row(name: str, text: str, width: int) -> str:
    return f"  {name:{width}}  {textwrap.shorten(text, max(_WIDTH - width, 40), placeholder=' …')}"


def _rule_page(rule: Rule, heading: str) -> str:
    page = inspect.getdoc(sys.modules[rule.check.__module__])
    return f"{heading} {rule.id}\n\n{page}\n"


def _code_page(diagnostic: Diagnostic, heading: str) -> str:
    parts = [f"{heading} {diagnostic.code}", " ".join(filter(None, map(_filled, (diagnostic.found, diagnostic.why))))]
    parts += [f"help: {_filled(diagnostic.help)}"] * bool(diagnostic.help) + [diagnostic.page] * bool(diagnostic.page)
    return "\n\n".join(parts) + "\n"


def _filled(text: str) -> str:
    """The ``text`` with ``…`` for each part that depends on the place."""
    return re.sub(r"\{\w[^{}]*\}", "…", text).replace("{{", "{").replace("}}", "}")
