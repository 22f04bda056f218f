"""The edits that change the sign-in of a call in a CDKTF program: new arguments, and removed arguments.

``S3Backend(…)`` and ``DataTerraformRemoteStateS3(…)`` take ``assume_role_with_web_identity`` as a struct, or as a dict
with its fields: https://developer.hashicorp.com/terraform/cdktf/concepts/remote-backends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from migrator.syntax.python import edit as python_edit
from migrator.syntax.terraform import Copied, Literal, NewArgument, NewObject

if TYPE_CHECKING:
    from migrator.cdktf.calls import CdktfCall
    from migrator.span import Edit
    from migrator.syntax.python.items import Item, Items
    from migrator.terraform.backend_edit import SignIn

ArgumentInHolder = tuple["Items", "Item"]
"""The holder of an argument, and the argument: the holder is the call, or a dict in the call."""


def sign_in_edits(call: CdktfCall, new_sign_in: SignIn[ArgumentInHolder]) -> Iterator[Edit]:
    """The edits that change the sign-in of a backend or remote state."""
    new_arguments = {argument.name: _value(call, argument.value) for argument in new_sign_in.append}
    return changed(call, new_arguments, new_sign_in.remove, new_sign_in.comment_out)


def changed(
    call: CdktfCall,
    new_arguments: Mapping[str, str],
    removed: Sequence[ArgumentInHolder],
    commented: Sequence[ArgumentInHolder] = (),
) -> Iterator[Edit]:
    """The edits that put new arguments in the place of the first removed argument of a call, and remove the others."""
    path, text, arguments = call.document.path, call.program.text, call.call.arguments
    empty = {name: argument for name in new_arguments if (argument := call.call.keyword(name)) is not None}
    for name, argument in empty.items():
        yield python_edit.replace_value(path, text, argument, new_arguments[name])
    added = ",\n".join(f"{name}={value}" for name, value in new_arguments.items() if name not in empty)
    first_removed = min(
        (argument for holder, argument in removed if holder is arguments),
        key=lambda argument: argument.span,
        default=None,
    )
    starred = next((argument for argument in arguments.items if argument.star == "**"), None)
    replaced = first_removed if added else None
    if replaced is not None:
        yield from python_edit.replace(path, text, arguments, replaced, added)
    elif added and starred is not None:
        yield python_edit.insert_before(path, text, starred, added)
    elif added:
        yield from python_edit.append(path, text, arguments, added)
    for scope in call.call.holders:
        removed_arguments = [argument for holder, argument in removed if holder is scope and argument is not replaced]
        yield from python_edit.remove_arguments(
            path, text, scope, removed_arguments, [argument for holder, argument in commented if holder is scope]
        )


def _value(call: CdktfCall, value: object) -> str:
    """A value in Python's syntax: an object is a dict."""
    if isinstance(value, Literal):
        return python_edit.quote(call.program, value.text)
    if isinstance(value, NewObject):
        return "{\n" + "".join(f"    {_entry(call, argument)}\n" for argument in value.items) + "}"
    if isinstance(value, Copied):
        return value.text
    raise TypeError(value)


def _entry(call: CdktfCall, argument: NewArgument) -> str:
    return f'"{argument.name}": {_value(call, argument.value)},  {argument.behind}'.rstrip()
