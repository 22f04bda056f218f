"""The Spacelift stacks and contexts that a Python program defines, by CDKTF or by Pulumi.

CDKTF's generated bindings have no prefix of the provider, ``imports.spacelift.stack.Stack``. Pulumi's bindings are
https://github.com/spacelift-io/pulumi-spacelift, with plural names for hooks and an optional ``StackArgs``. Both have
the arguments of https://search.opentofu.org/provider/spacelift-io/spacelift/latest/docs/resources/stack.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from migrator.model.diagnostics import Diagnostic
from migrator.span import Span
from migrator.syntax.python.program import Program, parse

if TYPE_CHECKING:
    from migrator.model.findings import Refusal
    from migrator.syntax.python.items import Call, Item, Items

Flavour = Literal["cdktf", "pulumi"]

_FLAVOURS: dict[Flavour, tuple[str, ...]] = {
    "cdktf": ("imports.spacelift.{0}", "cdktf_cdktf_provider_spacelift.{0}"),
    "pulumi": ("pulumi_spacelift", "pulumi_spacelift.{0}"),
}
_CLASSES: dict[str, tuple[Flavour, str]] = {
    f"{module.format(kind)}.{kind.title()}": (flavour, kind)
    for flavour, modules in _FLAVOURS.items()
    for module in modules
    for kind in ("stack", "context")
}
_ARGUMENTS = frozenset(
    f"pulumi_spacelift.{module}{name}" for module in ("", "stack.", "context.") for name in ("StackArgs", "ContextArgs")
)
_OPTIONS = frozenset({"pulumi.ResourceOptions", "pulumi.resource.ResourceOptions"})
_OTHER_VENDORS = frozenset({"ansible", "cloudformation", "kubernetes", "pulumi", "pulumi_config"})
_VCS = (
    "azure_devops",
    "bitbucket_cloud",
    "bitbucket_datacenter",
    "github_enterprise",
    "gitlab",
    "raw_git",
    "showcase",
)
_PROJECT = {"azure_devops": "project"}
_STRINGS = ("repository", "project_root", "branch", "terraform_version", "terraform_workflow_tool")

STACK_ARGUMENTS_UNKNOWN = Diagnostic(
    "stack-arguments-unknown",
    found="The arguments of the stack come from a value that is made elsewhere in the program.",
    why="The value may already hold hooks, which would then be set twice.",
    help="Pass the arguments in the call itself, or add the hook by hand.",
)


class PythonStack(Struct, frozen=True):
    """A stack or context that the program at ``path`` defines at ``line``, by the call at ``span``.

    A missing or unknown value is None: `is_known` distinguishes the two. ``hooks`` are the arguments for hooks.
    ``labels`` are None if missing, or if a label is not known. ``objection`` is the reason if the arguments are not all
    known.
    """

    path: str
    line: int
    span: Span
    flavour: Flavour
    kind: str
    name: str | None
    repository: str | None
    namespace: str | None
    project_root: str | None
    branch: str | None
    autodeploy: bool | None
    manage_state: bool | None
    labels: tuple[str, ...] | None
    hooks: frozenset[str]
    unknown: frozenset[str]
    comments: str
    objection: Refusal | None
    terraform_version: str | None = None
    workflow_tool: str | None = None

    def is_known(self, field: str) -> bool:
        """Whether the value of ``field`` is known, even if the field is not set."""
        return field not in self.unknown

    def hook_argument(self, phase: str) -> str:
        """The name of the argument for the hooks of ``phase``, for example ``before_init``."""
        return hook_argument(self.flavour, phase)


def hook_argument(flavour: Flavour, phase: str) -> str:
    """The name of the argument for the hooks of ``phase``, for example ``before_init``."""
    if flavour == "cdktf":
        return phase
    return f"{phase.removesuffix('y')}ies" if phase.endswith("ly") else f"{phase}s"


def python_stacks(path: str, text: str) -> list[PythonStack]:
    """The stacks and contexts of a program that runs Terraform. Raises `SyntaxProblem` where the text is none."""
    program = parse(text)
    stacks = (_stack(path, program, call) for call in stack_calls(program))
    return [python_stack for python_stack in stacks if python_stack is not None]


def stack_calls(program: Program) -> tuple[Call, ...]:
    """The calls that make a stack or a context."""
    return program.calls(_CLASSES)


def holders(program: Program, call: Call) -> tuple[Items, ...]:
    """All lists and dicts with arguments of such a call: the call, the dicts, and the ``StackArgs``."""
    spans = [argument.value for argument in call.arguments.items if argument.name in (None, "args")]
    structs = [entry for entry in program.calls(_ARGUMENTS) if entry.span in spans]
    return (*(holder for entry in structs for holder in entry.holders), *call.holders)


def _stack(path: str, program: Program, call: Call) -> PythonStack | None:
    flavour, kind = _CLASSES[call.name]
    arguments = {
        argument.name: argument for holder in holders(program, call) for argument in holder.items if argument.name
    }
    if not _OTHER_VENDORS.isdisjoint(name for name, argument in arguments.items() if not program.is_none(argument)):
        return None
    reader = _Reader(program, arguments, set())
    strings = {name: reader.string(name) for name in _STRINGS}
    return PythonStack(
        path=path,
        line=call.line,
        span=call.span,
        flavour=flavour,
        kind=kind,
        name=reader.name(call, flavour),
        repository=strings["repository"],
        namespace=reader.namespace(),
        project_root=_normal(strings["project_root"]),
        branch=strings["branch"],
        autodeploy=reader.boolean("autodeploy"),
        manage_state=reader.boolean("manage_state"),
        labels=reader.labels(),
        hooks=frozenset(name for name in arguments if name.startswith(("before_", "after_"))),
        unknown=frozenset(reader.unknown),
        comments=_comments(program, call),
        objection=call.objection or _objection(program, call, flavour),
        terraform_version=strings["terraform_version"],
        workflow_tool=strings["terraform_workflow_tool"],
    )


def _comments(program: Program, call: Call) -> str:
    start = call.statements[-1].span.start if call.statements else call.span.start
    return program.comments_on(call.span) + program.comments_on(Span(start, start))


def _objection(program: Program, call: Call, flavour: Flavour) -> Refusal | None:
    """The reason why the arguments are not all known, for example a ``StackArgs`` made elsewhere."""
    extra = call.positional[2:] if flavour == "cdktf" else call.positional[1:]
    spans = [entry.span for entry in program.calls(_ARGUMENTS | _OPTIONS)]
    arguments = [*extra, *(argument for argument in call.arguments.items if argument.name == "args")]
    if any(argument.value not in spans and not program.is_none(argument) for argument in arguments):
        return STACK_ARGUMENTS_UNKNOWN.refusal()
    return None


def _normal(folder: str | None) -> str | None:
    return None if folder is None else posixpath.normpath("/" + folder.lstrip("/")).lstrip("/")


class _Reader(Struct, frozen=True):
    """The arguments of one call as values; names of unknown values are added to ``unknown``."""

    program: Program
    arguments: dict[str, Item]
    unknown: set[str]

    def _argument(self, name: str) -> Item | None:
        argument = self.arguments.get(name)
        return None if argument is None or self.program.is_none(argument) else argument

    def string(self, name: str, argument: Item | None = None) -> str | None:
        argument = argument or self._argument(name)
        value = self.program.string(argument) if argument else None
        if argument and value is None:
            self.unknown.add(name)
        return value

    def boolean(self, name: str) -> bool | None:
        argument = self._argument(name)
        value = self.program.boolean(argument) if argument else None
        if argument and value is None:
            self.unknown.add(name)
        return value

    def name(self, call: Call, flavour: Flavour) -> str | None:
        """The name that Spacelift shows; by default, Pulumi adds a suffix to the resource's name."""
        if flavour == "cdktf" or "name" in self.arguments:
            return self.string("name")
        resource_name = call.argument(0, "resource_name")
        return self.string("name", resource_name) if resource_name else None

    def namespace(self) -> str | None:
        for vcs in _VCS:
            argument = self._argument(vcs)
            if argument is not None:
                struct = self.program.structure(argument)
                inner_name = _PROJECT.get(vcs, "namespace")
                inner = next((entry for entry in struct.items if entry.name == inner_name), None) if struct else None
                if inner is None:
                    self.unknown.add("namespace")
                return self.string("namespace", inner) if inner else None
        return None

    def labels(self) -> tuple[str, ...] | None:
        argument = self._argument("labels")
        if argument is None:
            return None
        elements = self.program.elements(argument, through_names=True)
        values = [self.program.string(element) for element in elements.items] if elements else [None]
        if None in values:
            self.unknown.add("labels")
            return None
        return tuple(value for value in values if value is not None)
