"""The level ``spacelift``: previews in the account's own workers, before any stack is changed.

A preview runs the code of a commit with a runtime configuration of its own. Lists of hooks there replace the stack's
lists, and variables override the stack's variables. Hooks after init, and an output, print markers with the identity
and the state. ``spacectl`` starts and follows the preview: https://github.com/spacelift-io/spacectl.
"""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.errors import MigrateError
from migrator.model.verification import Proof, failed, not_proven, proven
from migrator.regex import regex
from migrator.terraform.providers import aws_providers
from migrator.verify import diagnostics
from migrator.verify.identity import account_in
from migrator.verify.programs import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.verify.fleet import VerifiedRoot
    from migrator.verify.stacks import RunStack

MARK = "::oidc-proof"
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
_UNSET = "unset AWS_PROFILE AWS_DEFAULT_PROFILE"
_IDENTITY = f'echo "{MARK} identity $(aws sts get-caller-identity --query Arn --output text)"'
_STATE = f"""echo "{MARK} state $({{engine}} state pull | jq -r '[.lineage,.serial]|join(" ")')\""""
_FOUND = regex(rf"{MARK} (identity|state) ([^\"\n]*[^\"\s])")
_HOURS = 2 * 3600.0


class Previews(Struct, frozen=True):
    """The previews of one stack: of the branch, and of the commit before the migration, with their configurations."""

    stack: str
    branch: tuple[str, Path]
    before: tuple[str, Path] | None

    @property
    def commands(self) -> list[tuple[str, ...]]:
        """The commands: that of the branch, then that of the commit before."""
        return [_command(self.stack, *state) for state in (self.branch, self.before) if state is not None]

    @property
    def shown(self) -> str:
        """The commands, to be pasted."""
        return "; ".join(shlex.join(command) for command in self.commands)


def _command(stack: str, commit: str, file: Path) -> tuple[str, ...]:
    return ("spacectl", "stack", "preview", "--id", stack, "--sha", commit, "--runtime-config", str(file), "--tail")


def previews(root: VerifiedRoot, stack: RunStack, folder: Path) -> Previews | Proof:
    """Write the runtime configurations of a stack's previews into ``folder``, or return the reason why not.

    Raises `MigrateError` if a file cannot be written.
    """
    if not stack.slug or stack.commands is None or not root.repo.commit:
        reason = stack.unknown if stack.commands is None else "the slug of the stack, or the commit of the branch"
        return not_proven("identity", diagnostics.NO_PREVIEW.refusal(why=reason))
    engine = "tofu" if any(evidence.is_tofu for evidence in stack.evidence) else "terraform"
    file = folder / f"preview-{stack.slug}.yml"
    old = folder / f"preview-{stack.slug}-before.yml"
    has_session = any(command.is_exchange for command in stack.commands)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(_configuration(root, stack, engine, has_session=has_session))
        old.write_text(_configuration_before(engine))
    except OSError as error:
        raise MigrateError(f"{file} cannot be written: {error.strerror}") from None
    before = (root.repo.commit_before, old) if root.repo.commit_before else None
    return Previews(stack.slug, (root.repo.commit, file), before)


def _configuration(root: VerifiedRoot, stack: RunStack, engine: str, *, has_session: bool) -> str:
    names = ("TF_VAR_aws_role_arn", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")
    roles = {name: value for name, value in stack.known_variables.items() if name.startswith(names)}
    environment = {**dict.fromkeys(_KEYS, ""), **roles}
    commands = [_UNSET, *(command.text for command in stack.commands or ())]
    if not has_session and (probe := _probe(root)):
        commands.append(f"printf '%s' {shlex.quote(probe)} > oidc_proof.tf")
    after = [*([_IDENTITY] if has_session else ()), _STATE.replace("{engine}", engine)]
    lines = ["environment:", *(f"  {name}: {_quoted(value)}" for name, value in environment.items())]
    lines += ["before_init:", *(f"  - {_quoted(command)}" for command in commands)]
    return "\n".join([*lines, "after_init:", *(f"  - {_quoted(command)}" for command in after)]) + "\n"


def _configuration_before(engine: str) -> str:
    """The configuration for the commit before: the unchanged stack with markers."""
    commands = (_IDENTITY, _STATE.replace("{engine}", engine))
    return "\n".join(["after_init:", *(f"  - {_quoted(command)}" for command in commands)]) + "\n"


def _probe(root: VerifiedRoot) -> str:
    """Terraform code that outputs the identity of the first provider of a root module; ``""`` without a provider."""
    module = root.repo.workspace.modules.get(root.path)
    of_aws = aws_providers(module) if module is not None and not root.program else []
    providers = [provider for provider in of_aws if provider.block.labels == ("aws",)]
    if not providers:
        return ""
    alias = providers[0].document.literal(providers[0].block.attribute("alias"))
    provider = f" provider = aws.{alias} " if alias else ""
    output = f'output "oidc_proof" {{ value = "{MARK} identity ${{data.aws_caller_identity.oidc_proof.arn}}" }}'
    return f'data "aws_caller_identity" "oidc_proof" {{{provider}}} {output}'.replace("} output", "}\noutput")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def markers(printed: str) -> dict[str, str]:
    """The values in a run's markers: ``identity`` and ``state``, the last value of each."""
    return {name: value for name, value in _FOUND.findall(printed) if "$(" not in value and "${" not in value}


def preview_proofs(stack_previews: Previews, *, runs: bool) -> list[Proof]:
    """The cells that previews prove; if nobody ``runs`` the previews, the cells show the commands to run."""
    if not runs:
        reason = diagnostics.PREVIEW_NOT_RUN.refusal(command=stack_previews.shown)
        return [not_proven(cell, reason) for cell in ("state", "identity")]
    if shutil.which("spacectl") is None:
        reason = diagnostics.NO_SHELL.refusal(program="spacectl")
        return [not_proven(cell, reason) for cell in ("state", "identity")]
    previewed: list[dict[str, str]] = []
    for command in stack_previews.commands:
        completed = run(command, Path.cwd(), os.environ, _HOURS)
        if completed.status != 0:
            reason = diagnostics.PREVIEW_FAILED.refusal(said=completed.failure.rstrip("."))
            is_branch = not previewed
            return [(failed if is_branch else not_proven)(cell, reason) for cell in ("state", "identity")]
        previewed.append(markers(completed.printed))
    return [*_state(previewed), *_identity(previewed)]


def _state(previewed: list[dict[str, str]]) -> Iterator[Proof]:
    lineage, before = previewed[0].get("state"), previewed[1].get("state") if len(previewed) > 1 else None
    if not lineage or not before:
        yield not_proven("state", diagnostics.NO_MARKER.refusal(what="state"))
    elif lineage.partition(" ")[0] != before.partition(" ")[0]:
        yield failed("state", diagnostics.OTHER_STATE.refusal(name="lineage", before=before, after=lineage))
    else:
        yield proven("state", f"The preview reached the state of before: lineage and serial {lineage}.")


def _identity(previewed: list[dict[str, str]]) -> Iterator[Proof]:
    arn, before = previewed[0].get("identity"), previewed[1].get("identity") if len(previewed) > 1 else None
    if not arn:
        yield not_proven("identity", diagnostics.NO_MARKER.refusal(what="identity"))
        return
    if before and account_in(before) and account_in(arn) != account_in(before):
        subject = f"The run as {arn}"
        yield failed(
            "identity", diagnostics.OTHER_ACCOUNT.refusal(who=subject, before=account_in(before), after=account_in(arn))
        )
        return
    yield proven("identity", f"The preview signed in as {arn}. A preview proves nothing about runs that apply changes.")
