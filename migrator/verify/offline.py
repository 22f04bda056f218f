"""The level ``offline``: each root module and each stack that runs the module, against an emulated AWS."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from migrator.errors import MigrateError
from migrator.model.verification import Proof, VerifiedStack, not_needed, not_proven
from migrator.terraform.backends import s3_backends
from migrator.terraform.engine_evidence import code_evidence
from migrator.terraform.signing import Environment
from migrator.verify import diagnostics
from migrator.verify.backend import Initialised, backend_arguments, initialise, state_proof
from migrator.verify.cli_config import write_cli_config
from migrator.verify.exchange import token_for
from migrator.verify.hooks import HookProof, TokenSettings, hook_proof
from migrator.verify.identity import SignIn, backend_signer, environment_of, identity_proof
from migrator.verify.programs import bare_environment
from migrator.verify.runs import OF_STACKS, subject

if TYPE_CHECKING:
    from migrator.decide.roots import Root
    from migrator.model.findings import Refusal
    from migrator.verify.engines import EngineProgram, Engines
    from migrator.verify.fleet import VerifiedRoot
    from migrator.verify.local_aws import LocalAws, RecordedRun
    from migrator.verify.stacks import RunStack

_WITH_TOKEN = (".tf", ".tofu", ".json", ".tfbackend", ".hcl", ".tfvars")
_KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "static"}
_RUN_ID = "01HZZZZZZZZZZZZZZZZZZZZZZZ"
_HERE = "spacelift.oidc"
_ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_IAM")
"""The endpoints of services, without S3: Terraform adds the bucket's name to that host, which no resolver knows."""


class OfflineSettings(Struct, frozen=True):
    """The user's options: the number of rows ``at_once``, and whether engines ``fetch`` providers."""

    token: TokenSettings
    role_arn: str | None = None
    fetch: bool = False
    at_once: int = 2


