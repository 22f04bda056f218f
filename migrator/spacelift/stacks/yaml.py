"""Spacelift stacks that are defined in YAML: blueprints and templates, Atmos stack files, Masterpoint stack files.

A value that is a template (``${{ inputs.x }}``, ``{{ .vars.x }}``, ``${var.x}``) is not known.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.regex import regex
from migrator.syntax.yaml.parse import read
from migrator.syntax.yaml.tree import Keys, Mapping, Node, Sequence, Tree, find, names, string_at

if TYPE_CHECKING:
    from migrator.span import Span

_VENDORS = {"terraform": ("version", "workflow_tool"), "terragrunt": ("terraform_version", "terragrunt_tool")}
"""The vendors of a blueprint that run Terraform or OpenTofu, with the names of the version and the tool."""

_BLUEPRINT = regex(rb"(?m)^\s*[\"']?stacks?[\"']?\s*:")
_ATMOS = regex(rb"\bspacelift[\"']?\s*:")
_MASTERPOINT = regex(rb"StackConfigV1\b|\b(?:stack|automation)_settings[\"']?\s*:")
_TEMPLATE = regex(r"[$%]\{|\{\{")
_INIT_HOOKS = ("hooks", "init", "before")
_BEFORE_INIT = "before_init"


class YamlStack(Struct, frozen=True):
    """A stack that the file ``path`` defines at ``line`` (counted from 1) and ``offset``.

    ``keys`` lead to the list of the commands before ``terraform init``, which need not exist. ``may_replace``: a new
    list may replace a list of another file. ``project_root`` is ``""`` for the root of the repository; ``runs_below``:
    Terragrunt runs every unit below. Any field is None if not known.
    """

    path: str
    keys: Keys
    name: str | None
    repository: str | None
    namespace: str | None
    project_root: str | None
    branch: str | None
    line: int
    offset: int
    may_replace: bool = False
    terraform_version: str | None = None
    workflow_tool: str | None = None
    runs_below: bool = False

    @property
    def is_blueprint(self) -> bool:
        """Whether the file is a blueprint, from which Spacelift makes stacks on demand."""
        return self.keys[-3:] == _INIT_HOOKS

    def hooks(self, phase: str) -> Keys:
        """The way to the list of commands before ``phase`` (``init``, ``apply``, …)."""
        if self.is_blueprint:
            return (*self.keys[:-2], phase, "before")
        return (*self.keys[:-1], f"before_{phase}")


def is_of_interest(path: str, data: bytes) -> bool:
    """Whether the file may define stacks, by its name and bytes: a cheap test with false positives."""
    if not path.endswith((".yaml", ".yml")):
        return False
    if _is_masterpoint_path(path) and _MASTERPOINT.search(data):
        return True
    if b"components" in data and _ATMOS.search(data):
        return True
    return b"vcs" in data and b"vendor" in data and bool(_BLUEPRINT.search(data))


def stacks_in(path: str, text: str, part: Span | None = None) -> tuple[YamlStack, ...]:
    """The stacks in ``part`` of ``text`` (all of the text if None); ``path`` is the path of the file.

    Raises `SyntaxProblem` if the text is no YAML.
    """
    tree = read(text, part)
    if not isinstance(tree.root, Mapping):
        return ()
    masterpoint = _masterpoint(path, tree, tree.root) if part is None else ()
    return (*_blueprint(path, tree, tree.root), *_atmos(path, tree, tree.root), *masterpoint)


# --- blueprints -----------------------------------------------------------------------------------------------------


def _blueprint(path: str, tree: Tree, root: Mapping) -> Iterator[YamlStack]:
    """``stack:`` or ``stacks:`` with ``vcs`` and ``vendor.terraform`` or ``vendor.terragrunt``.

    https://docs.spacelift.io/concepts/blueprint has both forms, and https://docs.spacelift.io/concepts/template the
    second, with ``vcs.reference`` in place of ``vcs.branch``.
    """
    stacks = find(root, ("stacks",))
    count = len(stacks.node.items) if stacks and isinstance(stacks.node, Sequence) else 0
    for keys in (("stack",), *(("stacks", index) for index in range(count))):
        vendor = next((name for name in _VENDORS if find(root, (*keys, "vendor", name))), None)
        if find(root, (*keys, "vcs")) and vendor is not None:
            version, tool = _VENDORS[vendor]
            yield YamlStack(
                path=path,
                keys=(*keys, *_INIT_HOOKS),
                name=_known(root, *keys, "name"),
                repository=_known(root, *keys, "vcs", "repository"),
                namespace=_known(root, *keys, "vcs", "namespace"),
                project_root=_folder(root, *keys, "vcs", "project_root"),
                branch=_known(root, *keys, "vcs", "branch") or _reference(root, *keys, "vcs", "reference"),
                line=_line(tree, keys),
                offset=_offset(tree, keys),
                terraform_version=_known(root, *keys, "vendor", vendor, version),
                workflow_tool=_known(root, *keys, "vendor", vendor, tool),
                runs_below=_known(root, *keys, "vendor", vendor, "use_run_all") == "true",
            )


def _reference(root: Mapping, *keys: str | int) -> str | None:
    return _known(root, *keys, "value") if _known(root, *keys, "type") == "branch" else None


# --- Atmos ----------------------------------------------------------------------------------------------------------


def _atmos(path: str, tree: Tree, root: Mapping) -> Iterator[YamlStack]:
    """``components.terraform.<name>.settings.spacelift``: each component that is not abstract is a stack.

    https://github.com/cloudposse/terraform-aws-components/blob/main/modules/spacelift/admin-stack/child-stacks.tf takes
    ``before_init`` and ``stack_name`` from there, and the folder from ``metadata.component``, below the variable
    ``component_root``. The variable's value is components/terraform:
    https://docs.cloudposse.com/components/library/aws/spacelift. Repository and branch are variables of that module.
    Files are merged with their imports, and a list replaces the imported list, unless atmos.yaml says otherwise:
    https://atmos.tools/stacks/imports.
    """
    parent = ("components", "terraform")
    components = find(root, parent)
    for name in names(components.node) if components else ():
        keys = (*parent, name)
        settings = (*keys, "settings", "spacelift")
        place = find(root, settings)
        if (
            place is None
            or not isinstance(place.node, Mapping)
            or string_at(root, *keys, "metadata", "type") == "abstract"
        ):
            continue
        if string_at(root, *settings, "workspace_enabled") == "false":
            continue
        folder = _known(root, *keys, "metadata", "component") if find(root, (*keys, "metadata", "component")) else name
        yield YamlStack(
            path=path,
            keys=(*settings, _BEFORE_INIT),
            name=_known(root, *settings, "stack_name"),
            repository=None,
            namespace=None,
            project_root=folder and f"components/terraform/{folder}",
            branch=_known(root, *settings, "branch"),
            line=_line(tree, keys),
            offset=_offset(tree, keys),
            may_replace=find(root, (*settings, _BEFORE_INIT)) is None,
            terraform_version=_known(root, *settings, "terraform_version"),
            workflow_tool=_known(root, *settings, "terraform_workflow_tool"),
        )


# --- Masterpoint ----------------------------------------------------------------------------------------------------


def _is_masterpoint_path(path: str) -> bool:
    file = PurePosixPath(path)
    return file.suffix == ".yaml" and (file.parent.name == "stacks" or file.name == "stack.yaml")


def _masterpoint(path: str, tree: Tree, root: Mapping) -> Iterator[YamlStack]:
    """``stack_settings`` of ``<root module>/stacks/<name>.yaml`` or ``<root module>/stack.yaml``.

    https://github.com/masterpointio/terraform-spacelift-automation (main.tf, stack-config.schema.json) makes a stack of
    each such file, except for ``common.yaml``. The lists of that file are joined with the lists of the others. The
    stack's folder is the root module's folder, unless ``project_root`` is set. Repository and branch are variables of
    the automation module.
    """
    file = PurePosixPath(path)
    evidence = ("stack_settings", "automation_settings")
    is_masterpoint = string_at(root, "kind") == "StackConfigV1" or any(find(root, (name,)) for name in evidence)
    if not is_masterpoint or not _is_masterpoint_path(path) or file.name == "common.yaml":
        return
    is_single = file.name == "stack.yaml" and file.parent.name != "stacks"
    module = file.parent if is_single else file.parent.parent
    settings_key = "stack_settings"
    yield YamlStack(
        path=path,
        keys=(settings_key, _BEFORE_INIT),
        name=module.name if is_single else f"{module.name}-{file.stem}",
        repository=_known(root, settings_key, "repository"),
        namespace=None,
        project_root=_folder(root, settings_key, "project_root")
        if find(root, (settings_key, "project_root"))
        else _folder_of(module),
        branch=_known(root, settings_key, "branch"),
        line=_line(tree, (settings_key,)),
        offset=_offset(tree, (settings_key,)),
        terraform_version=_known(root, settings_key, "terraform_version"),
        workflow_tool=_known(root, settings_key, "terraform_workflow_tool"),
    )


def _folder_of(module: PurePosixPath) -> str:
    return "" if str(module) == "." else str(module)


# --- values ---------------------------------------------------------------------------------------------------------


def _known(root: Node, *keys: str | int) -> str | None:
    """The string at ``keys``, unless the string is a template."""
    value = string_at(root, *keys)
    return None if value is None or _TEMPLATE.search(value) else value


def _folder(root: Node, *keys: str | int) -> str | None:
    """The folder at ``keys``, ``""`` where none is named."""
    if string_at(root, *keys) is None:
        return ""
    folder = _known(root, *keys)
    return None if folder is None else posixpath.normpath("/" + folder.lstrip("/")).lstrip("/")


def _line(tree: Tree, keys: Keys) -> int:
    return tree.text.count("\n", 0, _offset(tree, keys)) + 1


def _offset(tree: Tree, keys: Keys) -> int:
    """The offset of the key, or the item, at ``keys``."""
    holder, name = tree.find(keys[:-1]), keys[-1]
    offset = tree.part.start
    if holder and isinstance(holder.node, Mapping) and isinstance(name, str):
        entry = holder.node.own_entries(name)
        offset = entry.key.start if entry else holder.node.start
    elif holder and isinstance(holder.node, Sequence) and isinstance(name, int):
        offset = holder.node.items[name].start
    return offset
