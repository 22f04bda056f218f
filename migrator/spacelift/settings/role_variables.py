"""Variables about roles, and Terraform's variables, which runs of stacks get by resources, contexts and files.

See https://search.opentofu.org/provider/spacelift-io/spacelift/latest/docs/resources/environment_variable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from migrator.errors import SyntaxProblem
from migrator.model.findings import Place
from migrator.regex import regex
from migrator.spacelift.attached.reach import Reaches
from migrator.spacelift.settings.model import SetVariable
from migrator.spacelift.stacks.resource import resources
from migrator.spacelift.stacks.runtime_config import PATH, StackEntry, parse
from migrator.syntax.yaml.tree import string_at

if TYPE_CHECKING:
    from migrator.spacelift.stacks.model import StackDefinition
    from migrator.workspace.workspace import Workspace

_RESOURCE = "spacelift_environment_variable"
_OF_ROLES = regex(r"AWS_ROLE_ARN|AWS_WEB_IDENTITY_TOKEN_FILE|(?:ro_|wo_)?TF_VAR_[\w-]+|TF_CLI_ARGS(?:_init)?")
"""The names that anybody asks for: of a stack's many variables, few are looked at closely."""


class StackVariables:
    """The variables with roles in the runs of the ``stacks`` of a repository, read on first use."""

    def __init__(self, workspace: Workspace, stacks: Sequence[StackDefinition]) -> None:
        self._workspace = workspace
        self._stacks = stacks

    def of(self, stack: StackDefinition) -> list[SetVariable]:
        """The variables that the stack's runs get, as far as they are known."""
        return [*self._by_resources.get(stack, ()), *self.in_runtime_config(stack.slug or "")]

    def in_runtime_config(self, slug: str) -> list[SetVariable]:
        """The variables that the runtime configuration of this repository sets for a stack, by slug or by default."""
        return [*self._by_runtime_config.get(slug, ()), *self._by_runtime_config.get("", ())]

    @cached_property
    def _by_resources(self) -> dict[StackDefinition, list[SetVariable]]:
        variables: dict[StackDefinition, list[SetVariable]] = {}
        reaches = Reaches(self._workspace, self._stacks)
        for variable in resources(self._workspace, _RESOURCE) if self._stacks else ():
            name = variable.string("name")
            if name is not None and _OF_ROLES.fullmatch(name):
                known = SetVariable(name, variable.string("value"), variable.place)
                for stack in reaches.of(variable).stacks:
                    variables.setdefault(stack, []).append(known)
        return variables

    @cached_property
    def _by_runtime_config(self) -> dict[str, list[SetVariable]]:
        document = self._workspace.documents.get(self._workspace.scoped(PATH))
        if document is None:
            return {}
        try:
            config = parse(document.text)
        except SyntaxProblem:
            return {}  # the rule for the file reports this

        def variables(entry: StackEntry) -> Iterator[SetVariable]:
            for variable in entry.environment:
                value = string_at(config.tree.root, *variable.keys) if config.tree.root else None
                yield SetVariable(variable.name, value, Place(document.path, document.source.line(variable.span.start)))

        entries = {slug: list(variables(entry)) for slug, entry in config.stacks.items()}
        return entries | {"": list(variables(config.stack_defaults))}
