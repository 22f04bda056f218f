"""The S3 backend's flat role family is commented out, its static keys, profile and shared files go.

Before:

```hcl
# main.tf
terraform {
  backend "s3" {
    bucket       = "state"
    key          = "app.tfstate"
    region       = "eu-west-1"
    profile      = "production"
    role_arn     = "arn:aws:iam::123456789012:role/terraform-state"
    session_name = "app"
  }
}
```

After:

```hcl
# main.tf
terraform {
  backend "s3" {
    bucket = "state"
    key    = "app.tfstate"
    region = "eu-west-1"
    # role_arn     = "arn:aws:iam::123456789012:role/terraform-state"
    # session_name = "app"
  }
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from migrator.analysis.backends import S3Backend
from migrator.analysis.facts import Root
from migrator.edits.rotation import rotate
from migrator.model import Finding, Ignored, LeftAlone, Refusal, Rewrite
from migrator.rules.registry import Context, Rule
from migrator.syntax.terraform import BodyChange


def check(context: Context) -> Iterator[Finding]:
    """One finding for each backend that names credentials or a role, or lives on the environment's credentials."""
    for root in context.facts.roots:
        yield from _duplicates(root)
        for backend in root.backends:
            yield from _findings(context, root, backend)
    for backend in context.facts.stray_backends:
        if backend.credentials or backend.role_family:
            fix = backend.foreign or Refusal("no root module with an S3 backend is known to use it")
            yield RULE.finding(backend.place, _message(backend), fix)
    only = context.facts.roots[0].group if len(context.facts.roots) == 1 else None
    for given in context.facts.given_values:
        fix = Refusal("a command line gives it to the backend, and must be changed by hand")
        yield RULE.finding(given.place, f"-backend-config of {given.name}", fix, only)


def _findings(context: Context, root: Root, backend: S3Backend) -> Iterator[Finding]:
    group = root.group if root.needs_hook(context.config.include_ambient) else None
    for attribute in backend.ignored:
        place = backend.document.place(attribute)
        yield RULE.finding(place, f"{backend.title}: {attribute.name}", Ignored("a comment says so"))
    if backend.credentials or backend.role_family:
        fix = backend.foreign or _rewrite(backend)
        yield RULE.finding(backend.place, _message(backend), fix, group, rotate(backend) if not backend.foreign else ())
    elif _is_ambient(context, root, backend) and group is None:
        alone = backend.foreign or LeftAlone("it lives on the environment's credentials")
        yield RULE.finding(backend.place, _message(backend), alone)


def _is_ambient(context: Context, root: Root, backend: S3Backend) -> bool:
    """Whether nothing that is known signs the backend in."""
    if backend is not root.backend or backend.assumes_role or backend.ignored:
        return False
    hooked = any(map(context.wishes.has_hook, root.runners.here))
    hooked_elsewhere = any(one.has_hook for one in root.runners.elsewhere)
    return not (hooked or hooked_elsewhere or any(one.has_web_identity for one in root.backends))


def _duplicates(root: Root) -> Iterator[Finding]:
    blocks = [one for one in root.backends if not one.is_partial and not one.document.is_override]
    for backend in blocks[1:]:
        fix = Refusal(f"the module has another at {blocks[0].place}, which Terraform does not allow")
        yield RULE.finding(backend.place, f"{backend.title} for the second time", fix, root.group)


def _message(backend: S3Backend) -> str:
    names = [attribute.name for attribute in (*backend.credentials, *backend.role_family)]
    return f"{backend.title}: {', '.join(names) or 'names no credentials'}"


def _rewrite(backend: S3Backend) -> Rewrite:
    change = BodyChange(remove=backend.credentials, comment_out=backend.role_family)
    outcomes = ["removed"] * bool(change.remove) + ["role commented out"] * bool(change.comment_out)
    return Rewrite(backend.document.change(backend.block, change), ", ".join(outcomes))


RULE = Rule("s3-backend", "the S3 backend leaves signing in to the hook", check)
