"""The hook is put into ``.spacelift/config.yml`` where that sets hooks itself: its lists replace those of the stacks.

With ``--hook-in runtime-config`` it is put there in any case, and the stacks stay as they are:
https://docs.spacelift.io/concepts/configuration/runtime-configuration.

Before, with ``--hook-in runtime-config``:

```hcl
# stacks.tf
resource "spacelift_stack" "app" {
  name         = "app"
  repository   = "shop"
  branch       = "main"
  manage_state = false
}
```

```yaml
# .spacelift/config.yml
version: "2"
stacks:
  app:
    before_init:
      - make generated
```

```hcl
# main.tf
terraform {
  backend "s3" {
    bucket   = "state"
    key      = "app.tfstate"
    role_arn = "arn:aws:iam::123456789012:role/terraform-state"
  }
}
```

After:

```yaml
# .spacelift/config.yml
version: "2"
stacks:
  app:
    before_init:
      - 'export $(printf … --role-arn …:role/terraform-state …)'
      # Stop the run if AWS denied the exchange: the export succeeds all the same.
      - 'test -n "$AWS_SESSION_TOKEN"'
      - make generated
```

```hcl
# main.tf
terraform {
  backend "s3" {
    bucket = "state"
    key    = "app.tfstate"
    # role_arn = "arn:aws:iam::123456789012:role/terraform-state"
  }
}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.config.config import HookPlace
from migrator.decide.variables import runtime_variables
from migrator.model.findings import Finding, Fix, Ignored, LeftAlone, Note, Place, Refusal, Rewrite
from migrator.rules.registry import Rule
from migrator.spacelift.stacks.runtime_config import PATH

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.hooks import Target
    from migrator.spacelift.hooks.in_runtime_config import RuntimeStack
    from migrator.syntax.yaml.tree import Keys


def check(context: Context) -> Iterator[Finding]:
    """A finding for each stack whose hooks the file sets, or is to set."""
    runtime = context.hook_plan.runtime
    place = Place(runtime.path, 1)
    wanted = [
        (target, stack)
        for target in context.hook_plan.targets
        if isinstance(target.role, str)
        for stack in context.hook_plan.runtime_stacks(target)
    ]
    yield from _unknown(context, place)
    yield from _strange(context, place)
    yield from _exporting(context, place, wanted)
    tested = [
        item for item in context.hook_plan.targets if isinstance(item.role, str) and runtime.test_lists(item.path)
    ]
    if tested:
        fix = _fix(context)
        for target in tested:
            yield RULE.finding(place, f"the tests of a module, which run {target.title}", fix, target.group)
    asking = wanted if runtime.objection else [item for item in wanted if runtime.lists_of(item[1])]
    if asking:
        fix = _fix(context)
        for target, stack in asking:
            yield RULE.finding(place, f"the stack {stack.slug}, which runs {target.title}", fix, target.group)


def _unknown(context: Context, place: Place) -> Iterator[Finding]:
    """A refusal for each stack that the file is to speak of, and that has no known slug there."""
    if context.config.hook_in is HookPlace.RUNTIME_CONFIG:
        for target in context.hook_plan.targets:
            for title in context.hook_plan.without_slug(target):
                fix = Refusal("its slug is not known, or it does not read the file: use --hook-in stack")
                yield RULE.finding(place, f"{title}, which runs {target.title}", fix, target.group)


def _strange(context: Context, place: Place) -> Iterator[Finding]:
    """What to know of entries for stacks that are not known: a stack that was renamed keeps its slug."""
    runners = [target.runners for target in context.hook_plan.targets]
    known = {item.slug for found in runners for item in found.all} | {stack.slug for stack in context.facts.stacks}
    slugs = (
        context.hook_plan.runtime.strange_slugs({item for item in known if item})
        if any(runner.all for runner in runners)
        else []
    )
    for slug in slugs:
        alone = LeftAlone("no stack of that slug is known: a stack that was renamed keeps its slug")
        task = f"see which stacks have these slugs: the lists of {PATH} replace theirs, and need the hook, too:"
        yield RULE.finding(place, f"stacks.{slug}", alone, None, (Note(task, (slug,)),))


def _exporting(context: Context, place: Place, wanted: list[tuple[Target, RuntimeStack]]) -> Iterator[Finding]:
    """A refusal for each root module whose stack has hooks in the file that export static credentials."""
    for target, stack in wanted:
        holders: tuple[Keys, ...] = (("stacks", stack.slug), ("stack_defaults",))
        if variable := context.hook_plan.runtime.exported(holders):
            fix = Refusal(f"its hooks export {variable} themselves, which would take the place of the hook's")
            yield RULE.finding(place, f"the stack {stack.slug}, which runs {target.title}", fix, target.group)
    if context.facts.tested and (variable := context.hook_plan.runtime.exported((("test_defaults",),))):
        for target in (item for item in context.hook_plan.targets if item.path in context.facts.tested):
            fix = Refusal(f"test_defaults export {variable} themselves, which would take the place of the hook's")
            yield RULE.finding(place, f"the tests of a module, which run {target.title}", fix, target.group)


def _fix(context: Context) -> Fix:
    runtime = context.hook_plan.runtime
    if runtime.objection:
        return Refusal(runtime.objection)
    if runtime.document is not None and runtime.document.is_excluded:
        return Ignored("it is excluded")
    edits = context.hook_plan.runtime_edits(runtime_variables(context))
    if isinstance(edits, Refusal):
        return edits
    return Rewrite(edits, "the hook, first in its lists") if edits else LeftAlone("the hook is there already")


RULE = Rule("spacelift-hook-runtime-config", "the runtime configuration has the hook where it sets hooks", check)
