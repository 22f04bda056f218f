"""Stacks set the variables that their runs sign in with: the roles of providers, or the role of the environment.

A variable of a root module without a default must have a value, and gets it from the environment of its runs, with
``--role-in variable``: https://developer.hashicorp.com/terraform/cli/config/environment-variables#tf_var_name. With
``--backend-auth env``, ``AWS_ROLE_ARN`` and ``AWS_WEB_IDENTITY_TOKEN_FILE`` let all that a run does sign in:
https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html. If no resource can be written, a
note says what to set. A value that is set already stays; if it is another value, the code that needs it is refused.

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
  description = "ARN of the IAM role assumed with the Spacelift OIDC token"
  type        = string
}
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from migrator.config.config import HookPlace
from migrator.decide.environment_roots import other_credentials_refusal
from migrator.decide.stack_variables import (
    RequiredVariable,
    is_for_runtime_config,
    required_variables,
    set_at,
)
from migrator.model.diagnostics import Diagnostic
from migrator.model.findings import Finding, Fix, Ignored, LeftAlone, Note, Place, Refusal, Rewrite
from migrator.model.notes import SET_STACK_VARIABLE
from migrator.model.results import code_in_words
from migrator.rules.hook_findings import as_left_alone, hook_contexts
from migrator.rules.registry import Rule
from migrator.spacelift.attached.variables import VariableContexts, VariableResources
from migrator.spacelift.diagnostics import (
    CODE_NOT_MIGRATED,
    MADE_IN_SPACELIFT,
    NO_STACK_DEFINITION,
    ROLE_SET_DIFFERENTLY,
    STACK_ELSEWHERE_REFUSED,
    VARIABLE_ALREADY_SET,
)
from migrator.spacelift.stacks.model import StackDefinition, TerraformDefinition
from migrator.spacelift.stacks.runtime_config import PATH

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.spacelift.attached.hook_context import HookContexts, NewContext


SET_IN_RUNTIME_CONFIG = Diagnostic(
    "set-in-runtime-config",
    found="`.spacelift/config.yml` of the repository with the code sets the variable.",
    why="The stack's own definition needs no variable.",
)
STACK_IS_ELSEWHERE = Diagnostic(
    "stack-is-elsewhere",
    found="Another repository defines the stack.",
    why="A run on that repository sets the variable.",
)


def check(context: Context) -> Iterator[Finding]:
    """A finding for each variable of each stack; with the settings to make if no stack is known."""
    all_required = list(required_variables(context))
    places = _Places(context, all_required)
    for required in all_required:
        finding = _finding(context, places, required)
        if finding is not None:
            yield replace(finding, needs=required.needs if isinstance(finding.fix, Rewrite) else frozenset())
    for role_value in context.sign_ins.values:
        if not context.facts.runners_of(role_value.root).all:
            variables = [(role_value.environment_variable, role_value.role)]
            yield _without_stack(role_value.users[0], role_value.root or ".", variables)
    for root in context.environment_roots.roots:
        if isinstance(root.role, Refusal) and not root.has_integration:
            yield RULE.finding(root.place, "the role of the environment", root.role, root.group)
        elif root.variables and not root.runners.all:
            yield _without_stack(root.place, root.title, root.variables, root.group)


def _without_stack(place: Place, code: str, variables: Sequence[tuple[str, str]], group: str | None = None) -> Finding:
    message = f"{' and '.join(name for name, _ in variables)} for {code}"
    notes = [_notes_to_set(name, code, value) for name, value in variables]
    return RULE.finding(place, message, NO_STACK_DEFINITION.left_alone(), group, notes)


class _Places:
    """The resources for variables: on the stack, or on the context with its hook."""

    def __init__(self, context: Context, required_variables: list[RequiredVariable]) -> None:
        self._context = context
        self._variables = [
            (required.definition, required.variable)
            for required in required_variables
            if required.definition is not None and not required.refusal
        ]
        self._resources = VariableResources(context.workspace, context.facts.stacks, self._variables)
        is_asked_for = context.config.hook_in is HookPlace.CONTEXT
        self._contexts: HookContexts | None = hook_contexts(context) if is_asked_for else None
        vital = [
            required
            for required in required_variables
            if required.is_vital and required.definition is not None and not required.refusal
        ]
        self._vital = {
            required.definition: [variable.variable for variable in vital if variable.definition is required.definition]
            for required in vital
        }
        pairs = [(stack, tuple(variables)) for stack, variables in self._vital.items() if stack is not None]
        self._shared = VariableContexts(context.workspace, pairs)
        self._hooks = {
            hook.stack: hook for hook in context.hook_plan.all if context.hook_plan.fate_without_edit(hook) is None
        }

    def fix(self, stack: StackDefinition, required: RequiredVariable) -> Fix:
        """The resource that sets the variable, or the refusal of a resource."""
        new_context = self._new_context(stack, required)
        if self._contexts is not None and required.is_vital:
            edits = self._shared.attach(stack, tuple(self._vital[stack]))
            outcome = "A context with the variable is attached to the stack."
        elif new_context is None:
            edits = self._resources.of_stack(stack, required.variable)
            outcome = "A new resource sets the variable on the stack."
        else:
            edits = self._resources.of_context(new_context.stacks[0], new_context.label, required.variable)
            outcome = "A new resource sets the variable on the context with the hook."
        if isinstance(edits, Refusal):
            return edits if required.is_vital else as_left_alone(edits)
        return Rewrite(edits, outcome)

    def _new_context(self, stack: StackDefinition, required: RequiredVariable) -> NewContext | None:
        """The new context for the hook of the stack, if all stacks that share it need the same variable."""
        hook = self._hooks.get(stack)
        if self._contexts is None or hook is None:
            return None
        entries = self._context.hook_plan.entries(hook.role, hook.region)
        new_context = self._contexts.new_context(stack, hook.kind, entries)
        stacks = {
            stack.source
            for stack, variable in self._variables
            if isinstance(stack, TerraformDefinition) and variable == required.variable
        }
        return new_context if new_context is not None and stacks.issuperset(new_context.stacks) else None


def _finding(context: Context, places: _Places, required: RequiredVariable) -> Finding | None:
    variable, stack = required.variable, required.definition
    in_file = is_for_runtime_config(context, required)
    if stack is None and not in_file:
        return _elsewhere(context, required)
    title, place = (stack.title, stack.place) if stack is not None else (required.slug, Place(PATH))
    place = Place(context.hook_plan.runtime.path) if in_file else place
    fix = _fix(context, places, required, in_file=in_file)
    is_by_hand = isinstance(fix, LeftAlone | Ignored) and not required.refusal and set_at(context, required) is None
    notes = (_notes_to_set(variable.name, required.code, variable.value),) if is_by_hand else ()
    message = f"{title}, which runs {code_in_words(required.code)}: {variable.name}"
    return RULE.finding(place, message, fix, required.group, notes, subject=title, names=(variable.name,))


def _elsewhere(context: Context, required: RequiredVariable) -> Finding | None:
    """The fate of a variable for another repository's stack; None if that repository sets the variable."""
    known_stack = required.known_stack
    if known_stack is None or (required.place is None and not known_stack.is_by_hand):
        return None
    reason = dict(known_stack.obstacles).get("variables", "")
    if known_stack.sets_other(required.variable.name, required.variable.value):
        reason = f"The stack sets `{required.variable.name}` to another role."
    message, place = (
        f"{known_stack.title}, which runs {code_in_words(required.code)}: {required.variable.name}",
        required.place or known_stack.place,
    )
    if reason:
        fix = STACK_ELSEWHERE_REFUSED.refusal(repo=known_stack.repo, place=known_stack.place, reason=reason)
        return RULE.finding(place, message, fix, required.group)
    if not known_stack.is_by_hand:
        return None
    if set_at(context, required) is not None:
        return RULE.finding(place, message, VARIABLE_ALREADY_SET.left_alone(place=known_stack.place), required.group)
    note = _notes_to_set(required.variable.name, required.code, required.variable.value)
    by_hand_fix = MADE_IN_SPACELIFT.left_alone(stack=known_stack.title)
    return RULE.finding(place, message, by_hand_fix, required.group, (note,))


