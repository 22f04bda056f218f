"""Callers and tests of a module whose variables change are given what it newly takes, or told.

A role comes from a variable, which the module did not have before. Calls in the repository, and in the other ones of
the run, pass it on. ``terraform test`` fails without a value, even where the provider is a mock, to which any role will
do: https://developer.hashicorp.com/terraform/language/tests#variables. Whoever else calls the module is to be told.

Before:

```hcl
# main.tf
provider "aws" {
  profile = "shop"
}
```

```hcl
# plan.tftest.hcl
mock_provider "aws" {}

run "plan" {
  command = plan
}
```

After:

```hcl
# main.tf
provider "aws" {
  assume_role_with_web_identity {
    role_arn                = var.aws_role_arn
    web_identity_token_file = "/mnt/workspace/spacelift.oidc"
  }
}
```

```hcl
# variables.tf
variable "aws_role_arn" {
  description = "IAM role assumed with the Spacelift OIDC token"
  type        = string
}
```

```hcl
# plan.tftest.hcl
mock_provider "aws" {}

run "plan" {
  command = plan
}

variables {
  aws_role_arn = "arn:aws:iam::123456789012:role/placeholder-for-tests"
}
```
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.model.findings import Finding, LeftAlone, Note, Place, Rewrite
from migrator.rules.registry import Rule
from migrator.syntax.terraform import Block, BodyChange, Literal, NewArgument, NewBlock
from migrator.terraform.outside_calls import OutsideCall, folder_of
from migrator.terraform.published import is_published
from migrator.terraform.usage.interfaces import Interface, interfaces

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.model.fleet import KnownModule
    from migrator.span import Edit
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module

PLACEHOLDER = "arn:aws:iam::123456789012:role/placeholder-for-tests"
_ROLE = "the ARN of a role"


def check(context: Context) -> Iterator[Finding]:
    """A finding for each test that needs a value, and for each module that is called from where nobody looked."""
    changed = list(interfaces(context.workspace, context.changes))
    roots = _roots(context) if changed else set()
    for interface in changed:
        yield from _callers(context, interface, roots)
    yield from _tests(context, changed) if not context.config.portable else ()
    for called in context.called:
        for call in called.pinned:
            yield _pinned(called.module, call)
        for unit in called.units if not called.module.refusal else ():
            place = unit.known.place
            notes = [Note(f"set TF_VAR_{input_.name} to {_ROLE} for", (str(place),)) for input_ in called.module.gains]
            message = f"{unit.known.title}: runs {called.module.title}, whose variables change"
            yield RULE.finding(place, message, LeftAlone("its runs are given the new ones"), None, notes)


def _callers(context: Context, interface: Interface, roots: set[str]) -> Iterator[Finding]:
    """The callers elsewhere that are not known, or have an older version of the module."""
    workspace, path = context.workspace, interface.module.path
    calls = [call for call in context.callers if folder_of(workspace, call) == path]
    pinned = [call for call in calls if call.source and not call.source.is_at_head(workspace.identity.branches)]
    is_open = is_published(workspace, path, roots)
    notes = (
        [*_to_pass(f"callers of {path or 'this module'} elsewhere", interface.gains, interface.loses)]
        if is_open
        else []
    )
    live = tuple(f"{call.repo}: {call.place}" for call in calls if call not in pinned)
    notes += [Note("merge this together with the callers:", live)] if live else []
    for call in pinned:
        place = str(call.place) if call.repo == context.repo else f"{call.repo}: {call.place}"
        notes += _to_pass(f"the call at {place}, when its version is raised,", interface.gains, interface.loses)
    if notes:
        fate = LeftAlone(
            "callers that are not part of this run must follow"
            if is_open
            else "callers of an older version must follow"
            if pinned
            else "its callers follow in this run"
        )
        yield RULE.finding(_first(interface.module), f"module {path or '.'}: its variables change", fate, None, notes)


def _roots(context: Context) -> set[str]:
    """The root modules that are known."""
    beside = context.terragrunt_inputs.beside
    units = {unit.module.path for unit in context.facts.terragrunt.units if unit.module is not None}
    roots = {root.module.path for root in context.facts.roots if root.runners.here or root.runners.elsewhere}
    return roots | units | {path for paths in beside.values() for path in paths or ()}


def _first(module: Module) -> Place:
    variables = [(document, block) for document, block in module.blocks("variable")]
    return variables[0][0].place(variables[0][1]) if variables else Place(min(item.path for item in module.documents))


def _to_pass(who: str, gains: tuple[str, ...], loses: tuple[str, ...]) -> Iterator[Note]:
    if gains:
        yield Note(f"{who} must pass {_ROLE} as", gains)
    if loses:
        yield Note(f"{who} must no longer pass", loses)


def _pinned(module: KnownModule, call: OutsideCall) -> Finding:
    gains = tuple(input_.name for input_ in module.gains)
    notes = _to_pass(
        f"the call of {module.title} at {call.known.place}, when its version is raised,", gains, module.loses
    )
    fate = LeftAlone("it goes on with the version that it names")
    return RULE.finding(
        call.known.place, f"{call.known.title}: calls {module.title}, whose variables change", fate, None, notes
    )


# --- terraform test -------------------------------------------------------------------------------------------------


def _tests(context: Context, changed: list[Interface]) -> Iterator[Finding]:
    """The tests that run a module which has a new variable, and give it no value."""
    gains = {interface.module.path: interface.gains for interface in changed if interface.gains}
    for module in context.workspace.modules.values() if gains else ():
        for document in module.tests:
            needed = _needed(module, document, gains)
            if needed:
                yield _given(context, module, document, needed)


def _needed(module: Module, document: Document, gains: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    whole = {attribute.name for block in document.blocks if block.type == "variables" for attribute in block.attributes}
    needed: dict[str, None] = {}
    for run in (block for block in document.blocks if block.type == "run"):
        own = {attribute.name for block in run.blocks("variables") for attribute in block.attributes}
        path = _run_of(module, document, run)
        needed |= dict.fromkeys(name for name in gains.get(path, ()) if name not in own and name not in whole)
    return tuple(needed)


def _run_of(module: Module, document: Document, run: Block) -> str:
    """The path of the module that a run is of."""
    for block in run.blocks("module"):
        source = document.literal(block.attribute("source"))
        path = posixpath.normpath(posixpath.join(module.path, source or ""))
        return "" if path == "." else path
    return module.path


def _given(context: Context, module: Module, document: Document, needed: tuple[str, ...]) -> Finding:
    message = f"terraform test: gives {', '.join(needed)} no value"
    blocks = [block for block in document.blocks if block.type == "variables"]
    place = Place(document.path, 1)
    if document.path.endswith(".json") or len(blocks) > 1 or not _is_mocked(context, module, document):
        task = f"give {', '.join(needed)} a value where terraform test runs, such as by TF_VAR_{needed[0]}, for"
        return RULE.finding(place, message, LeftAlone("its runs may sign in"), None, (Note(task, (document.path,)),))
    arguments = tuple(NewArgument(name, Literal(PLACEHOLDER)) for name in needed)
    gone = [
        edit.span
        for finding in context.settled
        if isinstance(finding.fix, Rewrite)
        for edit in finding.fix.edits
        if edit.path == document.path and not edit.text
    ]
    is_there = blocks and not any(
        span.start <= blocks[0].span.start and blocks[0].span.end <= span.end for span in gone
    )
    edits: tuple[Edit, ...]
    if is_there:
        edits = document.change(blocks[0], BodyChange(append=arguments))
    else:
        edits = (document.syntax.add_block(document.path, document.text, NewBlock("variables", (), arguments)),)
    return RULE.finding(place, message, Rewrite(edits, "is given a placeholder, which its mocks do not need"))


def _is_mocked(context: Context, module: Module, document: Document) -> bool:
    """Whether none of the module's providers signs in in the test: all are mocks, and no called module has its own."""
    mocks = {
        (block.labels[0] if block.labels else "", document.literal(block.attribute("alias")))
        for block in document.blocks
        if block.type == "mock_provider"
    }
    own = [provider for provider in context.facts.in_module(module) if not provider.is_proxy]
    names = {(provider.block.labels[0], provider.alias) for provider in own}
    reached = (context.workspace.modules[path] for path in context.workspace.reached_from(module.path))
    is_alone = all(provider.is_proxy for called in reached for provider in context.facts.in_module(called))
    runs_others = any(any(run.blocks("module")) for run in document.blocks if run.type == "run")
    return bool(mocks) and names <= mocks and is_alone and not runs_others


RULE = Rule("module-inputs", "callers and tests of a module are given what it newly takes, or told", check, phase=2)
