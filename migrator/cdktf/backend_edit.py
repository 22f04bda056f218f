"""Backends and remote states of a CDKTF program that sign in by themselves.

``S3Backend(…)`` and ``DataTerraformRemoteStateS3(…)`` take ``assume_role_with_web_identity`` as a struct, or as a dict
with its fields: https://developer.hashicorp.com/terraform/cdktf/concepts/remote-backends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.cdktf.calls import WEB_IDENTITY, CdktfCall
from migrator.cdktf.diagnostics import BACKEND_ARGUMENTS_UNKNOWN, BACKEND_ROLE_IS_OBJECT
from migrator.syntax.python import edit as python_edit
from migrator.terraform.backend_edit import NESTED_NAMES, OF_WEB_IDENTITY
from migrator.terraform.backends import ROLE_FAMILY
from migrator.terraform.diagnostics import NO_WEB_IDENTITY_ROLE, ROLE_ARGUMENTS, ROLE_IGNORED, TWO_ROLES

if TYPE_CHECKING:
    from migrator.config.config import Config
    from migrator.model.findings import Refusal
    from migrator.span import Edit
    from migrator.syntax.python.items import Items


class PythonSignIn(Struct, frozen=True):
    """How a call comes to sign in by itself: the ``role`` if it is a literal, and the arguments to be written."""

    call: CdktfCall
    role: str | None
    arguments: tuple[str, ...]

    @property
    def outcome(self) -> str:
        """The new sign-in, for people."""
        return f"web identity with {self.role or 'the assumed role'}"

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The arguments in the place of the first of those that go."""
        path, text, arguments = self.call.document.path, self.call.program.text, self.call.call.arguments
        gone = [*self.call.credentials, *self.call.role_family]
        own = min((item for holder, item in gone if holder is arguments), key=lambda entry: entry.span, default=None)
        starred = next((item for item in arguments.items if item.star == "**"), None)
        new = ",\n".join(self.arguments)
        edits: list[Edit] = []
        if own is not None:
            edits += python_edit.replace(path, text, arguments, own, new)
        elif starred is not None:
            edits.append(python_edit.insert_before(path, text, starred, new))
        else:
            edits += python_edit.append(path, text, arguments, new)
        for holder in self.call.call.holders:
            edits += python_edit.remove(
                path, text, holder, [entry for of, entry in gone if of is holder and entry is not own]
            )
        return tuple(edits)


def python_sign_in(call: CdktfCall, config: Config) -> PythonSignIn | Refusal:
    """How the backend or remote state ``call`` signs in by itself: with its own role, else with one of the options.

    Where ``--backend-role-arn`` names another than the role that was assumed before, that one is chained after it.
    """
    members = dict(_members(call)) if call.role_arn is not None else {}
    nested, named = call.call.keyword("assume_role"), config.backend_role_arn
    has_object = nested is not None and not call.program.is_none(nested)
    if any(item.name in ROLE_FAMILY for item in call.ignored):
        return ROLE_IGNORED.refusal()
    if has_object and members:
        return TWO_ROLES.refusal()
    if unseen := sorted(name for name, value in members.items() if value is None):
        return BACKEND_ARGUMENTS_UNKNOWN.refusal(names=", ".join(f"`{name}`" for name in unseen))
    own = call.program.string(call.role_arn) if call.role_arn else None
    known = {name: value for name, value in members.items() if value is not None}
    text = call.program.text
    comments = {
        NESTED_NAMES[item.name or ""]: python_edit.comment_behind(text, holder, item)
        for holder, item in call.role_family
    }
    if named is not None and (has_object or (known and own != named)):
        chained = (_dict("assume_role", known, comments),) if known else ()
        return PythonSignIn(call, named, (_web_identity(call, config, _quoted(call, named), {}), *chained))
    if has_object:
        return BACKEND_ROLE_IS_OBJECT.refusal()
    if lost := [name for name in known if name not in ("role_arn", *OF_WEB_IDENTITY)]:
        return ROLE_ARGUMENTS.refusal(names=", ".join(lost))
    role = named or config.role_arn
    if not known:
        return NO_WEB_IDENTITY_ROLE.refusal() if role is None else _fresh(call, config, role)
    kept = {name: known[name] for name in OF_WEB_IDENTITY if name in known}
    return PythonSignIn(call, own, (_web_identity(call, config, known["role_arn"], kept, comments),))


def _fresh(call: CdktfCall, config: Config, role: str) -> PythonSignIn:
    return PythonSignIn(call, role, (_web_identity(call, config, _quoted(call, role), {}),))


def _members(call: CdktfCall) -> Iterator[tuple[str, str | None]]:
    """The members of ``assume_role`` that the flat arguments are, in Python's terms; None where that is not known."""
    for holder, item in call.role_family:
        yield NESTED_NAMES[item.name or ""], _value(call, holder, item.name or "", item.value.of(call.program.text))


def _value(call: CdktfCall, holder: Items, name: str, written: str) -> str | None:
    if name == "assume_role_duration_seconds":
        return f'"{written}s"' if written.isascii() and written.isdigit() else None
    if holder is call.call.arguments:
        return written
    found = next(item for scope, item in call.role_family if scope is holder and item.name == name)
    literal = call.program.string(found)
    return None if literal is None else _quoted(call, literal)


def _web_identity(
    call: CdktfCall, config: Config, role: str, kept: dict[str, str], comments: Mapping[str, str] = MappingProxyType({})
) -> str:
    token = _quoted(call, config.token_file)
    return _dict(WEB_IDENTITY, {"role_arn": role, "web_identity_token_file": token, **kept}, comments)


def _dict(name: str, entries: dict[str, str], comments: Mapping[str, str]) -> str:
    lines = "".join(f'    "{key}": {value},  {comments.get(key, "")}'.rstrip() + "\n" for key, value in entries.items())
    return f"{name}={{\n{lines}}}"


def _quoted(call: CdktfCall, text: str) -> str:
    return python_edit.quote(call.program, text)
