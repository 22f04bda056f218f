"""Who signs in a root module: what the table of who signs predicts, what was seen, and the accounts of before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migrator.model.findings import LeftAlone
from migrator.model.verification import Proof, failed, not_proven, proven, worst
from migrator.model.verification import Verdict as Verdict
from migrator.terraform.providers import aws_providers
from migrator.terraform.signing import Environment, backend_sign_in, provider_sign_in, signer
from migrator.verify import diagnostics as said
from migrator.workspace.discover import Kind

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.roots import Root
    from migrator.verify.stacks import RunStack

_CELL = "identity"
_ACCOUNT = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):role/")
_CALLER = re.compile(r"arn:aws[\w-]*:(?:iam|sts)::(\d{12}):")
_VARIABLE = re.compile(r"web identity var\.([\w-]+)")
_STATIC = ("static key", "keys in the environment", "profile ", "fails: ", "a shared ")
_ROLES = re.compile(r"aws_role_arn\w*")


@dataclass(frozen=True, slots=True)
class Signer:
    """What signs, and who that is, in the words of the table of who signs."""

    who: str
    text: str
    token_files: tuple[str, ...] = ()

    @property
    def account(self) -> str:
        """The account of the last role that is assumed; ``""`` if no role is named."""
        accounts = _ACCOUNT.findall(self.text.rpartition(", then ")[2])
        return accounts[-1] if accounts else ""


def account_in(arn: str) -> str:
    """The account of a caller's ARN, as ``aws sts get-caller-identity`` prints it; ``""`` if there is none."""
    match = _CALLER.search(arn)
    return match[1] if match else ""


def environment_of(stack: RunStack | None, hook_role: str, has_hook: bool) -> Environment:
    """What the runs of a stack have around them once its hooks have run."""
    if stack is None:
        return Environment()
    if has_hook:
        return Environment(rest=f"web identity {hook_role or 'of the hook'}")
    variables = stack.variables
    role = variables.get("AWS_ROLE_ARN", "") if "AWS_WEB_IDENTITY_TOKEN_FILE" in variables else ""
    return Environment(has_keys=stack.has_static_keys, web_identity=role or ("a role" if role is None else ""))


def backend_signer(context: Context, root: Root, environment: Environment) -> Signer:
    """Who signs for the state."""
    parts = [root.backend, *(backend for backend in root.backends if backend.is_partial)]
    return Signer(root.backend.title, signer(backend_sign_in(context.workspace, parts), environment))


def provider_signers(context: Context, path: str, environment: Environment) -> Iterator[Signer]:
    """Who signs for the providers of a root module and of the modules that it calls."""
    workspace = context.workspace
    for inner in (path, *sorted(workspace.reached_from(path))):
        module = workspace.modules.get(inner)
        where = f" in {inner or '.'}" if inner != path else ""
        for provider in aws_providers(module) if module is not None else ():
            is_lead = provider is provider.family[0] and provider.document.kind is not Kind.TEST
            if is_lead and not isinstance(provider.skip_reason, LeftAlone):
                text = signer(provider_sign_in(workspace, provider), environment)
                yield Signer(provider.title + where, text, tuple(provider.token_files))


def signers_of(
    context: Context, path: str, stack: RunStack | None, environment: Environment, role_arn: str | None
) -> Iterator[Signer]:
    """Who signs for the backend and the providers of a root module, with the values of role variables filled in."""
    root = next((item for item in context.facts.roots if item.module.path == path), None)
    values = _role_values(context, path, stack, role_arn)
    found = [backend_signer(context, root, environment)] if root is not None else []
    yield from (_resolved(signer, values) for signer in (*found, *provider_signers(context, path, environment)))


def identity_proof(
    context: Context,
    before: Context | None,
    path: str,
    root: Root | None,
    stack: RunStack | None,
    environment: Environment,
    seen: str | None,
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
    now += (_resolved(signer, values) for signer in provider_signers(context, path, environment))
    old = _old(before, path)
    proofs = [proof for signer in now if (proof := _of(signer, old, environment)) is not None]
    paths = ((signer.who, path) for signer in now for path in signer.token_files)
    proofs += (
        failed(_CELL, said.OTHER_TOKEN.refusal(who=who, found=path, token=tokens[0]))
        for who, path in paths
        if path not in tokens
    )
    if root is not None and seen is None:
        proofs.append(not_proven(_CELL, said.UNSEEN.refusal(who=now[0].who)))
    elif root is not None and seen != now[0].text:
        proofs.append(failed(_CELL, said.OTHER_SIGNER.refusal(who=now[0].who, found=seen, expected=now[0].text)))
    proofs += (
        not_proven(_CELL, said.NO_ROLE_VALUE.refusal(name=f"TF_VAR_{name}"))
        for name, value in values.items()
        if not value
    )
    if environment.rest == "web identity of the hook":
        proofs.append(not_proven(_CELL, said.NO_ROLE_VALUE.refusal(name="The role of the hook")))
    verdict = worst(proofs)
    if verdict is not Verdict.PROVEN:
        return next(proof for proof in proofs if proof.verdict is verdict)
    who = "; ".join(f"{signer.who}: {signer.text}" for signer in now)
    return proven(_CELL, f"Signs in as the table of who signs says. {who}.")


def _of(signer: Signer, old: Mapping[str, Signer], environment: Environment) -> Proof | None:
    """What is wrong with one signer; None if nothing is."""
    before = old.get(signer.who)
    if signer.text.startswith(_STATIC):
        return failed(_CELL, said.STATIC_KEYS.refusal(who=signer.who, found=signer.text))
    if signer.text.startswith(environment.rest) and environment.rest == "the environment":
        if before is None or before.text != signer.text:
            return not_proven(_CELL, said.UNKNOWN_SIGNER.refusal(who=signer.who, found=signer.text))
        return None
    if before is not None and before.account and signer.account and before.account != signer.account:
        why = said.OTHER_ACCOUNT.refusal(who=signer.who, before=before.account, after=signer.account)
        return failed(_CELL, why)
    return None


def _old(before: Context | None, path: str) -> dict[str, Signer]:
    if before is None:
        return {}
    nobody = Environment()
    root = next((item for item in before.facts.roots if item.module.path == path), None)
    found = [backend_signer(before, root, nobody)] if root is not None else []
    found += provider_signers(before, path, nobody) if path in before.workspace.modules else ()
    return {signer.who: signer for signer in found}


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


def _resolved(signer: Signer, values: Mapping[str, str]) -> Signer:
    """The signer with the value of the variable that holds its role, if the variable is the root module's own."""
    match = _VARIABLE.search(signer.text)
    value = values.get(match[1], "") if match and " in " not in signer.who else ""
    return replace(signer, text=signer.text.replace(f"var.{match[1]}", value)) if match and value else signer
