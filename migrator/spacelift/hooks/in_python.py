"""Hooks put first into ``before_init=`` of a stack in a Python program, for any expression of the old value.

The old value may be missing, None, a list, a tuple or any expression for one: ``[hook, *(old or [])]`` is a list in
each case.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from migrator.regex import regex
from migrator.spacelift.hooks.diagnostics import HOOK_LIST_COMPUTED, HOOK_LIST_IS_STRING, HOOK_LIST_SHARED
from migrator.spacelift.stacks.exchange import EXCHANGE
from migrator.spacelift.stacks.python import Flavour, PythonStack, holders, stack_calls
from migrator.span import Edit, Span
from migrator.syntax.python import edit as python_edit
from migrator.syntax.python.program import Program, parse

if TYPE_CHECKING:
    from migrator.model.findings import Refusal
    from migrator.syntax.python.items import Call, Item, Items
    from migrator.syntax.terraform import Literal

_LATER = regex(r"\.apply\(|\bOutput\b|\bFn\.|\.list_value\b|\bToken\b")


def prepend_hooks(text: str, stack: PythonStack, phase: str, entries: Sequence[Literal]) -> tuple[Edit, ...] | Refusal:
    """The edits that put ``entries`` first into the stack's hooks of ``phase``, before the present hooks.

    ``phase`` is the argument's name in Terraform, for example ``before_init``. Raises `SyntaxProblem` if ``text`` is no
    program.
    """
    program = parse(text)
    call = _call(program, stack)
    name = stack.hook_argument(phase)
    holder, argument = _argument(program, call, name)
    if stack.objection:
        return stack.objection
    if holder.uses > 1:
        return HOOK_LIST_SHARED.refusal(name=name)
    literals = [
        (python_edit.quote(program, _escaped(literal.text, stack.flavour)), literal.comment) for literal in entries
    ]
    if argument is None:
        added = f"{name}={_list(literals)}"
        return tuple(python_edit.append(stack.path, text, holder, added))
    return _into(program, stack.path, argument, literals, name)


def has_hook(text: str, stack: PythonStack, phase: str = "before_init") -> bool:
    """Whether the stack's hooks of ``phase`` exchange a token already."""
    return any(EXCHANGE in command for command in hooks_of(text, stack, phase))


def hooks_of(text: str, stack: PythonStack, phase: str = "before_init") -> tuple[str, ...]:
    """The strings in the stack's hooks of ``phase``, with constants resolved."""
    program = parse(text)
    _, argument = _argument(program, _call(program, stack), stack.hook_argument(phase))
    return () if argument is None else tuple(program.texts(argument))


def _call(program: Program, stack: PythonStack) -> Call:
    return next(call for call in stack_calls(program) if call.span == stack.span)


def _argument(program: Program, call: Call, name: str) -> tuple[Items, Item | None]:
    """The argument called ``name`` with the list or dict around it; without the argument, the place for a new one."""
    all_holders = holders(program, call)
    matches = ((holder, argument) for holder in all_holders for argument in holder.items if argument.name == name)
    arguments = call.arguments if all_holders[0] is call.arguments else all_holders[0]
    return next(matches, (arguments, None))


def _into(
    program: Program, path: str, argument: Item, literals: Sequence[tuple[str, str]], name: str
) -> tuple[Edit, ...] | Refusal:
    text, old = program.text, argument.value.of(program.text)
    elements = program.elements(argument)
    if program.is_none(argument) or (elements and not elements.items and not elements.interior.of(text).strip()):
        return (python_edit.replace_value(path, text, argument, _list(literals)),)
    if elements is not None and elements.items:
        return tuple(python_edit.prepend(path, text, elements, literals))
    if elements is not None:
        place = Span(elements.interior.start, elements.interior.start)
        return (Edit(path, place, "".join(f"{literal}, " for literal, _ in literals)),)
    if program.string(argument) is not None:
        return HOOK_LIST_IS_STRING.refusal(name=name)
    if _LATER.search(old):
        return HOOK_LIST_COMPUTED.refusal(name=name)
    opening, closing = ("", "") if program.is_simple(argument) else ("(", ")")
    before = f"[{''.join(f'{literal}, ' for literal, _ in literals)}*({opening}"
    return (
        Edit(path, Span(argument.value.start, argument.value.start), before),
        Edit(path, Span(argument.value.end, argument.value.end), f"{closing} or [])]"),
    )


def _list(literals: Sequence[tuple[str, str]]) -> str:
    return "\n".join(["[", *(f"    {line}" for line in python_edit.element_lines(literals)), "]"])


def _escaped(command: str, flavour: Flavour) -> str:
    """The ``command`` for CDKTF, which writes strings into Terraform's JSON without escapes."""
    return command.replace("${", "$${").replace("%{", "%%{") if flavour == "cdktf" else command