def _fix(context: Context, places: _Places, required: RequiredVariable, *, in_file: bool) -> Fix:
    stack, set_variable = required.definition, set_at(context, required)
    if stack is not None and stack.is_ignored:
        return stack.document.ignored
    if required.refusal:
        return CODE_NOT_MIGRATED.left_alone(reason=required.refusal)
    if required.is_vital and stack is not None and (refusal := other_credentials_refusal(context, stack)):
        return refusal
    if set_variable is not None and required.is_vital and set_variable.value not in (None, required.variable.value):
        return ROLE_SET_DIFFERENTLY.refusal(place=set_variable.place)
    if set_variable is not None:
        return VARIABLE_ALREADY_SET.left_alone(place=set_variable.place)
    if required.is_in_runtime_config:
        return SET_IN_RUNTIME_CONFIG.left_alone()
    if in_file:
        edits = context.runtime_edits[context.hook_plan.runtime.path]
        return edits if isinstance(edits, Refusal) else Rewrite(edits, "The stack's environment sets the variable.")
    return places.fix(stack, required) if stack is not None else STACK_IS_ELSEWHERE.left_alone()


def _notes_to_set(name: str, code: str, value: str) -> Note:
    return SET_STACK_VARIABLE.note(code, paste=value, name=name)


RULE = Rule("spacelift-variables", "stacks set the variables that their runs sign in with", check)
