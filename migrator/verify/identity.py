"""Who signs in a root module: what the table of who signs predicts, what was seen, and the accounts of before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migrator.model.findings import LeftAlone
from migrator.model.verification import OPEN, Proof, failed, not_proven, proven, worst
from migrator.terraform.providers import aws_providers
from migrator.terraform.signing import ENVIRONMENT, Environment, Signer, backend_sign_in, provider_sign_in, signer
from migrator.verify import diagnostics as said
from migrator.workspace.discover import Kind

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.roots import Root
    from migrator.verify.stacks import RunStack

_CELL = "identity"
_ACCOUNT = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):role/")
_CALLER = re.compile(r"arn:aws[\w-]*:(?:iam|sts)::(\d{12}):")
_VARIABLE = re.compile(r"var\.([\w-]+)")
_ROLES = re.compile(r"aws_role_arn\w*")
_UNKNOWN_HOOK = Signer("web identity of a role that the stack sets, by the hook", is_keyless=True)


@dataclass(frozen=True, slots=True)
class Signed:
    """What signs (``who``), ``by`` whom, and the roles that are ``assumed`` after that.

    ``token_files`` are the paths of the tokens that it reads.
    """

    who: str
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
    """The account of a caller's ARN, as ``aws sts get-caller-identity`` prints it; ``""`` if there is none."""
    match = _CALLER.search(arn)
    return match[1] if match else ""


def environment_of(stack: RunStack | None, hook_role: str, has_hook: bool) -> Environment:
    """What the runs of a stack have around them once its hooks have run."""
    if stack is None:
        return Environment()
    if has_hook:
        known = Signer(f"web identity {hook_role}", hook_role, is_keyless=True)
        return Environment(rest=known if hook_role else _UNKNOWN_HOOK)
    variables = stack.variables
    role = variables.get("AWS_ROLE_ARN", "") if "AWS_WEB_IDENTITY_TOKEN_FILE" in variables else ""
    return Environment(has_keys=stack.has_static_keys, web_identity=role or ("a role" if role is None else ""))


def backend_signer(context: Context, root: Root, environment: Environment) -> Signed:
    """Who signs for the state."""
    parts = [root.backend, *(backend for backend in root.backends if backend.is_partial)]
    sign_in = backend_sign_in(context.workspace, parts)
    return Signed(root.backend.title, signer(sign_in, environment), sign_in.assumed)


def provider_signers(context: Context, path: str, environment: Environment) -> Iterator[Signed]:
    """Who signs for the providers of a root module and of the modules that it calls."""
    workspace = context.workspace
    for inner in (path, *sorted(workspace.reached_from(path))):
        module = workspace.modules.get(inner)
        where = f" in {inner or '.'}" if inner != path else ""
        for provider in aws_providers(module) if module is not None else ():
            is_lead = provider is provider.family[0] and provider.document.kind is not Kind.TEST
            if is_lead and not isinstance(provider.skip_reason, LeftAlone):
                sign_in = provider_sign_in(workspace, provider)
                by, files = signer(sign_in, environment), tuple(provider.token_files)
                yield Signed(provider.title + where, by, sign_in.assumed, files)


