"""Spacelift's AWS integration, and the stacks that get temporary credentials from the integration.

A resource attaches an integration, an integration attaches itself by a label, or a blueprint or the inputs of a module
that makes stacks name an integration: https://docs.spacelift.io/integrations/cloud-providers/aws.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from migrator.spacelift.attached.reach import Reach, Reaches
from migrator.spacelift.stacks.model import StackDefinition, TerraformDefinition, YamlDefinition
from migrator.spacelift.stacks.resource import Resource, resources
from migrator.syntax.yaml.parse import read

if TYPE_CHECKING:
    from migrator.model.findings import Place
    from migrator.workspace.workspace import Workspace

INTEGRATION = "spacelift_aws_integration"
_ATTACHING = (f"{INTEGRATION}_attachment", "spacelift_aws_role", "spacelift_stack_aws_role")
_INPUTS = ("aws_integration", "aws_integration_id", "aws_role_arn")
"""The inputs for an integration or its role of modules that make stacks, for example of
https://github.com/cloudposse/terraform-spacelift-cloud-infrastructure-automation.
"""

_IN_BLUEPRINT = ("attachments", "clouds", "aws")
_LENGTH_OF_HOOKS = 3


def integrations(workspace: Workspace, stacks: Sequence[StackDefinition]) -> Mapping[StackDefinition, Place]:
    """The stacks with an integration, and the place that attaches each integration."""
    places: dict[StackDefinition, Place] = {}
    for stack, place in _all(workspace, stacks) if stacks else ():
        places.setdefault(stack, place)
    return places


def _all(workspace: Workspace, stacks: Sequence[StackDefinition]) -> Iterator[tuple[StackDefinition, Place]]:
    for stack in stacks:
        if (place := _direct(stack)) is not None:
            yield stack, place
    for resource, reach in attaching(workspace, Reaches(workspace, stacks)):
        yield from ((stack, resource.place) for stack in reach.stacks)


def attaching(workspace: Workspace, reaches: Reaches) -> Iterator[tuple[Resource, Reach]]:
    """The resources that give stacks an integration, and the stacks of each."""
    for type_ in _ATTACHING:
        yield from ((attachment, reaches.of(attachment)) for attachment in resources(workspace, type_))
    for integration in resources(workspace, INTEGRATION):
        enabled, labels = integration.argument("autoattach_enabled"), integration.argument("labels")
        if enabled is not None and enabled.text != "false" and labels is not None:
            yield integration, reaches.labelled(integration, labels.strings or ())


def _direct(stack: StackDefinition) -> Place | None:
    """The place where the definition of a stack, or a resource of the stack, names an integration."""
    if isinstance(stack, TerraformDefinition):
        return _by_input(stack)
    if isinstance(stack, YamlDefinition) and stack.source.is_blueprint:
        keys = (*stack.source.keys[:-_LENGTH_OF_HOOKS], *_IN_BLUEPRINT)
        return stack.place if read(stack.document.text, stack.part).find(keys) is not None else None
    return None


def _by_input(stack: TerraformDefinition) -> Place | None:
    """The place where the call of a module that makes the stack names an integration."""
    source = stack.source
    if source.is_resource:
        return None
    enabled = source.argument("aws_integration_enabled") or source.argument("aws_role_enabled")
    if enabled is not None and enabled.text == "false":
        return None
    inputs = (source.block.attribute(name) for name in _INPUTS)
    attribute = next(
        (attribute for attribute in inputs if attribute and source.document.expression(attribute) != "null"), None
    )
    return source.document.place(attribute) if attribute is not None else None
