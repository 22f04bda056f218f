"""The identities of a root module's runs: the predicted ones, the observed ones, and the accounts of before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from migrator.model.findings import LeftAlone
from migrator.model.verification import OPEN, Proof, failed, not_proven, proven, worst
from migrator.regex import regex
from migrator.terraform.providers import aws_providers
from migrator.terraform.signing import ENVIRONMENT, Environment, Signer, backend_sign_in, provider_sign_in, signer
from migrator.verify import diagnostics
from migrator.workspace.discover import Kind

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.roots import Root
    from migrator.verify.stacks import RunStack

_CELL = "identity"
_ACCOUNT = regex(r"arn:aws[\w-]*:iam::(\d{12}):role/")
_CALLER = regex(r"arn:aws[\w-]*:(?:iam|sts)::(\d{12}):")
_VARIABLE = regex(r"var\.([\w-]+)")
_ROLES = regex(r"aws_role_arn\w*")
_UNKNOWN_HOOK = Signer("web identity of a role that the stack sets, by the hook", is_keyless=True)


class SignIn(Struct, frozen=True):
    """The sign-in of a backend or provider, called ``title``: who signs, and the roles ``assumed`` after that.

    ``token_files`` are the paths of the tokens that the sign-in reads.
    """

    title: str
    by: Signer
    assumed: tuple[str, ...] = ()
    token_files: tuple[str, ...] = ()

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles in the order in which they are assumed: ARNs, or expressions."""
        return (*filter(None, (self.by.role,)), *self.assumed)

    @property
    def account(self) -> str:
        """The account of the last role that is assumed; ``""`` if that names none."""
        match = _ACCOUNT.match(self.roles[-1]) if self.roles else None
        return match[1] if match else ""


def account_in(arn: str) -> str:
    """The account in a caller's ARN of ``aws sts get-caller-identity``; ``""`` if the ARN has none."""
    match = _CALLER.search(arn)
    return match[1] if match else ""


def environment_of(stack: RunStack | None, hook_role: str, has_hook: bool) -> Environment:
    """The environment of a stack's runs after the hooks."""
    if stack is None:
        return Environment()
    if has_hook:
        signer = Signer(f"web identity {hook_role}", hook_role, is_keyless=True)
        return Environment(default=signer if hook_role else _UNKNOWN_HOOK)
    variables = stack.variables
    role = variables.get("AWS_ROLE_ARN", "") if "AWS_WEB_IDENTITY_TOKEN_FILE" in variables else ""
    return Environment(has_keys=stack.has_static_keys, web_identity=role or ("a role" if role is None else ""))


def backend_signer(context: Context, root: Root, environment: Environment) -> SignIn:
    """The signer for the state."""
    parts = [root.backend, *(backend for backend in root.backends if backend.is_partial)]
    sign_in = backend_sign_in(context.workspace, parts)
    return SignIn(root.backend.title, signer(sign_in, environment), sign_in.assumed)


def provider_signers(context: Context, path: str, environment: Environment) -> Iterator[SignIn]:
    """The signers for the providers of a root module and of the called modules."""
    workspace = context.workspace
    for inner in (path, *sorted(workspace.reached_from(path))):
        module = workspace.modules.get(inner)
        suffix = f" in {inner or '.'}" if inner != path else ""
        for provider in aws_providers(module) if module is not None else ():
            is_lead = provider is provider.family[0] and provider.document.kind is not Kind.TEST
            if is_lead and not isinstance(provider.skip_reason, LeftAlone):
                sign_in = provider_sign_in(workspace, provider)
                by, files = signer(sign_in, environment), tuple(provider.token_files)
                yield SignIn(provider.title + suffix, by, sign_in.assumed, files)


def signers_of(
    context: Context, path: str, stack: RunStack | None, environment: Environment, role_arn: str | None
) -> Iterator[SignIn]:
    """The signers for the backend and the providers of a root module, with the values of role variables."""
    root = next((candidate for candidate in context.facts.roots if candidate.module.path == path), None)
    values = _role_values(context, path, stack, role_arn)
    signers = [backend_signer(context, root, environment)] if root is not None else []
    yield from (_resolved(signer, values) for signer in (*signers, *provider_signers(context, path, environment)))


