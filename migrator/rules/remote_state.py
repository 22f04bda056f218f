"""What reads a state from S3 leaves signing in to the hook, as the backend does.

Keys, profile and shared files of ``data "terraform_remote_state"`` go, the flat role family is commented out: it takes
the backend's arguments, https://developer.hashicorp.com/terraform/language/backend/s3, and signs in with what the hook
exports. From Terraform 1.10 on the flat family is an error here as well.

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

data "terraform_remote_state" "network" {
  backend = "s3"
  config = {
    bucket   = "state"
    key      = "network.tfstate"
    role_arn = "arn:aws:iam::123456789012:role/terraform-state"
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

data "terraform_remote_state" "network" {
  backend = "s3"
  config = {
    bucket = "state"
    key    = "network.tfstate"
    # role_arn = "arn:aws:iam::123456789012:role/terraform-state"
  }
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from migrator.analysis.facts import Root
from migrator.analysis.objects import is_used_beside
from migrator.analysis.remote_states import Config, RemoteState
from migrator.edits.rotation import rotate
from migrator.errors import SyntaxProblem
from migrator.model import Finding, Fix, LeftAlone, Note, Refusal, Rewrite
from migrator.rules.registry import Context, Rule
from migrator.span import Edit, Span
from migrator.syntax.terraform import BodyChange


def check(context: Context) -> Iterator[Finding]:
    """One finding for each data source that names credentials or a role, for each root module that reads it."""
    known = _known_places(context.facts.remote_states)
    for state in context.facts.remote_states:
        if state.names:
            yield from _findings(context, state, known.get(state.module.path, set()))
        if state.hidden is not None and state.foreign is None:
            yield RULE.finding(state.place, f"{state.block.title()}: {state.hidden[0]}", _unread(state.hidden[1]))


def _known_places(states: tuple[RemoteState, ...]) -> dict[str, set[tuple[str, Span]]]:
    """Where locals may be used that hold the configurations, by module: there, and in one another."""
    known: dict[str, set[tuple[str, Span]]] = {}
    for state in states:
        places = known.setdefault(state.module.path, set())
        places.add((state.document.path, state.block.span))
        places.update(span for config in state.configs if config.part for span in config.part.spans)
    return known


def _unread(is_telling: bool) -> Fix:
    if is_telling:
        return Refusal("it names credentials or a role, and is no object that could be edited here")
    return LeftAlone("what it holds is not known here")


def _findings(context: Context, state: RemoteState, known: set[tuple[str, Span]]) -> Iterator[Finding]:
    message = f"{state.block.title()}: {', '.join(state.names)}"
    fix = state.foreign or _rewrite(state, known)
    roots = _roots(context, state)
    if isinstance(fix, Rewrite) and not state.has_web_identity:
        if isinstance(roots, Refusal):
            fix = roots
        else:
            for root in roots:
                yield RULE.finding(state.place, message, fix, root.group, _notes(state, root))
            return
    notes = _keys(state) if isinstance(fix, Rewrite) else ()
    yield RULE.finding(state.place, message, fix, notes=notes)


def _roots(context: Context, state: RemoteState) -> list[Root] | Refusal:
    """The root modules that read the state, each of which gets a hook, or has one."""
    reading = [one for one in context.facts.roots if state in one.remote_states]
    unhooked = [one.module.path for one in reading if not one.needs_hook(context.config.include_ambient)]
    hooked = {one.module.path for one in reading}
    unhooked += [one.path for one in context.workspace.roots_of(state.module) if one.path not in hooked]
    if unhooked:
        return Refusal(f"it would need a hook to sign in, and the root module {unhooked[0] or '.'} gets none")
    return reading


def _rewrite(state: RemoteState, known: set[tuple[str, Span]]) -> Rewrite | Refusal:
    edits: list[Edit] = []
    for config in state.configs:
        for name in config.part.locals if config.part and config.changes else ():
            if is_used_beside(state.module, name, known):
                return Refusal(f"{name} has them, and is used elsewhere too")
        try:
            edits += _edits(config)
        except SyntaxProblem as problem:
            return Refusal(problem.reason)
    outcomes = ["removed"] * any(one.backend.credentials for one in state.configs)
    outcomes += ["role commented out"] * any(one.backend.role_family for one in state.configs)
    return Rewrite(tuple(edits), ", ".join(outcomes))


def _edits(config: Config) -> tuple[Edit, ...]:
    document, backend = config.backend.document, config.backend
    if not config.changes:
        return ()
    if config.part is None:
        return document.change(backend.block, BodyChange(backend.credentials, backend.role_family))
    change = document.syntax.change_object
    return change(document.path, document.text, config.part.value, backend.credentials, backend.role_family)


def _notes(state: RemoteState, root: Root) -> Iterator[Note]:
    yield from _keys(state)
    if state.role_arns - root.role_arns:
        yield Note(
            "let the hook's role read the states for which another role was assumed before, at", (str(state.place),)
        )


def _keys(state: RemoteState) -> Iterator[Note]:
    for config in state.configs:
        yield from rotate(config.backend)


RULE = Rule("remote-state", "what reads a state from S3 leaves signing in to the hook", check)
