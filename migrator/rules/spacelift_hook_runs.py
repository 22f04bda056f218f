r"""Runs and schedules with hooks of their own get the hook, too: their lists take the place of the stack's.

See https://search.opentofu.org/provider/spacelift-io/spacelift/latest/docs/resources/scheduled_run. Tasks that skip
``terraform init``, and with it the hook, are told.

Before:

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

```hcl
# stacks.tf
resource "spacelift_stack" "app" {
  name         = "app"
  repository   = "shop"
  branch       = "main"
  manage_state = false
}

resource "spacelift_scheduled_run" "nightly" {
  stack_id = spacelift_stack.app.id
  name     = "nightly"
  every    = ["0 21 * * *"]

  runtime_config {
    before_init = [
      "make generated",
    ]
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
    # role_arn = "arn:aws:iam::123456789012:role/terraform-state"
  }
}
```

```hcl
# stacks.tf
resource "spacelift_stack" "app" {
  name         = "app"
  repository   = "shop"
  branch       = "main"
  manage_state = false

  before_init = [
    "export $(printf … --role-arn …:role/terraform-state …)",
    # Stop the run if AWS denied the exchange: the export succeeds all the same.
    "test -n \"$AWS_SESSION_TOKEN\"",
  ]
}

resource "spacelift_scheduled_run" "nightly" {
  stack_id = spacelift_stack.app.id
  name     = "nightly"
  every    = ["0 21 * * *"]

  runtime_config {
    before_init = [
      "export $(printf … --role-arn …:role/terraform-state …)",
      # Stop the run if AWS denied the exchange: the export succeeds all the same.
      "test -n \"$AWS_SESSION_TOKEN\"",
      "make generated",
    ]
  }
}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.config.config import HookPlace
from migrator.decide.strategy import phase_lists
from migrator.model.findings import Finding, Fix, LeftAlone, Note, Refusal, Rewrite
from migrator.rules.registry import Rule
from migrator.spacelift.hooks.in_terraform import prepend_argument
from migrator.spacelift.stacks.exchange import exchanges_token

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.hooks import PlannedHook
    from migrator.spacelift.settings.own_runs import OwnRun
    from migrator.span import Edit


def check(context: Context) -> Iterator[Finding]:
    """A finding for each run that replaces hooks, and for each task that skips them or names static credentials."""
    wanted = {hook.stack: hook for hook in context.hook_plan.all if not hook.refusal}
    for run in context.facts.own_runs:
        missing = _missing(context, run)
        if missing and context.config.hook_in is not HookPlace.CONTEXT:
            for hook in (wanted[stack] for stack in run.reach.stacks if stack in wanted):
                fix = run.document.ignored if run.document.is_ignored(run.block) else _fix(context, run, hook, missing)
                yield RULE.finding(run.place, f"{run.title}, a run of {hook.message}", fix, hook.group)
            if wanted and not run.reach.stacks and context.workspace.in_scope(run.place.path):
                alone = LeftAlone("its stack is not known here: if that is to have the hook, the run needs it, too")
                note = Note(
                    "see whether these runs, whose hooks replace the stack's, need the hook, too:", (run.title,)
                )
                yield RULE.finding(run.place, run.title, alone, None, (note,))
    yield from _tasks(context)


def _missing(context: Context, run: OwnRun) -> list[str]:
    """The lists that the run sets itself, and that have no hook yet."""
    lists = {name: run.scope.argument(run.document, run.config, name) for name in phase_lists(context.config)}
    return [
        name
        for name, expression in lists.items()
        if expression is not None and not expression.is_null and not exchanges_token(expression)
    ]


def _fix(context: Context, run: OwnRun, wanted: PlannedHook, names: list[str]) -> Fix:
    edits: list[Edit] = []
    for name in names:
        made = prepend_argument(run.document, run.config, name, context.hook_plan.entries(wanted.role))
        if isinstance(made, Refusal):
            return made
        edits += made
    return Rewrite(tuple(edits), f"the hook, first in {' and '.join(names)}")


def _tasks(context: Context) -> Iterator[Finding]:
    hooked = {hook.stack for hook in context.hook_plan.all}
    for task in context.facts.own_tasks:
        if task.skips_init and "perform" not in context.config.hook_phases and not hooked.isdisjoint(task.reach.stacks):
            alone = LeftAlone("it skips terraform init, and the hook before it: see --hook-phases perform")
            note = Note("let these tasks sign in, which skip the hook:", (task.title,))
            yield RULE.finding(task.place, task.title, alone, None, (note,))
        if task.names and context.workspace.in_scope(task.place.path):
            names = ", ".join(task.names)
            note = Note("take static credentials out of the commands of", (task.title,))
            yield RULE.finding(task.place, f"{task.title}: {names}", LeftAlone("its command sets it"), None, (note,))


RULE = Rule("spacelift-hook-runs", "runs with hooks of their own export temporary credentials, too", check)
