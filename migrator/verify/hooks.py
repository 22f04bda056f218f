"""The check that a stack's hook signs in: the exchange and the guard run in two shells, and nothing else runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.model.verification import Proof, failed, not_needed, not_proven, proven
from migrator.verify import diagnostics
from migrator.verify.exchange import SHELLS, Exchange, exchange_of, exported_by, is_part, missing_programs, token_for
from migrator.verify.runs import run_types, subject

if TYPE_CHECKING:
    from migrator.verify.local_aws import RecordedRun
    from migrator.verify.stacks import RunStack

_CELL = "hook"
_STAND_IN = "arn:aws:iam::123456789012:role/stand-in"
"""The role that a hook is run with if its own is known to the stack alone."""


class HookProof(Struct, frozen=True):
    """The cell, the environment of a run after the hooks, and the role of the hook; ``""`` if not known.

    ``skipped`` are the commands that were not run.
    """

    proof: Proof
    exported: Mapping[str, str]
    role: str = ""
    skipped: tuple[str, ...] = ()


class TokenSettings(Struct, frozen=True):
    """The ``path`` of a run's token, the account's ``host``, and the subject ``template`` of its tokens.

    Hooks run for the ``types`` of runs only; for all types if there are none.
    """

    path: str
    host: str
    template: str
    types: tuple[str, ...] = ()


def hook_proof(
    stack: RunStack | None,
    needs_hook: bool,
    environment: Mapping[str, str],
    aws: RecordedRun | None,
    cwd: Path,
    token: TokenSettings,
) -> HookProof:
    """Run the exchange of a stack's hooks for each type of run; ``needs_hook`` says that the backend needs one.

    ``environment`` is the environment of a stack's run before the hooks.
    """
    if stack is None:
        cell = not_proven(_CELL, diagnostics.NO_STACK.refusal()) if needs_hook else _not_needed()
        return HookProof(cell, {})
    if stack.has_integration:
        return HookProof(not_proven(_CELL, diagnostics.INTEGRATION.refusal()), {})
    if stack.commands is None:
        cell = (
            not_proven(_CELL, diagnostics.UNKNOWN_HOOKS.refusal(why=stack.unknown.rstrip(".")))
            if needs_hook
            else _not_needed()
        )
        return HookProof(cell, {})
    skipped = tuple(command.text for command in stack.commands if not is_part(command.text))
    if not any(command.is_exchange for command in stack.commands):
        cell = failed(_CELL, diagnostics.NO_HOOK.refusal()) if needs_hook else _not_needed()
        return HookProof(cell, {}, skipped=skipped)
    exchange = exchange_of(tuple(command.text for command in stack.commands))
    if exchange is None:
        return HookProof(not_proven(_CELL, diagnostics.OWN_SPELLING.refusal()), {}, skipped=skipped)
    role = exchange.role_for(stack.known_variables) or ""
    if aws is None:
        return HookProof(not_proven(_CELL, diagnostics.NO_MOTO.refusal()), {}, role, skipped)
    if missing := missing_programs():
        return HookProof(not_proven(_CELL, diagnostics.NO_SHELL.refusal(program=missing[0])), {}, role, skipped)
    cell, exported = _run(stack, exchange, environment, aws, cwd, token)
    return HookProof(cell, exported, role, skipped)


def _not_needed() -> Proof:
    return not_needed(_CELL, "No hook is needed: no provider or backend uses the credentials of the environment.")


def _run(
    stack: RunStack,
    exchange: Exchange,
    environment: Mapping[str, str],
    aws: RecordedRun,
    cwd: Path,
    token: TokenSettings,
) -> tuple[Proof, Mapping[str, str]]:
    role = exchange.role_for(stack.known_variables) or _STAND_IN
    variables = {**environment, **({exchange.variable: role} if exchange.variable else {})}
    file = cwd / "spacelift.oidc"
    exported: Mapping[str, str] = {}
    for number, run in enumerate(run_types(stack, token.types)):
        shell = SHELLS[number % len(SHELLS)]
        file.write_text(token_for(subject(stack, run, token.template), token.host))
        exported, completed = exported_by(exchange, shell, variables, cwd, (token.path, file))
        if not exported:
            reason = diagnostics.EXCHANGE_FAILED.refusal(
                shell=shell, run=run, said=completed.failure.rstrip("."), token=token.path
            )
            return failed(_CELL, reason), {}
        roles = aws.roles_of(exported["AWS_ACCESS_KEY_ID"])
        if roles != (role,):
            role_names = ", then ".join(roles) or "somebody else"
            return failed(
                _CELL, diagnostics.NOT_EXPORTED.refusal(shell=shell, found=role_names, expected=role)
            ), exported
    return _order(stack, exchange), exported


def _order(stack: RunStack, exchange: Exchange) -> Proof:
    """The further proof that a hook needs once the hook signs in."""
    if command := stack.early_caller:
        return failed(_CELL, diagnostics.TOO_EARLY.refusal(where=command))
    if not exchange.has_guard:
        return failed(_CELL, diagnostics.NO_GUARD.refusal())
    if stack.doubts:
        return not_proven(_CELL, diagnostics.UNKNOWN_CONTEXT.refusal(why=stack.doubts[0]))
    shells = " and ".join(SHELLS)
    return proven(_CELL, f"The exchange signs in, in {shells}; the list was evaluated by {stack.read_by}.")
