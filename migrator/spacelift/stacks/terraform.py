"""The Spacelift stacks in a repository's Terraform code, and the code that each stack runs.

The arguments are those of https://search.opentofu.org/provider/spacelift-io/spacelift/latest/docs/resources/stack. A
call of another team's module that makes stacks counts as a definition: the inputs have the same names.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from migrator.model.fleet import Code, code_of
from migrator.regex import regex
from migrator.spacelift.stacks.resource import Resource, resources_of
from migrator.spacelift.stacks.slugs import named_slug, slug_of

if TYPE_CHECKING:
    from migrator.syntax.terraform import Block
    from migrator.terraform.expressions.evaluate import Expression
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module
    from migrator.workspace.workspace import Workspace

_OTHER_VENDORS = frozenset({"ansible", "cloudformation", "kubernetes", "pulumi"})
_NAMESPACES = {
    "azure_devops": "project",
    "bitbucket_cloud": "namespace",
    "bitbucket_datacenter": "namespace",
    "github_enterprise": "namespace",
    "gitlab": "namespace",
    "raw_git": "namespace",
    "showcase": "namespace",
}
"""The blocks that name a version control system, and the argument that says who owns the repository there."""

_OTHER_NAMES = {
    "repository": ("repository_name",),
    "branch": ("repository_branch",),
    "autodeploy": ("auto_deploy",),
    "project_root": ("component_root",),
    "name": ("stack_name",),
}
"""The names in Spacelift's own module, with hooks as ``hooks = { before = { init = […] } }``, and in Cloud Posse's:
https://github.com/spacelift-solutions/terraform-spacelift-stacks-module and
https://github.com/cloudposse/terraform-spacelift-cloud-infrastructure-automation.
"""

_FOLDER = regex(r"root|path|dir|folder")
"""The names of inputs that may hold the folder of the code."""

_STACK_MODULES = regex(r"(?i)spacelift[^?]*\bstack|cloud-infrastructure-automation/spacelift")
_OF_MODULES = regex(r"terraform-(?P<provider>[^-]+)-(?P<name>.+)")


class Stack(Resource, frozen=True, eq=False, dict=True):
    """A stack that a ``spacelift_stack`` resource, or a call of a module of somebody else's, makes in a ``scope``.

    ``named_slug`` is the slug that the user names, if so.
    """

    is_repeated: bool = False
    named_slug: str = ""

    @property
    def address(self) -> str:
        """The block's address: ``spacelift_stack.app``, ``module.app``."""
        return ".".join(self.block.labels if self.is_resource else ("module", *self.block.labels))

    @property
    def title(self) -> str:
        """The stack for people."""
        call = self.scope.call
        prefix = f"module.{'.'.join(call.block.labels)}." if call is not None else ""
        return f"{prefix}{self.address}" + (f'["{self.key}"]' if self.key is not None else "")

    @property
    def is_resource(self) -> bool:
        """Whether the block is the resource itself."""
        return self.block.type == "resource"

    @property
    def is_module(self) -> bool:
        """Whether the resource is a module of Spacelift's registry, which runs tests like a stack."""
        return self.block.labels[0] == "spacelift_module"

    @cached_property
    def vendor(self) -> str:
        """The vendor that the stack runs; ``""`` for Terraform and OpenTofu."""
        if not self.is_resource:
            tool = (self.document.literal(self.block.attribute("workflow_tool")) or "").lower()
            return tool if tool in _OTHER_VENDORS else ""
        return next((nested.type for nested in self.block.blocks() if nested.type in _OTHER_VENDORS), "")

    @property
    def description(self) -> str:
        """The kind of stack, for people."""
        return "a module" if self.is_module else f"a stack of {self.vendor or 'Terraform'}"

    def argument(self, name: str) -> Expression | None:
        """The argument called ``name``, or the input with that meaning of a module from elsewhere, if set."""
        names = (name,) if self.is_resource else (name, *_OTHER_NAMES.get(name, ()))
        blocks = [*reversed(self._overrides), (self.document, self.block)]
        arguments = (self.scope.argument(*block, name) for block in blocks for name in names)
        first = next((expression for expression in arguments if expression is not None), None)
        if first is not None or self.has_usual_inputs:
            return first
        hooks = self.scope.argument(self.document, self.block, "hooks")
        moment, _, phase = name.partition("_")
        lists = hooks.member(moment) if hooks is not None and phase else None
        return lists.member(phase) if lists is not None else None

    @property
    def has_usual_inputs(self) -> bool:
        """Whether the block's arguments are called as the resource's are."""
        return self.is_resource or self.block.attribute("repository") is not None

    @cached_property
    def code(self) -> Code:
        """The code that the stack runs."""
        is_elsewhere = not self.is_resource and any(_FOLDER.search(given.name) for given in self.block.attributes)
        root = self.string("project_root", None if is_elsewhere else "")
        folder = None if root is None else posixpath.normpath("/" + root.lstrip("/")).lstrip("/")
        branch = self.string("branch", None)
        repository, runs_below = self.string("repository", None), self._runs_all_units
        return code_of(repository, folder, self._namespace, branch, runs_below=runs_below)

    @cached_property
    def labels(self) -> frozenset[str]:
        """The stack's labels, as far as they are known."""
        argument = self.argument("labels")
        return frozenset(argument.strings or ()) if argument else frozenset()

    @cached_property
    def has_known_labels(self) -> bool:
        """Whether `labels` are all labels of the stack."""
        argument = self.argument("labels")
        return self.is_resource if argument is None or argument.is_null else argument.strings is not None

    @cached_property
    def slug(self) -> str | None:
        """The stack's slug, by default derived from the name; None if not known."""
        if self.named_slug or self.is_module:
            return self.named_slug or self._slug_of_module
        return self.string("slug", "") or slug_of(self.string("name", None))

    @property
    def has_explicit_slug(self) -> bool:
        """Whether the slug is written in the code or named by the user; one derived from a name may be outdated."""
        return bool(self.named_slug or self.string("slug", ""))

    @property
    def _slug_of_module(self) -> str | None:
        """The slug of a module: name and provider as in the repository ``terraform-<provider>-<name>``, if not set."""
        repository = _OF_MODULES.fullmatch(self.string("repository", "") or "")
        provider = self.string("terraform_provider", repository["provider"] if repository else "default")
        name = self.string("name", repository["name"] if repository else None)
        return slug_of(f"terraform-{provider}-{name}") if provider and name else None

    @property
    def is_ignored(self) -> bool:
        """Whether the user excludes the stack or its hooks."""
        hooks = [attribute for attribute in self.block.attributes if attribute.name.startswith("before_")]
        return self.document.is_ignored(self.block) or any(map(self.document.is_ignored, hooks))

    def ignores(self, name: str) -> bool:
        """Whether ``lifecycle { ignore_changes }`` keeps a change of an argument from ever being applied."""
        for lifecycle in self.block.blocks("lifecycle"):
            if ignored := lifecycle.attribute("ignore_changes"):
                names = self.document.expression(ignored)
                return name in names or names == "all"
        return False

    @property
    def is_overridden(self) -> bool:
        """Whether an override file changes the block, and may replace the hooks."""
        return bool(self._overrides)

    @cached_property
    def _overrides(self) -> list[tuple[Document, Block]]:
        return self.module.overrides(self.block)

    @property
    def manages_state(self) -> bool | None:
        """Whether Spacelift keeps the state; None if not known. A ``terragrunt`` block has an argument of its own."""
        if terragrunt := self.vendor_block("terragrunt"):
            return terragrunt.is_true("use_state_management", False)
        return self.is_true("manage_state", True if self.is_resource else None)

    @property
    def waits(self) -> bool | None:
        """Whether a run waits for confirmation; None if not known."""
        autodeploys = self.is_true("autodeploy", False if self.is_resource else None)
        return None if autodeploys is None else not autodeploys

    @property
    def _runs_all_units(self) -> bool:
        """Whether Terragrunt runs every unit below the project root."""
        terragrunt = self.vendor_block("terragrunt")
        return terragrunt is not None and terragrunt.is_true("use_run_all", False) is True

    def vendor_block(self, type_: str) -> Resource | None:
        """The nested block of a vendor, with its arguments; None without the block."""
        return next((Resource(self.document, block, self.scope) for block in self.block.blocks(type_)), None)

    @cached_property
    def _namespace(self) -> str | None:
        for block in self.block.blocks():
            if block.type in _NAMESPACES:
                argument = self.scope.argument(self.document, block, _NAMESPACES[block.type])
                return argument.string if argument else None
            if block.type == "dynamic" and block.labels and block.labels[0] in _NAMESPACES:
                return None
        return ""


