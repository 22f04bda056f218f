"""Static keys in an AWS provider give way to web identity.

``access_key``, ``secret_key``, ``token``, ``profile`` and shared files go, ``assume_role_with_web_identity`` comes:
https://registry.terraform.io/providers/hashicorp/aws/latest/docs#assuming-an-iam-role-using-a-web-identity. Keys that
were left would silently win over it. An ``assume_role`` stays and is chained after it.
"""

from __future__ import annotations

from collections.abc import Iterator

from migrator.analysis.providers import Provider
from migrator.edits.rotation import rotate
from migrator.model import Finding
from migrator.rules.registry import Context, Rule


def check(context: Context) -> Iterator[Finding]:
    """One finding for each provider that names static credentials."""
    for provider in context.facts.providers:
        if provider.foreign is not None and provider.credentials:
            yield RULE.finding(provider.place, _message(provider), provider.foreign)
        elif provider.credentials and context.ambient.reaching(provider.module):
            fix = context.ambient.sign_in(provider)
            for root in context.ambient.reaching(provider.module):
                yield RULE.finding(provider.place, _message(provider), fix, root.group, rotate(provider))
        elif provider.credentials:
            notes = (*context.web_identity.notes(provider), *rotate(provider))
            fix = context.web_identity.sign_in(provider)
            yield RULE.finding(provider.place, _message(provider), fix, notes=notes)


def _message(provider: Provider) -> str:
    names = ", ".join(attribute.name for attribute in provider.credentials)
    return f"{provider.title}: {names}"


RULE = Rule("provider-static-keys", "static keys in an AWS provider give way to web identity", check)