class Offline:
    """Proves rows in ``scratch``; ``aws`` is None if there is no emulated AWS."""

    def __init__(self, engines: Engines, aws: LocalAws | None, settings: OfflineSettings, scratch: Path) -> None:
        self._engines = engines
        self._aws = aws
        self._settings = settings
        self._scratch = scratch
        self._home = scratch / "home"
        self._home.mkdir(exist_ok=True)
        self._cli_config = write_cli_config(scratch, fetch=settings.fetch)
        self._number = itertools.count()

    def rows(
        self, roots: Sequence[VerifiedRoot], report: Callable[[VerifiedStack], None]
    ) -> dict[VerifiedRoot, list[tuple[RunStack | None, VerifiedStack]]]:
        """The rows of each root module; ``report`` is called with each row."""

        def prove(root: VerifiedRoot) -> list[tuple[RunStack | None, VerifiedStack]]:
            rows = []
            for stack, row in self._of_root(root):
                report(row)
                rows.append((stack, row))
            return rows

        with ThreadPoolExecutor(self._settings.at_once) as pool:
            return dict(zip(roots, pool.map(prove, roots), strict=True))

    def _of_root(self, root: VerifiedRoot) -> Iterator[tuple[RunStack | None, VerifiedStack]]:
        if not root.program:
            self._put_token_here(root.folder)
        for stack in root.stacks or (None,):
            stack_with_role = None if stack is None else self._with_role(stack)
            try:
                yield stack, self._row(root, stack_with_role)
            except (MigrateError, OSError) as error:
                reason = diagnostics.UNKNOWN_HOOKS.refusal(why=str(error).rstrip("."))
                title, place = (stack.title, stack.place) if stack else ("", "")
                yield stack, VerifiedStack(root.path or ".", title, place, "", (not_proven("validate", reason),))

    def _with_role(self, stack: RunStack) -> RunStack:
        role_arn = stack.variables.get("TF_VAR_aws_role_arn")
        if role_arn or not self._settings.role_arn:
            return stack
        return replace(stack, variables={**stack.variables, "TF_VAR_aws_role_arn": self._settings.role_arn})

    def _put_token_here(self, folder: Path) -> None:
        """Let the copy of a root module read the token from a file in the folder, which an engine finds by name."""
        (folder / _HERE).write_text(token_for("", self._settings.token.host))
        for file in folder.iterdir():
            if file.is_file() and not file.is_symlink() and file.name.endswith(_WITH_TOKEN):
                text = file.read_bytes()
                if self._settings.token.path.encode() in text:
                    file.write_bytes(text.replace(self._settings.token.path.encode(), _HERE.encode()))

    def _row(self, verified_root: VerifiedRoot, stack: RunStack | None) -> VerifiedStack:
        if verified_root.program:
            title, place = (stack.title, stack.place) if stack else ("", "")
            reason = diagnostics.OTHER_PROGRAM.refusal(what=verified_root.program)
            return VerifiedStack(verified_root.path or ".", title, place, "", _nothing(reason))
        context, module = verified_root.repo.context, verified_root.repo.workspace.modules[verified_root.path]
        evidence = [
            *code_evidence(verified_root.repo.workspace, module, s3_backends(module)),
            *(stack.evidence if stack else ()),
        ]
        engine, is_own = self._engines.engine_for(evidence)
        title, place = (stack.title, stack.place) if stack else ("", "")
        row = VerifiedStack(verified_root.path or ".", title, place, engine.title if engine else "")
        if engine is None:
            reason = diagnostics.NO_ENGINE.refusal()
            return replace(row, proofs=_nothing(reason))
        root = next(
            (candidate for candidate in context.facts.roots if candidate.module.path == verified_root.path), None
        )
        with self._aws.run() if self._aws is not None else nullcontext() as aws:
            return self._with_engine(row, verified_root, stack, root, engine, is_own, aws)

    def _with_engine(
        self,
        row: VerifiedStack,
        verified_root: VerifiedRoot,
        stack: RunStack | None,
        root: Root | None,
        engine: EngineProgram,
        is_own: bool,
        aws: RecordedRun | None,
    ) -> VerifiedStack:
        environment = self._environment(stack, aws)
        data = self._scratch / f"run-{next(self._number)}"
        data.mkdir()
        hook = hook_proof(stack, _needs_hook(verified_root, root, stack), environment, aws, data, self._settings.token)
        if stack is not None:
            token = token_for(subject(stack, OF_STACKS[1], self._settings.token.template), self._settings.token.host)
            (verified_root.folder / _HERE).write_text(token)
        environment |= hook.exported
        backend = root if root is not None and aws is not None else None
        extra = (
            backend_arguments(root, verified_root.folder, environment, verified_root.repo.workspace.root)
            if root
            else []
        )
        arguments = [] if isinstance(extra, Proof) else extra
        with_backend = (
            backend is not None
            and not isinstance(extra, Proof)
            and _may_sign_in(hook, environment, verified_root, root)
        )
        initialised = initialise(
            engine, is_own, verified_root.folder, environment, data / "data", arguments, with_backend=with_backend
        )
        seen = aws.states[-1] if aws is not None and aws.states and initialised.backend is not None else None
        run_environment = environment_of(stack, hook.role, bool(hook.exported))
        before, role_arn = verified_root.repo.before, self._settings.role_arn
        tokens = (self._settings.token.path, _HERE)
        identity = identity_proof(
            verified_root.repo.context, before, verified_root.path, root, stack, run_environment, seen, role_arn, tokens
        )
        if hook.proof.verdict.value == "failed" and run_environment == Environment():
            identity = _by_hook(identity)
        state = self._state(verified_root, root, extra, initialised, is_own, engine, with_backend=with_backend)
        shutil.rmtree(data, ignore_errors=True)
        proofs = (initialised.validate, hook.proof, state, identity)
        return replace(row, proofs=proofs, skipped=hook.skipped)

    def _state(
        self,
        verified_root: VerifiedRoot,
        root: Root | None,
        extra: list[str] | Proof,
        initialised: Initialised,
        is_own: bool,
        engine: EngineProgram,
        *,
        with_backend: bool,
    ) -> Proof:
        if root is None:
            return not_needed("state", "The root module has no S3 backend, and the migration gives it none.")
        if isinstance(extra, Proof):
            return extra
        if self._aws is None:
            return not_proven("state", diagnostics.NO_MOTO.refusal())
        if not with_backend:
            return not_proven("state", diagnostics.NO_SESSION.refusal())
        if not is_own and root.has_web_identity:
            return not_proven("state", diagnostics.NATIVE_ELSEWHERE.refusal(engine=engine.title))
        return state_proof(initialised, root, verified_root.repo.before, is_own, engine.title)

    def _environment(self, stack: RunStack | None, aws: RecordedRun | None) -> dict[str, str]:
        """The environment of a stack's run before the hooks."""
        environment = bare_environment(self._home, with_network=self._settings.fetch)
        environment |= {"TF_CLI_CONFIG_FILE": str(self._cli_config), "TF_VAR_spacelift_run_id": _RUN_ID}
        environment |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "5"}
        if aws is not None:
            environment |= dict.fromkeys(_ENDPOINTS, aws.url)
        if stack is None:
            return environment
        path = self._settings.token.path
        environment |= _KEYS if stack.has_static_keys else {}
        return environment | {name: value.replace(path, _HERE) for name, value in stack.known_variables.items()}


def _nothing(reason: Refusal) -> tuple[Proof, ...]:
    """The cells of this level, none of them proven."""
    return tuple(not_proven(cell, reason) for cell in ("validate", "hook", "state", "identity"))


def _needs_hook(verified_root: VerifiedRoot, root: Root | None, stack: RunStack | None) -> bool:
    """Whether something of a root module would use the credentials of the environment without a hook."""
    run_environment = replace(environment_of(stack, "", False), has_keys=False)
    signers = [backend_signer(verified_root.repo.context, root, run_environment)] if root is not None else []
    return any(map(_is_of_environment, signers))


def _is_of_environment(signer: SignIn) -> bool:
    """Whether the signer uses the credentials of the environment."""
    return signer.by.is_keyless and not signer.by.role


def _may_sign_in(hook: HookProof, environment: dict[str, str], verified_root: VerifiedRoot, root: Root | None) -> bool:
    """Whether ``init`` has credentials; otherwise ``init`` would fail for the reason in the hook's cell."""
    if root is None:
        return False
    run_environment = Environment(
        web_identity=environment.get("AWS_ROLE_ARN", ""), has_keys="AWS_ACCESS_KEY_ID" in environment
    )
    return bool(hook.exported) or not _is_of_environment(
        backend_signer(verified_root.repo.context, root, run_environment)
    )


def _by_hook(identity: Proof) -> Proof:
    """The cell of the identity after a failed hook: the hook's own cell has the failure; the identity is unknown."""
    return not_proven("identity", diagnostics.NO_SESSION.refusal()) if identity.verdict.value == "failed" else identity
