"""The exchange of a token for credentials by a hook, run in a shell against the emulated AWS.

No other command of a hook is ever run. Only Spacelift's documented command counts as the exchange
(https://docs.spacelift.io/integrations/cloud-providers/oidc/aws-oidc). Each part must be a path, a role, a region or
the like, so that a command with any other effect does not match.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from migrator.regex import regex
from migrator.verify.programs import CompletedProgram, run

SHELLS = ("bash", "dash")
_WORD = r"[\w@%+=:,./-]+"
_MARK = r"[\w@%+=:,./-]"
_NAME = r"\$(?:\w+|\{\w+\})"
_EXCHANGE = regex(
    r'export \$\(printf "AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s AWS_SESSION_TOKEN=%s" '
    r"\$\(aws sts assume-role-with-web-identity(?P<options>(?: --[\w-]+[ =](?:"
    rf'"\$\(cat {_WORD}\)"|"?{_NAME}"?|(?:{_MARK}|{_NAME})+|"Credentials\.\[AccessKeyId,SecretAccessKey,SessionToken\]"'
    r"))+)\)\)"
)
_GUARD = regex(r'test -n "\$\{?AWS_SESSION_TOKEN\}?"|\[ -n "\$\{?AWS_SESSION_TOKEN\}?" \]')
_UNSET = regex(r"unset(?: \w+)+")
_ROLE = regex(r"--role-arn[ =][\"']?([^\s\"']+)")
_VARIABLE = regex(r"\$\{?(\w+)\}?")
_SHOWN = "exported: "
_EXPORTED = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


class Exchange(Struct, frozen=True):
    """The exchange in a list of hooks with all related commands, and the role: an ARN or a variable."""

    commands: tuple[str, ...]
    role: str
    has_guard: bool

    def role_for(self, variables: Mapping[str, str]) -> str | None:
        """The ARN of the role in a run with ``variables``; None if that is not known."""
        match = _VARIABLE.fullmatch(self.role)
        return self.role if match is None else variables.get(match[1])

    @property
    def variable(self) -> str:
        """The variable that holds the role; ``""`` if the command names the role itself."""
        match = _VARIABLE.fullmatch(self.role)
        return match[1] if match else ""


def exchange_of(commands: tuple[str, ...]) -> Exchange | None:
    """The exchange among ``commands``, with guards and ``unset`` commands; None without a documented exchange."""
    sign_in = next((command for command in commands if _EXCHANGE.fullmatch(command.strip())), None)
    role = _ROLE.search(sign_in) if sign_in else None
    if sign_in is None or role is None:
        return None
    parts = [command.strip() for command in commands if is_part(command)]
    return Exchange(tuple(parts), role[1], any(_GUARD.fullmatch(command) for command in parts))


def is_part(command: str) -> bool:
    """Whether a command is the exchange, or may run with the exchange."""
    return any(pattern.fullmatch(command.strip()) for pattern in (_EXCHANGE, _GUARD, _UNSET))


def missing_programs() -> list[str]:
    """The programs that an exchange needs and that are not installed."""
    return [program for program in (*SHELLS, "aws") if shutil.which(program) is None]


def exported_by(
    exchange: Exchange, shell: str, environment: Mapping[str, str], cwd: Path, tokens: tuple[str, Path]
) -> tuple[dict[str, str], CompletedProgram]:
    """The credentials that the exchange exports in ``shell``; none if the exchange fails.

    ``tokens`` are the path of a run's token, and the file to use here instead.
    """
    path, file = tokens
    script = " && ".join(f"{{ {command}; }}" for command in exchange.commands).replace(path, str(file))
    variables = " ".join(f'"${name}"' for name in _EXPORTED)
    completed = run([shell, "-c", f"{script} && printf '\\n{_SHOWN}%s\\n' {variables}"], cwd, environment, 60)
    values = [line.removeprefix(_SHOWN) for line in completed.printed.splitlines() if line.startswith(_SHOWN)]
    if completed.status != 0 or len(values) != len(_EXPORTED) or not all(values):
        return {}, completed
    return dict(zip(_EXPORTED, values, strict=True)), completed


def token_for(subject: str, host: str) -> str:
    """An unsigned token of a run for the emulated AWS, which checks no signature."""
    parts = ({"alg": "none", "typ": "JWT"}, {"sub": subject, "aud": host, "iss": f"https://{host}"})
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{'.'.join(encoded)}."
