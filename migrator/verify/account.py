"""The stacks of an account, from an inventory file."""

from __future__ import annotations

import posixpath
import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from migrator.model.fleet import Code
from migrator.spacelift.inventory.file import read_inventory
from migrator.spacelift.stacks.contexts import attachments
from migrator.spacelift.stacks.engine_evidence import version_evidence
from migrator.terraform.credential_names import STATIC, plain_name
from migrator.verify.stacks import READER as READER_OF_LISTS
from migrator.verify.stacks import HookCommand, RunStack

if TYPE_CHECKING:
    from migrator.spacelift.inventory.account import Context, Element, Inventory, Stack
    from migrator.verify.fleet import VerifiedRepo

_VENDORS = ("StackConfigVendorTerraform", "StackConfigVendorOpenTofu")
READER = "the account"


class Account:
    """The stacks of an inventory file. Raises `MigrateError` for a file that holds none."""

    def __init__(self, path: str) -> None:
        self._inventory: Inventory = read_inventory(path)
        self._contexts = {context.id: context for context in self._inventory.contexts}
        self.stacks = [self._stack(stack) for stack in self._inventory.stacks if _is_terraform(stack)]
        self._by_slug = {stack.slug: stack for stack in self.stacks}

    @property
    def host(self) -> str:
        """The account's host."""
        return urllib.parse.urlsplit(self._inventory.endpoint).hostname or ""

    def certain(self, stack: RunStack) -> RunStack:
        """A stack of a repository, with the slug, space and labels that the account knows."""
        by_slug = self._by_slug.get(stack.slug)
        if by_slug is None:
            return stack
        variables = {**by_slug.variables, **stack.variables}
        labels = stack.labels | by_slug.labels
        return replace(stack, space=by_slug.space or stack.space, is_guess=False, labels=labels, variables=variables)

    def attached(self, stack: RunStack, repos: Sequence[VerifiedRepo]) -> RunStack:
        """A stack of the account, with the contexts that a repository attaches to the stack by its slug."""
        attached_contexts = [
            context for repo in repos for context in attachments(repo.workspace).attached_to(stack.slug)
        ]
        if not attached_contexts or stack.commands is None:
            return stack
        account = next(account_stack for account_stack in self._inventory.stacks if account_stack.id == stack.slug)
        first = min((attachment.priority or 0 for attachment in account.attached_contexts or ()), default=1)
        commands: list[HookCommand] = []
        for priority, context in attached_contexts:
            hooks = context.argument("before_init")
            strings = () if hooks is None or hooks.is_null else hooks.strings
            if strings is None or priority > first:
                reason = (
                    f"the context at {context.place} runs hooks in an order, or with values, that are not known here."
                )
                return replace(stack, commands=None, unknown=reason)
            commands += (HookCommand(text, f"the context at {context.place}") for text in strings)
        return replace(stack, commands=(*commands, *stack.commands), read_by=f"{stack.read_by} and {READER_OF_LISTS}")

    def _stack(self, stack: Stack) -> RunStack:
        contexts, doubts = self._contexts_of(stack)
        commands: list[HookCommand] = []
        for context in contexts:
            hooks = (context.hooks.before_init if context.hooks is not None else None) or ()
            commands += (HookCommand(text, f"the context {context.id}") for text in hooks)
        commands += (HookCommand(text, f"the stack {stack.id}") for text in stack.before_init or ())
        elements = [*(stack.config or ()), *(element for context in contexts for element in context.config or ())]
        vendor = stack.vendor_config
        tool = (vendor.terraform_workflow_tool or vendor.open_tofu_workflow_tool) if vendor else None
        tool = "OPEN_TOFU" if vendor and vendor.typename.endswith("OpenTofu") else tool
        integration = stack.integrations.aws if stack.integrations is not None else None
        return RunStack(
            stack.name,
            f"the account: {stack.id}",
            Code(stack.repository, _folder(stack.project_root), stack.namespace or "", stack.branch),
            stack.id,
            stack.space or "",
            is_guess=False,
            labels=frozenset(stack.labels or ()),
            commands=None if stack.before_init is None else tuple(commands),
            unknown="the account did not tell them.",
            read_by=READER,
            variables={plain_name(element.id): None for element in elements if _names_role(element)},
            has_static_keys=any(plain_name(element.id) in STATIC for element in elements),
            has_integration=bool(stack.attached_aws_integrations) or bool(integration and integration.assumed_role_arn),
            doubts=tuple(doubts),
            overrides=tuple(_mounted(elements)),
            evidence=version_evidence(f"the account: {stack.id}", tool, (vendor.version if vendor else None) or None),
        )

    def _contexts_of(self, stack: Stack) -> tuple[list[Context], list[str]]:
        """The contexts of a stack in the order of their hooks: by priority, then in reverse alphabetical order."""
        attached = list(stack.attached_contexts or ())
        by_name = sorted(
            (attachment for attachment in attached if not attachment.is_autoattached),
            key=lambda attachment: attachment.priority or 0,
        )
        by_label = [attachment for attachment in attached if attachment.is_autoattached]
        by_label.sort(key=lambda attachment: attachment.context_name or "", reverse=True)
        ids = [attachment.context_id for attachment in (*by_name, *by_label)]
        doubts = [f"the account did not tell of the context {name}" for name in ids if name not in self._contexts]
        return [self._contexts[name] for name in ids if name in self._contexts], doubts


def _is_terraform(stack: Stack) -> bool:
    return not stack.is_disabled and (stack.vendor_config is None or stack.vendor_config.typename in _VENDORS)


def _folder(project_root: str | None) -> str:
    return posixpath.normpath("/" + (project_root or "").lstrip("/")).lstrip("/")


def _names_role(element: Element) -> bool:
    name = plain_name(element.id)
    return name.startswith("TF_VAR_") or name in ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "TF_CLI_ARGS_init")


def _mounted(elements: Iterable[Element]) -> Iterator[tuple[str, str]]:
    for element in elements:
        if element.id.startswith("source/") and element.id.endswith((".tf", ".tofu", ".tf.json", ".tofu.json")):
            yield element.id, "The inventory does not say what the mounted file holds. The file overrides the source"
