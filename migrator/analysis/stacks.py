"""The Spacelift stacks that a repository defines, and the code that each of them runs.

The arguments are those of https://search.opentofu.org/provider/spacelift-io/spacelift/latest/docs/resources/stack.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from functools import cached_property

from migrator.analysis.values import resolve
from migrator.model import Place
from migrator.syntax.terraform import Attribute, Block
from migrator.workspace import Document, Module, Workspace

_OTHER_VENDORS = frozenset({"ansible", "cloudformation", "kubernetes", "pulumi"})


@dataclass(frozen=True, eq=False)
class Stack:
    """A ``spacelift_stack`` resource; ``is_called`` tells whether its module is, so that variables may be anything."""

    module: Module
    document: Document
    block: Block
    is_called: bool

    @property
    def place(self) -> Place:
        """Where the resource begins."""
        return self.document.place(self.block)

    @property
    def title(self) -> str:
        """The resource's address."""
        return ".".join(self.block.labels)

    @property
    def before_init(self) -> Attribute | None:
        """The argument that holds the hooks before ``terraform init``."""
        return self.block.attribute("before_init")

    @cached_property
    def repository(self) -> str | None:
        """The name, without its owner, of the repository with the stack's code; None if it is not known."""
        return self._resolve("repository")

    @cached_property
    def project_root(self) -> str | None:
        """The folder with the stack's code, ``""`` for the repository's root; None if it is not known."""
        attribute = self.block.attribute("project_root")
        if attribute is None or self.document.expression(attribute) == "null":
            return ""
        folder = self._resolve("project_root")
        return None if folder is None else posixpath.normpath("/" + folder.lstrip("/")).lstrip("/")

    @property
    def is_ignored(self) -> bool:
        """Whether the user wants the stack, or its hooks, to be left alone."""
        items = (self.block, self.before_init) if self.before_init else (self.block,)
        return any(self.document.is_ignored(item) for item in items)

    @property
    def ignores_hooks(self) -> bool:
        """Whether ``lifecycle { ignore_changes }`` keeps a change of the hooks from ever being applied."""
        for lifecycle in self.block.blocks("lifecycle"):
            if ignored := lifecycle.attribute("ignore_changes"):
                names = self.document.expression(ignored)
                return "before_init" in names or names == "all"
        return False

    @property
    def is_overridden(self) -> bool:
        """Whether an override file changes the resource, and may replace its hooks."""
        blocks = self.module.blocks("resource", "spacelift_stack")
        return any(document.is_override and block.labels == self.block.labels for document, block in blocks)

    @property
    def is_repeated(self) -> bool:
        """Whether the resource stands for several stacks, or for none."""
        return any(self.block.attribute(name) for name in ("for_each", "count"))

    def _resolve(self, name: str) -> str | None:
        attribute = self.block.attribute(name)
        expression = self.document.expression(attribute) if attribute else ""
        return None if self.is_called and "var." in expression else resolve(self.module, expression)


def terraform_stacks(workspace: Workspace) -> list[Stack]:
    """Every stack of the repository that runs Terraform or OpenTofu; an override file's is its base."""
    return [
        Stack(module, document, block, module.path in workspace.calls)
        for _, module in sorted(workspace.modules.items())
        if module.is_interesting
        for document, block in module.blocks("resource", "spacelift_stack")
        if not document.is_override and not any(nested.type in _OTHER_VENDORS for nested in block.blocks())
    ]


def stacks_running(path: str, stacks: list[Stack], workspace: Workspace, *, is_only_root: bool) -> list[Stack]:
    """The ``stacks`` whose code is the root module at ``path``: by repository and project root.

    The only stack of a repository is that of its only root module with an S3 backend, unless it names another folder.
    """
    if is_only_root and len(stacks) == 1 and not stacks[0].is_repeated:
        folder = stacks[0].project_root
        return stacks if not folder or workspace.scoped(folder) == path or folder == path else []
    return [stack for stack in stacks if _place(stack, workspace) == path]


def _place(stack: Stack, workspace: Workspace) -> str | None:
    """Where in this repository the stack's code is; None if it is elsewhere, or not known."""
    if stack.repository is None or stack.project_root is None:
        return None
    return workspace.locate(stack.repository, stack.project_root, stack.document.path)