def signers_of(
    context: Context, path: str, stack: RunStack | None, environment: Environment, role_arn: str | None
) -> Iterator[Signed]:
    """Who signs for the backend and the providers of a root module, with the values of role variables filled in."""
    root = next((item for item in context.facts.roots if item.module.path == path), None)
    values = _role_values(context, path, stack, role_arn)
    found = [backend_signer(context, root, environment)] if root is not None else []
    yield from (_resolved(item, values) for item in (*found, *provider_signers(context, path, environment)))


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
    """Who signs in, as far as that is proven; ``seen`` is who signed for the state in the emulated AWS.

    ``role_arn`` is the value of role variables that no file knows, ``tokens`` are the paths of the run's token.
    """
    if stack is not None and stack.overrides:
        title, reason = stack.overrides[0]
        return failed(_CELL, said.OVERRIDDEN.refusal(title=title, reason=reason))
    now = [backend_signer(context, root, environment)] if root is not None else []
    values = _role_values(context, path, stack, role_arn)
    now += (_resolved(item, values) for item in provider_signers(context, path, environment))
    old = _old(before, path)
    proofs = [proof for item in now if (proof := _of(item, old, environment)) is not None]
    paths = ((item.who, token_file) for item in now for token_file in item.token_files)
    proofs += (
        failed(_CELL, said.OTHER_TOKEN.refusal(who=who, found=found, token=tokens[0]))
        for who, found in paths
        if found not in tokens
    )
    if root is not None and seen is None:
        proofs.append(not_proven(_CELL, said.UNSEEN.refusal(who=now[0].who)))
    elif root is not None and environment.rest != _UNKNOWN_HOOK and seen != now[0].roles:
        found = ", then ".join(seen or ("other credentials",))
        proofs.append(failed(_CELL, said.OTHER_SIGNER.refusal(who=now[0].who, found=found, expected=now[0].by.said)))
    proofs += (
        not_proven(_CELL, said.NO_ROLE_VALUE.refusal(name=f"TF_VAR_{name}"))
        for name, value in values.items()
        if not value
    )
    if environment.rest == _UNKNOWN_HOOK:
        proofs.append(not_proven(_CELL, said.NO_HOOK_ROLE.refusal()))
    verdict = worst(proofs)
    if verdict in OPEN:
        return next(proof for proof in proofs if proof.verdict is verdict)
    who = "; ".join(f"{item.who}: {item.by.said}" for item in now)
    return proven(_CELL, f"Signs in as the report of the migration says. {who}.")


def _of(item: Signed, old: Mapping[str, Signed], environment: Environment) -> Proof | None:
    """What is wrong with one signer; None if nothing is."""
    before = old.get(item.who)
    if not item.by.is_keyless:
        return failed(_CELL, said.STATIC_KEYS.refusal(who=item.who, found=item.by.said))
    if environment.rest == ENVIRONMENT and not item.by.role:
        if before is None or before.by != item.by:
            return not_proven(_CELL, said.UNKNOWN_SIGNER.refusal(who=item.who, found=item.by.said))
        return None
    if before is not None and before.account and item.account and before.account != item.account:
        why = said.OTHER_ACCOUNT.refusal(who=item.who, before=before.account, after=item.account)
        return failed(_CELL, why)
    return None


def _old(before: Context | None, path: str) -> dict[str, Signed]:
    if before is None:
        return {}
    nobody = Environment()
    root = next((item for item in before.facts.roots if item.module.path == path), None)
    found = [backend_signer(before, root, nobody)] if root is not None else []
    found += provider_signers(before, path, nobody) if path in before.workspace.modules else ()
    return {item.who: item for item in found}


def _role_values(context: Context, path: str, stack: RunStack | None, role_arn: str | None) -> dict[str, str]:
    """The role variables of a root module, each with its value; ``""`` if no file knows the value."""
    module = context.workspace.modules[path]
    found: dict[str, str] = {}
    for document, block in module.blocks("variable"):
        name = block.labels[0] if block.labels else ""
        if not _ROLES.fullmatch(name):
            continue
        default = block.attribute("default")
        given = module.value(name)
        value = (stack.known_variables.get(f"TF_VAR_{name}", "") if stack else "") or role_arn or ""
        if not value and given is not None and given[1] is not None:
            value = (given[0].literal(given[1]) or "in a file") if given else ""
        if not value and default is not None and document.expression(default) != "null":
            value = document.literal(default) or "by default"
        found[name] = value
    return found


def _resolved(item: Signed, values: Mapping[str, str]) -> Signed:
    """The signer with the value of the variable that holds its role, if the variable is the root module's own."""
    match = _VARIABLE.fullmatch(item.by.role)
    value = values.get(match[1], "") if match and " in " not in item.who else ""
    if not match or not value:
        return item
    return replace(item, by=replace(item.by, said=item.by.said.replace(item.by.role, value), role=value))
