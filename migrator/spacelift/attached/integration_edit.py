"""New AWS integrations of Spacelift: an integration for each role and space of a module, attached to stacks.

https://docs.spacelift.io/integrations/cloud-providers/aws describes how Spacelift assumes the role. The trust policy is
in ``spacelift_aws_integration_attachment_external_id`` of https://search.opentofu.org/provider/spacelift-io/spacelift.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from migrator.spacelift.attached.diagnostics import STACK_NOT_IN_TERRAFORM
from migrator.spacelift.attached.integrations import INTEGRATION
from migrator.spacelift.attached.resources import (
    Shared,
    Sharing,
    block_edits,
    home_of,
    identifier,
    of_same_provider,
    sharing_objection,
    space_of,
)
from migrator.spacelift.stacks.model import StackDefinition, TerraformDefinition
from migrator.syntax.hcl.strings import quote
from migrator.syntax.languages import HCL
from migrator.syntax.terraform import Literal, NewArgument, NewBlock, Reference
from migrator.terraform.expressions.scopes import ModuleScope
from migrator.terraform.origins import account_of

if TYPE_CHECKING:
    from migrator.config.config import Config
    from migrator.model.findings import Refusal
    from migrator.spacelift.stacks.terraform import Stack
    from migrator.span import Edit
    from migrator.workspace.workspace import Workspace

_KIND = Shared(INTEGRATION, f"{INTEGRATION}_attachment", "integration_id", "aws")
_EXTERNAL_ID = f"{INTEGRATION}_attachment_external_id"
_NEW_FILE = "aws_integration.tf"
_USUAL_DURATION = 3600
"""The duration in Spacelift's console; the provider's own default is 900."""

_BOTH = (NewArgument("read", Reference("true")), NewArgument("write", Reference("true")))


class Integrations:
    """The integrations of a repository; ``roles`` pairs the stacks that need an integration with its role."""

    def __init__(self, workspace: Workspace, config: Config, roles: Sequence[tuple[StackDefinition, str]]) -> None:
        self._workspace = workspace
        self._config = config
        self._roles = roles
        self._sharing = Sharing(workspace, _KIND, roles)

    def attach(self, definition: StackDefinition, role: str) -> tuple[Edit, ...] | Refusal:
        """The edits after which an integration with ``role`` is attached to a stack."""
        refusal = sharing_objection(definition)
        if refusal or not isinstance(definition, TerraformDefinition):
            return refusal or STACK_NOT_IN_TERRAFORM.refusal()
        stack = definition.source
        label = _existing(stack, role)
        blocks: list[tuple[Stack, NewBlock]] = []
        if label is None:
            label, stacks = self._sharing.label(stack, role), self._sharing.stacks(stack, role)
            blocks.append((stacks[0], self._integration(label, role, space_of(stack))))
        blocks.append((stack, self._sharing.attachment(stack, role, label, *_BOTH, *_wait_for_role(stack, role))))
        return block_edits(self._workspace, blocks, _NEW_FILE)

    def trust(self, role: str) -> str:
        """The role as a resource, with the trust policy that Spacelift requires for all stacks of the role."""
        blocks: dict[tuple[str, ...], NewBlock] = {}
        for stack, stack_role in self._roles:
            if stack_role == role and isinstance(stack, TerraformDefinition) and not sharing_objection(stack):
                label = _existing(stack.source, role) or self._sharing.label(stack.source, role)
                attachment = self._sharing.attachment(stack.source, role, label, *_BOTH)
                data = NewBlock("data", (_EXTERNAL_ID, attachment.labels[1]), attachment.arguments)
                blocks[data.labels] = of_same_provider(stack.source, data)
        return "\n".join((*map(_written, blocks.values()), _role(role, list(map(_statement, blocks.values())))))

    def _stacks(self, role: str) -> list[Stack]:
        return [
            stack.source
            for stack, stack_role in self._roles
            if stack_role == role and isinstance(stack, TerraformDefinition)
        ]

    def to_paste(self, role: str) -> str:
        """An integration with ``role``, attached to a stack that is not known here, and the role itself."""
        holder = NewArgument("integration_id", Reference(f"{INTEGRATION}.{_KIND.name}.id"))
        arguments = (holder, NewArgument("stack_id", Literal("the stack's slug")), *_BOTH)
        data = NewBlock("data", (_EXTERNAL_ID, "stack"), arguments)
        attachment = NewBlock("resource", (_KIND.attachment, "stack"), arguments)
        integration = self._integration(_KIND.name, role, None)
        return "\n".join((*map(_written, (integration, attachment, data)), _role(role, [_statement(data)])))

    def _integration(self, label: str, role: str, space: str | None) -> NewBlock:
        is_several = len({space_of(stack) for stack in self._stacks(role)}) > 1
        name = f"{role.rpartition('/')[2]}-{account_of(role)}"
        name += f"-{identifier(space)}" if space and is_several else ""
        seconds = self._config.session_duration or _USUAL_DURATION
        arguments = (
            NewArgument("name", Literal(name)),
            NewArgument("role_arn", Literal(role)),
            NewArgument("duration_seconds", Reference(str(seconds))),
            NewArgument("generate_credentials_in_worker", Reference("false")),
            *((NewArgument("space_id", Reference(space)),) if space is not None else ()),
        )
        return NewBlock("resource", (INTEGRATION, label), arguments)


def _wait_for_role(stack: Stack, role: str) -> Iterator[NewArgument]:
    """The argument that makes an attachment, which AWS checks at creation, wait for a role of the same module."""
    for document, block in stack.module.blocks("resource", "aws_iam_role"):
        named = ModuleScope(stack.module).argument(document, block, "name")
        if named is not None and named.string == role.rpartition("/")[2]:
            yield NewArgument("depends_on", Reference(f"[{'.'.join(block.labels)}]"))
            return


def _existing(stack: Stack, role: str) -> str | None:
    """The integration of the module that has the role in the stack's space, if there is one."""
    for document, block in stack.module.blocks("resource", INTEGRATION):
        role_arn = ModuleScope(stack.module).argument(document, block, "role_arn")
        is_alone = not any(block.attribute(name) for name in ("count", "for_each"))
        same_home = home_of(document, block) == home_of(stack.document, stack.block)
        if is_alone and same_home and role_arn is not None and role_arn.string == role:
            return block.labels[1]
    return None


def _statement(data: NewBlock) -> str:
    """The statement that a data source, or each of those that a block makes, asks for."""
    address, name = f"data.{'.'.join(data.labels)}", "assume_role_policy_statement"
    if any(new_argument.name in ("count", "for_each") for new_argument in data.arguments):
        return f"[for attachment in {address} : jsondecode(attachment.{name})]"
    return f"[jsondecode({address}.{name})]"


def _role(role: str, statements: Sequence[str]) -> str:
    """The role as a resource."""
    path, name = role.partition(":role/")[2].rpartition("/")[::2]
    own_path = f"\n  path = {quote(f'/{path}/')}" if path else ""
    statement = statements[0] if len(statements) == 1 else f"concat({', '.join(statements)})"
    return f"""resource "aws_iam_role" "{identifier(name)}" {{
  name = {quote(name)}{own_path}

  assume_role_policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = {statement}
  }})
}}
"""


def _written(block: NewBlock) -> str:
    return HCL.add_block("", "", block).text.lstrip()
