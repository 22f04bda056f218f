"""Spacelift's documented ``before_init`` hook, which exports temporary credentials for the backend."""

from __future__ import annotations

from migrator.analysis.stacks import Stack
from migrator.analysis.values import REFERENCE, definition
from migrator.errors import SyntaxProblem
from migrator.syntax.scanner import tokens

_COMMAND = "assume-role-with-web-identity"
_DEPTH = 4

SHELL_ROLE = "$TF_VAR_aws_role_arn"
"""The role where none is known: the shell's own variable, set on the stack."""


def hook(role_arn: str, token_file: str) -> str:
    """The shell command for ``role_arn`` (an ARN or a shell variable) and the token at ``token_file``.

    It is that of https://docs.spacelift.io/integrations/cloud-providers/oidc/aws-oidc, to the letter.
    """
    return (
        'export $(printf "AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s AWS_SESSION_TOKEN=%s"'
        f' $(aws sts {_COMMAND} --web-identity-token "$(cat {token_file})"'
        f" --role-arn {role_arn} --role-session-name spacelift-run-${{TF_VAR_spacelift_run_id}}"
        ' --query "Credentials.[AccessKeyId,SecretAccessKey,SessionToken]" --output text))'
    )


def has_hook(stack: Stack) -> bool:
    """Whether the stack's ``before_init`` exchanges a token already, in whatever spelling; comments do not count.

    Locals and variables' defaults that it refers to are looked into.
    """
    if stack.before_init is None:
        return False
    return _exchanges(stack, stack.document.expression(stack.before_init), _DEPTH)


def _exchanges(stack: Stack, expression: str, depth: int) -> bool:
    try:
        texts = [expression[one.start : one.end] for one in tokens(expression) if one.kind == "text"]
    except SyntaxProblem:  # JSON within JSON's own escapes
        texts = [expression]
    if any(_COMMAND in text for text in texts):
        return True
    meant = (definition(stack.module, reference) for reference in REFERENCE.finditer(expression)) if depth else ()
    return any(_exchanges(stack, one, depth - 1) for one in meant if one is not None)
