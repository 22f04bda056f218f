"""The hook goes into ``.spacelift/config.yml`` if that file sets hooks: its lists replace the lists of the stacks.

With ``--hook-in runtime-config`` the hook always goes there, and the stacks stay as they are:
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
from migrator.model.diagnostics import Diagnostic
from migrator.model.findings import Finding, Fix, Place, Refusal, Rewrite
from migrator.model.results import code_in_words
from migrator.rules.registry import Rule
from migrator.spacelift.diagnostics import HOOK_THERE
from migrator.spacelift.hooks.diagnostics import HOOKS_EXPORT_CREDENTIALS
from migrator.spacelift.stacks.runtime_config import PATH

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.hook_targets import Target
    from migrator.spacelift.hooks.in_runtime_config import RuntimeHooks, RuntimeStack
    from migrator.syntax.yaml.tree import Keys


RUNTIME_SLUG_UNKNOWN = Diagnostic(
    "runtime-slug-unknown",
    found="The slug of the stack is not known, or the stack does not read `.spacelift/config.yml`.",
    why="The file refers to stacks by their slugs.",
    help="Use `--hook-in stack`.",
)
RUNTIME_SLUG_WITHOUT_STACK = Diagnostic(
    "runtime-slug-without-stack",
    found="`.spacelift/config.yml` sets hooks for a slug. No known stack has this slug.",
    why="A stack that was renamed keeps its slug, so that the entry may belong to any stack.",
    help="Find the stack in Spacelift. If the stack gets the hook, add the hook to this entry as well.",
)
CHECK_RUNTIME_SLUGS = Diagnostic(
    "check-runtime-slugs",
    found="Find out which stacks have these slugs.",
    why="Hooks in `.spacelift/config.yml` replace the hooks of the stack.",
    help="Add the hook as the first entry of `before_init` in the entry of each stack that gets the hook.",
)


def check(context: Context) -> Iterator[Finding]:
    """A finding for each stack whose hooks the file sets or must set."""
    runtime = context.hook_plan.runtime
    place = Place(runtime.path, 1)
    hook_stacks = [
        (target, stack)
        for target in context.hook_plan.targets
        if isinstance(target.role, str)
        for stack in context.hook_plan.runtime_stacks(target)
    ]
    yield from _unknown(context, place)
    yield from _unknown_slugs(context, place)
    yield from _exporting(context, place, hook_stacks)
    for file in (runtime, *context.hook_plan.of_modules):
        yield from _of_tests(context, file)
    requesting = hook_stacks if runtime.objection else [pair for pair in hook_stacks if runtime.lists_of(pair[1])]
    if requesting:
        fix = _fix(context, runtime)
        for target, stack in requesting:
            yield RULE.finding(
                place, f"the stack {stack.slug}, which runs {code_in_words(target.title)}", fix, target.group
            )


def _of_tests(context: Context, runtime: RuntimeHooks) -> Iterator[Finding]:
    """A finding for the tests of each root module: their hooks are in the file, or may override the hook."""
    for target in context.hook_plan.targets:
        title, place = f"the tests of a module, which run {target.title}", Place(runtime.path, 1)
        if found := runtime.exported(runtime.test_holders(target.path)):
            fix = HOOKS_EXPORT_CREDENTIALS.refusal(
                name=runtime.path, of=f"in a hook of the tests{found.through}", variable=found.variable
            )
            yield RULE.finding(place, title, fix, target.group)
        elif isinstance(target.role, str) and runtime.test_lists(target.path):
            yield RULE.finding(place, title, _fix(context, runtime), target.group)


def _unknown(context: Context, place: Place) -> Iterator[Finding]:
    """A refusal for each stack that needs an entry in the file without a known slug."""
    if context.config.hook_in is HookPlace.RUNTIME_CONFIG:
        for target in context.hook_plan.targets:
            for title in context.hook_plan.without_slug(target):
                fix = RUNTIME_SLUG_UNKNOWN.refusal()
                yield RULE.finding(place, f"{title}, which runs {code_in_words(target.title)}", fix, target.group)


def _unknown_slugs(context: Context, place: Place) -> Iterator[Finding]:
    """A finding for each entry with a slug of no known stack: a renamed stack keeps its slug."""
    runners = [target.runners for target in context.hook_plan.targets]
    known_slugs = {stack.slug for runner in runners for stack in runner.all} | {
        stack.slug for stack in context.facts.stacks
    }
    slugs = (
        context.hook_plan.runtime.unknown_slugs({slug for slug in known_slugs if slug})
        if any(runner.all for runner in runners)
        else []
    )
    for slug in slugs:
        fix = RUNTIME_SLUG_WITHOUT_STACK.left_alone()
        yield RULE.finding(place, f"stacks.{slug}", fix, None, (CHECK_RUNTIME_SLUGS.note(slug),))


def _exporting(context: Context, place: Place, hook_stacks: list[tuple[Target, RuntimeStack]]) -> Iterator[Finding]:
    """A refusal for each root module whose stack has hooks in the file that export static credentials."""
    for target, stack in hook_stacks:
        holders: tuple[Keys, ...] = (("stacks", stack.slug), ("stack_defaults",))
        if found := context.hook_plan.runtime.exported(holders):
            of = f"in a hook of the stack{found.through}"
            fix = HOOKS_EXPORT_CREDENTIALS.refusal(name=PATH, of=of, variable=found.variable)
            yield RULE.finding(
                place, f"the stack {stack.slug}, which runs {code_in_words(target.title)}", fix, target.group
            )


def _fix(context: Context, runtime: RuntimeHooks) -> Fix:
    if runtime.objection:
        return runtime.objection
    if runtime.document is not None and runtime.document.is_excluded:
        return runtime.document.ignored
    edits = context.runtime_edits[runtime.path]
    if isinstance(edits, Refusal):
        return edits
    return Rewrite(edits, "The hook is the first entry of each list.") if edits else HOOK_THERE.left_alone()


RULE = Rule("spacelift-hook-runtime-config", "the runtime configuration has the hook where it sets hooks", check)
