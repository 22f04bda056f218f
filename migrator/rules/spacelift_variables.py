"""Stacks set the variables that their runs sign in by: roles of providers, or that of the whole environment.

A variable of a root module without a default must have a value, and gets it from the environment of its runs, with
``--role-in variable``: https://developer.hashicorp.com/terraform/cli/config/environment-variables#tf_var_name. With
``--backend-auth env``, ``AWS_ROLE_ARN`` and ``AWS_WEB_IDENTITY_TOKEN_FILE`` let all that a run does sign in:
https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html. Where no resource can be written,
what to set is told. A value that is set already is respected; another one has what needs it refused.

Before, with ``--role-in variable --role-arn arn:aws:iam::123456789012:role/shop``:

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

resource "spacelift_environment_variable" "shop_tf_var_aws_role_arn" {
  stack_id   = spacelift_stack.shop.id
  name       = "TF_VAR_aws_role_arn"
  value      = "arn:aws:iam::123456789012:role/shop"
  write_only = false
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

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from migrator.config.config import HookPlace
from migrator.decide.environment_roots import others_credentials
from migrator.decide.variables import (
    RequiredVariable,
    is_for_runtime_config,
    required_variables,
    runtime_variables,
    set_at,
)
from migrator.model.findings import Finding, Fix, Ignored, LeftAlone, Note, Place, Refusal, Rewrite
from migrator.rules.hook_findings import hook_contexts
from migrator.rules.registry import Rule
from migrator.spacelift.attached.variables import VariableContexts, VariableResources
from migrator.spacelift.stacks.model import StackDefinition, TerraformDefinition
from migrator.spacelift.stacks.runtime_config import PATH

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.spacelift.attached.hook_context import HookContexts, NewContext


def check(context: Context) -> Iterator[Finding]:
    """One finding for each variable of each stack; one with what to set where no stack is known."""
    wanted = list(required_variables(context))
    places = _Places(context, wanted)
    for required in wanted:
        finding = _finding(context, places, required)
        if finding is not None:
            yield replace(finding, needs=required.needs if isinstance(finding.fix, Rewrite) else frozenset())
    for given in context.sign_ins.values:
        if not context.facts.runners_of(given.root).all:
            yield _without_stack(given.users[0], given.root or ".", [(given.environment_variable, given.role)])
    for root in context.environment_roots.roots:
        if isinstance(root.role, Refusal) and not root.has_integration:
            yield RULE.finding(root.place, "the role of its environment", root.role, root.group)
        elif root.variables and not root.runners.all:
            yield _without_stack(root.place, root.title, root.variables, root.group)


def _without_stack(place: Place, code: str, variables: Sequence[tuple[str, str]], group: str | None = None) -> Finding:
    message = f"{' and '.join(name for name, _ in variables)} for {code}"
    notes = [_to_set(name, code, value) for name, value in variables]
    return RULE.finding(place, message, LeftAlone("no stack definition found"), group, notes)


class _Places:
    """Where variables go that resources set: beside the stack, or beside the context that is made for its hook."""

    def __init__(self, context: Context, wanted: list[RequiredVariable]) -> None:
        self._context = context
        self._wanted = [
            (required.here, required.variable)
            for required in wanted
            if required.here is not None and not required.refusal
        ]
        self._resources = VariableResources(context.workspace, context.facts.stacks, self._wanted)
        is_asked_for = context.config.hook_in is HookPlace.CONTEXT
        self._contexts: HookContexts | None = hook_contexts(context) if is_asked_for else None
        vital = [
            required for required in wanted if required.is_vital and required.here is not None and not required.refusal
        ]
        self._vital = {
            required.here: [two.variable for two in vital if two.here is required.here] for required in vital
        }
        pairs = [(stack, tuple(variables)) for stack, variables in self._vital.items() if stack is not None]
        self._shared = VariableContexts(context.workspace, pairs)
        self._hooks = {hook.stack: hook for hook in context.hook_plan.all if context.hook_plan.settled(hook) is None}

    def fix(self, stack: StackDefinition, wanted: RequiredVariable) -> Fix:
        """The resource that sets the variable, or why there can be none."""
        made = self._new_context(stack, wanted)
        if self._contexts is not None and wanted.is_vital:
            edits = self._shared.attach(stack, tuple(self._vital[stack]))
            outcome = "a context with it is attached"
        elif made is None:
            edits = self._resources.beside(stack, wanted.variable)
            outcome = "set beside it"
        else:
            edits = self._resources.of_context(made.stacks[0], made.label, wanted.variable)
            outcome = "set on the context with its hook"
        if isinstance(edits, Refusal):
            return edits if wanted.is_vital else LeftAlone(edits.reason)
        return Rewrite(edits, outcome)

    def _new_context(self, stack: StackDefinition, wanted: RequiredVariable) -> NewContext | None:
        """The context that is made for the hook of the stack, if all stacks that share it want the same."""
        hook = self._hooks.get(stack)
        if self._contexts is None or hook is None:
            return None
        entries = self._context.hook_plan.entries(hook.role, hook.region)
        made = self._contexts.new_context(stack, hook.kind, entries)
        asking = {
            item.source
            for item, variable in self._wanted
            if isinstance(item, TerraformDefinition) and variable == wanted.variable
        }
        return made if made is not None and asking.issuperset(made.stacks) else None


def _finding(context: Context, places: _Places, wanted: RequiredVariable) -> Finding | None:
    variable, stack = wanted.variable, wanted.here
    in_file = is_for_runtime_config(context, wanted)
    if stack is None and not in_file:
        return _elsewhere(wanted)
    title, place = (stack.title, stack.place) if stack is not None else (wanted.slug, Place(PATH))
    place = Place(context.hook_plan.runtime.path) if in_file else place
    fix = _fix(context, places, wanted, in_file=in_file)
    is_told = isinstance(fix, LeftAlone | Ignored) and not wanted.refusal and set_at(context, wanted) is None
    notes = (_to_set(variable.name, wanted.code, variable.value),) if is_told else ()
    return RULE.finding(place, f"{title}, which runs {wanted.code}: {variable.name}", fix, wanted.group, notes)


def _elsewhere(wanted: RequiredVariable) -> Finding | None:
    """Why the stack of another repository cannot have what runs sign in by; else its repository sees to it."""
    known = wanted.elsewhere
    if known is None or wanted.place is None:
        return None
    there = dict(known.roles).get(wanted.variable.name, wanted.variable.value)
    reason = dict(known.obstacles).get("variables", "")
    if there != wanted.variable.value:
        reason = f"it has {wanted.variable.name} set to another role"
    fix = Refusal(f"its stack at {known.repo}: {known.place} is refused: {reason}")
    message = f"{known.title}, which runs {wanted.code}: {wanted.variable.name}"
    return RULE.finding(wanted.place, message, fix, wanted.group) if reason else None


def _fix(context: Context, places: _Places, wanted: RequiredVariable, *, in_file: bool) -> Fix:
    stack, there = wanted.here, set_at(context, wanted)
    if stack is not None and stack.is_ignored:
        return stack.document.ignored
    if wanted.refusal:
        return LeftAlone(f"what it runs is not migrated: {wanted.refusal}")
    if wanted.is_vital and stack is not None and (reason := others_credentials(context, stack)):
        return Refusal(reason)
    if there is not None and wanted.is_vital and there.value not in (None, wanted.variable.value):
        return Refusal(f"it is set to another value at {there.place}")
    if there is not None:
        return LeftAlone(f"it is set at {there.place}")
    if wanted.is_in_runtime_config:
        return LeftAlone(f"it goes into {PATH} beside its code")
    if in_file:
        edits = context.hook_plan.runtime_edits(runtime_variables(context))
        return edits if isinstance(edits, Refusal) else Rewrite(edits, "set in its environment")
    return places.fix(stack, wanted) if stack is not None else LeftAlone("another repository defines it")


def _to_set(name: str, code: str, value: str) -> Note:
    return Note(f"set {name} to this value on the stacks that run", (code,), value)


RULE = Rule("spacelift-variables", "stacks set the variables that their runs sign in by", check)
