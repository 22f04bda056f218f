"""Stacks set the role variables whose values are known: ``TF_VAR_…``, by a ``spacelift_environment_variable``.

A variable of a root module without a default must have a value, and gets it from the environment of its runs:
https://developer.hashicorp.com/terraform/cli/config/environment-variables#tf_var_name. Where no resource can be
written, what to set is told. A value that is set already is respected; another one has the provider refused.

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

from collections.abc import Iterator
from dataclasses import replace

from migrator.analysis.definitions import StackDefinition, TerraformDefinition
from migrator.analysis.runtime_config import PATH
from migrator.config import HookPlace
from migrator.edits.context import HookContexts, NewContext
from migrator.edits.variables import VariableResources
from migrator.model import Finding, Fix, Ignored, LeftAlone, Note, Place, Refusal, Rewrite
from migrator.rules.hooks import hook_contexts
from migrator.rules.registry import Context, Rule
from migrator.rules.variables import (
    WantedVariable,
    is_for_runtime_config,
    runtime_variables,
    set_at,
    wanted_variables,
)


def check(context: Context) -> Iterator[Finding]:
    """One finding for each variable of each stack; one with what to set where no stack is known."""
    wanted = list(wanted_variables(context))
    places = _Places(context, wanted)
    for one in wanted:
        finding = _finding(context, places, one)
        if finding is not None:
            yield replace(finding, needs=one.needs if isinstance(finding.fix, Rewrite) else frozenset())
    for given in context.web_identity.given:
        if not context.facts.runners_of(given.root).all:
            note = _to_set(given.environment_variable, given.root or ".", given.role)
            message = f"{given.environment_variable} for {given.root or '.'}"
            yield RULE.finding(given.users[0], message, LeftAlone("no stack definition found"), notes=(note,))


class _Places:
    """Where variables go that resources set: beside the stack, or beside the context that is made for its hook."""

    def __init__(self, context: Context, wanted: list[WantedVariable]) -> None:
        self._context = context
        self._wanted = [(one.here, one.variable) for one in wanted if one.here is not None and not one.refusal]
        self._resources = VariableResources(context.workspace, context.facts.stacks, self._wanted)
        is_asked_for = context.config.hook_in is HookPlace.CONTEXT
        self._contexts: HookContexts | None = hook_contexts(context) if is_asked_for else None
        self._roles = {one.stack: one.role for one in context.wishes.all if context.wishes.settled(one) is None}

    def fix(self, stack: StackDefinition, wanted: WantedVariable) -> Fix:
        """The resource that sets the variable, or why there can be none."""
        made = self._new_context(stack, wanted)
        if made is None:
            edits = self._resources.beside(stack, wanted.variable)
            outcome = "set beside it"
        else:
            edits = self._resources.of_context(made.stacks[0], made.label, wanted.variable)
            outcome = "set on the context with its hook"
        return LeftAlone(edits.reason) if isinstance(edits, Refusal) else Rewrite(edits, outcome)

    def _new_context(self, stack: StackDefinition, wanted: WantedVariable) -> NewContext | None:
        """The context that is made for the hook of the stack, if all stacks that share it want the same."""
        role = self._roles.get(stack)
        if self._contexts is None or role is None:
            return None
        made = self._contexts.new_context(stack, role, self._context.wishes.entries(role))
        asking = {
            one.source
            for one, variable in self._wanted
            if isinstance(one, TerraformDefinition) and variable == wanted.variable
        }
        return made if made is not None and asking.issuperset(made.stacks) else None


def _finding(context: Context, places: _Places, wanted: WantedVariable) -> Finding | None:
    variable, stack = wanted.variable, wanted.here
    in_file = is_for_runtime_config(context, wanted)
    if stack is None and not in_file:
        return None  # the repository of the stack sees to it
    title, place = (stack.title, stack.place) if stack is not None else (wanted.slug, Place(PATH))
    place = Place(context.wishes.runtime.path) if in_file else place
    fix = _fix(context, places, wanted, in_file=in_file)
    is_told = isinstance(fix, LeftAlone | Ignored) and not wanted.refusal and set_at(context, wanted) is None
    notes = (_to_set(variable.name, wanted.code, variable.value),) if is_told else ()
    return RULE.finding(place, f"{title}, which runs {wanted.code}: {variable.name}", fix, notes=notes)


def _fix(context: Context, places: _Places, wanted: WantedVariable, *, in_file: bool) -> Fix:
    stack, there = wanted.here, set_at(context, wanted)
    if stack is not None and stack.is_ignored:
        return Ignored("it is excluded" if stack.document.is_excluded else "a comment says so")
    if wanted.refusal:
        return LeftAlone(f"what it runs is not migrated: {wanted.refusal}")
    if there is not None:
        return LeftAlone(f"it is set at {there}")
    if wanted.is_in_runtime_config:
        return LeftAlone(f"it goes into {PATH} beside its code")
    if in_file:
        edits = context.wishes.runtime_edits(runtime_variables(context))
        return edits if isinstance(edits, Refusal) else Rewrite(edits, "set in its environment")
    return places.fix(stack, wanted) if stack is not None else LeftAlone("another repository defines it")


def _to_set(name: str, code: str, value: str) -> Note:
    return Note(f"set {name} to this value on the stacks that run", (code,), value)


RULE = Rule("spacelift-variables", "stacks set the role variables whose values are known", check)
