"""What Spacelift's settings put over the source wins at run time: where it signs in otherwise, the code is refused.

A file that is mounted at ``source/…`` takes the place of the checkout's, or is merged with the rest; a backend file
that ``TF_CLI_ARGS_init`` names wins over the block: https://docs.spacelift.io/concepts/configuration/environment. What
it says is read where it is written in code.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.model.findings import Finding, LeftAlone, Note, Refusal
from migrator.rules.registry import Rule

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.spacelift.settings.mounted_files import Override


def check(context: Context) -> Iterator[Finding]:
    """A finding for each setting that may win, and for each root module over which it would."""
    for override in context.facts.overrides:
        is_here = context.workspace.in_scope(override.place.path)
        if not is_here:
            yield from (finding for finding in _of(context, override) if isinstance(finding.fix, Refusal))
        elif override.ignored is not None:
            yield RULE.finding(override.place, override.title, override.ignored)
        elif override.holds_values:
            task = "take the static credentials out of what is mounted at"
            yield RULE.finding(
                override.place, override.title, LeftAlone(override.reason), None, (Note(task, (str(override.place),)),)
            )
        else:
            yield from _of(context, override)


def _of(context: Context, override: Override) -> Iterator[Finding]:
    roots = [item for item in context.facts.roots if override in context.facts.overriding(item.module.path)]
    groups = [item.group for item in roots if item.is_migrated(context.config.include_ambient)]
    keyed = {
        provider.module.path
        for provider in context.facts.providers
        if provider.credentials and provider.skip_reason is None
    }
    reached = [
        path
        for path in keyed
        for root in context.workspace.roots_of(context.workspace.modules[path])
        if override in context.facts.overriding(root.path)
    ]
    if groups or (override.is_source and reached):
        for group in groups or (None,):
            yield RULE.finding(override.place, override.title, Refusal(override.reason), group)
    else:
        yield RULE.finding(override.place, override.title, LeftAlone(override.reason))


RULE = Rule("spacelift-mounted-files", "what Spacelift puts over the source may win over it", check)
