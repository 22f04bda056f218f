"""What reads a state from S3 leaves signing in to the hook, as the backend does.

Keys, profile and shared files of ``data "terraform_remote_state"`` go, the flat role family is commented out: it takes
the backend's arguments, https://developer.hashicorp.com/terraform/language/backend/s3, and signs in with what the hook
exports. From Terraform 1.10 on the flat family is an error here as well. Where the backend signs in by itself, so does
this; other than in a backend, the role may be any expression.

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
from migrator.config import BackendAuth
from migrator.config import Config as Options
from migrator.edits.ambient import AmbientRoot
from migrator.edits.leaving import Leaving, leaving, state_notes
from migrator.edits.native import SignIn, sign_in
from migrator.edits.rotation import rotate
from migrator.edits.strategy import since
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
    if not isinstance(fix, Rewrite) or state.has_web_identity:
        yield RULE.finding(state.place, message, fix, notes=_keys(state) if isinstance(fix, Rewrite) else ())
        return
    ambient = context.ambient.reaching(state.module)
    native = None if ambient else _native_roots(context, state)
    if ambient:
        yield from _ambient_findings(context, state, known, ambient)
    elif isinstance(native, Refusal):
        yield RULE.finding(state.place, message, native)
    elif native is not None:
        yield from _native_findings(context, state, known, native)
    else:
        roots = _roots(context, state)
        for root in [] if isinstance(roots, Refusal) else roots:
            yield RULE.finding(state.place, message, fix, root.group, _notes(state, root))
        if isinstance(roots, Refusal):
            yield RULE.finding(state.place, message, roots)


def _ambient_findings(
    context: Context, state: RemoteState, known: set[tuple[str, Span]], roots: list[AmbientRoot]
) -> Iterator[Finding]:
    """One finding for each root module whose environment signs in for the state."""
    message = f"{state.block.title()}: {', '.join(state.names)}"
    others = [one.path for one in context.workspace.roots_of(state.module) if context.ambient.at(one.path) is None]
    for root in roots:
        found = [one for one in context.facts.roots if one.module is root.module]
        rejects = any(context.wishes.strategies.rejecting(one) for one in found)
        signed = [
            (config, leaving(context.workspace, config.backend, root, rejects_flat=rejects)) for config in state.configs
        ]
        refused = next((one for _, one in signed if isinstance(one, Refusal)), None)
        if others:
            refused = Refusal(f"the root module {others[0] or '.'} reads it too, and signs in otherwise")
        fix: Fix = refused or _changed(
            state, known, [(config, one) for config, one in signed if isinstance(one, Leaving)]
        )
        notes = [*_keys(state), *_of_integration(context, state, root)]
        if isinstance(fix, Rewrite) and not fix.edits:
            fix = LeftAlone("its role is assumed with that of the environment")
        yield RULE.finding(state.place, message, fix, root.group, notes)


def _of_integration(context: Context, state: RemoteState, root: AmbientRoot) -> Iterator[Note]:
    for one in state.configs:
        yield from state_notes(context.workspace, one.backend, root)


def _native_roots(context: Context, state: RemoteState) -> list[Root] | Refusal | None:
    """The root modules that read the state where it is to sign in by itself; None where a hook does that."""
    strategies = context.wishes.strategies
    reading = [one for one in context.facts.roots if state in one.remote_states]
    if context.config.backend_auth is BackendAuth.NATIVE:
        return reading
    if not any(strategies.of(one).is_native for one in reading):
        return None
    known = {one.module.path for one in reading if strategies.of(one).is_native}
    others = {one.module.path for one in reading} | {one.path for one in context.workspace.roots_of(state.module)}
    if missing := sorted(others - known):
        return Refusal(f"not every root module that reads it can sign in by itself: {missing[0] or '.'}")
    return reading


def _native_findings(
    context: Context, state: RemoteState, known: set[tuple[str, Span]], roots: list[Root]
) -> Iterator[Finding]:
    """One finding for each root module, or one of no group where none is known."""
    strategies = context.wishes.strategies
    message = f"{state.block.title()}: {', '.join(state.names)}"
    roles = {strategies.role(one) for one in roots}
    options = context.config.at(roots[0].module.path if len(roots) == 1 else state.module.path)
    signed = list(_signed(options, state, roles.pop() if len(roles) == 1 else options.role_arn))
    refused = next((one for _, one in signed if isinstance(one, Refusal)), None)
    made = [(config, one) for config, one in signed if isinstance(one, SignIn)]
    fix = refused or _changed(
        state, known, [(one, Leaving(own.remove, (), own.append, own.outcome)) for one, own in made]
    )
    notes = [*_keys(state)]
    for config, one in signed:
        notes += one.notes(config.backend) if isinstance(one, SignIn) else ()
    for root in roots or (None,):
        told = fix
        if isinstance(fix, Rewrite) and root is not None:
            told = Rewrite(fix.edits, since(fix.outcome, strategies.of(root).because))
        group = root.group if root is not None and root.is_migrated(context.config.include_ambient) else None
        yield RULE.finding(state.place, message, told, group, notes)


def _signed(options: Options, state: RemoteState, role: str | None) -> Iterator[tuple[Config, SignIn | Refusal]]:
    changed = [one for one in state.configs if one.changes or one.backend.assumes_role]
    carriers = [one for one in changed if one.backend.assumes_role] or changed[-1:]
    for one in changed:
        yield one, sign_in(one.backend, options, role, has_own=one in carriers, may_vary=True)


def _changed(state: RemoteState, known: set[tuple[str, Span]], made: list[tuple[Config, Leaving]]) -> Rewrite | Refusal:
    edits: list[Edit] = []
    for config, one in made:
        document, part = config.backend.document, config.part
        if one.is_empty:
            continue
        for name in part.locals if part else ():
            if is_used_beside(state.module, name, known):
                return Refusal(f"{name} has them, and is used elsewhere too")
        try:
            if part is None:
                edits += document.change(config.backend.block, BodyChange(one.remove, one.comment_out, one.append))
            else:
                edits += document.syntax.change_object(
                    document.path, document.text, part.value, one.remove, one.comment_out, one.append
                )
        except SyntaxProblem as problem:
            return Refusal(problem.reason)
    return Rewrite(tuple(edits), ", ".join(dict.fromkeys(one.outcome for _, one in made if one.outcome)))


def _roots(context: Context, state: RemoteState) -> list[Root] | Refusal:
    """The root modules that read the state, each of which gets a hook, or has one."""
    reading = [one for one in context.facts.roots if state in one.remote_states]
    unhooked = [one.module.path for one in reading if not context.wishes.strategies.needs_hook(one)]
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
    return change(document.path, document.text, config.part.value, backend.credentials, backend.role_family, ())


def _notes(state: RemoteState, root: Root) -> Iterator[Note]:
    yield from _keys(state)
    if state.role_arns - root.role_arns:
        yield Note(
            "let the hook's role read the states for which another role was assumed before, at", (str(state.place),)
        )


def _keys(state: RemoteState) -> Iterator[Note]:
    for config in state.configs:
        yield from rotate(config.backend)


RULE = Rule(
    "remote-state", "what reads a state from S3 leaves signing in to the hook, or does it with web identity", check
)
