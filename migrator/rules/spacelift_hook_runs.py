r"""Runs and schedules with hooks of their own get the hook too, because their lists replace the stack's lists.

See https://search.opentofu.org/provider/spacelift-io/spacelift/latest/docs/resources/scheduled_run. Tasks that skip
``terraform init``, and so the hook, are reported.

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
from migrator.model.diagnostics import Diagnostic
from migrator.model.findings import Finding, Fix, Refusal, Rewrite
from migrator.rules.registry import Rule
from migrator.spacelift.hooks.in_terraform import prepend_argument
from migrator.spacelift.stacks.exchange import exchanges_token

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.hooks import PlannedHook
    from migrator.spacelift.settings.own_runs import OwnRun
    from migrator.span import Edit


RUN_STACK_UNKNOWN = Diagnostic(
    "run-stack-unknown",
    found="The run sets hooks of its own. The stack of the run is not defined in this repository.",
    why="Whether the stack gets the hook is not known.",
    help="If the stack gets the hook, add the hook to the run as well.",
)
CHECK_RUN_HOOKS = Diagnostic(
    "check-run-hooks",
    found="Find out whether these runs need the hook.",
    why="Their own hooks replace the hooks of the stack.",
    help="Add the hook as the first entry of `before_init` in `runtime_config` if the stack has the hook.",
)
RUN_OF_OTHER_FOLDER = Diagnostic(
    "run-of-other-folder",
    found="The run runs the folder {folder}, not the folder of its stack.",
    why="The hook of the stack has the role for the stack's own code, so nothing was changed in the run.",
    help="Give the run hooks of its own, with the role for the folder that the run runs.",
)
CHECK_RUN_FOLDERS = Diagnostic(
    "check-run-folders",
    found="Give these runs a hook with the role for the folder that the run runs.",
    why="The folder is not the folder of the stack, and may need another role.",
    help="Set `before_init` in `runtime_config` of the run, with the hook as the first entry.",
)
TASK_SKIPS_HOOK = Diagnostic(
    "task-skips-hook",
    found="The task skips `terraform init`, and so the hook that runs before it.",
    why="A task cannot set hooks of its own.",
    help="Use `--hook-phases init,perform`, so that the hook runs before the task's command as well.",
    page="""\
A `spacelift_task` with `init = false` runs its command without `terraform init`, and without the hooks of that phase.
The command has no AWS credentials then.

With `--hook-phases init,perform`, the hook also runs before the command of a task.""",
)
SIGN_IN_TASKS = Diagnostic(
    "sign-in-tasks",
    found="Let these tasks sign in to AWS.",
    why="The tasks skip the hook, so that their commands get no credentials.",
    help="Run again with `--hook-phases init,perform`, or put the hook into the command of the task.",
)
TASK_SETS_KEYS = Diagnostic(
    "task-sets-keys",
    found="The command of the task sets static credentials.",
    why="A command in shell is not edited.",
    help="Remove the static credentials from the command.",
)
REMOVE_FROM_TASKS = Diagnostic(
    "remove-keys-from-tasks",
    found="Remove static credentials from the commands of these tasks.",
    why="The commands would override the credentials of the hook.",
    help="Delete the assignments of `AWS_…` variables from each command.",
)


def check(context: Context) -> Iterator[Finding]:
    """A finding for each run that replaces hooks, and for each task that skips them or names static credentials."""
    hooks = {hook.stack: hook for hook in context.hook_plan.all if not hook.refusal}
    for run in context.facts.own_runs:
        missing = _missing(context, run)
        planned = [hooks[stack] for stack in run.reach.stacks if stack in hooks]
        others = [hook for hook in planned if _signs_in_as_other(context, run, hook)]
        if others and context.workspace.in_scope(run.place.path):
            note = CHECK_RUN_FOLDERS.note(f"{run.address} ({run.place})")
            fix: Fix = run.ignored or RUN_OF_OTHER_FOLDER.left_alone(folder=run.project_root or ".")
            yield RULE.finding(run.place, f"{run.address}, a run of {others[0].stack.title}", fix, notes=(note,))
        elif missing and context.config.hook_in is not HookPlace.CONTEXT:
            for hook in planned:
                fix = run.ignored or _fix(context, run, hook, missing)
                yield RULE.finding(run.place, f"{run.address}, a run of {hook.message}", fix, hook.group)
            may_have_hook = hooks or context.fleet.surveys
            if may_have_hook and not run.reach.stacks and context.workspace.in_scope(run.place.path):
                notes = (CHECK_RUN_HOOKS.note(run.address),)
                yield RULE.finding(run.place, run.address, RUN_STACK_UNKNOWN.left_alone(), None, notes)
    yield from _tasks(context)


def _signs_in_as_other(context: Context, run: OwnRun, hook: PlannedHook) -> bool:
    """Whether the run runs another folder than the stack, without a hook of the stack's very role."""
    folder, hooks = run.project_root, run.scope.argument(run.document, run.config, "before_init")
    if folder in (None, hook.stack.code.project_root) or (hooks is not None and exchanges_token(hooks)):
        return False
    roles = {target.role for target in context.hook_plan.targets if target.path == folder and hook.is_local}
    return roles != {hook.role}


def _missing(context: Context, run: OwnRun) -> list[str]:
    """The lists that the run sets itself, without a hook."""
    lists = {name: run.scope.argument(run.document, run.config, name) for name in phase_lists(context.config)}
    return [
        name
        for name, expression in lists.items()
        if expression is not None and not expression.is_null and not exchanges_token(expression)
    ]


def _fix(context: Context, run: OwnRun, hook: PlannedHook, names: list[str]) -> Fix:
    edits: list[Edit] = []
    for name in names:
        prepended = prepend_argument(run.document, run.config, name, context.hook_plan.entries(hook.role, hook.region))
        if isinstance(prepended, Refusal):
            return prepended
        edits += prepended
    return Rewrite(tuple(edits), f"The hook is the first entry of {' and '.join(names)}.")


def _tasks(context: Context) -> Iterator[Finding]:
    hook_stacks = {hook.stack for hook in context.hook_plan.all}
    for task in context.facts.own_tasks:
        if (
            task.skips_init
            and "perform" not in context.config.hook_phases
            and not hook_stacks.isdisjoint(task.reach.stacks)
        ):
            notes = (SIGN_IN_TASKS.note(task.address),)
            yield RULE.finding(task.place, task.address, TASK_SKIPS_HOOK.left_alone(), None, notes)
        if task.names and context.workspace.in_scope(task.place.path):
            names = ", ".join(task.names)
            notes = (REMOVE_FROM_TASKS.note(task.address),)
            yield RULE.finding(task.place, f"{task.address}: {names}", TASK_SETS_KEYS.left_alone(), None, notes)


RULE = Rule("spacelift-hook-runs", "runs with hooks of their own export temporary credentials, too", check)