def terraform_stacks(workspace: Workspace) -> list[Stack]:
    """Every stack of the repository that runs Terraform or OpenTofu, with override files merged."""
    return [stack for stack in spacelift_stacks(workspace) if not stack.vendor and not stack.is_module]


def spacelift_stacks(workspace: Workspace) -> list[Stack]:
    """Every stack of the repository, whatever the stack runs, and every module of Spacelift's registry."""
    if workspace not in _STACKS:
        _STACKS[workspace] = [
            _named(workspace, Stack(document, block, resource.scope, resource.key, _is_repeated(block)))
            for _, module in sorted(workspace.modules.items())
            if module.is_interesting
            for document, block in _definitions(module)
            for resource in resources_of(workspace, module, document, block)
        ]
    return _STACKS[workspace]


def _definitions(module: Module) -> Iterator[tuple[Document, Block]]:
    for type_ in ("spacelift_stack", "spacelift_module"):
        yield from (resource for resource in module.blocks("resource", type_) if not resource[0].is_override)
    for document, block in module.blocks("module"):
        source = document.literal(block.attribute("source")) or ""
        is_local = source.startswith(("./", "../"))
        names = ("repository", *_OTHER_NAMES["repository"])
        if not is_local and _STACK_MODULES.search(source) and any(block.attribute(name) for name in names):
            yield document, block


def _is_repeated(block: Block) -> bool:
    return block.attribute("for_each") is not None or block.attribute("count") is not None


def _named(workspace: Workspace, stack: Stack) -> Stack:
    named = named_slug(workspace.slugs, stack.title, stack.slug) if workspace.slugs else ""
    return replace(stack, named_slug=named) if named else stack


_STACKS: WeakKeyDictionary[Workspace, list[Stack]] = WeakKeyDictionary()
