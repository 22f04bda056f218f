"""Static AWS credentials are removed from Spacelift's settings when no stack that gets them needs them.

The settings are variables and mounted files of stacks and contexts, and ``environment`` in ``.spacelift/config.yml``
and in blueprints: https://docs.spacelift.io/concepts/configuration/environment. A run with web identity fails if
``AWS_PROFILE`` stays.

Before:

```hcl
# main.tf
provider "aws" {
  region  = "eu-west-1"
  profile = "production"
}
```

```hcl
# stacks/main.tf
resource "spacelift_stack" "shop" {
  name       = "shop"
  repository = "shop"
  branch     = "main"
}

resource "spacelift_environment_variable" "profile" {
  stack_id   = spacelift_stack.shop.id
  name       = "AWS_PROFILE"
  value      = "production"
  write_only = false
}
```

After:

```hcl
# main.tf
provider "aws" {
  region = "eu-west-1"

  assume_role_with_web_identity {
    role_arn                = var.aws_role_arn
    web_identity_token_file = "/mnt/workspace/spacelift.oidc"
  }
}
```

```hcl
# stacks/main.tf
resource "spacelift_stack" "shop" {
  name       = "shop"
  repository = "shop"
  branch     = "main"
}
```

```hcl
# variables.tf
variable "aws_role_arn" {
  description = "ARN of the IAM role assumed with the Spacelift OIDC token"
  type        = string
}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from migrator.decide.replacements import (
    Replacement,
    replacement_in_account,
    replacement_of_module,
    replacement_of_root,
    replacement_of_stack,
)
from migrator.errors import SyntaxProblem
from migrator.model.findings import Finding, Fix, Note, Refusal, Rewrite
from migrator.model.notes import APPLY_REMOVAL, DELETE_ACCESS_KEYS, ROTATE
from migrator.rules.registry import Rule
from migrator.spacelift.diagnostics import TEMPLATE_PUBLISHED
from migrator.spacelift.settings.diagnostics import (
    CHECK_LABELS,
    CLEAN_EARLIER_STACKS,
    CREDENTIALS_OVERRIDE_ROLE,
    RECEIVERS_UNKNOWN,
    REMOVE_CREDENTIALS_FILE,
    SETTING_LANGUAGE_UNKNOWN,
    SETTING_UNREADABLE,
    STILL_NEEDED,
    UNSET_FOR_HOOK,
)
from migrator.spacelift.settings.model import Setting, TerraformSetting, YamlSetting, holds_keys
from migrator.syntax.languages import HCL
from migrator.syntax.terraform import BodyChange
from migrator.syntax.yaml.parse import read
from migrator.syntax.yaml.remove import remove
from migrator.terraform.credential_names import BREAKING, plain_name

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.span import Edit


def check(context: Context) -> Iterator[Finding]:
    """A finding for each setting."""
    for setting in context.facts.settings:
        replacements = [replacement_of_stack(context, stack) for stack in setting.reach.stacks]
        replacements += [
            replacement_of_root(context, root) for root in context.facts.roots if root.module.path in setting.roots
        ]
        with_static_keys = (
            module for module in context.facts.modules_with_static_keys if module.module.path in setting.roots
        )
        replacements += [replacement_of_module(context, module, is_hooked=False) for module in with_static_keys]
        receivers = _in_account(context, setting)
        replacements += [replacement_in_account(context, receiver) for receiver in receivers or ()]
        fix = _fix(context, setting, replacements, is_known=receivers is not None)
        needs = (
            frozenset(name for way in replacements for name in way.needs) if isinstance(fix, Rewrite) else frozenset()
        )
        notes = list(_notes(setting) if isinstance(fix, Rewrite) else _kept_setting_notes(context, setting))
        message = f"{setting.title}: {', '.join(setting.names) or 'may be a static credential'}"
        groups = _overridden_groups(context, setting)
        if groups and not isinstance(fix, Rewrite) and setting.names:
            fix = CREDENTIALS_OVERRIDE_ROLE.refusal(reason=fix.reason)
        if isinstance(fix, Refusal) and notes:  # tasks of refused places are dropped
            fix = replace(fix, help=" ".join((fix.help, *(f"{note.line}. {note.help}" for note in notes))))
        for group in groups or (None,):
            yield replace(RULE.finding(setting.place, message, fix, group, notes), needs=needs)


def _overridden_groups(context: Context, setting: Setting) -> list[str]:
    """The groups of root modules with a role in their environment that the setting would override."""
    return [
        root.group
        for root in context.environment_roots.roots
        if root.module.path in setting.roots or not set(root.runners.definitions).isdisjoint(setting.reach.stacks)
    ]


def _in_account(context: Context, setting: Setting) -> tuple[str, ...] | None:
    """The ids of all receivers of a setting of contexts in the account; None if the account does not say."""
    keys = context.account.keys
    if keys is None or not setting.reach.contexts:
        return None
    contexts = [
        context_keys
        for name in setting.reach.contexts
        for context_keys in keys.contexts.values()
        if context_keys.name == name
    ]
    if len(contexts) != len(setting.reach.contexts) or any(
        context_keys.attached_stacks is None for context_keys in contexts
    ):
        return None
    return tuple(sorted({receiver for context_keys in contexts for receiver in keys.receivers[context_keys.id]}))


def _fix(context: Context, setting: Setting, replacements: list[Replacement], *, is_known: bool) -> Fix:
    if setting.is_ignored:
        return setting.document.ignored
    if any(stack.is_published for stack in setting.reach.stacks):
        return TEMPLATE_PUBLISHED.left_alone(change="without the static credentials")
    if setting.reach.unknown and not is_known:
        return RECEIVERS_UNKNOWN.left_alone(reason=setting.reach.unknown)
    reasons = [
        f"{receiver.title} in {receiver.repo} ({receiver.place}) gets the credentials too."
        for receiver in setting.reach.elsewhere
    ]
    if not replacements and not setting.reach.others and not reasons:
        return RECEIVERS_UNKNOWN.left_alone(reason="No known stack gets the setting.")
    reasons += dict.fromkeys(way.reason_to_keep for way in replacements if way.reason_to_keep)
    reasons += (
        f"{stack.title} at {stack.place}, {stack.description}, gets the credentials too."
        for stack in setting.reach.others
    )
    if reasons:
        return STILL_NEEDED.left_alone(reasons=" ".join(reasons))
    if setting.objection:
        return setting.objection
    edits = _edits(context, setting)
    return edits if isinstance(edits, Refusal) else Rewrite(edits, "The setting is removed.")


def _edits(context: Context, setting: Setting) -> tuple[Edit, ...] | Refusal:
    document = setting.document
    if isinstance(setting, YamlSetting):
        final = context.runtime_text(document.path)
        tree_after = None if final is None else read(final)
        return remove(document.path, read(document.text, setting.part), setting.keys, tree_after)
    if not isinstance(setting, TerraformSetting):
        return SETTING_LANGUAGE_UNKNOWN.refusal()
    try:
        if setting.within is not None and document.syntax is HCL:
            return document.change(setting.within, BodyChange(remove=setting.nested))
        if setting.within is not None:
            return document.syntax.remove_blocks(document.path, document.text, document.items, setting.nested)
        if not setting.entries:
            removal = document.syntax.remove_blocks(document.path, document.text, document.items, [setting.block])
            return (*removal, *setting.unlisted)
        return tuple(
            edit
            for part, items in setting.entries
            for edit in part.document.change_object(part.value, BodyChange(remove=items))
        )
    except SyntaxProblem as problem:
        return SETTING_UNREADABLE.refusal(reason=problem.reason)


def _notes(setting: Setting) -> Iterator[Note]:
    blueprints = tuple(stack.title for stack in setting.reach.stacks if stack.is_blueprint)
    if blueprints:
        yield CLEAN_EARLIER_STACKS.note(*blueprints)
    titles = tuple(stack.title for stack in setting.reach.stacks) or ("the stacks of this repository",)
    yield APPLY_REMOVAL.note(*titles)
    if setting.reach.labels:
        yield CHECK_LABELS.note(*setting.reach.labels)
    if any(plain_name(name).endswith("_FILE") for name in setting.names):
        yield REMOVE_CREDENTIALS_FILE.note(str(setting.place))
    if setting.literals:
        yield ROTATE.note(*map(str, setting.literals))
    elif any(map(holds_keys, setting.names)):
        yield DELETE_ACCESS_KEYS.note(str(setting.place))


def _kept_setting_notes(context: Context, setting: Setting) -> Iterator[Note]:
    """A note on a setting that stays, if the aws CLI in the hook would use it instead of the OIDC token."""
    hook_stacks = {hook.stack for hook in context.hook_plan.all if not hook.refusal}
    names = [name for name in setting.names if plain_name(name) in BREAKING]
    titles = tuple(stack.title for stack in setting.reach.stacks if stack in hook_stacks)
    if names and titles:
        names_text = " and ".join(dict.fromkeys(map(plain_name, names)))
        yield UNSET_FOR_HOOK.note(*titles, names=names_text, place=setting.place)


RULE = Rule(
    "spacelift-credentials", "static credentials are removed from Spacelift's settings that nothing needs", check
)
