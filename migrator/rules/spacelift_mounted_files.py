"""Mounted files and init arguments of Spacelift can override the code: with other credentials, the code is refused.

A file that is mounted at ``source/…`` replaces the file of the checkout. A backend file that ``TF_CLI_ARGS_init`` names
overrides the backend block: https://docs.spacelift.io/concepts/configuration/environment. The content of such a file is
read if the code shows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.model.findings import Finding, Refusal
from migrator.rules.hook_findings import as_left_alone
from migrator.rules.registry import Rule
from migrator.spacelift.settings.diagnostics import REMOVE_FROM_MOUNTED_FILE

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.spacelift.settings.mounted_files import Override


def check(context: Context) -> Iterator[Finding]:
    """A finding for each setting that may override code, and for each root module that it would override."""
    for override in context.facts.overrides:
        is_here = context.workspace.in_scope(override.place.path)
        if not is_here:
            yield from (finding for finding in _of(context, override) if isinstance(finding.fix, Refusal))
        elif override.ignored is not None:
            yield RULE.finding(override.place, override.title, override.ignored)
        elif override.holds_values:
            notes = (REMOVE_FROM_MOUNTED_FILE.note(str(override.place)),)
            yield RULE.finding(override.place, override.title, as_left_alone(override.refusal), None, notes)
        else:
            yield from _of(context, override)


def _of(context: Context, override: Override) -> Iterator[Finding]:
    roots = [root for root in context.facts.roots if override in context.facts.overrides_of(root.module.path)]
    groups = [root.group for root in roots if root.is_migrated(context.config.include_ambient)]
    keyed = {
        provider.module.path
        for provider in context.facts.providers
        if provider.credentials and provider.skip_reason is None
    }
    paths = [
        path
        for path in keyed
        for root in context.workspace.roots_of(context.workspace.modules[path])
        if override in context.facts.overrides_of(root.path)
    ]
    if groups or (override.is_source and paths):
        for group in groups or (None,):
            yield RULE.finding(override.place, override.title, override.refusal, group)
    else:
        is_refused = override.sets_key and context.workspace.in_scope(override.place.path)
        fix = override.refusal if is_refused else as_left_alone(override.refusal)
        yield RULE.finding(override.place, override.title, fix)


RULE = Rule("spacelift-mounted-files", "mounted files and init arguments may override the migrated code", check)
