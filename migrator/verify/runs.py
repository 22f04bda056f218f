"""The types of runs that Spacelift has, and the exact subject of the token of each.

See https://docs.spacelift.io/integrations/cloud-providers/oidc: a tracked run of a stack without autodeploy reads until
somebody confirms the run, and writes after that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.trust.subjects import DEFAULT_TEMPLATE

if TYPE_CHECKING:
    from migrator.verify.stacks import RunStack

DEFAULT_HOST = "demo.app.spacelift.io"
_PLACEHOLDER = "unknown"
_RUN = "01HZZZZZZZZZZZZZZZZZZZZZZZ"


class RunType(Struct, frozen=True):
    """A type of run with the scope of its token."""

    name: str
    scope: str

    def __str__(self) -> str:
        return f"{self.name}/{self.scope}"


OF_STACKS = (
    RunType("PROPOSED", "read"),
    RunType("TRACKED", "read"),
    RunType("TRACKED", "write"),
    RunType("TASK", "write"),
    RunType("DESTROY", "write"),
)
OF_MODULES = (RunType("TESTING", "write"),)


def run_types(stack: RunStack, types: tuple[str, ...] = ()) -> list[RunType]:
    """The types of runs that a stack, or a module of the registry, has; those called ``types`` if there are any."""
    all_types = OF_MODULES if stack.kind == "module" else OF_STACKS
    return [run for run in all_types if not types or run.name in types]


def subject(
    stack: RunStack,
    run: RunType,
    template: str = DEFAULT_TEMPLATE,
    unknown: str = _PLACEHOLDER,
    slug: str | None = None,
) -> str:
    """The subject of a run's token; ``unknown`` replaces a space or slug that is not known."""
    space = stack.space or unknown
    values = {
        "spaceId": space,
        "spacePath": f"/root/{space}",
        "callerType": stack.kind,
        "callerId": (stack.slug if slug is None else slug) or unknown,
        "runId": _RUN,
        "runType": run.name,
        "scope": run.scope,
    }
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template
