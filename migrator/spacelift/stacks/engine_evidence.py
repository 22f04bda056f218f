"""Evidence in stack definitions about the engine of their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model.engine import FIRST_NATIVE, Evidence
from migrator.model.version_constraints import bounds

if TYPE_CHECKING:
    from migrator.spacelift.stacks.runtime_config import StackEntry
    from migrator.spacelift.stacks.terraform import Stack

_VENDORS = {"opentofu": ("workflow_tool", "version"), "terragrunt": ("tool", "terraform_version")}
"""The blocks that name an engine, and their arguments for the tool and for the version."""


def stack_evidence(stack: Stack) -> tuple[Evidence, ...]:
    """The evidence in a stack's definition about the engine of its runs."""
    place = str(stack.place)
    for vendor, (tool_argument, version_argument) in _VENDORS.items():
        if block := stack.vendor_block(vendor):
            default = "OPENTOFU" if vendor == "opentofu" else "TERRAFORM_FOSS"
            name = block.string(tool_argument, default)
            return version_evidence(place, name, block.string(version_argument)) if name is not None else ()
    if any(nested.labels[:1] == (vendor,) for nested in stack.block.blocks("dynamic") for vendor in _VENDORS):
        return ()
    tool, version = stack.argument("terraform_workflow_tool"), stack.argument("terraform_version")
    if tool is not None and not tool.is_null and tool.string is None:
        return ()
    name = tool.string if tool else None
    if version is not None and not version.is_null:
        return version_evidence(place, name, version.string)
    return (
        (_capped(place, is_default=True),)
        if name is None and stack.is_resource
        else version_evidence(place, name, None)
    )


def entry_evidence(path: str, entry: StackEntry) -> tuple[Evidence, ...]:
    """The evidence of ``.spacelift/config.yml`` on a stack's engine."""
    is_tofu = entry.workflow_tool == "OPEN_TOFU" or entry.opentofu_version is not None
    version = (entry.opentofu_version if is_tofu else None) or entry.terraform_version
    tool = "OPEN_TOFU" if is_tofu else entry.workflow_tool
    return version_evidence(f"{path} ({'.'.join(map(str, entry.keys))})", tool, version)


def version_evidence(place: str, tool: str | None, version: str | None) -> tuple[Evidence, ...]:
    """The evidence in a stack's workflow tool and version; None for an argument that is not set.

    A tool of the user's own may be any version, whatever version the stack names. Spacelift's own Terraform ends with
    1.5.7, but the version of a stack has precedence.
    """
    if tool in ("CUSTOM", "MANUALLY_PROVISIONED"):
        return ()
    low, high = bounds(version or "")
    if tool in ("OPEN_TOFU", "OPENTOFU"):
        name = f"the stack runs OpenTofu {version}" if version else "the stack runs OpenTofu"
        return (Evidence(name, place, max(low, FIRST_NATIVE), high, is_tofu=True),)
    evidence = (Evidence(f"terraform_version is {version}", place, low, high),) if version else ()
    is_capped = tool == "TERRAFORM_FOSS" and low < FIRST_NATIVE < high
    return (*evidence, _capped(place)) if is_capped else evidence


def _capped(place: str, *, is_default: bool = False) -> Evidence:
    runs = "the stack runs TERRAFORM_FOSS, and the last version, 1.5.7, does not support OIDC in the backend"
    return Evidence(runs, place, high=FIRST_NATIVE, is_default=is_default)
