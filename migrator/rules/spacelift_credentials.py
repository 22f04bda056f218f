"""Static AWS credentials go from Spacelift's settings once no stack that they reach lives on them any more.

They are variables and mounted files of stacks and contexts, ``environment`` in ``.spacelift/config.yml`` and in
blueprints: https://docs.spacelift.io/concepts/configuration/environment. A left ``AWS_PROFILE`` would make a run fail
even with web identity.

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
  description = "IAM role assumed with the Spacelift OIDC token"
  type        = string
}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migrator.config.config import BackendAuth, HookPlace
from migrator.errors import SyntaxProblem
from migrator.model.findings import ROTATE, Finding, Fix, Ignored, LeftAlone, Note, Refusal, Rewrite
from migrator.rules.registry import Rule
from migrator.spacelift.settings.model import Setting, TerraformSetting, YamlSetting, holds_keys
from migrator.syntax.languages import HCL
from migrator.syntax.terraform import BodyChange
from migrator.syntax.yaml.parse import read
from migrator.syntax.yaml.remove import remove
from migrator.terraform.credential_names import BREAKING, plain_name

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.roots import ModuleWithStaticKeys, Root
    from migrator.spacelift.stacks.model import StackDefinition
    from migrator.span import Edit


@dataclass(frozen=True, slots=True)
class Way:
    """How a stack or root module comes to live without: by what else (`Finding.needs`), or not: ``still`` says why."""

    needs: frozenset[str] = frozenset()
    still: str = ""


def check(context: Context) -> Iterator[Finding]:
    """One finding for each setting."""
    for setting in context.facts.settings:
        ways = [_way(context, stack) for stack in setting.reach.stacks]
        ways += [_root_way(context, root) for root in context.facts.roots if root.module.path in setting.roots]
        with_static_keys = (
            module for module in context.facts.modules_with_static_keys if module.module.path in setting.roots
        )
        ways += [_module_way(context, module, is_hooked=False) for module in with_static_keys]
        receivers = _in_account(context, setting)
        ways += [way_in_account(context, receiver) for receiver in receivers or ()]
        fix = _fix(setting, ways, is_told=receivers is not None)
        needs = frozenset(name for way in ways for name in way.needs) if isinstance(fix, Rewrite) else frozenset()
        notes = list(_notes(setting) if isinstance(fix, Rewrite) else _of_what_stays(context, setting))
        message = f"{setting.title}: {', '.join(setting.names) or 'may be a static credential'}"
        groups = _groups_it_would_beat(context, setting)
        if groups and not isinstance(fix, Rewrite) and setting.names:
            fix = Refusal(f"it would win over the role that the environment is to have: {fix.reason}")
        for group in groups or (None,):
            yield replace(RULE.finding(setting.place, message, fix, group, notes), needs=needs)


def _groups_it_would_beat(context: Context, setting: Setting) -> list[str]:
    """The groups of root modules that are to live on their environment, and whose runs get the setting."""
    return [
        root.group
        for root in context.environment_roots.roots
        if root.module.path in setting.roots or not set(root.runners.here).isdisjoint(setting.reach.stacks)
    ]


def _in_account(context: Context, setting: Setting) -> tuple[str, ...] | None:
    """The ids of all that gets a setting of contexts in the account; None where the account does not say."""
    keys = context.account.keys
    if keys is None or not setting.reach.contexts:
        return None
    found = [known for name in setting.reach.contexts for known in keys.contexts.values() if known.name == name]
    if len(found) != len(setting.reach.contexts) or any(known.attached_stacks is None for known in found):
        return None
    return tuple(sorted({receiver for known in found for receiver in keys.receivers[known.id]}))


def way_in_account(context: Context, receiver: str) -> Way:
    """How a stack of the account, or a module, by its id comes to live without static credentials."""
    if receiver in context.fleet.migrated:
        return Way()
    for stack in context.facts.stacks:
        if stack.account is not None and stack.account.id == receiver:
            return _way(context, stack)
    for known in context.facts.by_hand:
        if known.slug_in_account == receiver:
            roots = [root for root in context.facts.roots if root.module.path == known.code.project_root]
            modules = [
                module
                for module in context.facts.modules_with_static_keys
                if module.module.path == known.code.project_root
            ]
            ways = [_root_way(context, root) for root in roots]
            ways += [_module_way(context, module, is_hooked=False) for module in modules]
            still = next((way.still for way in ways if way.still), "")
            if ways and not known.refusal:
                return Way(frozenset(name for way in ways for name in way.needs), still)
    return Way(still=f"{receiver} of the Spacelift account gets it, too")


def _fix(setting: Setting, ways: list[Way], *, is_told: bool) -> Fix:
    if setting.is_ignored:
        return setting.document.ignored
    if any(stack.is_published for stack in setting.reach.stacks):
        return LeftAlone("a published version does not change: make a new version of the template, without it")
    if setting.reach.unknown and not is_told:
        return LeftAlone(f"who needs it is not known: {setting.reach.unknown}")
    still = [
        f"{receiver.title} ({receiver.repo}: {receiver.place}) gets it, too" for receiver in setting.reach.elsewhere
    ]
    if not ways and not setting.reach.others and not still:
        return LeftAlone("who needs it is not known: no stack is known that gets it")
    still += dict.fromkeys(way.still for way in ways if way.still)
    still += (f"{stack.title} ({stack.place}), {stack.description}, gets it too" for stack in setting.reach.others)
    if still:
        return LeftAlone(f"it is still needed: {'; '.join(still)}")
    if setting.objection:
        return Refusal(setting.objection)
    edits = _edits(setting)
    return edits if isinstance(edits, Refusal) else Rewrite(edits, "removed")


def _edits(setting: Setting) -> tuple[Edit, ...] | Refusal:
    document = setting.document
    if isinstance(setting, YamlSetting):
        return remove(document.path, read(document.text, setting.part), setting.keys)
    if not isinstance(setting, TerraformSetting):
        return Refusal("it is written in a language that is not known")
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
            for edit in part.document.syntax.change_object(
                part.document.path, part.document.text, part.value, items, (), ()
            )
        )
    except SyntaxProblem as problem:
        return Refusal(problem.reason)


# --- who lives on it ------------------------------------------------------------------------------------------------


def _way(context: Context, stack: StackDefinition) -> Way:
    """How a stack comes to live without static credentials: all that it runs is migrated, here or elsewhere."""
    if stack.is_ignored:
        return Way(still=f"{stack.title} is left alone")
    if early := _early(context, stack):
        return Way(still=early)
    ways = [
        _root_way(context, root)
        for root in context.facts.roots
        if stack in (*root.runners.here, *root.runners.blueprints)
    ]
    ways += [
        _module_way(context, module, is_hooked=False)
        for module in context.facts.modules_with_static_keys
        if stack in module.stacks
    ]
    for serving, known in context.facts.serving:
        if serving is stack and known.is_migrated:
            why = f"{known.title}, which {stack.title} runs, is not migrated: {known.refusal}" if known.refusal else ""
            ways.append(Way(frozenset({f"root module {known.title}"}), why))
    if not ways:
        return Way(still=f"{stack.title} runs code that is not migrated in this run")
    still = next((way.still for way in ways if way.still), "")
    return Way(frozenset(name for way in ways for name in way.needs), still)


def _early(context: Context, stack: StackDefinition) -> str:
    """Which hooks run before that of the stack, and call AWS; ``""`` if none do, or its runs need no hook."""
    config = context.config
    is_first = config.has_integration or config.backend_auth is BackendAuth.ENV or config.hook_in is HookPlace.CONTEXT
    if is_first:
        return ""
    for name in stack.account.early if stack.account is not None else ():
        return f"the hooks of the context {name} call AWS before the hook of {stack.title}: use --hook-in context"
    if not stack.contexts.too_early:
        return ""
    place = stack.contexts.too_early[0].place
    return f"the hooks of the context at {place} call AWS before the hook of {stack.title}: use --hook-in context"


def _root_way(context: Context, root: Root) -> Way:
    return _module_way(context, root, is_hooked=root.is_migrated(context.config.include_ambient))


def _module_way(context: Context, root: Root | ModuleWithStaticKeys, *, is_hooked: bool) -> Way:
    """A root module lives without where every provider, backend and remote state that it reaches does."""
    paths = {root.module.path, *context.workspace.reached_from(root.module.path)}
    providers = [
        provider for path in sorted(paths) for provider in context.facts.in_module(context.workspace.modules[path])
    ]
    kept = [
        provider
        for provider in providers
        if provider.is_lead and not provider.has_web_identity and isinstance(provider.skip_reason, Refusal | Ignored)
    ]
    states = [
        remote_state
        for remote_state in context.facts.remote_states
        if remote_state.module.path in paths and remote_state.skip_reason is None
    ]
    if kept:
        return Way(still=f"{kept[0].place} is left as it is")
    reading = [remote_state for remote_state in states if not remote_state.has_web_identity]
    if reading and not is_hooked and context.environment_roots.at(root.module.path) is None:
        return Way(still=f"{reading[0].place} has no hook to sign in with")
    places = [provider.place.key for provider in providers] + [remote_state.place.key for remote_state in states]
    return Way(frozenset((root.group, *places)))


def _notes(setting: Setting) -> Iterator[Note]:
    made_of = tuple(stack.title for stack in setting.reach.stacks if stack.is_blueprint)
    if made_of:
        yield Note("take static credentials out of stacks that were made before, which do not change with", made_of)
    titles = tuple(stack.title for stack in setting.reach.stacks) or ("the stacks of this repository",)
    yield Note("apply the removal of static credentials after the migrated code is merged, for", titles)
    if setting.reach.labels:
        yield Note(
            "see that no stack elsewhere lives on a context that attaches itself to the labels", setting.reach.labels
        )
    if setting.literals:
        yield Note(ROTATE, tuple(map(str, setting.literals)))
    elif any(map(holds_keys, setting.names)):
        yield Note("delete the access keys at AWS that runs were given by", (str(setting.place),))


def _of_what_stays(context: Context, setting: Setting) -> Iterator[Note]:
    """What a hook needs where a setting stays that the aws CLI reads before all else."""
    hooked = {wanted.stack for wanted in context.hook_plan.all if not wanted.refusal}
    names = [name for name in setting.names if plain_name(name) in BREAKING]
    titles = tuple(stack.title for stack in setting.reach.stacks if stack in hooked)
    if names and titles:
        what = " and ".join(dict.fromkeys(map(plain_name, names)))
        yield Note(
            f"let runs do without {what} ({setting.place}), with which the hook's credentials do not work:", titles
        )


RULE = Rule(
    "spacelift-credentials", "static credentials go from Spacelift's settings that nobody needs any more", check
)