def identity_proof(
    context: Context,
    before: Context | None,
    path: str,
    root: Root | None,
    stack: RunStack | None,
    environment: Environment,
    seen: tuple[str, ...] | None,
    role_arn: str | None,
    tokens: tuple[str, ...],
) -> Proof:
    """The proof of the identity of runs; ``seen`` are the roles that signed for the state in the emulated AWS.

    ``role_arn`` is the value of role variables without a value in any file, ``tokens`` are the paths of the run's
    token.
    """
    if stack is not None and stack.overrides:
        title, reason = stack.overrides[0]
        return failed(_CELL, diagnostics.OVERRIDDEN.refusal(title=title, reason=reason))
    sign_ins = [backend_signer(context, root, environment)] if root is not None else []
    values = _role_values(context, path, stack, role_arn)
    sign_ins += (_resolved(signer, values) for signer in provider_signers(context, path, environment))
    old = _old(before, path)
    proofs = [proof for signer in sign_ins if (proof := _objection(signer, old, environment)) is not None]
    paths = ((signer.title, token_file) for signer in sign_ins for token_file in signer.token_files)
    proofs += (
        failed(_CELL, diagnostics.OTHER_TOKEN.refusal(who=titles, found=roles, token=tokens[0]))
        for titles, roles in paths
        if roles not in tokens
    )
    if root is not None and seen is None:
        proofs.append(not_proven(_CELL, diagnostics.UNSEEN.refusal(who=sign_ins[0].title)))
    elif root is not None and environment.default != _UNKNOWN_HOOK and seen != sign_ins[0].roles:
        role_names = ", then ".join(seen or ("other credentials",))
        proofs.append(
            failed(
                _CELL,
                diagnostics.OTHER_SIGNER.refusal(
                    who=sign_ins[0].title, found=role_names, expected=sign_ins[0].by.title
                ),
            )
        )
    proofs += (
        not_proven(_CELL, diagnostics.NO_ROLE_VALUE.refusal(name=f"TF_VAR_{name}"))
        for name, value in values.items()
        if not value
    )
    if environment.default == _UNKNOWN_HOOK:
        proofs.append(not_proven(_CELL, diagnostics.NO_HOOK_ROLE.refusal()))
    verdict = worst(proofs)
    if verdict in OPEN:
        return next(proof for proof in proofs if proof.verdict is verdict)
    who = "; ".join(f"{signer.title}: {signer.by.title}" for signer in sign_ins)
    return proven(_CELL, f"Signs in as the report of the migration says. {who}.")


def _objection(signer: SignIn, old: Mapping[str, SignIn], environment: Environment) -> Proof | None:
    """The proof that one signer is wrong; None if the signer is right."""
    before = old.get(signer.title)
    if not signer.by.is_keyless:
        return failed(_CELL, diagnostics.STATIC_KEYS.refusal(who=signer.title, found=signer.by.title))
    if environment.default == ENVIRONMENT and not signer.by.role:
        if before is None or before.by != signer.by:
            return not_proven(_CELL, diagnostics.UNKNOWN_SIGNER.refusal(who=signer.title, found=signer.by.title))
        return None
    if before is not None and before.account and signer.account and before.account != signer.account:
        reason = diagnostics.OTHER_ACCOUNT.refusal(who=signer.title, before=before.account, after=signer.account)
        return failed(_CELL, reason)
    return None


def _old(before: Context | None, path: str) -> dict[str, SignIn]:
    if before is None:
        return {}
    nobody = Environment()
    root = next((candidate for candidate in before.facts.roots if candidate.module.path == path), None)
    signers = [backend_signer(before, root, nobody)] if root is not None else []
    signers += provider_signers(before, path, nobody) if path in before.workspace.modules else ()
    return {signer.title: signer for signer in signers}


def _role_values(context: Context, path: str, stack: RunStack | None, role_arn: str | None) -> dict[str, str]:
    """The role variables of a root module, each with the value; ``""`` if no file has the value."""
    module = context.workspace.modules[path]
    values: dict[str, str] = {}
    for document, block in module.blocks("variable"):
        name = block.labels[0] if block.labels else ""
        if not _ROLES.fullmatch(name):
            continue
        default = block.attribute("default")
        variable = module.value(name)
        value = (stack.known_variables.get(f"TF_VAR_{name}", "") if stack else "") or role_arn or ""
        if not value and variable is not None and variable[1] is not None:
            value = (variable[0].literal(variable[1]) or "in a file") if variable else ""
        if not value and default is not None and document.expression(default) != "null":
            value = document.literal(default) or "by default"
        values[name] = value
    return values


def _resolved(signer: SignIn, values: Mapping[str, str]) -> SignIn:
    """The signer with the value of the variable that holds its role, if the variable is the root module's own."""
    match = _VARIABLE.fullmatch(signer.by.role)
    value = values.get(match[1], "") if match and " in " not in signer.title else ""
    if not match or not value:
        return signer
    return replace(signer, by=replace(signer.by, title=signer.by.title.replace(signer.by.role, value), role=value))
