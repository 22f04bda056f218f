"""The S3 backend's flat role family is commented out, its static keys, profile and shared files go.

Before Terraform and OpenTofu 1.6 the backend knows no OIDC, and signs in with what the hook exports; a ``role_arn``
would make it assume a role once more, a ``profile`` or key would win over the hook:
https://docs.spacelift.io/integrations/cloud-providers/oidc/aws-oidc. A literal secret is deleted, never commented out.
"""

from __future__ import annotations

from collections.abc import Iterator

from migrator.analysis.backends import S3Backend
from migrator.edits.hook import has_hook
from migrator.model import Finding, Fix, LeftAlone, Refusal, Rewrite
from migrator.rules.registry import Context, Rule
from migrator.syntax.hcl_edit import BodyChange, change_body


def check(context: Context) -> Iterator[Finding]:
    """One finding for each backend that names credentials or a role, or lives on the environment's credentials."""
    seen: dict[str, S3Backend] = {}
    for root in context.facts.roots:
        backend = root.backend
        names = [attribute.name for attribute in (*backend.credentials, *backend.role_family)]
        message = f"{backend.block.title()}: {', '.join(names) or 'names no credentials'}"
        group = root.group if root.needs_hook(context.config.include_ambient) else None
        first = seen.setdefault(root.module.path, backend)
        if first is not backend:
            fix: Fix = Refusal(f"the module has another backend at {first.place}, which Terraform does not allow")
            yield RULE.finding(backend.place, message, fix, group)
        elif names:
            yield RULE.finding(backend.place, message, backend.foreign or _rewrite(backend), group)
        elif group is None and not backend.has_web_identity and not any(has_hook(stack) for stack in root.stacks):
            yield RULE.finding(backend.place, message, LeftAlone("it lives on the environment's credentials"))


def _rewrite(backend: S3Backend) -> Rewrite:
    change = BodyChange(remove=backend.credentials, comment_out=backend.role_family)
    outcomes = ["removed"] * bool(change.remove) + ["role commented out"] * bool(change.comment_out)
    edits = change_body(backend.document.path, backend.document.text, backend.block, change)
    return Rewrite(edits, ", ".join(outcomes))


RULE = Rule("s3-backend", "the S3 backend leaves signing in to the hook", check)
